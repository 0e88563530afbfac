"""Spack's versions: order, ranges, sets."""

from resolver.versions.ranges import ANY, VersionRange, VersionSet
from resolver.versions.version import Version, parse_version

__all__ = ["ANY", "Version", "VersionRange", "VersionSet", "parse_version"]
