"""Facts of recipes: imported from a checkout, and used by the order."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import UBUNTU, Run
from fakes.recipes import LEADING, PLAIN, repository, small_repository
from fakes.world import nodes_of

MACHINE = (*UBUNTU, "--target", "zen4")


def index(path: Path, records: list[dict[str, Any]]) -> Path:
    """A build cache's index of these records."""
    external = {key for key, node in nodes_of(records).items() if "external" in node}
    installs = {key: {"spec": node, "in_buildcache": key not in external, "ref_count": 0} for key, node in nodes_of(records).items()}
    path.write_text(json.dumps({"database": {"version": "8", "installs": installs}}))
    return path


@pytest.fixture
def synced(run: Run, tmp_path: Path) -> Run:
    records: list[dict[str, Any]] = [
        {"id": "new", "spec": "plain@=1.0", "stacks": []},
        {"id": "old", "spec": "plain@=0.9"},
        {"id": "py2", "spec": "py3-numbers@=3.1+mpi"},
        {"id": "py3", "spec": "py3-numbers@=3.0+mpi"},
    ]
    assert run("sync", index(tmp_path / "index.json", records)).code == 0
    (tmp_path / "spack.yaml").write_text("spack: {specs: [plain, py3-numbers], concretizer: {unify: true}}")
    return run


@pytest.fixture
def known(run: Run, tmp_path: Path) -> Path:
    path = tmp_path / "facts.json"
    assert run("facts", "import", small_repository(tmp_path / "checkout"), "-o", path).code == 0
    return path


def roots(document: Any) -> list[str]:
    return [root["hash"].rstrip("0") for group in document["groups"] for root in group["roots"]]


def test_a_checkout_becomes_a_document(known: Path) -> None:
    document = json.loads(known.read_text())
    assert document["schema"] == "spack-resolver/facts/1"
    assert document["platform"] == "linux"
    assert list(document["packages"]) == ["7up", "plain", "py3-numbers"]
    assert document["packages"]["plain"]["deprecated"] == ["1.0"]
    names = [variant["name"] for variant in document["packages"]["py3-numbers"]["variants"]]
    assert names == ["cuda", "cuda_arch", "build_system", "build_type", "generator", "mpi"]


@pytest.mark.parametrize("place", ["", "repos/spack_repo/builtin", "var/spack/repos/spack_repo/builtin"])
def test_repositories_are_found_where_they_lie(run: Run, tmp_path: Path, place: str) -> None:
    repository(tmp_path / "top" / place, {"plain": PLAIN, "_7up": LEADING})
    result = run("facts", "import", tmp_path / "top")
    assert list(result.document["packages"]) == ["7up", "plain"]
    assert "2 packages, 3 versions" in result.err


def test_before_spack_1_packages_are_named_as_their_folders_and_build_systems_are_spacks(run: Run, tmp_path: Path) -> None:
    recipe = "class OldOne(NewPackage):\n    version('1')\n"
    repository(
        tmp_path / "var/spack/repos/builtin", {"old-one": recipe, "with_dash": "class WithDash(Package):\n    version('1')"}, api="v1.0"
    )
    systems = tmp_path / "lib/spack/spack/build_systems"
    systems.mkdir(parents=True)
    (systems / "new.py").write_text("class NewPackage(spack.package_base.PackageBase):\n    build_system('new')\n")
    packages = run("facts", "import", tmp_path).document["packages"]
    assert list(packages) == ["old-one", "with_dash"]
    assert packages["old-one"]["variants"] == [{"name": "build_system", "default": "new", "values": ["new"]}]


def test_what_cannot_be_read_is_counted_and_listed(run: Run, tmp_path: Path) -> None:
    repository(tmp_path / "top", {"plain": "class Plain(Package):\n    version(here())\n", "broken": "class (", "gone": PLAIN})
    (tmp_path / "top/packages/gone/package.py").unlink()
    os.mkfifo(tmp_path / "top/packages/gone/package.py")
    result = run("facts", "import", tmp_path / "top", "-o", tmp_path / "f.json")
    assert result.code == 0
    assert "3 places could not be read (-v lists them)" in result.err
    listed = run("-v", "facts", "import", tmp_path / "top", "-o", tmp_path / "f.json").err
    assert "plain: line 2: version(...) has arguments that cannot be told" in listed
    document = run("facts", "import", tmp_path / "top", "-o", tmp_path / "f.json", "--json").document
    assert [row["package"] for row in document["unread"]] == ["broken", "gone", "plain"]
    assert document["schema"] == "spack-resolver/facts-import/1"


