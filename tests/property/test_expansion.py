"""Laws of the expansion of stacks."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from fakes.stack_texts import ZEN4, texts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resolver.errors import InputError
from resolver.formats.yaml_tree import load_yaml
from resolver.spec.abstract import AbstractSpec
from resolver.stacks.stack import Stack

names = st.sampled_from(["hdf5", "zlib", "py-numpy", "openmpi"])
rows_of_variants = [st.lists(st.sampled_from([f"+{name}", f"~{name}", ""]), min_size=1, max_size=3) for name in ("a", "b", "c")]
rows = st.tuples(st.lists(names, min_size=1, max_size=3), *rows_of_variants).map(list)
parts = st.sampled_from(["@1.2", "+x", "%gcc@12", "^mpich", "target=zen4", ""])
items = st.one_of(names, st.tuples(names, parts).map(" ".join))


def expanded(document: dict[str, Any]) -> list[str]:
    return texts(Stack.read({"spack": document}, "s", ZEN4))


@given(rows)
def test_a_matrix_without_exclusions_has_the_product_of_its_rows(matrix: list[list[str]]) -> None:
    found = expanded({"specs": [{"matrix": matrix}]})
    assert len(found) == math.prod(map(len, matrix))


@settings(max_examples=50)
@given(rows)
def test_the_last_row_varies_fastest(matrix: list[list[str]]) -> None:
    found = expanded({"specs": [{"matrix": matrix}]})
    last = len(matrix[-1])
    before = expanded({"specs": [{"matrix": matrix[:-1]}]})
    assert [AbstractSpec.parse(text).name for text in found[::last]] == [AbstractSpec.parse(text).name for text in before]


@given(rows, st.lists(st.sampled_from(["+a", "~b", "hdf5", "zlib+c", "@1", "%gcc"]), max_size=3))
def test_an_excluded_combination_never_appears_and_no_other_is_missing(matrix: list[list[str]], exclude: list[str]) -> None:
    everything = expanded({"specs": [{"matrix": matrix}]})
    found = expanded({"specs": [{"matrix": matrix, "exclude": exclude}]})
    wanted = [AbstractSpec.parse(text) for text in exclude]
    assert found == [text for text in everything if not any(AbstractSpec.parse(text).satisfies(want) for want in wanted)]


@given(st.lists(items, max_size=4), st.lists(items, max_size=3), st.sampled_from(["", "^", "%"]))
def test_references_equal_their_definitions_spliced_in(defined: list[str], others: list[str], sigil: str) -> None:
    definitions = [{"d": defined}, {"e": ["$d", *others]}]
    assert expanded({"definitions": definitions, "specs": ["$e", "$d"]}) == expanded({"specs": [*defined, *others, *defined]})
    if sigil:
        row, spliced = {"matrix": [["root"], [f"${sigil}d"]]}, {"matrix": [["root"], [sigil + text for text in defined]]}
        assert expanded({"definitions": definitions, "specs": [row]}) == expanded({"specs": [spliced]})


@settings(max_examples=30)
@given(rows, rows)
def test_a_matrix_by_reference_equals_the_matrix(one: list[list[str]], other: list[list[str]]) -> None:
    definitions = [{"m": [{"matrix": one}, {"matrix": other}]}]
    assert expanded({"definitions": definitions, "specs": ["$m"]}) == expanded({"specs": [{"matrix": one}, {"matrix": other}]})
    nested = {"matrix": [["$m"], ["+z"]]}
    literal = {"matrix": [[{"matrix": one}, {"matrix": other}], ["+z"]]}
    assert expanded({"definitions": definitions, "specs": [nested]}) == expanded({"specs": [literal]})


@given(st.lists(items, min_size=1, max_size=4), st.lists(st.booleans(), min_size=1, max_size=4))
def test_entries_whose_condition_is_false_are_as_if_they_were_not_written(listed: list[str], held: list[bool]) -> None:
    entries = [{"d": listed, "when": f"target == '{'zen4' if yes else 'zen3'}'"} for yes in held]
    assert expanded({"definitions": entries, "specs": ["$d"]}) == expanded({"specs": listed * sum(held)})


@given(st.lists(items, max_size=6))
def test_groups_only_sort_what_is_listed(listed: list[str]) -> None:
    groups = [{"group": f"g{index}", "specs": [text]} for index, text in enumerate(listed)]
    assert expanded({"specs": groups}) == expanded({"specs": listed})


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet="[]{}:,-$^%+~@ abm\n", max_size=60))
def test_what_cannot_be_expanded_is_refused_with_an_error_of_ours(text: str) -> None:
    with suppress(InputError):
        Stack.read(load_yaml(f"spack:\n  definitions:\n  - a: [b]\n  specs: [{text}]\n"), "s", ZEN4)


STACK = """\
spack:
  include:
  - path: "${platform}-${target_family}.yaml"
  - path: $HOSTNAME/$CI.yaml
    optional: true
  - path: ~/.spack/$user/$tempdir
    optional: true
  - path: common.yaml
    path_override_env_var: OVERRIDE
    when: env.get('SPACK_ROOT', '') == '' and hostname != 'login7'
  definitions:
  - compilers: [gcc@13]
    when: arch.satisfies('target=x86_64_v4:') and platform == 'linux'
  - compilers: [llvm]
    when: env.get('CI', '') == '1' or hostname.startswith('login') or os == 'debian12'
  specs:
  - zlib
  - matrix: [[hdf5, netcdf-c], [$%compilers], [+mpi, ~mpi]]
    exclude: [netcdf-c~mpi]
  - {group: tools, specs: [cmake, $more]}
