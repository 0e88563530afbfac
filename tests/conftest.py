"""What all tests share: no network, a catalog of one's own, the program run in this process."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

sys.path.insert(0, str(Path(__file__).parent))

ROOT = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
UBUNTU = ("--platform", "linux", "--os", "ubuntu24.04", "--libc", "glibc@2.39")


class Result(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def loopback_only(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOOPBACK:
            pytest.fail(f"a test opened a connection to {address[0]}")
        connect(self, address)

    look_up = socket.getaddrinfo

    def known_names(host: Any, *rest: Any, **more: Any) -> Any:
        if (host.decode() if isinstance(host, bytes) else host) not in LOOPBACK:
            pytest.fail(f"a test looked up {host}")
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket.socket, "connect", loopback_only)
    monkeypatch.setattr(socket, "getaddrinfo", known_names)


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "catalog.sqlite"
    monkeypatch.setenv("SPACK_RESOLVER_CATALOG", str(path))
    return path


@pytest.fixture
def run(catalog: Path, capsys: pytest.CaptureFixture[str]) -> Run:  # noqa: ARG001 - the environment is what counts
    from resolver.cli.main import run as run_program

    def call(*words: str | Path) -> Result:
        capsys.readouterr()
        code = run_program([str(word) for word in words])
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return call


@pytest.fixture
def shipped(run: Run) -> Run:
    """The program, with the shipped stacks synced."""
    assert run("sync", ROOT / "stacks").code == 0
    return run


@pytest.fixture
def page(run: Run) -> Run:
    """The program, with the page of py-rasterio synced and nothing else."""
    assert run("sync", DATA / "pages" / "py-rasterio.md").code == 0
    return run
