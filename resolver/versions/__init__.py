"""Spack's versions: order, ranges, sets."""

from resolver.versions.ranges import ANY, VersionRange, VersionSet
from resolver.versions.version import Version, is_version, newest_first, parse_version

__all__ = ["ANY", "Version", "VersionRange", "VersionSet", "is_version", "newest_first", "parse_version"]
