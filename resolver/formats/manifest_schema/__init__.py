"""What a ``spack.yaml`` and the configuration files around it may hold: shapes as data, and one small checker that walks them."""

from resolver.formats.manifest_schema.check import check_manifest, check_scope
from resolver.formats.manifest_schema.checker import Finding

__all__ = ["Finding", "check_manifest", "check_scope"]
