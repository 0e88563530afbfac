"""From options to a machine: what is given, what a named machine says, what the host tells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from resolver.api.settings import Settings, read_text
from resolver.arch.machine import Libc, Machine, is_triple, parse_triple
from resolver.errors import InputError, did_you_mean
from resolver.formats.config import MachineConfig, read_machine

AUTO = "auto"
NEEDED = {"linux": ("os", "target", "libc"), "darwin": ("os", "target"), "windows": ("os", "target"), "freebsd": ("os", "target")}


class MachineRequest(msgspec.Struct, frozen=True):
    """The machine options of a command; None is not given."""

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
    if request.machine and request.machine != AUTO:
        return given.over(named_machine(request.machine, settings))
    return _completed(given)


def _given(request: MachineRequest) -> Machine:
    libc = Libc.parse(request.libc) if request.libc else None
    facts = {"platform": request.platform, "os": request.os, "target": request.target, "libc": libc}
    found = {fact: f"--{fact}" for fact, value in facts.items() if value}
    cuda, amd = tuple(request.cuda_arch), tuple(request.amdgpu_target)
    return Machine(request.platform, request.os, request.target, libc, cuda, amd, found_by=found)


def _completed(given: Machine) -> Machine:
    """The machine with what detection adds; the host is asked only when something is missing."""
    if given.platform and all(getattr(given, fact) for fact in NEEDED.get(given.platform, ())):
        return given
    from resolver.machine import HostProbe, detect  # asking the host takes time

    probe = HostProbe()
    if given.platform not in (None, probe.system().lower()):
        return given
    host = detect(probe)
    if given.platform is None and (given.os or given.target) is None:
        return given.over(host)
    return given.over(replace(host, found_by={fact: f"this host: {how}" for fact, how in host.found_by.items()}))


def named_machine(name: str, settings: Settings) -> Machine:
    """A machine by its name in the configuration, of the well-known ones, by a file, or by its architecture."""
    if name == AUTO:
        return replace(_completed(Machine()), name=AUTO)
    if name in settings.config.machines:
        return settings.config.machines[name].machine(name)
    known = known_machines()
    if name in known:
        return known[name].machine(name)
    path = Path(name)
    if path.suffix in (".yaml", ".yml") and path.is_file():
        return read_machine(read_text(path), path.stem, str(path))
    if is_triple(name):
        return replace(parse_triple(name), name=name)
    names = sorted({*settings.config.machines, *known})
    msg = f"unknown machine {name!r}"
    guess = did_you_mean(name, names)
    hint = f"{guess}`spack-resolver machine --list machines` shows all; an architecture such as linux-ubuntu24.04-zen4 is one too"
    raise InputError(msg, hint=hint)


def known_machines() -> dict[str, MachineConfig]:
    """The well-known machines that ship with the program."""
    rows = {name: {k: v for k, v in facts.items() if k != "runner"} for name, facts in _known().items()}
    return msgspec.convert(rows, dict[str, MachineConfig])


def runner_of(name: str, settings: Settings) -> tuple[str, ...]:
    """The CI runner's labels for a machine: the configuration's, else those of a well-known machine, else its name."""
    value = settings.config.ci.runners.get(name) or _known().get(name, {}).get("runner") or name
    return (value,) if isinstance(value, str) else tuple(value)


def _known() -> dict[str, dict[str, str]]:
    import tomllib  # only named machines need these two
    from importlib.resources import files

    found: dict[str, dict[str, str]] = tomllib.loads(files("resolver.api").joinpath("machines.toml").read_text("utf-8"))
    return found
