"""Options that several commands have, each bundle declared once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from resolver.cli.context import Context

if TYPE_CHECKING:
    from resolver.api.selecting import Choices
    from resolver.api.settings import Settings
    from resolver.api.stacks import StackRequest
    from resolver.arch.machine import Machine

F = TypeVar("F", bound=Callable[..., Any])

MACHINE_OPTIONS = ("machine", "arch", "platform", "os", "target", "libc", "cuda_arch", "amdgpu_target")
STACK_OPTIONS = ("variables", "no_include", "include_roots", "spack_config")
CHOICE_OPTIONS = ("source", "os_policy", "labelled", "assume_externals", "facts", "prefer")

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")

_machine = [
    click.option("--machine", metavar="NAME|FILE|auto", help="A named machine, a file that describes one, or this host."),
    click.option("--arch", metavar="TRIPLE", help="Platform, OS and target in one, as linux-ubuntu24.04-zen4; -glibc@2.39 may follow."),
    click.option("--platform", metavar="NAME", help="linux, darwin, windows, freebsd or cray."),
    click.option("--os", metavar="NAME", help="Spack's name of the OS, as ubuntu24.04 or sequoia."),
    click.option("--target", metavar="NAME", help="The CPU target, as zen4 or x86_64_v3."),
    click.option("--libc", metavar="NAME@VERSION", help="The C library, as glibc@2.39; add :PREFIX unless it is /usr."),
    click.option("--cuda-arch", metavar="N", multiple=True, help="CUDA compute capability of a GPU, as 80; none for no such GPU."),
    click.option("--amdgpu-target", metavar="NAME", multiple=True, help="Target of an AMD GPU, as gfx90a; none for no such GPU."),
]

_stack = [
    click.option(
        "--env", "variables", metavar="NAME=VALUE", multiple=True, help="A variable that conditions and paths of the stack may see."
    ),
    click.option("--no-include", is_flag=True, help="Read the stack without the files that it includes."),
    click.option(
        "--include-root",
        "include_roots",
        metavar="URL=DIR",
        multiple=True,
        help="Where a git repository, URL, path or $spack that the stack includes lies here; may be repeated.",
    ),
    click.option("--spack-config", metavar="DIR", help="Spack's configuration files there count too, below the stack's own."),
]

_choices = [
    click.option("--source", metavar="NAME", multiple=True, help="Take records of this source only; may be repeated."),
    click.option(
        "--os-policy",
        type=click.Choice(["spack", "strict"]),
        default="spack",
        show_default=True,
        help="spack: on Linux libc decides; strict: the OS must be equal too.",
    ),
    click.option(
        "--labelled",
        type=click.Choice(["prefer", "only", "ignore"]),
        default="prefer",
        show_default=True,
        help="What the label of the requested stack on a record counts for.",
    ),
    click.option("--assume-externals", is_flag=True, help="Accept externals that are not declared, and list them as host requirements."),
    click.option("--facts", metavar="FILE", help="Facts of package recipes, as `facts import` writes them; the order uses them."),
    click.option(
        "--prefer",
        type=click.Choice(["newest", "closest-target", "fewest-packages"]),
        help="Compare by this before Spack's other criteria, behind the stack's rules and label and repeated packages.",
    ),
]


def _bundle(options: list[Callable[[Any], Any]]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


machine_options = _bundle(_machine)
stack_options = _bundle(_stack)
choice_options = _bundle(_choices)


def take_machine(context: Context, options: dict[str, Any], settings: Settings | None = None) -> Machine:
    """Take the machine options out of a command's, and make a machine of them; ``settings`` may know more machines than the context's."""
    from resolver.api.machines import MachineRequest, resolve_machine

    given = {name: options.pop(name) for name in MACHINE_OPTIONS}
    machine = resolve_machine(MachineRequest(**given), settings or context.settings)
    from_host = {fact for fact, how in machine.found_by.items() if how.startswith("this host")}
    if machine.libc and "libc" in from_host and "os" not in from_host:
        context.say(f"note: the libc, {machine.libc}, is this host's; --libc says another for {machine.os}")
    for doubt in machine.doubts:
        context.say(f"note: {doubt.text}")
    return machine


def take_stack(stack: str, options: dict[str, Any]) -> StackRequest:
    """Take the options on how a stack is read out of a command's. Raises click's error when one is not of its form."""
    from resolver.api.stacks import StackRequest

    given = {name: options.pop(name) for name in STACK_OPTIONS}
    variables = dict(_pair(text, text.partition("="), "--env", "NAME=VALUE") for text in given["variables"])
    roots = dict(_pair(text, text.rpartition("="), "--include-root", "URL=DIR") for text in given["include_roots"])
    return StackRequest(stack, variables, not given["no_include"], roots, given["spack_config"] or "")


def _pair(text: str, parts: tuple[str, str, str], option: str, form: str) -> tuple[str, str]:
    name, sign, value = parts
    if not name or not sign or (option == "--include-root" and not value):
        msg = f"{text!r} is not {form}"
        raise click.BadParameter(msg, param_hint=option)
    return name, value


def say_skipped(context: Context, criteria: Sequence[str]) -> None:
    """Say which criteria of Spack's order were not looked at, for want of recipes."""
    if criteria:
        context.say(f"note: not looked at, since only package recipes tell: {', '.join(criteria)}; --facts FILE has what they say")


def take_choices(options: dict[str, Any]) -> Choices:
    """Take the options on selection out of a command's."""
    from resolver.api.selecting import Choices

    given = {name: options.pop(name) for name in CHOICE_OPTIONS}
    usual = (given["source"], given["os_policy"], given["labelled"], given["assume_externals"])
    return Choices(*usual, given["facts"] or "", given["prefer"] or "")
