"""Stacks written as the text below ``spack:``, read for a machine."""

from __future__ import annotations

from resolver.arch.machine import Machine, parse_triple
from resolver.formats.yaml_tree import load_yaml
from resolver.stacks.scopes import Configuration, Scope
from resolver.stacks.stack import Stack

ZEN4 = parse_triple("linux-ubuntu24.04-zen4")


def read(text: str, machine: Machine = ZEN4, **environment: str) -> Stack:
    """The stack ``s.yaml`` of a text, whose first line is the file's second."""
    return Stack.read(load_yaml(f"spack:\n{text}"), "s.yaml", machine, environment)


def read_with(text: str, included: dict[str, str], machine: Machine = ZEN4) -> Stack:
    """The stack of a text above included files, the highest first."""
    manifest = load_yaml(f"spack:\n{text}")
    scopes = [Scope("s.yaml", "s.yaml", manifest["spack"])]
    scopes += [Scope(name, name, load_yaml(below)) for name, below in included.items()]
    return Stack.read(manifest, "s.yaml", machine, configuration=Configuration(tuple(scopes)))


def texts(stack: Stack) -> list[str]:
    """The roots of all groups as texts."""
    return [str(root) for group in stack.groups for root in group.roots]


def roots(text: str, machine: Machine = ZEN4, **environment: str) -> list[str]:
    """The roots that a text asks for."""
    return texts(read(text, machine, **environment))
