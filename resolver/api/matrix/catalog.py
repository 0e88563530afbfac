"""A matrix out of the catalog: each cell is selected, all in one session."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from msgspec.structs import replace

from resolver.api.expand import tags_of_runners
from resolver.api.matrix.answers import Answer, Answers, CellAnswers, Tags, each
from resolver.api.matrix.wanted import MatrixRequest, NamedMachine, NamedStack, named_machines, named_stacks
from resolver.api.resolve import Resolution, ResolveRequest, Session, choice_words
from resolver.api.settings import Settings
from resolver.emit.environment import Environment
from resolver.selection.model import FOR_HASHES, GroupAnswer
from resolver.stacks.stack import DEFAULT_GROUP


class FromCatalog:
    """Selects. Of the roots of a group that nothing serves, one has its reason: more are not said."""

    def __init__(self, settings: Settings, request: MatrixRequest) -> None:
        self.request = request
        self.stacks = named_stacks(request, settings)
        self.machines = named_machines(request, settings)
        self.session = Session(settings, request.choices)

    def answers(self, stack: NamedStack, machine: NamedMachine) -> CellAnswers:
        """What the catalog gives a cell."""
        reading = replace(self.request.reading, stack=stack.asked)
        asking = ResolveRequest(reading, machine.machine, self.request.choices, effort=FOR_HASHES)
        whole = self.session.resolve(asking)
        tags, unread = tags_of_runners(whole.stack, machine.machine)
        needs = {group.name: group.needs for group in whole.stack.groups}
        groups = tuple(_answers(group, needs[group.name], tags.get(group.name)) for group in whole.groups)

        def environment(names: Sequence[str], roots: Sequence[str]) -> Environment:
            return self.session.part(whole, replace(asking, groups=names, roots=roots, nodes=True)).environment

        def command(names: Sequence[str], roots: Sequence[str]) -> str:
            words = ["spack-resolver", "resolve", stack.asked, "--machine", machine.asked, *choice_words(asking.choices)]
            words += [*reading.words(), "--partial", "-o", "env", *each("--group", names), *each("--root", roots)]
            return shlex.join(words)

        warnings = (*whole.stack.warnings, *unread)
        return CellAnswers(
            groups,
            sum(1 for group in whole.stack.groups if group.roots or group.name != DEFAULT_GROUP) > 1,
            whole.environment.mirrors,
            environment,
            command,
            "" if groups else _no_root(whole),
            warnings if groups else (),
            tuple(note for note in whole.notes if note not in warnings),
            whole.skipped_criteria,
        )

    def close(self) -> None:
        """Lets go of the catalog."""
        self.session.close()


def _no_root(whole: Resolution) -> str:
    return "; ".join(whole.stack.warnings) or "it asks for no root there"


def _answers(group: GroupAnswer, needs: tuple[str, ...], tags: Sequence[Tags] | None) -> Answers:
    roots = []
    for number, answer in enumerate(group.roots):
        own = tags[number] if tags else ()
        if answer.chosen is None:
            roots.append(Answer(str(answer.root), "", reason=answer.text, tags=own))
        else:
            closure = frozenset(spec.hash for spec in answer.chosen.closure)
            roots.append(Answer(str(answer.root), answer.chosen.spec.hash, closure, tags=own))
    return Answers(group.name, needs, tuple(roots))
