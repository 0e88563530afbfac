"""Layout v2: where things lie below ``build_cache/``.

Source: Spack ``url_buildcache.py:URLBuildcacheEntryV2``, ``binary_distribution.py:tarball_path_name`` (0.23).
"""

from __future__ import annotations

from resolver.formats.manifest import polite
from resolver.spec.concrete import ConcreteSpec

FOLDER = "build_cache"
INDEX = f"{FOLDER}/index.json"
INDEX_HASH = f"{INDEX}.hash"


def _stem(spec: ConcreteSpec) -> tuple[str, str, str]:
    """Architecture, compiler and file stem; without a compiler both its fields are ``none``."""
    architecture = polite(f"{spec.platform}-{spec.os}-{spec.target}")
    name, _, version = spec.compiler.partition("@")
    compiler = polite(f"{name or 'none'}-{version or 'none'}")
    return architecture, compiler, f"{architecture}-{compiler}-{polite(f'{spec.name}-{spec.wire.version}-{spec.hash}')}"


def spec_path(spec: ConcreteSpec, *, signed: bool) -> str:
    """The spec file, relative to the mirror."""
    return f"build_cache/{_stem(spec)[2]}.spec.json{'.sig' if signed else ''}"


def archive_path(spec: ConcreteSpec) -> str:
    """The archive, relative to the mirror."""
    architecture, compiler, stem = _stem(spec)
    return f"build_cache/{architecture}/{compiler}/{polite(f'{spec.name}-{spec.wire.version}')}/{stem}.spack"
