"""The values of expressions, found step by step."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from typing import Any

from resolver.formats.recipe.values import (
    PLAIN,
    UNKNOWN,
    Attributes,
    CannotTellError,
    Choices,
    Conditional,
    Scope,
    Text,
    TooMuchError,
    assign,
    bounded,
    choices,
    chosen,
    collected,
    filled,
    iterated,
    joined,
    shown,
    some,
    text_method,
    texts,
    weight,
)

MOST_STEPS = 100_000
DEEPEST = 100
REFERENCES = (ast.Name, ast.Attribute, ast.Subscript, ast.Constant)
TEXT_METHODS = frozenset(
    [
        *("endswith", "format", "join", "lower", "lstrip", "removeprefix", "removesuffix", "replace", "rstrip", "split"),
        *("startswith", "strip", "title", "upper"),
    ],
)
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Is: lambda a, b: a is b,
    ast.IsNot: lambda a, b: a is not b,
}


class Evaluator:
    """Finds values. ``scopes`` are asked for names, the nearest first."""

    def __init__(self, platform: str) -> None:
        self.platform = platform
        self.steps = 0
        self._depth = 0

    def step(self) -> None:
        """Count a step. Raises ``TooMuchError``."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooMuchError

    def value(self, node: ast.expr, scopes: list[Scope]) -> Any:  # noqa: ANN401 - any value of a recipe
        """The value of an expression. Raises ``CannotTellError``."""
        self.step()
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None or self._depth >= DEEPEST:
            raise CannotTellError
        self._depth += 1
        try:
            found = bounded(method(node, scopes))
            self.steps += 0 if isinstance(node, REFERENCES) else weight(found)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError, RecursionError):
            raise CannotTellError from None
        finally:
            self._depth -= 1
        return found

    def _constant(self, node: ast.Constant, _: list[Scope]) -> Any:  # noqa: ANN401
        if not isinstance(node.value, (*PLAIN, float)):
            raise CannotTellError
        return node.value

    def _name(self, node: ast.Name, scopes: list[Scope]) -> Any:  # noqa: ANN401
        for scope in scopes:
            if node.id in scope:
                if scope[node.id] is UNKNOWN:
                    raise CannotTellError
                return scope[node.id]
        raise CannotTellError

    def _attribute(self, node: ast.Attribute, scopes: list[Scope]) -> Any:  # noqa: ANN401
        if isinstance(node.value, ast.Name) and node.value.id == "sys" and node.attr == "platform":
            return {"windows": "win32"}.get(self.platform, self.platform)
        owner = self.value(node.value, scopes)
        if isinstance(owner, Attributes) and owner.found.get(node.attr, UNKNOWN) is not UNKNOWN:
            return owner.found[node.attr]
        raise CannotTellError

    def _tuple(self, node: ast.Tuple, scopes: list[Scope]) -> tuple[Any, ...]:
        return tuple(self.items(node.elts, scopes))

    def _list(self, node: ast.List, scopes: list[Scope]) -> list[Any]:
        return self.items(node.elts, scopes)

    def _set(self, node: ast.Set, scopes: list[Scope]) -> list[Any]:
        return list(dict.fromkeys(self.items(node.elts, scopes)))

    def items(self, nodes: list[ast.expr], scopes: list[Scope]) -> list[Any]:
        """The values of several expressions, those after a star taken apart. Raises ``CannotTellError``."""
        found: list[Any] = []
        for node in nodes:
            found += iterated(self.value(node.value, scopes)) if isinstance(node, ast.Starred) else [self.value(node, scopes)]
            bounded(found)
        return found

    def _dict(self, node: ast.Dict, scopes: list[Scope]) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key, item in zip(node.keys, node.values, strict=True):
            if key is None:
                found.update(self.value(item, scopes))
            else:
                found[self.value(key, scopes)] = self._or_unknown(item, scopes)
        return found

    def _or_unknown(self, node: ast.expr, scopes: list[Scope]) -> Any:  # noqa: ANN401
        try:
            return self.value(node, scopes)
        except CannotTellError:
            return UNKNOWN

    def _joinedstr(self, node: ast.JoinedStr, scopes: list[Scope]) -> str:
        parts = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                if part.format_spec is not None or part.conversion not in (-1, ord("s")):
                    raise CannotTellError
                parts.append(shown(self.value(part.value, scopes)))
            else:
                parts.append(self.value(part, scopes))
        return joined("", parts)

    def _binop(self, node: ast.BinOp, scopes: list[Scope]) -> Any:  # noqa: ANN401
        left, right = self.value(node.left, scopes), self.value(node.right, scopes)
        if isinstance(node.op, ast.Mod) and isinstance(left, str):
            return filled(left, right if isinstance(right, tuple) else (right,))
        if isinstance(node.op, ast.Add) and type(left) is type(right) and isinstance(left, (str, list, tuple, int)):
            return left + right
        if isinstance(node.op, ast.Sub) and isinstance(left, int) and isinstance(right, int):
            return left - right
        raise CannotTellError

    def _unaryop(self, node: ast.UnaryOp, scopes: list[Scope]) -> Any:  # noqa: ANN401
        value = self.value(node.operand, scopes)
        if isinstance(node.op, ast.Not):
            return not value
        if isinstance(node.op, ast.USub) and isinstance(value, int):
            return -value
        raise CannotTellError

    def _boolop(self, node: ast.BoolOp, scopes: list[Scope]) -> Any:  # noqa: ANN401
        stop = isinstance(node.op, ast.Or)
        value: Any = None
        for item in node.values:
            value = self.value(item, scopes)
            if bool(value) is stop:
                break
        return value

    def _compare(self, node: ast.Compare, scopes: list[Scope]) -> bool:
        left = self.value(node.left, scopes)
        for op, item in zip(node.ops, node.comparators, strict=True):
            right = self.value(item, scopes)
            if isinstance(left, Text) or isinstance(right, Text) or not COMPARISONS[type(op)](left, right):
                if isinstance(left, Text) or isinstance(right, Text):
                    raise CannotTellError
                return False
            left = right
        return True

    def _ifexp(self, node: ast.IfExp, scopes: list[Scope]) -> Any:  # noqa: ANN401
        return self.value(node.body if self.value(node.test, scopes) else node.orelse, scopes)

    def _subscript(self, node: ast.Subscript, scopes: list[Scope]) -> Any:  # noqa: ANN401
        owner = self.value(node.value, scopes)
        if isinstance(node.slice, ast.Slice):
            parts = [None if p is None else self.value(p, scopes) for p in (node.slice.lower, node.slice.upper, node.slice.step)]
            return owner[slice(*parts)]
        found = owner[self.value(node.slice, scopes)]
        if found is UNKNOWN:
            raise CannotTellError
        return found

    def _listcomp(self, node: ast.ListComp, scopes: list[Scope]) -> list[Any]:
        return list(self._comprehended(node.generators, scopes, lambda inner: self.value(node.elt, inner)))

    def _generatorexp(self, node: ast.GeneratorExp, scopes: list[Scope]) -> list[Any]:
        return list(self._comprehended(node.generators, scopes, lambda inner: self.value(node.elt, inner)))

    def _setcomp(self, node: ast.SetComp, scopes: list[Scope]) -> list[Any]:
        return list(dict.fromkeys(self._comprehended(node.generators, scopes, lambda inner: self.value(node.elt, inner))))

    def _dictcomp(self, node: ast.DictComp, scopes: list[Scope]) -> dict[Any, Any]:
        def pair(inner: list[Scope]) -> tuple[Any, Any]:
            return self.value(node.key, inner), self.value(node.value, inner)

        return dict(self._comprehended(node.generators, scopes, pair))

    def _comprehended(
        self,
        generators: list[ast.comprehension],
        scopes: list[Scope],
        made: Callable[[list[Scope]], Any],
    ) -> Iterator[Any]:
        first, *rest = generators
        for item in iterated(self.value(first.iter, scopes)):
            self.step()
            own: Scope = {}
            assign(first.target, item, own)
            inner = [own, *scopes]
            if all(self.value(test, inner) for test in first.ifs):
                if rest:
                    yield from self._comprehended(rest, inner, made)
                else:
                    yield made(inner)

    def _call(self, node: ast.Call, scopes: list[Scope]) -> Any:  # noqa: ANN401
        if any(keyword.arg is None for keyword in node.keywords):
            raise CannotTellError
        if isinstance(node.func, ast.Name):
            if any(node.func.id in scope for scope in scopes):
                raise CannotTellError
            return self._function(node.func.id, node, scopes)
        if isinstance(node.func, ast.Attribute):
            return self._method(node.func, node, scopes)
        raise CannotTellError

    def _function(self, name: str, node: ast.Call, scopes: list[Scope]) -> Any:  # noqa: ANN401
        if name == "conditional":
            return Conditional(tuple(texts(self.items(node.args, scopes))))
        if name in ("any_combination_of", "auto_or_any_combination_of", "disjoint_sets"):
            values = tuple(texts(self.items(node.args, scopes)))
            return choices("auto" if name.startswith("auto") else "none", values)
        if node.keywords:
            raise CannotTellError
        arguments = self.items(node.args, scopes)
        if name in ("Version", "ver"):
            return Text(str(arguments[0]))
        if name == "str" and len(arguments) == 1:
            return shown(arguments[0])
        if name == "range" and 0 < len(arguments) <= 3 and all(isinstance(a, int) for a in arguments):
            return some(range(*arguments))
        known: dict[str, Callable[..., Any]] = {"len": len, "bool": bool, "int": int, "min": min, "max": max}
        if name in known and (name != "int" or isinstance(arguments[0], int) or len(str(arguments[0])) < 16):
            return known[name](*arguments)
        if name in ("tuple", "list", "set", "frozenset", "sorted", "reversed", "dict"):
            items = iterated(arguments[0]) if arguments else []
            return collected(name, items, arguments)
        raise CannotTellError

    def _method(self, func: ast.Attribute, node: ast.Call, scopes: list[Scope]) -> Any:  # noqa: ANN401
        if func.attr == "system" and isinstance(func.value, ast.Name) and func.value.id == "platform" and not node.args:
            return {"freebsd": "FreeBSD"}.get(self.platform, self.platform.title())
        owner, arguments = self.value(func.value, scopes), self.items(node.args, scopes)
        if isinstance(owner, Choices):
            return chosen(owner, func.attr, arguments)
        if node.keywords and func.attr != "format":
            raise CannotTellError
        if isinstance(owner, str) and func.attr in TEXT_METHODS:
            named = {str(k.arg): self.value(k.value, scopes) for k in node.keywords}
            return text_method(owner, func.attr, arguments, named)
        if isinstance(owner, dict) and func.attr in ("items", "keys", "values") and not arguments:
            return list(getattr(owner, func.attr)())
        if isinstance(owner, dict) and func.attr == "get":
            found = owner.get(*arguments)
            if found is not UNKNOWN:
                return found
        raise CannotTellError
