"""Recipes of a cookbook: their files, the commands that are typed, and what is shown of the output."""

from __future__ import annotations

import io
import re
import shlex
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

from resolver.cli.main import run

PROMPT = "$ "
CUT = "..."
OURS = "spack-resolver"
STATUS = "echo $?"
TYPED = frozenset({"cp", "rm"})
"""Programs that are run as they are typed."""
OTHERS = frozenset({"export", "git", "rsync", "spack"})
"""Programs of which it is enough that they are known."""
CLONE = "~/spack-resolver"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Step(NamedTuple):
    """A command as it is typed, and the lines that are shown below it."""

    command: str
    shown: tuple[str, ...]


class Recipe(NamedTuple):
    """A section: ``files`` by path, and ``steps`` in order."""

    title: str
    text: str
    files: dict[str, str]
    steps: tuple[Step, ...]


def recipes(text: str) -> list[Recipe]:
    """The sections of a cookbook. Raises ``ValueError`` on a block that is neither a named file nor commands."""
    return [_recipe(*part.split("\n", 1)) for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]]


def _recipe(title: str, text: str) -> Recipe:
    files: dict[str, str] = {}
    steps: list[Step] = []
    for kind, body in BLOCK.findall(text):
        if kind == "console":
            steps += _steps(body)
        elif kind == "yaml" and (name := re.match(r"# (\S+)\n", body)):
            files[name[1]] = body
        else:
            msg = f"{title}: a block is neither console nor yaml with its path in the first line: {body[:40]!r}"
            raise ValueError(msg)
    return Recipe(title, text, files, tuple(steps))


def _steps(body: str) -> list[Step]:
    before, *parts = re.split(r"^\$ ", body, flags=re.MULTILINE)
    if before:
        msg = f"output without a command: {before!r}"
        raise ValueError(msg)
    return [Step(lines[0], tuple(lines[1:])) for lines in (part.splitlines() for part in parts)]


def follow(recipe: Recipe, clone: Path) -> None:
    """Lay out a recipe's files here, type its commands, and hold what is shown against what is printed.

    A command that ends with another code than 0 must be followed by ``echo $?`` with that code.
    """
    for name, content in recipe.files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(content)
    code = 0
    for step in recipe.steps:
        if step.command == STATUS:
            assert step.shown == (str(code),), f"{recipe.title}: the code is {code}"
            code = 0
            continue
        assert code == 0, f"{recipe.title}: {code} before {step.command}"
        code = _type(step, clone)
    assert code == 0, f"{recipe.title}: the last command ended with {code}"


def _type(step: Step, clone: Path) -> int:
    words = [word.replace(CLONE, str(clone)) for word in shlex.split(step.command)]
    if words[0] in OTHERS:
        assert not step.shown, f"nothing is known of what {words[0]} prints"
        return 0
    if words[0] in TYPED:
        subprocess.run(words, check=True)
        return 0
    assert words[0] == OURS, f"{words[0]} is not a program that the cookbook may use"
    code, printed = together(words[1:])
    assert is_shown(step.shown, printed), f"$ {step.command}\n{printed}"
    return code


def together(words: list[str]) -> tuple[int, str]:
    """The exit code, and stdout and stderr in the order in which a terminal shows them."""
    terminal = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    with redirect_stdout(terminal), redirect_stderr(terminal):
        code = run(words)
    terminal.seek(0)
    return code, terminal.read()


def is_shown(shown: tuple[str, ...], printed: str) -> bool:
    """Is this what is shown? A line of dots stands for any lines, or none, and dots in a line for any text in it."""
    pattern = "".join(r"(?:.*\n)*" if line == CUT else f"{_line(line)}\n" for line in shown)
    lines = "".join(f"{line.rstrip()}\n" for line in printed.splitlines())
    return re.fullmatch(pattern, lines) is not None


def _line(text: str) -> str:
    return ".*".join(map(re.escape, text.rstrip().split(CUT)))
