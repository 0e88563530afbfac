"""``spack-resolver render``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resolver.cli.artifacts import Made, emit_option, output_option, take_kinds, write_artifacts
from resolver.cli.context import Context, pass_context
from resolver.cli.documents import machine_body, mirror_body
from resolver.cli.options import MACHINE_OPTIONS, json_option, machine_options, take_machine
from resolver.cli.output import clean, print_document, print_table

if TYPE_CHECKING:
    from resolver.api.locks.chosen import Chosen, ChosenGroup, ChosenRoot
    from resolver.api.settings import Settings
    from resolver.arch.machine import Machine
    from resolver.emit.listings import Download
    from resolver.formats.config import MachineConfig
    from resolver.formats.resolver_lock import Lock, LockMachine


@click.command("render")
@click.argument("lock", metavar="LOCK")
@click.option("--stack", "stacks", metavar="NAME", multiple=True, help="This stack of the lock only; may be repeated.")
@click.option("--group", "groups", metavar="NAME", multiple=True, help="This group only; may be repeated.")
@click.option("--partial", is_flag=True, help="Write what can run even if some roots cannot.")
@click.option("--runtime-only", is_flag=True, help="Leave out of the lockfile what packages were only built with.")
@output_option
@emit_option
@machine_options
@json_option
@pass_context
def command(
    context: Context,
    /,
    lock: str,
    stacks: tuple[str, ...],
    groups: tuple[str, ...],
    partial: bool,
    runtime_only: bool,
    output: str | None,
    emit: tuple[str, ...],
    as_json: bool,
    **options: Any,  # noqa: ANN401 - the shared options
) -> int:
    """Write the environment of one machine out of a lock, without network and catalog.

    A machine that the lock names gets what was selected for it. Any other gets the best that it can run, as far as the packages tell:
    of roots that share a graph the first of the lock's tiers that passes all gates there, of others each its first hash that does.
    Without a machine it is the lock's, if that has one alone, else this host.

    \b
    Examples:
      spack-resolver render resolver.lock --machine github-ubuntu-24.04 -o env
      spack-resolver render resolver.lock --arch linux-ubuntu24.04-zen3 --libc glibc@2.39 -o env
      spack-resolver render resolver.lock --machine github-ubuntu-24.04 --stack ml-linux-x86_64-cpu --emit mirrors.yaml
    """
    from resolver.api.locks.chosen import chosen
    from resolver.api.locks.plan import load_lock

    kinds = take_kinds(emit, as_json=as_json)
    path = Path(lock)
    found = load_lock(path)
    machine = _machine(context, found, options)
    made_by = _command(path, machine, stacks, groups, runtime_only=runtime_only)
    result = chosen(
        found,
        machine,
        context.settings,
        folder=path.absolute().parent,
        stacks=stacks,
        groups=groups,
        runtime_only=runtime_only,
        command=made_by,
    )
    for note in result.notes:
        context.say(clean(f"note: {note}"))
    if (output or kinds) and not (partial and result.roots):
        result.whole()
    if output or kinds:
        downloads = _downloads(result) if any(kind == "urls" for kind, _ in kinds) else []
        made = Made(result.environment, downloads, lambda: {"schema": "spack-resolver/render/1", **_body(result)})
        write_artifacts(context, made, output, kinds)
    if as_json:
        print_document("render", _body(result))
    elif not any(where is None for _, where in kinds):
        _print(context, result, brief=bool(output or kinds))
    return 0 if not result.left or (partial and result.roots) else 4


def _machine(context: Context, lock: Lock, options: dict[str, Any]) -> str | Machine | None:
    """A name of the lock's, or the machine that the options mean; None where nothing is said and the lock has one machine alone."""
    given = {name for name in MACHINE_OPTIONS if options[name]}
    if given == {"machine"} and options["machine"] in lock.machines:
        return str(options["machine"])
    if not given and len(lock.machines) == 1:
        return None
    return take_machine(context, options, _with_machines(context.settings, lock))


def _with_machines(settings: Settings, lock: Lock) -> Settings:
    """Settings that know the lock's machines too, so that options can say what is other than with one of them."""
    from msgspec.structs import replace

    machines = {**settings.config.machines, **{name: _config(machine) for name, machine in lock.machines.items()}}
    return replace(settings, config=replace(settings.config, machines=machines))


def _config(machine: LockMachine) -> MachineConfig:
    from resolver.formats.config import MachineConfig

    facts = (machine.platform or None, machine.os or None, machine.target or None, machine.libc or None)
    return MachineConfig(*facts, list(machine.cuda_arch), list(machine.amdgpu_target))


def _command(path: Path, machine: str | Machine | None, stacks: tuple[str, ...], groups: tuple[str, ...], *, runtime_only: bool) -> str:
    """The command that makes this again, without where lock and output lie."""
    from resolver.api.resolve import machine_words

    words = ["spack-resolver", "render", path.name]
    words += ["--machine", machine] if isinstance(machine, str) else machine_words(machine) if machine else []
    words += [word for name in stacks for word in ("--stack", name)]
    words += [word for name in groups for word in ("--group", name)]
    return shlex.join([*words, *(["--runtime-only"] if runtime_only else [])])


def _downloads(result: Chosen) -> list[Download]:
    from resolver.api.downloads import downloads  # only this list reads mirrors

    return downloads(result.closure, result.mirrors)


def _print(context: Context, result: Chosen, *, brief: bool) -> None:
    context.say(f"machine: {result.machine}")
    for group in result.groups:
        shown = [one for one in group.roots if one.spec is None] if brief else group.roots
        if shown and len(result.groups) > 1:
            context.say(clean(f"stack: {group.stack}   group: {group.group}"))
        if shown:
            print_table(["root", "hash", "version", "of", "why not"], [_row(group, one) for one in shown])
    total = sum(len(group.roots) for group in result.groups)
    context.say(f"{total - len(result.left)} of {total} roots, {len(result.closure)} packages, fingerprint {result.fingerprint[:12]}")
    for need in result.host_requirements:
        newer = " or newer" if need["kind"] == "libc" else ""
        context.say(clean(f"the host must have {need['name']} {need['version']}{newer} at {need['path']}"))


def _row(group: ChosenGroup, one: ChosenRoot) -> list[str]:
    spec = one.spec
    return [one.root, spec.hash if spec else "-", spec.wire.version if spec else "-", f"{group.machine}:{one.target}", one.text]


def _body(result: Chosen) -> dict[str, Any]:
    return {
        "machine": machine_body(result.machine),
        "exact": result.exact,
        "satisfied": not result.left,
        "fingerprint": result.fingerprint,
        "groups": [
            {"stack": group.stack, "name": group.group, "machine": group.machine, "roots": [_root_body(one) for one in group.roots]}
            for group in result.groups
        ],
        "closure": list(result.closure),
        "mirrors": [mirror_body(mirror) for mirror in result.mirrors],
        "host_requirements": list(result.host_requirements),
        "notes": list(result.notes),
    }


def _root_body(one: ChosenRoot) -> dict[str, Any]:
    spec = one.spec
    reason = None if spec else {"gate": one.gate or None, "text": one.text}
    return {
        "spec": one.root,
        "hash": spec.hash if spec else None,
        "name": spec.name if spec else None,
        "version": spec.wire.version if spec else None,
        "target": one.target,
        "reason": reason,
    }
