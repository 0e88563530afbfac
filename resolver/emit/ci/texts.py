"""What workflows and pipelines share: shell lines that set Spack up and install, and the versions that they are pinned to."""

from __future__ import annotations

import msgspec

SPACK = "v1.1.1"
"""The tag of Spack that is cloned unless the configuration names another."""
RESOLVER = "spack-resolver"
PYTHON = "3.13"


class Plan(msgspec.Struct, frozen=True):
    """What a workflow or a pipeline is made with.

    ``made_by`` is the command that makes it, ``command`` the one that its first job plans with, each on one line that any shell takes.
    ``spack`` is the git tag or branch of Spack, ``resolver`` what pip installs of this program; ``sync`` is whether the sources of the
    configuration must be read first, and ``folder`` where the planning job writes the environments to.
    """

    made_by: str
    command: str
    spack: str = SPACK
    resolver: str = RESOLVER
    sync: bool = True
    folder: str = "environments"


SET_UP = (
    "# Packages hold the path that they were installed to: those of another place are of no use here.",
    'store="$PWD/.spack-store"',
    'if [ "$(cat "$store/.place" 2>/dev/null)" != "$store" ]; then rm -rf "$store"; fi',
    'mkdir -p "$store"',
    'echo "$store" > "$store/.place"',
    'git clone --quiet --depth 1 --branch "$SPACK_REF" https://github.com/spack/spack.git .spack',
    '.spack/bin/spack config --scope site add "config:install_tree:root:$store"',
)
"""Spack in the folder ``.spack``, which installs into ``.spack-store``; both are below the folder that a job runs in."""
TRUST = 'spack -e "{environment}" buildcache keys --install --trust'
INSTALL = 'spack -e "{environment}" install --cache-only'
USE = 'spack -e "{environment}" find'
