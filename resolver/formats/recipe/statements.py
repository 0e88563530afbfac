"""The statements of a recipe, followed as far as they can be told."""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

from resolver.formats.recipe.directives import DIRECTIVES, Context, Directives, conditions_of
from resolver.formats.recipe.evaluate import Evaluator
from resolver.formats.recipe.facts import Collected, ReadClass
from resolver.formats.recipe.values import UNKNOWN, CannotTellError, Scope, TooMuchError, assign, iterated

DEEPEST_BLOCK = 20
MUTATORS = frozenset({"append", "extend", "insert", "pop", "remove", "update", "add", "clear", "sort", "reverse", "setdefault", "discard"})


class Unread(msgspec.Struct, frozen=True, order=True):
    """A place of a recipe that could not be read."""

    package: str
    line: int
    what: str

    def __str__(self) -> str:
        """As in a listing of errors."""
        return f"{self.package}: line {self.line}: {self.what}"


class _StopLoopError(Exception):
    """``break`` or ``continue``."""

    def __init__(self, *, ends: bool) -> None:
        super().__init__()
        self.ends = ends


class Module:
    """One file being read."""

    def __init__(self, name: str, evaluator: Evaluator, known_class: Callable[[str, str], ReadClass | None]) -> None:
        self.name = name
        self.known_class = known_class
        self.unread: list[Unread] = []
        self.scope: Scope = {}
        self.functions: dict[str, bool] = {}
        self.evaluator = evaluator
        self.directives = Directives(evaluator, self.functions, self.note)

    def note(self, node: ast.stmt | ast.expr, what: str) -> None:
        """Note a place that could not be read."""
        self.unread.append(Unread(self.name, node.lineno, what))

    def read(self, tree: ast.Module) -> None:
        """Follow a whole file."""
        try:
            self.run(tree.body, [self.scope], Context(None))
        except (TooMuchError, RecursionError):
            self.unread.append(Unread(self.name, 1, "it takes more steps than a recipe should"))
        except _StopLoopError:
            self.unread.append(Unread(self.name, 1, "a loop ends outside of a loop"))

    def run(self, body: list[ast.stmt], scopes: list[Scope], context: Context) -> None:
        """Follow statements. Raises ``TooMuchError``, and ``_StopLoopError`` inside a loop."""
        for statement in body:
            self.evaluator.step()
            method = getattr(self, f"_{type(statement).__name__.lower()}", None)
            try:
                if method is None:
                    raise CannotTellError  # noqa: TRY301 - as all else that cannot be followed
                method(statement, scopes, context)
            except (CannotTellError, TypeError, ValueError, KeyError, IndexError, AttributeError):
                self._skip([statement], scopes)

    def _skip(self, body: list[ast.stmt], scopes: list[Scope]) -> None:
        """Leave statements out: what they say is noted, what they set is not known any more."""
        for statement in body:
            for node in ast.walk(statement):
                self.evaluator.step()
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    scopes[0][node.id] = UNKNOWN
                elif isinstance(node, ast.ClassDef):
                    scopes[0][node.name] = UNKNOWN
                elif isinstance(node, ast.Call):
                    self._forget(node, scopes)
                    if isinstance(node.func, ast.Name) and node.func.id in DIRECTIVES:
                        self.note(node, f"{node.func.id}(...) depends on what cannot be told")

    def _forget(self, call: ast.Call, scopes: list[Scope]) -> None:
        """A collection that is changed by one of its methods is not known any more."""
        func = call.func
        if isinstance(func, ast.Attribute) and func.attr in MUTATORS and isinstance(func.value, ast.Name):
            scopes[0][func.value.id] = UNKNOWN

    # what is bound

    def _importfrom(self, node: ast.ImportFrom, scopes: list[Scope], _: Context) -> None:
        for alias in node.names:
            found = self.known_class(alias.name, node.module or "") if alias.name != "*" else None
            if found is not None:
                scopes[0][alias.asname or alias.name] = found

    def _import(self, node: ast.Import, scopes: list[Scope], context: Context) -> None:
        """Modules are not looked into."""

    def _pass(self, node: ast.Pass, scopes: list[Scope], context: Context) -> None:
        """Says nothing."""

    def _functiondef(self, node: ast.FunctionDef, scopes: list[Scope], context: Context) -> None:
        if context.facts is None:
            calls = (n for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name))
            self.functions[node.name] = any(n.func.id in DIRECTIVES for n in calls if isinstance(n.func, ast.Name))
        scopes[0][node.name] = UNKNOWN

    def _asyncfunctiondef(self, node: ast.AsyncFunctionDef, scopes: list[Scope], _: Context) -> None:
        scopes[0][node.name] = UNKNOWN

    def _assign(self, node: ast.Assign, scopes: list[Scope], _: Context) -> None:
        value = self.directives.value(node.value, scopes)
        for target in node.targets:
            self._bind(target, value, scopes)

    def _annassign(self, node: ast.AnnAssign, scopes: list[Scope], _: Context) -> None:
        if node.value is not None:
            self._bind(node.target, self.directives.value(node.value, scopes), scopes)

    def _augassign(self, node: ast.AugAssign, scopes: list[Scope], _: Context) -> None:
        value: Any = UNKNOWN
        if isinstance(node.target, ast.Name):
            old = ast.copy_location(ast.Name(node.target.id, ast.Load()), node)
            value = self.directives.value(ast.copy_location(ast.BinOp(old, node.op, node.value), node), scopes)
        self._bind(node.target, value, scopes)

    def _bind(self, target: ast.expr, value: Any, scopes: list[Scope]) -> None:  # noqa: ANN401
        names = [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]
        scopes[0].update(dict.fromkeys(names, UNKNOWN))
        if value is not UNKNOWN and not isinstance(target, (ast.Subscript, ast.Attribute)):
            with suppress(CannotTellError):
                assign(target, value, scopes[0])

    def _classdef(self, node: ast.ClassDef, scopes: list[Scope], context: Context) -> None:
        facts = Collected({}, {}, {})
        own: Scope = {}
        inherited: Scope = {}
        for base in reversed([self._base(one, scopes) for one in node.bases]):
            if base is not None:
                facts.take(base.facts)
                inherited.update(base.found)
        try:
            self.run(node.body, [own, *scopes], Context(facts, depth=context.depth + 1))
        except _StopLoopError:
            self.note(node, "a loop ends outside of a loop")
        scopes[0][node.name] = ReadClass({**inherited, **own}, facts)

    def _base(self, node: ast.expr, scopes: list[Scope]) -> ReadClass | None:
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        found = next((scope[name] for scope in scopes if name in scope), None) if isinstance(node, ast.Name) else None
        if isinstance(found, ReadClass):
            return found
        return self.known_class(name, "")

    # what is followed

    def _if(self, node: ast.If, scopes: list[Scope], context: Context) -> None:
        test = self.directives.value(node.test, scopes)
        if test is UNKNOWN or context.depth > DEEPEST_BLOCK:
            self._skip([*node.body, *node.orelse], scopes)
        else:
            self.run(node.body if test else node.orelse, scopes, msgspec.structs.replace(context, depth=context.depth + 1))

    def _for(self, node: ast.For, scopes: list[Scope], context: Context) -> None:
        values = self.directives.value(node.iter, scopes)
        if values is UNKNOWN or context.depth > DEEPEST_BLOCK:
            self._skip(node.body, scopes)
            return
        inner = msgspec.structs.replace(context, depth=context.depth + 1)
        for value in iterated(values):
            try:
                self._bind(node.target, value, scopes)
                self.run(node.body, scopes, inner)
            except _StopLoopError as stop:
                if stop.ends:
                    return
        self.run(node.orelse, scopes, inner)

    def _break(self, *_: object) -> None:
        raise _StopLoopError(ends=True)

    def _continue(self, *_: object) -> None:
        raise _StopLoopError(ends=False)

    def _with(self, node: ast.With, scopes: list[Scope], context: Context) -> None:
        inner = msgspec.structs.replace(context, depth=context.depth + 1)
        try:
            for item in node.items:
                inner = self._entered(item.context_expr, scopes, inner)
        except CannotTellError:
            inner = msgspec.structs.replace(inner, depth=DEEPEST_BLOCK + 1)
        if inner.depth > DEEPEST_BLOCK:
            self._skip(node.body, scopes)
        else:
            self.run(node.body, scopes, inner)

    def _entered(self, call: ast.expr, scopes: list[Scope], context: Context) -> Context:
        """What stands around the body of ``with when(...)`` and ``with default_args(...)``. Raises ``CannotTellError`` for all others."""
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise CannotTellError
        given, named = self.directives.arguments(call, scopes)
        if call.func.id == "when" and len(given) == 1:
            return msgspec.structs.replace(context, conditions=(*context.conditions, *conditions_of(given[0])))
        if call.func.id == "default_args":
            return msgspec.structs.replace(context, arguments={**context.arguments, **named})
        raise CannotTellError

    def _expr(self, node: ast.Expr, scopes: list[Scope], context: Context) -> None:
        call = node.value
        if not isinstance(call, ast.Call):
            return
        self._forget(call, scopes)
        if context.facts is None or not isinstance(call.func, ast.Name):
            return
        name = call.func.id
        if name in DIRECTIVES:
            self.directives.read(name, call, scopes, context, context.facts)
        elif self.functions.get(name):
            self.note(call, f"{name}(...) is a function of its own, which is not run")
