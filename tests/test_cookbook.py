"""The cookbook is followed as it is written: its files, its commands, and what it shows of their output."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, Run
from fakes.ci import assert_schema
from fakes.cookbook import OURS, Recipe, follow, is_shown, recipes

from resolver.cli.main import COMMANDS

TEXT = (ROOT / "docs" / "cookbook.md").read_text("utf-8")
BEGIN, *RECIPES = recipes(TEXT)
PROMISED = {
    "Commit one lock for five clusters",
    "GitHub matrix for my project",
    "Air-gapped cluster",
    "Which mirror do I need",
    "Why is my binary not used",
    "Is what I deploy still served",
    "Choose a build for a GPU node",
}
LONGEST = 90
"""Lines of a recipe: about a page."""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory to begin in."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def name(recipe: Recipe) -> str:
    return recipe.title.lower().replace(" ", "-")


@pytest.mark.parametrize("recipe", RECIPES, ids=name)
@pytest.mark.usefixtures("shipped")
def test_a_recipe_works_as_written(recipe: Recipe) -> None:
    if any("verify" in shlex.split(step.command) for step in recipe.steps) and not shutil.which("gpg"):
        pytest.skip("GnuPG is not installed")
    follow(recipe, ROOT)


@pytest.mark.usefixtures("run")
def test_the_beginning_works_as_written() -> None:
    follow(BEGIN, ROOT)


def test_the_recipes_that_are_promised_are_there_and_listed_and_short() -> None:
    assert {recipe.title for recipe in RECIPES} == PROMISED
    assert re.findall(r"^- \[.+\]\(#(.+)\)$", TEXT, re.MULTILINE) == [name(recipe) for recipe in RECIPES]
    for recipe in RECIPES:
        assert "**When it fails.**" in recipe.text
        assert len(recipe.text.splitlines()) <= LONGEST, recipe.title


def test_commands_in_the_sentences_are_real_ones(run: Run) -> None:
    prose = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    for text in re.findall(rf"`{OURS} ([^`]+)`", prose):
        command, *words = shlex.split(text)
        assert command in COMMANDS
        assert not {word for word in words if word.startswith("--")} - set(re.findall(r"--[a-z-]+", run(command, "--help").out))


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / "docs" / target).is_file(), target


def test_workflows_of_recipes_are_workflows(here: Path) -> None:
    paths = []
    for recipe in RECIPES:
        for path, content in recipe.files.items():
            assert yaml.safe_load(content)
            if path.startswith(".github/workflows/"):
                paths.append(here / Path(path).name)
                paths[-1].write_text(content)
    assert paths
    assert_schema("github-workflows", *paths)


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        (("a", "b"), "a\nb\n", True),
        (("a",), "a\nb\n", False),
        (("a", "..."), "a\nb\nc\n", True),
        (("a", "..."), "a\n", True),
        (("...", "c"), "a\nb\nc\n", True),
        (("a ... c",), "a b c\n", True),
        (("a ...",), "b\n", False),
        (("a.c",), "abc\n", False),
        ((), "a\n", False),
    ],
)
def test_what_is_shown_is_held_against_what_is_printed(shown: tuple[str, ...], printed: str, same: bool) -> None:
    assert is_shown(shown, printed) is same


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("```yaml\nspack: {}\n```", "neither console nor yaml"),
        ("```text\n$ spack-resolver sources\n```", "neither console nor yaml"),
        ("```console\nwrote env\n$ spack-resolver sources\n```", "output without a command"),
    ],
)
def test_blocks_that_would_not_be_followed_are_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        recipes(f"## A recipe\n\n{text}\n")


def test_a_failure_must_be_shown() -> None:
    (recipe,) = recipes("## A recipe\n\n```console\n$ spack-resolver resolve nothing --machine github-ubuntu-24.04\n...\n```\n")
    with pytest.raises(AssertionError, match="the last command ended with 3"):
        follow(recipe, ROOT)
