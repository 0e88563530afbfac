"""What an environment or a lock wants downloaded: its link/run closure, and the mirrors that serve it."""

from resolver.api.wanted.load import is_mirror, load_wanted
from resolver.api.wanted.model import LOCKFILE, MANIFEST, Part, Wanted

__all__ = ["LOCKFILE", "MANIFEST", "Part", "Wanted", "is_mirror", "load_wanted"]
