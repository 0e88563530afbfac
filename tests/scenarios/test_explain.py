"""Explanations, one file a case: a world, a request, and what is said: the numbers, the nearest misses, the edits, the sentences."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.explained import FOLDER, load, outcome
from fakes.world import World

FILES = sorted(FOLDER.glob("*.toml"))
WIDTH = 80


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_explanation(path: Path) -> None:
    scenario = load(path)
    found = outcome(scenario.request, World(scenario.records))
    expected = scenario.expected
    assert found.funnel == expected.funnel
    assert found.nearest == expected.nearest
    assert found.edits == expected.edits
    said, rest = [], found.text
    for sentence in expected.says:
        before, at, rest = rest.partition(sentence)
        said.append(sentence if at else before)
    assert said == expected.says, found.text


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_reads_well_in_80_columns_whatever_the_order_of_records(path: Path) -> None:
    scenario = load(path)
    lines = outcome(scenario.request, World(scenario.records)).lines
    assert not [line for line in lines if len(line) > WIDTH or line != line.rstrip()]
    assert lines[0]
    assert lines[-1]
    shuffled = list(scenario.records)
    random.Random(7).shuffle(shuffled)  # noqa: S311 - no secret
    assert outcome(scenario.request, World(shuffled)).lines == lines


def test_there_are_explanations() -> None:
    assert len(FILES) >= 40


def test_the_viewer_shows_any_kind(tmp_path: Path) -> None:
    script = FOLDER.parent.parent.parent / "scripts" / "scenario_view.py"
    names = [f"{kind.name}/{next(kind.glob('*.toml')).stem}" for kind in sorted(FOLDER.parent.iterdir()) if list(kind.glob("*.toml"))]
    assert {name.partition("/")[0] for name in names} >= {"explain", "gates", "order", "unify"}
    words = [sys.executable, str(script)]
    result = subprocess.run([*words, *names], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("Verdict") == len(names)
    assert "EXPECTED" not in result.stdout
    unknown = subprocess.run([*words, "spec-versio"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert unknown.returncode == 2
    assert "near are explain/spec-version" in unknown.stderr
