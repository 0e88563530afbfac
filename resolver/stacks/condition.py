"""``when`` of definitions and includes: a small, safe subset of the Python expressions that Spack evaluates.

Names, literals, comparisons, ``and or not in``, ``env[...]`` and a few methods, for the machine that is asked for and never for the
host. Source: Spack ``spec.py:eval_conditional``, which calls ``eval``.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from resolver.arch.machine import Machine
from resolver.errors import InputError, SpecError
from resolver.spec.abstract import AbstractSpec

LONGEST = 2000
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
TEXT_METHODS = frozenset({"startswith", "endswith", "lower", "upper", "strip", "split"})
NO_REGEX_OVER = 200
MOST_REPETITIONS = 3


def holds(text: str, machine: Machine, environment: Mapping[str, str]) -> bool:
    """Is the condition true for the machine? Raises ``InputError`` on an expression outside the subset."""
    if len(text) > LONGEST:
        raise _error(text[:40], "it is too long")
    try:
        tree = ast.parse(text.strip(), mode="eval")
        return bool(_Evaluator(text, machine, environment).value(tree.body))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _error(text, "it is not an expression") from None
    except (TypeError, KeyError, IndexError, AttributeError) as error:
        raise _error(text, f"{type(error).__name__}: {error}") from None


def _error(text: str, why: str) -> InputError:
    hint = "known names are platform, os, target, arch, arch_str, hostname, env and re; give variables with --env NAME=VALUE"
    return InputError(f"the condition {text!r} cannot be evaluated", why=why, hint=hint)


class _Evaluator:
    def __init__(self, text: str, machine: Machine, environment: Mapping[str, str]) -> None:
        self.text = text
        arch = AbstractSpec(platform=machine.platform, os=machine.os, target=machine.target)
        self.names: dict[str, Any] = {
            "platform": machine.platform or "",
            "os": machine.os or "",
            "target": machine.target or "",
            "arch": arch,
            "architecture": arch,
            "arch_str": str(arch),
            "hostname": environment.get("HOSTNAME", ""),
            "env": dict(environment),
            "True": True,
            "False": False,
        }

    def value(self, node: ast.expr) -> Any:  # noqa: ANN401, PLR0911 - one case a kind of node
        match node:
            case ast.Constant(value=str() | int() | float() | bool() | None as value):
                return value
            case ast.Name(id=name) if name in self.names:
                return self.names[name]
            case ast.BoolOp(op=op, values=values):
                return self.all_or_any(op, values)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self.value(operand)
            case ast.Compare():
                return self.compare(node)
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                return [self.value(item) for item in items]
            case ast.Subscript(value=container, slice=key):
                return self.value(container)[self.value(key)]
            case ast.Call(func=ast.Attribute(value=owner, attr=method), args=args, keywords=[]):
                return self.call(owner, method, [self.value(arg) for arg in args])
            case _:
                pass
        raise _error(self.text, f"{ast.unparse(node)!r} is not allowed there")

    def all_or_any(self, op: ast.boolop, values: list[ast.expr]) -> Any:  # noqa: ANN401 - any value
        result: Any = None
        for item in values:
            result = self.value(item)
            if bool(result) is isinstance(op, ast.Or):
                return result
        return result

    def compare(self, node: ast.Compare) -> bool:
        left = self.value(node.left)
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node)
            if not COMPARISONS[type(op)](left, right):
                return False
            left = right
        return True

    def call(self, owner: ast.expr, method: str, args: list[Any]) -> Any:  # noqa: ANN401 - any value
        if isinstance(owner, ast.Name) and owner.id == "re" and method in ("match", "search", "fullmatch"):
            return self.regex(method, *args)
        subject = self.value(owner)
        if isinstance(subject, str) and method in TEXT_METHODS:
            return getattr(subject, method)(*args)
        if isinstance(subject, dict) and method == "get":
            return subject.get(*args)
        if isinstance(subject, AbstractSpec) and method in ("satisfies", "intersects"):
            return self.satisfies(subject, str(args[0]))
        raise _error(self.text, f"the method {method!r} is not allowed there")

    def regex(self, method: str, pattern: str, subject: str) -> bool:
        """A pattern over a short text; repeated groups and many repetitions, which can take forever, are refused."""
        repeated = len(re.findall(r"[+*{]", pattern)) > MOST_REPETITIONS or re.search(r"\)[+*?{]|[+*?}][+*{]", pattern)
        if len(pattern) > NO_REGEX_OVER or len(subject) > NO_REGEX_OVER or repeated:
            raise _error(self.text, "the regular expression is too complex")
        try:
            return getattr(re, method)(pattern, subject) is not None
        except re.error as error:
            raise _error(self.text, f"the regular expression is wrong: {error}") from None

    def satisfies(self, subject: AbstractSpec, text: str) -> bool:
        try:
            return subject.satisfies(AbstractSpec.parse(text))
        except SpecError as error:
            raise _error(self.text, str(error)) from None
