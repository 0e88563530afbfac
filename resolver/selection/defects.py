"""What Spack reuses on no machine, and what this project never offers: what is no released binary, or has no whole closure.

Source: Spack ``solver/reuse.py:_is_reusable``. On purpose stricter: a link/run dependency that no source has is a defect.
"""

from __future__ import annotations

from resolver.selection.closures import GCC_RUNTIME, Closures
from resolver.selection.pool import CandidatePool
from resolver.spec.concrete import ConcreteSpec

# What a failed check says: what the node has, what is wanted, and the rest of the sentence after the node's name.
Failure = tuple[str, str, str]
NO_BINARY: Failure = ("no binary", "in_buildcache", "is in no build cache that was synced")


class Defects:
    """The defects of a pool's nodes, externals apart, whatever machine and stack they are judged for; each is found once."""

    def __init__(self, pool: CandidatePool) -> None:
        self.closures = Closures(pool)
        self._pool = pool
        self._found: dict[str, Failure | None] = {}

    def of(self, node: ConcreteSpec) -> Failure | None:
        """What is wrong with a node that is no external; None when nothing is."""
        if node.hash not in self._found:
            self._found[node.hash] = self._of(node)
        return self._found[node.hash]

    def _of(self, node: ConcreteSpec) -> Failure | None:
        statement = self._pool.statement(node)
        if not statement.in_buildcache and node.name != GCC_RUNTIME:
            return NO_BINARY
        if node.has_variant("dev_path"):
            return ("dev_path", "a released source", "is a development build, which Spack does not reuse")
        if node.name == "compiler-wrapper":
            return ("compiler-wrapper", "a package", "is part of Spack's build environment and never reused")
        built = node.wire.build_spec
        if built and built.key and self._pool.get(built.key) is None:
            return ("incomplete", f"{built.name}/{built.key[:7]}", f"was spliced from {built.name}/{built.key[:7]}, which no source has")
        if missing := self._missing_link(node):
            return missing
        if statement.complete and (runtime := self.closures.missing_runtime(node)):
            return ("no " + runtime, runtime, f"was built with a compiler whose {runtime} it does not depend on; Spack does not reuse it")
        return None

    def _missing_link(self, node: ConcreteSpec) -> Failure | None:
        for edge in self.closures.links(node):
            child = self._pool.get(edge.hash)
            if child is None or not self._pool.statement(child).complete:
                shown = f"{edge.name}/{edge.hash[:7]}"
                rest = "which no source has" if child is None else "of which only a page is known, without its dependencies"
                return ("incomplete", shown, f"links to {shown}, {rest}")
        return None
