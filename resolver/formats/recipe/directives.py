"""The directives of a recipe: what their arguments say."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from resolver.formats.recipe.evaluate import Evaluator
from resolver.formats.recipe.facts import FREE, Collected, arguments_of, joined
from resolver.formats.recipe.values import UNKNOWN, CannotTellError, Scope, Text, shown, texts

DIRECTIVES = frozenset({"version", "variant", "provides", "build_system", "generator"})
VARIANT_PARAMETERS = ("name", "default", "description", "values", "multi", "validator", "when", "sticky")
JUDGES = frozenset({"int", "str", "float", "bool"})


class Context(msgspec.Struct, frozen=True):
    """What stands around a directive: conditions, arguments of ``default_args``, and where facts are collected; None outside a class."""

    facts: Collected | None
    conditions: tuple[str, ...] = ()
    arguments: Mapping[str, Any] = {}
    depth: int = 0


class Directives:
    """Reads directives. ``functions`` are those of the recipe itself, ``note`` takes what could not be read."""

    def __init__(self, evaluator: Evaluator, functions: Mapping[str, bool], note: Callable[[ast.expr, str], None]) -> None:
        self.evaluator = evaluator
        self.functions = functions
        self.note = note

    def read(self, name: str, call: ast.Call, scopes: list[Scope], context: Context, facts: Collected) -> None:
        """Read one of ``DIRECTIVES``; what cannot be told of it is noted."""
        try:
            getattr(self, f"_{name}_directive")(call, scopes, context, facts)
        except CannotTellError:
            self.note(call, f"{name}(...) has arguments that cannot be told")

    def arguments(self, call: ast.Call, scopes: list[Scope]) -> tuple[list[Any], dict[str, Any]]:
        """Positional and named arguments; of those that cannot be told the value is ``UNKNOWN``."""
        if any(isinstance(argument, ast.Starred) for argument in call.args):
            given = self.evaluator.items(call.args, scopes)
        else:
            given = [self.value(argument, scopes) for argument in call.args]
        named: dict[str, Any] = {}
        for keyword in call.keywords:
            value = self._judge(keyword.value, scopes)
            if keyword.arg is not None:
                named[keyword.arg] = value
            elif isinstance(value, dict):
                named.update(value)
            else:
                raise CannotTellError
        return given, named

    def value(self, node: ast.expr, scopes: list[Scope]) -> Any:  # noqa: ANN401
        """The value of an expression, or ``UNKNOWN``."""
        try:
            return self.evaluator.value(node, scopes)
        except CannotTellError:
            return UNKNOWN

    def _judge(self, node: ast.expr, scopes: list[Scope]) -> Any:  # noqa: ANN401
        """A value; ``FREE`` for a function, as variants have it to judge the values that are given."""
        if isinstance(node, ast.Lambda) or (isinstance(node, ast.Name) and (node.id in self.functions or node.id in JUDGES)):
            return FREE
        return self.value(node, scopes)

    def _version_directive(self, call: ast.Call, scopes: list[Scope], context: Context, facts: Collected) -> None:
        """``version(text, ..., preferred=, deprecated=)``."""
        given, named = self.arguments(call, scopes)
        named = {**context.arguments, **named}
        version = named.get("ver", given[0] if given else UNKNOWN)
        text = version.text if isinstance(version, Text) else shown(version)
        flags = {key: named.get(key, False) for key in ("preferred", "deprecated")}
        if unknown := [key for key, value in flags.items() if value is UNKNOWN]:
            self.note(call, f"whether {text} is {unknown[0]} cannot be told")
        facts.version(text, **{key: value is not UNKNOWN and bool(value) for key, value in flags.items()})

    def _variant_directive(self, call: ast.Call, scopes: list[Scope], context: Context, facts: Collected) -> None:
        """``variant(name, default=, values=, multi=, when=)``."""
        given, named = self.arguments(call, scopes)
        found = {**context.arguments, **arguments_of(VARIANT_PARAMETERS, given, named)}
        self._variant(call, found, context, facts)

    def _variant(self, call: ast.Call, found: dict[str, Any], context: Context, facts: Collected) -> None:
        when = _when(found.get("when"), context)
        if when is None:
            return
        name, values = shown(found.get("name")), found.get("values")
        if values is UNKNOWN:
            self.note(call, f"the values of {name} cannot be told")
            values = FREE
        facts.variant(name, _told(found.get("default")), values, multi=bool(_told(found.get("multi"))), when=when)

    def _build_system_directive(self, call: ast.Call, scopes: list[Scope], context: Context, facts: Collected) -> None:
        """``build_system(value, ..., default=)``: a variant of that name."""
        given, named = self.arguments(call, scopes)
        values = texts(given)
        default = named.get("default") or (values[0] if values else None)
        self._variant(call, {"name": "build_system", "default": default, "values": values}, context, facts)

    def _generator_directive(self, call: ast.Call, scopes: list[Scope], context: Context, facts: Collected) -> None:
        """``generator(value, ..., default=)`` of CMake: a variant whose values a function judges."""
        given, named = self.arguments(call, scopes)
        default = named.get("default") or (texts(given)[0] if given else None)
        found = {"name": "generator", "default": default, "values": FREE, "when": "build_system=cmake"}
        self._variant(call, found, context, facts)

    def _provides_directive(self, call: ast.Call, scopes: list[Scope], context: Context, facts: Collected) -> None:
        """``provides(virtual, ..., when=)``."""
        given, named = self.arguments(call, scopes)
        when = _when(named.get("when", context.arguments.get("when")), context)
        for text in texts(given) if when is not None else ():
            facts.provide(text, when or "")


def _told(value: Any) -> Any:  # noqa: ANN401
    if value is UNKNOWN:
        raise CannotTellError
    return value


def conditions_of(value: Any) -> tuple[str, ...]:  # noqa: ANN401
    """A ``when`` as conditions: none for True. Raises ``CannotTellError`` for what is neither text nor truth value."""
    if value is None or value is True:
        return ()
    if not isinstance(value, str):
        raise CannotTellError
    return (value,)


def _when(own: Any, context: Context) -> str | None:  # noqa: ANN401
    """The whole condition of a directive; None for one that never applies. Raises ``CannotTellError``."""
    return None if own is False else joined((*context.conditions, *conditions_of(own)))
