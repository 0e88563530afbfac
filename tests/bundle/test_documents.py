"""What ``docs`` say of the commands on mirrors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conftest import ROOT, Run
from fakes.environments import lay_out

from resolver.api.verify.findings import REMEDIES


def keys_of(value: Any) -> set[str]:
    """The keys of a document and of the mappings in it that have fixed ones."""
    if isinstance(value, list):
        return set().union(*(keys_of(item) for item in value))
    return set(value).union(*map(keys_of, value.values())) if isinstance(value, dict) else set()


def test_documented_keys_are_the_real_ones(run: Run, tmp_path: Path) -> None:
    lay_out(tmp_path, run)
    text = (ROOT / "docs" / "json.md").read_text("utf-8")
    documents = {
        "urls": run("urls", tmp_path / "env", "--json").document,
        "bundle": run("bundle", tmp_path / "env", "-o", tmp_path / "out", "--json").document,
        "verify": run("verify", tmp_path / "bundle", "--trust", "A" * 40, "--json").document,
    }
    for command, document in documents.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{command}` |"))
        free = {*document.get("by_mirror", ()), *document.get("keys", ()), *document.get("signed_by", ())}
        assert not [key for key in keys_of(document) - free - {"schema"} if f"`{key}`" not in row]


def test_every_finding_is_documented() -> None:
    text = (ROOT / "docs" / "bundle.md").read_text("utf-8")
    assert not [kind for kind in REMEDIES if f"`{kind}`" not in text]
