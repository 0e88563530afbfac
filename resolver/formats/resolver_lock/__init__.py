"""``resolver.lock``: what stacks were given on which machines, so that others get the same without network and catalog."""

from resolver.formats.resolver_lock.document import SCHEMA, json_schema, write_lock
from resolver.formats.resolver_lock.model import (
    Lock,
    LockChoice,
    LockChoices,
    LockMachine,
    LockNode,
    LockRoot,
    LockSelection,
    LockSource,
    LockStack,
)
from resolver.formats.resolver_lock.reader import MOST_BYTES, read_lock

__all__ = [
    "MOST_BYTES",
    "SCHEMA",
    "Lock",
    "LockChoice",
    "LockChoices",
    "LockMachine",
    "LockNode",
    "LockRoot",
    "LockSelection",
    "LockSource",
    "LockStack",
    "json_schema",
    "read_lock",
    "write_lock",
]