"""
MORE = "definitions:\n- more: [ninja]\nci: {pipeline-gen: [{submapping: [{match: [os=ubuntu24.04], build-job: {tags: [big]}}]}]}\n"
FAKE_HOST = """\
import os, platform, socket, sys
sys.platform = 'darwin'
os.uname = platform.uname = lambda: platform.uname_result('Darwin', 'login7', '23', 'v', 'arm64')
socket.gethostname = platform.node = lambda: 'login7'
platform.system, platform.machine = (lambda: 'Darwin'), (lambda: 'arm64')
from resolver.cli.main import run
sys.exit(run(sys.argv[1:]))
"""
REAL_HOST = "import sys; from resolver.cli.main import run; sys.exit(run(sys.argv[1:]))"


@pytest.mark.parametrize("option", ["--json", "--explain"])
def test_expansion_does_not_depend_on_the_host(tmp_path: Path, option: str) -> None:
    (tmp_path / "spack.yaml").write_text(STACK)
    (tmp_path / "linux-x86_64.yaml").write_text(MORE)
    (tmp_path / "common.yaml").write_text("packages: {all: {require: [+shared]}}\n")
    words = ["expand", str(tmp_path), "--arch", "linux-ubuntu24.04-zen4", "--libc", "glibc@2.39", option]
    base = {"PYTHONPATH": str(ROOT), "SPACK_RESOLVER_CATALOG": str(tmp_path / "c.sqlite"), "HOME": str(tmp_path)}
    other = {"CI": "1", "HOSTNAME": "login7", "SPACK_ROOT": "/opt/spack", "OVERRIDE": "/nowhere", "USER": "other"}
    other |= {"HOME": os.sep, "TMPDIR": str(tmp_path), "TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    ran = [
        subprocess.run([sys.executable, "-c", code, *words], env=base | more, cwd=cwd, capture_output=True, check=True).stdout
        for code, more, cwd in ((REAL_HOST, {}, ROOT), (FAKE_HOST, other, tmp_path), (FAKE_HOST, {"PYTHONHASHSEED": "8"}, os.sep))
    ]
    assert ran[0] == ran[1] == ran[2]
    assert b"hdf5+mpi %gcc@13" in ran[0]
    assert b"clang" not in ran[0]
    assert b"ninja" in ran[0]
    assert b"big" in ran[0]
