"""What tests of bundles share: servers that fail are tried again at once, and nothing of the user's environment counts."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from resolver.sources.http import HttpPlace
    from resolver.sources.http_pace import Patience
    from resolver.sources.oci import Registry

    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr("os.fsync", lambda _: None)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    for place in (HttpPlace, Registry):
        monkeypatch.setitem(place.__init__.__kwdefaults__ or {}, "patience", Patience(tries=3, read=5, first_delay=0))
