"""From options to a machine: what is given, what a named machine says, what the host tells."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from pkgutil import get_data

import msgspec
from msgspec.structs import replace

from resolver.api.settings import Settings, read_text
from resolver.arch.machine import FACTS, Libc, Machine, is_triple, parse_triple, unusual_os
from resolver.errors import InputError, did_you_mean
from resolver.formats.config import MachineConfig, read_machine

AUTO = "auto"
NONE = ("none",)
"""In place of a GPU: the machine has none, or none is to be minded."""
KNOWN = ("resolver.api", "machines.json")
GPUS = ("cuda_arch", "amdgpu_target")
NEEDED = {"linux": ("os", "target", "libc")}
"""What a machine of a platform must say to be chosen for; of the others ``os`` and ``target``."""


class KnownMachine(MachineConfig, frozen=True):
    """A machine that many people have, and the label of its runners where it is one of a CI system."""

    runner: str = ""


class MachineRequest(msgspec.Struct, frozen=True):
    """The machine options of a command; None is not given. ``none`` alone as a GPU is none, whatever the machine has."""

    machine: str | None = None
    arch: str | None = None
    platform: str | None = None
    os: str | None = None
    target: str | None = None
    libc: str | None = None
    cuda_arch: Sequence[str] = ()
    amdgpu_target: Sequence[str] = ()


def resolve_machine(request: MachineRequest, settings: Settings) -> Machine:
    """The machine that the options mean. Raises ``InputError`` on names that nobody knows.

    What is not given comes from the named machine, else, when none is named and the platform is the host's, from detection; what
    then is missing stays unknown.
    """
    given = _given(request).check()
    if request.arch:
        given = given.over(parse_triple(request.arch))
    known = given.over(named_machine(request.machine, settings)) if request.machine and request.machine != AUTO else None
    return _finished(_without_gpus(known or _completed(given), request))


def _given(request: MachineRequest) -> Machine:
    libc = Libc.parse(request.libc) if request.libc else None
    cuda, amd = (() if tuple(gpus) == NONE else tuple(gpus) for gpus in (request.cuda_arch, request.amdgpu_target))
    given = Machine(request.platform, request.os, request.target, libc, cuda, amd)
    return replace(given, found_by={fact: f"--{fact.replace('_', '-')}" for fact in FACTS if getattr(given, fact)})


def _without_gpus(machine: Machine, request: MachineRequest) -> Machine:
    """The machine without those GPUs that the options take away."""
    gone = [gpu for gpu in GPUS if tuple(getattr(request, gpu)) == NONE]
    if not gone:
        return machine
    found_by = {**machine.found_by, **{gpu: f"--{gpu.replace('_', '-')} none" for gpu in gone}}
    unknown = {fact: why for fact, why in machine.unknown.items() if fact not in gone}
    return replace(machine, **dict.fromkeys(gone, ()), found_by=found_by, unknown=unknown)


def _completed(given: Machine) -> Machine:
    """The machine with what detection adds; the host is asked only for what is missing.

    With OS and target given it is another machine than the host, whose GPUs say nothing of it.
    """
    needed = needed_facts(given)
    missing = [fact for fact in needed if not getattr(given, fact)]
    if given.platform and not missing:
        return given
    from resolver.machine import HostProbe, detect  # asking the host takes time

    probe = HostProbe()
    if given.platform not in (None, probe.system().lower()):
        return given
    described = given.os and given.target
    host = detect(probe, [*missing, *(gpu for gpu in GPUS if not described and not getattr(given, gpu))])
    if given.platform is None and (given.os or given.target) is None:
        return given.over(host)
    return given.over(replace(host, found_by={fact: f"this host: {how}" for fact, how in host.found_by.items()}))


def needed_facts(machine: Machine) -> tuple[str, ...]:
    """What a machine of this platform must say; of one whose platform is not known, what one of Linux must."""
    return NEEDED.get(machine.platform or "linux", ("os", "target"))


def _finished(machine: Machine) -> Machine:
    """The machine, with a reason for each needed fact that it lacks, and a doubt about a name that Spack would not give."""
    lacking = [fact for fact in ("platform", *needed_facts(machine)) if not getattr(machine, fact) and fact not in machine.unknown]
    doubt = unusual_os(machine)
    if not lacking and not doubt:
        return machine
    unknown = {**machine.unknown, **{fact: f"nothing says it; give --{fact}" for fact in lacking}}
    return replace(machine, unknown=unknown, doubts=(*machine.doubts, *([doubt] if doubt else [])))


def named_machine(name: str, settings: Settings) -> Machine:
    """A machine by its name in the configuration, of the well-known ones, by a file, or by its architecture.

    A GitHub runner's label is a name too. Raises ``InputError`` with the nearest names.
    """
    if name == AUTO:
        return replace(_finished(_completed(Machine())), name=AUTO)
    if name in settings.config.machines:
        return _finished(settings.config.machines[name].machine(name))
    known = known_machines()
    if found := known.get(name) or known.get(f"github-{name}"):
        return _finished(found.machine(name))
    if name.endswith((".yaml", ".yml", ".json")):
        path = Path(name)
        return _finished(read_machine(read_text(path), path.stem, str(path)))
    if is_triple(name):
        return _finished(replace(parse_triple(name), name=name))
    names = sorted({*settings.config.machines, *known})
    msg = f"unknown machine {name if len(name) < 100 else name[:97] + '...'!r}"
    guess = did_you_mean(name[:100], names)
    hint = f"{guess}`spack-resolver machine --list machines` shows all; an architecture such as linux-ubuntu24.04-zen4 is one too"
    raise InputError(msg, hint=hint)


@cache
def known_machines() -> dict[str, KnownMachine]:
    """The well-known machines that ship with the program."""
    return msgspec.json.decode(get_data(*KNOWN) or b"", type=dict[str, KnownMachine])


def all_machines(settings: Settings) -> dict[str, MachineConfig]:
    """The machines that have a name: the configuration's, which go first, and the well-known ones; sorted."""
    return dict(sorted({**known_machines(), **settings.config.machines}.items()))


def usual_machines(settings: Settings) -> list[Machine]:
    """The machines that a question on any machine is asked of: the configuration's, and GitHub's runners; sorted."""
    return [
        named_machine(name, settings) for name in all_machines(settings) if name in settings.config.machines or name.startswith("github-")
    ]


def runner_of(name: str, settings: Settings) -> tuple[str, ...]:
    """The CI runner's labels for a machine: the configuration's, else those of a well-known machine, else its name."""
    known = known_machines().get(name)
    value = settings.config.ci.runners.get(name) or (known.runner if known else "") or name
    return (value,) if isinstance(value, str) else tuple(value)
