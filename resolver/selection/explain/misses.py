"""All that a record fails, not only at its first gate, each in a sentence and with what does away with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from resolver.arch.target import runs_on
from resolver.errors import SpecError
from resolver.selection.defects import Failure
from resolver.selection.explain import atoms as single
from resolver.selection.explain.machine_edits import external_edits, machine_edits
from resolver.selection.explain.model import WEIGHTS, Asked, Edit, Miss, Near
from resolver.selection.explain.shown import counted, short
from resolver.selection.explain.stack_edits import exclude_edit, include_edit, label_edit, rule_edits
from resolver.selection.gates import Judge
from resolver.selection.model import GATES
from resolver.selection.ranking import DEFAULT_PROVIDERS
from resolver.selection.rules import Requirement
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.satisfies import Mismatch, match, match_node
from resolver.spec.virtuals import COMPILERS, LANGUAGES

ADVICE = {
    "no binary": "push it to a build cache and sync that, or sync one that has it",
    "external": "ask for a package that is built, or take what the host has",
    "incomplete": "sync the source that states it; Spack would drop it in silence",
    "dev_path": "have a released version of it built",
    "compiler-wrapper": "nothing reuses it; ask for a package",
    "no runtime": "sync the source that states its runtime",
    "platform": "only another build can serve",
    "pair": "have both built for one target",
    "newer libc": "run it on a newer system, or have it built on an older one",
    "other libc": "have it built with the libc that the machine has",
    "os": "run it on that OS, or have it built for this one",
    "target": "run it on such a CPU, or have it built for an ancestor of this one",
    "gpu": "run it on such a GPU, or have it built for this one",
    "spec": "ask for less, or have it built as asked",
    "label": "prefer the label in place of asking for it only",
    "stack": "change the rule in the stack, or have it built as the stack asks",
}


class Misses:
    """Finds what records fail under one judge; remembers what it found of each node of closures."""

    def __init__(self, judge: Judge, asked: Asked, want: AbstractSpec) -> None:
        self.judge = judge
        self.asked = asked
        self.want = want
        self.atoms = single.atoms(want)
        self._nodes: dict[str, list[Miss]] = {}
        self._providers: dict[str, list[str]] = {}

    def early(self, spec: ConcreteSpec) -> Near:
        """What a record fails by what it states of itself: some of what ``whole`` finds, without looking at its dependencies."""
        found = self._as_root(spec)
        found += [self._miss(gate, spec, failed) for gate, failed in self.judge.early_failures(spec)]
        if self.judge.machine.target is None or spec.target not in self.judge.targets:
            found.append(Miss("target", spec, spec.target, "", "", "", WEIGHTS["target"], "target", (), f"built for {spec.target}"))
        found += [self._atom(atom, spec, failed) for atom in self.atoms if (failed := _matched(match_node, spec, atom.want))]
        found += [self._rule(subject, rule, failed) for subject, rule, failed in self.judge.ruling.broken(spec) if subject is spec]
        return Near(spec, _sorted(_grouped(found)))

    def whole(self, spec: ConcreteSpec) -> Near:
        """All that a record fails, with its whole link/run closure."""
        found = self._as_root(spec)
        found += [self._atom(atom, spec, failed) for atom in self.atoms if (failed := _matched(match, spec, atom.want))]
        for node in [spec, *sorted((n for n in self._closure(spec) if n is not spec), key=lambda n: (n.name, n.hash))]:
            found += [miss for miss in self.of_node(node) if node is not spec or not _is_external_below(miss)]
        return Near(spec, _sorted(_grouped(found)))

    def _closure(self, spec: ConcreteSpec) -> Iterable[ConcreteSpec]:
        return self.judge.closures.nodes(self.judge.closures.mask(spec))

    def _as_root(self, spec: ConcreteSpec) -> list[Miss]:
        found = []
        for rejection in self.judge.as_root(spec):
            gate, have, want = rejection.gate, rejection.have, rejection.want
            if gate == "binary":
                advice = ADVICE["external" if spec.external else "no binary"]
                key, brief = f"{gate}:{have}:{want}", _brief(gate, have, want)
                found.append(Miss(gate, spec, have, want, rejection.text, advice, WEIGHTS[gate], key, (), brief))
            else:
                cures, brief = (label_edit(self.judge.policy.label),), f"not labelled {want}"
                found.append(Miss(gate, spec, have, want, rejection.text, ADVICE["label"], WEIGHTS[gate], "label", cures, brief))
        return found

    def of_node(self, node: ConcreteSpec) -> list[Miss]:
        """What a node of a closure fails, whosever it is, in the order of the gates; remembered."""
        if node.hash not in self._nodes:
            found = [self._miss(gate, node, failed) for gate, failed in self.judge.failures(node)]
            found += [self._rule(subject, rule, failed) for subject, rule, failed in self.judge.ruling.broken(node)]
            self._nodes[node.hash] = found
        return self._nodes[node.hash]

    def _miss(self, gate: str, node: ConcreteSpec, failed: Failure) -> Miss:
        have, want, text = failed
        external = gate == "binary" and want == "a declared external"
        cures = external_edits(node) if external else machine_edits(self.judge, gate, node, have)
        weight = WEIGHTS["external" if external else gate]
        subject = cures[0].subject if cures else f"{gate}:{have}:{want}"
        advice = "" if want == "unknown" or external else self._advice(gate, node, have)
        return Miss(gate, node, have, want, f"{short(node)} {text}", advice, weight, subject, cures, _brief(gate, have, want))

    def _advice(self, gate: str, node: ConcreteSpec, have: str) -> str:
        if gate == "binary":
            return ADVICE["no runtime" if have.startswith("no ") and have != "no binary" else have]
        if gate == "os" and have.startswith(("glibc", "musl", "unknown libc")):
            ours = self.judge.machine.libc
            return ADVICE["newer libc" if ours and have.startswith(f"{ours.name} ") and " at " not in have else "other libc"]
        if gate == "target" and runs_on(node.target, self.judge.machine.target or ""):
            return ADVICE["pair" if node.target in self.judge.targets else "stack"]
        return ADVICE[gate]

    def _rule(self, subject: ConcreteSpec, rule: Requirement | None, failed: Failure) -> Miss:
        have, want, text = failed
        cures = rule_edits(rule) if rule else self._reuse_edits(want)
        key = cures[0].subject if cures else text
        brief = f"breaks {rule.origin}" if rule else "left out by concretizer:reuse"
        return Miss(
            "constraints", subject, have, want, f"{short(subject)} {text}", ADVICE["stack"], WEIGHTS["constraints"], key, cures, brief
        )

    def _reuse_edits(self, want: str) -> tuple[Edit, ...]:
        excluded = [spec for spec in self.judge.policy.reuse_exclude if want == f"not {spec}"]
        return tuple(map(exclude_edit, excluded)) or (include_edit(),)

    def _atom(self, atom: single.Atom, spec: ConcreteSpec, failed: Mismatch) -> Miss:
        provided = single.others_for(single.asked_names(atom.want), spec, self._by_virtual(spec)) if atom.field == "edges" else {}
        cures = single.edits(atom, spec, self.asked.root, provided)
        node = failed.node
        text = f"{short(node)} {str(failed).partition(' ')[2]}"
        key, brief, weight = f"spec:{atom.text}", f"not {atom.text.strip()}", WEIGHTS["constraints"]
        return Miss("constraints", node, failed.have, failed.want, text, ADVICE["spec"], weight, key, cures, brief)

    def _by_virtual(self, spec: ConcreteSpec) -> dict[str, list[str]]:
        for virtual in single.virtuals_of(spec) - set(self._providers):
            self._providers[virtual] = [
                *self.judge.pool.providers(virtual),
                *DEFAULT_PROVIDERS.get(virtual, COMPILERS if virtual in LANGUAGES else ()),
            ]
        return self._providers


def _matched(by: Callable[[ConcreteSpec, AbstractSpec], Mismatch | None], spec: ConcreteSpec, want: AbstractSpec) -> Mismatch | None:
    try:
        return by(spec, want)
    except SpecError as error:
        raise error.at(str(want)) from None


def _is_external_below(miss: Miss) -> bool:
    """Is it that an external is not declared? A root that is an external itself fails for being one."""
    return miss.gate == "binary" and miss.want == "a declared external"


def _brief(gate: str, have: str, want: str) -> str:
    """Why records are stopped at a gate but the last, in a few words that many records share."""
    if gate == "binary":
        return {"no binary": "no build cache has it", "incomplete": f"{want} is missing"}.get(have, have)
    libc = gate == "os" and have.startswith(("glibc", "musl", "unknown libc"))
    return f"needs {have}" if libc else f"built for {have}"


def _grouped(found: list[Miss]) -> list[Miss]:
    """What several nodes fail in the same way once, with their number; the first node speaks for all."""
    groups: dict[tuple[str, ...], dict[str, Miss]] = {}
    for miss in found:
        groups.setdefault((miss.gate, miss.have, miss.want, miss.subject), {}).setdefault(miss.node.hash, miss)
    return [_together(list(rows.values())) for rows in groups.values()]


def _together(rows: list[Miss]) -> Miss:
    first = rows[0]
    if len(rows) == 1:
        return first
    return replace(first, text=f"{first.text}; likewise {counted(len(rows) - 1, 'other package')} of its closure", nodes=len(rows))


def _sorted(found: list[Miss]) -> tuple[Miss, ...]:
    return tuple(sorted(found, key=lambda miss: GATES.index(miss.gate)))