def test_a_folder_without_recipes_is_told(run: Run, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        result = run("facts", "import", folder, "--json", "-o", tmp_path / "f.json")
        assert result.code == 3
        assert "holds no package repository" in result.document["what"]


def test_stdout_takes_one_document(run: Run, tmp_path: Path) -> None:
    assert run("facts", "import", tmp_path, "--json").code == 2


def test_examples_of_the_help_of_import_work(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_repository(tmp_path / "spack-packages")
    monkeypatch.chdir(tmp_path)
    lines = [line.split() for line in run("facts", "import", "--help").out.splitlines() if line.startswith("    spack-resolver")]
    assert len(lines) == 2
    assert [run(*line[1:]).code for line in lines] == [0, 0]


def test_resolve_takes_what_recipes_prefer(synced: Run, known: Path, tmp_path: Path) -> None:
    request = ("resolve", tmp_path / "spack.yaml", *MACHINE, "--json")
    without, with_facts = synced(*request).document, synced(*request, "--facts", known).document
    assert roots(without) == ["new", "py2"]
    assert roots(with_facts) == ["old", "py3"]
    assert len(without["skipped_criteria"]) == 4
    assert with_facts["skipped_criteria"] == []
    assert with_facts["groups"][0]["roots"][0]["runner_up"]["decided_by"] == "deprecated versions"


def test_find_lists_in_that_order(synced: Run, known: Path) -> None:
    document = synced("find", "py3-numbers", *MACHINE, "--json", "--facts", known).document
    assert [record["version"] for record in document["records"]] == ["3.0", "3.1"]
    assert synced("find", "py3-numbers", *MACHINE, "--json").document["skipped_criteria"]


def test_explain_and_matrix_take_facts(synced: Run, known: Path, tmp_path: Path) -> None:
    found = synced("explain", "plain", *MACHINE, "--json", "--facts", known).document
    assert found["chosen"]["hash"].rstrip("0") == "old"
    assert found["skipped_criteria"] == []
    (tmp_path / "machine.json").write_text(json.dumps({"platform": "linux", "os": "ubuntu24.04", "target": "zen4", "libc": "glibc@2.39"}))
    words = ("matrix", tmp_path / "spack.yaml", "--machine", tmp_path / "machine.json", "--split", "root", "--json")
    jobs = synced(*words, "--facts", known).document["include"]
    assert [job["hash"].rstrip("0") for job in jobs] == ["old", "py3"]
    assert f"--facts {known}" in jobs[0]["command"]


def test_what_was_skipped_is_said_where_it_is_asked(synced: Run, known: Path) -> None:
    words = ("find", "plain", *MACHINE)
    assert "deprecated versions" not in synced(*words).err
    assert "note: not looked at, since only package recipes tell: deprecated versions" in synced("-v", *words).err
    assert "only package recipes tell" not in synced("-v", *words, "--facts", known).err
    assert "only package recipes tell" in synced("explain", "plain", *MACHINE).err


def test_the_written_environment_says_how_it_was_made(synced: Run, known: Path, tmp_path: Path) -> None:
    synced("resolve", tmp_path / "spack.yaml", *MACHINE, "--facts", known, "-o", tmp_path / "env")
    assert f"--facts {known}" in (tmp_path / "env/spack.yaml").read_text()


def test_a_provider_that_no_edge_shows_serves_a_virtual_root(synced: Run, known: Path) -> None:
    assert not synced("find", "blas", *MACHINE, "--json").document["records"]
    found = synced("find", "blas", *MACHINE, "--json", "--facts", known).document["records"]
    assert [record["name"] for record in found] == ["py3-numbers", "py3-numbers"]


def test_damaged_facts_are_told_with_file_and_place(synced: Run, known: Path, tmp_path: Path) -> None:
    known.write_text('{"schema": "spack-resolver/facts/1", "packages": {"plain": {"versions": 1}}}')
    error = synced("resolve", tmp_path / "spack.yaml", *MACHINE, "--json", "--facts", known)
    assert error.code == 3
    assert error.document["where"] == f"{known}: packages: plain"
    assert "$.versions" in error.document["why"]
    shutil.rmtree(known, ignore_errors=True)
    missing = synced("find", "plain", *MACHINE, "--json", "--facts", tmp_path / "none.json")
    assert missing.code == 3
    assert "none.json cannot be read" in missing.document["what"]
