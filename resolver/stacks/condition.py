"""``when`` of definitions and includes: a small, safe subset of the Python expressions that Spack evaluates.

    names        platform, os, target, arch, architecture, arch_str, hostname; what the machine that is asked for has
    env          the variables that were given: env['X'], env.get('X'), env.get('X', 'else'), 'X' in env
    values       texts, numbers, True, False, None, lists, tuples, sets
    operations   == != < <= > >= in, not in, is, is not, and, or, not, a if b else c, text + text, value[place], value[from:to]
    methods      startswith endswith lower upper strip lstrip rstrip removeprefix removesuffix split count find of a text;
                 satisfies intersects of arch; re.match re.search re.fullmatch, group groups of what they find
    functions    len str int bool

Nothing is taken from the host: a fact that the machine lacks is an error, and the host's name is the variable HOSTNAME, if it was given.
Source: Spack ``spec.py:eval_conditional``, which calls ``eval``.
"""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from resolver.arch.machine import Machine
from resolver.errors import InputError, SpecError, did_you_mean
from resolver.spec.abstract import AbstractSpec
from resolver.stacks.patterns import FUNCTIONS as PATTERNS
from resolver.stacks.patterns import matched

LONGEST = 2000
HOSTNAME = "HOSTNAME"
ASSIGNS = re.compile(r"[^=!<>]=[^=]")
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
FACTS = ("platform", "os", "target")
NAMES = (*FACTS, "arch", "architecture", "arch_str", "hostname", "env", "re")
METHODS: dict[type, tuple[str, ...]] = {
    str: (
        *("startswith", "endswith", "removeprefix", "removesuffix", "split", "count", "find"),
        *("lower", "upper", "strip", "lstrip", "rstrip"),
    ),
    dict: ("get",),
    re.Match: ("group", "groups"),
}
FUNCTIONS: dict[str, Callable[[Any], Any]] = {"len": len, "str": str, "int": int, "bool": bool}


def holds(text: str, machine: Machine, environment: Mapping[str, str]) -> bool:
    """Is the condition true for the machine? Raises ``InputError`` saying what in it cannot be evaluated, and what would help."""
    if len(text) > LONGEST:
        raise _error(f"{text[:40]}...", f"it is longer than {LONGEST} characters")
    try:
        return bool(_Evaluator(text, machine, environment).value(_parsed(text).body))
    except (SyntaxError, RecursionError, MemoryError):
        hint = "compare with ==" if ASSIGNS.search(text) else ""
        raise _error(text, "it is not an expression", hint) from None
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise _error(text, str(error)) from None


def asks_hostname(text: str) -> bool:
    """Does a condition look at the host's name, which is not known unless it is given?"""
    return re.search(r"\bhostname\b", text) is not None


def _parsed(text: str) -> ast.Expression:
    with warnings.catch_warnings():  # of `'\d'`, which only the stack's author could do something about
        warnings.simplefilter("ignore")
        return ast.parse(text.strip(), mode="eval")


def _error(text: str, why: str, hint: str = "") -> InputError:
    usual = f"known names are {', '.join(NAMES)}; give variables with --env NAME=VALUE"
    return InputError(f"the condition {text!r} cannot be evaluated", why=why, hint=hint or usual)


class _Evaluator:
    def __init__(self, text: str, machine: Machine, environment: Mapping[str, str]) -> None:
        self.text = text
        self.machine = machine
        self.environment = dict(environment)

    def value(self, node: ast.expr) -> Any:  # noqa: ANN401, C901, PLR0911, PLR0912 - one case a kind of node
        match node:
            case ast.Constant(value=str() | int() | float() | bool() | None as value):
                return value
            case ast.Name(id=name):
                return self.name(name)
            case ast.BoolOp(op=op, values=values):
                return self.all_or_any(op, values)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self.value(operand)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return -value
            case ast.Compare():
                return self.compare(node)
            case ast.IfExp(test=test, body=yes, orelse=no):
                return self.value(yes) if self.value(test) else self.value(no)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.joined(self.value(left), self.value(right))
            case ast.List(elts=items) | ast.Set(elts=items):
                return [self.value(item) for item in items]
            case ast.Tuple(elts=items):
                return tuple(self.value(item) for item in items)
            case ast.Subscript(value=container, slice=key):
                return self.item(self.value(container), key)
            case ast.Call(func=ast.Attribute(value=owner, attr=method), args=args, keywords=[]):
                return self.call(owner, method, [self.value(arg) for arg in args])
            case ast.Call(func=ast.Name(id=name), args=[arg], keywords=[]) if name in FUNCTIONS:
                return FUNCTIONS[name](self.value(arg))
            case _:
                pass
        raise _error(self.text, f"{ast.unparse(node)!r} is not allowed there")

    def name(self, name: str) -> Any:  # noqa: ANN401 - any value
        if name in FACTS:
            return self.fact(name)
        if name in ("arch", "architecture", "arch_str"):
            arch = AbstractSpec(platform=self.fact("platform"), os=self.fact("os"), target=self.fact("target"))
            return str(arch) if name == "arch_str" else arch
        if name == "hostname":
            return self.environment.get(HOSTNAME, "")
        if name == "env":
            return self.environment
        usual = f"known names are {', '.join(NAMES)}"
        raise _error(self.text, f"there is no name {name!r}", f"{did_you_mean(name, NAMES)}{usual}; a text stands in quotes")

    def fact(self, name: str) -> str:
        fact: str | None = getattr(self.machine, name)
        if fact is None:
            raise _error(self.text, f"the machine's {name} is not known", f"give it with --{name} or --machine")
        return fact

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

    def joined(self, left: object, right: object) -> str:
        if not isinstance(left, str) or not isinstance(right, str):
            raise _error(self.text, "only texts can be joined with +")
        return left + right

    def item(self, container: Any, key: ast.expr) -> Any:  # noqa: ANN401 - any value
        if isinstance(key, ast.Slice):
            parts = [part and self.value(part) for part in (key.lower, key.upper, key.step)]
            return container[slice(*parts)]
        place = self.value(key)
        if container is self.environment and isinstance(place, str) and place not in container:
            raise _error(self.text, f"the variable {place} was not given", f"give it with --env {place}=VALUE")
        return container[place]

    def call(self, owner: ast.expr, method: str, args: list[Any]) -> Any:  # noqa: ANN401 - any value
        if isinstance(owner, ast.Name) and owner.id == "re" and method in PATTERNS:
            return matched(method, *args)
        subject = self.value(owner)
        if method in METHODS.get(type(subject), ()):
            return getattr(subject, method)(*args)
        if isinstance(subject, AbstractSpec) and method in ("satisfies", "intersects"):
            return self.architecture(subject, method, *args)
        if subject is None:
            raise _error(self.text, f"{ast.unparse(owner)} is nothing, which has no {method}", self.variable_hint(owner))
        raise _error(self.text, f"the method {method!r} is not allowed there")

    def variable_hint(self, node: ast.expr) -> str:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="env")), args=[ast.Constant(value=str() as name), *_]):
                return f"give it with --env {name}=VALUE"
            case _:
                return ""

    def architecture(self, subject: AbstractSpec, method: str, want: object) -> bool:
        try:
            other = want if isinstance(want, AbstractSpec) else AbstractSpec.parse(str(want))
        except SpecError as error:
            raise _error(self.text, str(error)) from None
        return subject.satisfies(other) if method == "satisfies" else subject.intersects(other)
