"""Shows scenarios of ``tests/scenarios``: the world, what is asked, what was expected, and what comes out now."""

from __future__ import annotations

import sys
import textwrap
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "tests" / "scenarios"
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]


def main(words: list[str]) -> int:
    """Show the scenarios that are named; without a name list all."""
    files = {f"{path.parent.name}/{path.stem}": path for path in sorted(FOLDER.glob("*/*.toml"))}
    if not words:
        print("\n".join(files))
        return 0
    for word in words:
        found = [name for name in files if word in (name, name.partition("/")[2])]
        if not found:
            near = [name for name in files if word in name]
            print(f"there is no scenario {word!r}{'; near are ' + ', '.join(near) if near else ''}", file=sys.stderr)
            return 2
        for name in found:
            print("\n".join(shown(name, files[name])))
    return 0


def shown(name: str, path: Path) -> list[str]:
    """The lines of one scenario."""
    scenario = tomllib.loads(path.read_text("utf-8"))
    lines = [name, *textwrap.wrap(scenario["explanation"], 80), "", "World"]
    lines += [f"  {_record(record)}" for record in scenario.get("records", [])] or ["  nothing"]
    lines += ["", "Request", *(f"  {key}: {_value(value)}" for key, value in scenario["request"].items())]
    lines += ["", "Verdict"]
    verdict = _explained(path) if path.parent.name == "explain" else _selected(path)
    return [*lines, *(f"  {line}".rstrip() for line in verdict)]


def _record(record: dict[str, Any]) -> str:
    more = [f"{key}={_value(value)}" for key, value in record.items() if key not in ("id", "spec")]
    return "  ".join([f"{record['id']}: {record['spec']}", *more])


def _value(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _explained(path: Path) -> list[str]:
    from fakes.explained import load, outcome
    from fakes.world import World

    scenario = load(path)
    return outcome(scenario.request, World(scenario.records)).lines


def _selected(path: Path) -> list[str]:
    from fakes.world import World
    from scenarios.test_scenarios import answer, load

    scenario = load(path)
    world = World(scenario.records)
    found = answer(scenario, world)
    ids = {key: row["id"] for key, row in world.rows.items()}
    lines = []
    for root, expected in zip(found.roots, scenario.expected.chosen, strict=True):
        got = ids[root.chosen.spec.hash] if root.chosen else ""
        lines.append(f"{root.root}: {got or 'nothing'}, {root.text}{'' if got == expected else f'  EXPECTED {expected}'}")
        if root.runner_up:
            lines.append(f"  runner-up {ids[root.runner_up.spec.hash]}, decided by {root.runner_up.criterion}")
        lines += [f"  refused: {rejection.gate}: {rejection.text}" for rejection in root.rejections]
    state = "all served" if found.satisfied else "not all served"
    return [*lines, f"{state}, {'proven best' if found.optimal else 'not proven best'}, {len(found.closure)} packages"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
