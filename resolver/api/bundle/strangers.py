"""What a bundle's directory holds that is not of it: packages of another closure, and the index that was there before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from resolver.api.bundle.plan import Package
from resolver.errors import InputError, ResolverError
from resolver.formats.manifest import INDEX_MANIFEST, index_blob, read_manifest
from resolver.sources.folder import Folder

MIRROR = ("v3", "blobs", "build_cache")
PACKAGES = ("v3/manifests/spec", "build_cache")
ENDINGS = (".spec.manifest.json", ".spec.json", ".spec.json.sig")
MOST_NAMED = 3


def strangers(own: Folder, packages: Sequence[Package]) -> list[str]:
    """The manifests and spec files of other packages in the directory."""
    belongs = {package.entry.path for package in packages}
    return [name for name in own.names(*PACKAGES) if name.endswith(ENDINGS) and name not in belongs]


def refuse_strangers(own: Folder, packages: Sequence[Package]) -> None:
    """Raises ``InputError`` when the directory holds other packages, which the bundle's index would not list."""
    others = strangers(own, packages)
    if others:
        names = ", ".join(Path(name).name for name in others[:MOST_NAMED])
        why = f"{names}{' and more' if len(others) > MOST_NAMED else ''}"
        hint = "--prune takes them away; or give another directory, and this one with --from"
        raise InputError(f"{own.path} holds {len(others)} other packages", why=why, hint=hint)


def former_index(own: Folder) -> str:
    """The index blob that the directory has now; empty when it has none."""
    if own.holds(INDEX_MANIFEST) is None:
        return ""
    try:
        return index_blob(read_manifest(own.file(INDEX_MANIFEST).read_bytes())).path
    except (OSError, ResolverError):
        return ""


def clear(own: Folder, belongs: set[str], former: str, *, everything: bool) -> None:
    """Take away the index that was replaced, and with ``everything`` all that is of no package."""
    gone = list(own.names(*MIRROR)) if everything else [former] if former else []
    for name in gone:
        if name not in belongs:
            own.remove(name)
