"""The commands, run as a person runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import DATA, ROOT, UBUNTU, Run

from resolver.cli.main import COMMANDS

CPU = "ml-linux-x86_64-cpu"
ZEN4 = (*UBUNTU, "--target", "zen4")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(run: Run, command: str) -> None:
    result = run(command, "--help")
    assert result.code == 0
    assert "Examples:" in result.out
    assert f"spack-resolver {command}" in result.out


@pytest.mark.parametrize("target", ["zen4", "x86_64_v3", "x86_64_v4"])
def test_the_main_job_serves_every_root(shipped: Run, tmp_path: Path, target: str) -> None:
    result = shipped("resolve", CPU, *UBUNTU, "--target", target, "-o", tmp_path / "env", "--json")
    assert result.code == 0
    document = result.document
    assert document["schema"] == "spack-resolver/resolve/1"
    assert document["satisfied"]
    assert all(root["hash"] for root in document["groups"][0]["roots"])
    assert len(document["groups"][0]["roots"]) == 29
    lock = json.loads((tmp_path / "env" / "spack.lock").read_text())
    manifest = yaml.safe_load((tmp_path / "env" / "spack.yaml").read_text())
    assert [r["spec"] for r in lock["roots"]] == manifest["spack"]["specs"]
    nodes = lock["concrete_specs"]
    assert all(edge["hash"] in nodes for node in nodes.values() for edge in node.get("dependencies", []))
    assert {r["hash"] for r in lock["roots"]} <= set(nodes)


def test_nodes_are_exactly_as_the_source_states_them(shipped: Run, tmp_path: Path) -> None:
    shipped("resolve", CPU, *ZEN4, "-o", tmp_path)
    stated = {}
    for blob in (ROOT / "stacks").glob("*/blobs/sha256/*/*"):
        stated.update({key: json.dumps(one["spec"]) for key, one in json.loads(blob.read_text())["database"]["installs"].items()})
    for key, node in json.loads((tmp_path / "spack.lock").read_text())["concrete_specs"].items():
        assert json.dumps(node) == stated[key]


def test_a_target_too_old_serves_none_and_says_so(shipped: Run, tmp_path: Path) -> None:
    result = shipped("resolve", CPU, *UBUNTU, "--target", "x86_64_v2", "--json", "-o", tmp_path / "env")
    assert result.code == 4
    assert result.document["kind"] == "not-satisfied"
    result = shipped("resolve", CPU, *UBUNTU, "--target", "x86_64_v2", "--json")
    assert result.code == 4
    roots = result.document["groups"][0]["roots"]
    assert {root["hash"] for root in roots} == {None}
    assert {root["reason"]["gate"] for root in roots} == {"target"}
    assert not (tmp_path / "env").exists()


def test_another_platform_takes_none_of_the_linux_hashes(shipped: Run) -> None:
    linux = shipped("resolve", CPU, *ZEN4, "--json").document["groups"][0]["closure"]
    darwin = shipped("resolve", CPU, "--platform", "darwin", "--os", "sequoia", "--target", "m1", "--json")
    assert darwin.code == 4
    assert not set(linux) & set(darwin.document["groups"][0]["closure"])


def test_the_same_inputs_give_the_same_bytes(shipped: Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        shipped("resolve", CPU, *ZEN4, "-o", tmp_path / name)
        shipped("sync", ROOT / "stacks", "--refresh")
    for file in ("spack.yaml", "spack.lock"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


@pytest.mark.parametrize(
    ("machine", "count"),
    [
        (("--platform", "linux", "--os", "ubuntu24.04", "--target", "zen3"), 13),
        (("--arch", "linux-ubuntu24.04-aarch64"), 14),
        (("--arch", "darwin-sequoia-m1"), 17),
    ],
)
def test_the_page_alone_lists_what_runs(page: Run, machine: tuple[str, ...], count: int) -> None:
    result = page("find", "py-rasterio", *machine, "--json")
    records = result.document["records"]
    assert len(records) == count
    assert [r["hash"] for r in records] == sorted(r["hash"] for r in records)
    assert all(r["runs"] and r["reason"] is None for r in records)
    assert f"{count} hashes of py-rasterio@1.4.3" in result.document["notes"][0]
    assert "only their dependencies" in result.document["notes"][0]


def test_the_page_names_the_stacks_of_each_hash(page: Run) -> None:
    records = page("find", "py-rasterio", *UBUNTU, "--target", "zen3", "--json").document["records"]
    assert {tuple(r["stacks"]) for r in records} == {("ml-linux-x86_64-cpu", "ml-linux-x86_64-cuda")}


def test_all_lists_the_others_with_their_reasons(page: Run) -> None:
    records = page("find", "py-rasterio", *UBUNTU, "--target", "zen3", "--all", "--json").document["records"]
    assert len(records) == 44
    gates = [r["reason"]["gate"] for r in records if not r["runs"]]
    assert (gates.count("platform"), gates.count("target")) == (17, 14)


def test_from_the_page_a_hash_is_pinned_and_a_lock_refused(page: Run, tmp_path: Path) -> None:
    result = page("resolve", f"label:{CPU}", *ZEN4, "--emit", f"spack.yaml={tmp_path / 'spack.yaml'}")
    assert result.code == 0
    specs = yaml.safe_load((tmp_path / "spack.yaml").read_text())["spack"]["specs"]
    assert specs == ["py-rasterio@=1.4.3/5ck2jeglaqthvgddafbu7fypc4pz2bbb"]
    refused = page("resolve", f"label:{CPU}", *ZEN4, "--emit", f"spack.lock={tmp_path / 'spack.lock'}")
    assert refused.code == 4
    assert "sync the index" in refused.err
    assert not (tmp_path / "spack.lock").exists()


def test_an_environment_of_unknown_dependencies_is_the_manifest_alone(page: Run, tmp_path: Path) -> None:
    result = page("resolve", f"label:{CPU}", *ZEN4, "-o", tmp_path)
    assert result.code == 0
    assert "no spack.lock" in result.err
    assert [p.name for p in tmp_path.glob("spack.*")] == ["spack.yaml"]
    assert yaml.safe_load((tmp_path / "spack.yaml").read_text())["spack"]["concretizer"]["unify"] is False


@pytest.mark.parametrize("kind", ["spack.yaml", "spack.lock", "mirrors.yaml", "packages.yaml", "urls", "json", "dot"])
def test_artifacts_go_to_stdout_alone(shipped: Run, kind: str) -> None:
    result = shipped("-q", "resolve", CPU, *ZEN4, "--emit", kind)
    assert result.code == 0
    if kind in ("spack.lock", "json"):
        assert result.document
    elif kind != "dot":
        assert "ml-linux-x86_64-cpu" in result.out
    else:
        assert result.out.startswith("digraph")


def test_downloads_of_a_local_mirror(run: Run, tmp_path: Path) -> None:
    run("sync", DATA / "mirrors" / "v3")
    stack = tmp_path / "spack.yaml"
    stack.write_text("spack:\n  specs: [zlib-ng]\n")
    result = run(
        "-q", "resolve", stack, "--platform", "linux", "--os", "debian12", "--target", "x86_64_v3", "--libc", "glibc@2.36", "--emit", "urls"
    )
    rows = [line.split("\t") for line in result.out.splitlines()]
    assert {row[0] for row in rows} == {"manifest", "archive"}
    archive = next(row for row in rows if row[0] == "archive")
    assert archive[4].endswith(f"/blobs/sha256/{archive[3][:2]}/{archive[3]}")
    assert int(archive[2]) > 0


def test_old_nodes_become_an_older_lock(run: Run, tmp_path: Path) -> None:
    run("sync", DATA / "mirrors" / "v2")
    (tmp_path / "spack.yaml").write_text("spack:\n  specs: [zlib-ng, 'python@3.11:']\n")
    machine = ("--platform", "linux", "--os", "debian12", "--target", "x86_64_v3", "--libc", "glibc@2.36")
    result = run("resolve", tmp_path, *machine, "-o", tmp_path / "env", "--emit", f"urls={tmp_path / 'urls'}")
    assert result.code == 0, result.err
    assert json.loads((tmp_path / "env" / "spack.lock").read_text())["_meta"]["lockfile-version"] == 5
    assert "/build_cache/linux-debian12-x86_64_v3/gcc-12.2.0/zlib-ng-2.2.1/" in (tmp_path / "urls").read_text()


def test_a_partial_environment_is_written_only_when_asked(run: Run, tmp_path: Path) -> None:
    run("sync", DATA / "mirrors" / "v3")
    (tmp_path / "spack.yaml").write_text("spack:\n  specs: [zlib-ng, gromacs]\n")
    machine = ("--platform", "linux", "--os", "debian12", "--target", "x86_64_v3", "--libc", "glibc@2.36")
    refused = run("resolve", tmp_path, *machine, "-o", tmp_path / "env")
    assert (refused.code, (tmp_path / "env").exists()) == (4, False)
    assert "1 of 2 roots" in refused.err
    assert run("resolve", tmp_path, *machine, "-o", tmp_path / "env", "--partial").code == 0
    assert len(json.loads((tmp_path / "env" / "spack.lock").read_text())["roots"]) == 1


def test_expansion(run: Run) -> None:
    document = run("expand", CPU, "--arch", "linux-ubuntu24.04-zen4", "--json").document
    (group,) = document["groups"]
    assert (group["name"], group["unify"], group["needs"], len(group["specs"])) == ("default", False, [], 29)
    assert group["specs"][4:7] == ["py-keras backend=tensorflow", "py-keras backend=jax", "py-keras backend=torch"]


def test_a_github_matrix(shipped: Run) -> None:
    machines = ("--machine", "github-ubuntu-24.04", "--machine", "github-ubuntu-24.04-arm", "--machine", "github-macos-15")
    result = shipped("matrix", CPU, "ml-linux-aarch64-cpu", "ml-darwin-aarch64-mps", *machines, "--for", "github")
    assert len(result.out.splitlines()) == 1
    ids = [row["id"] for row in result.document["include"]]
    assert ids == [
        "ml-darwin-aarch64-mps@darwin-sequoia-m1",
        "ml-linux-aarch64-cpu@linux-ubuntu24.04-neoverse_n1",
        f"{CPU}@linux-ubuntu24.04-x86_64_v3",
    ]
    assert "none of 29 roots has a hash" in result.err


def test_a_gitlab_matrix_by_root(shipped: Run) -> None:
    result = shipped("matrix", CPU, "--machine", "github-ubuntu-24.04", "--for", "gitlab", "--split", "root")
    pipeline = yaml.safe_load(result.out)
    jobs = {key: job for key, job in pipeline.items() if "@" in key}
    assert len(jobs) == 29
    assert all(job["tags"] == ["ubuntu-24.04"] and job["variables"]["RESOLVER_HASH"] for job in jobs.values())


def test_an_empty_matrix_has_an_exit_code(shipped: Run) -> None:
    result = shipped("matrix", CPU, "--machine", "github-macos-15", "--json")
    assert (result.code, result.document["include"]) == (4, [])


def test_machines(run: Run) -> None:
    document = run("machine", "--machine", "github-ubuntu-24.04", "--json").document
    assert (document["platform"], document["os"], document["target"], document["libc"]) == (
        "linux",
        "ubuntu24.04",
        "x86_64_v3",
        "glibc@2.39",
    )
    assert "zen4" in run("machine", "--list", "targets").out.splitlines()
    assert "github-macos-15" in run("machine", "--list", "machines", "--json").document["names"]
    assert "sequoia" in run("machine", "--list", "oses").out
    assert run("machine").code == 0


def test_machines_of_the_configuration(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spack-resolver.yaml").write_text(
        f"sources: [{DATA / 'mirrors' / 'v3'}]\nstacks: [mine]\nmachines: {{big: {{platform: linux, os: debian12, target: zen4, libc: glibc@2.36}}}}\n"
        "ci: {runners: {big: [self-hosted, big]}}\n",
    )
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "tiny.yaml").write_text("spack: {specs: [zlib-ng]}")
    monkeypatch.chdir(tmp_path / "mine")
    assert run("sync").code == 0
    (row,) = run("matrix", "tiny", "--machine", "big", "--json").document["include"]
    assert (row["id"], row["runner"]) == ("tiny@linux-debian12-zen4", ["self-hosted", "big"])


def test_sources(shipped: Run) -> None:
    rows = shipped("sources", "--json").document["sources"]
    assert [row["name"] for row in rows] == ["ml-darwin-aarch64-mps", "ml-linux-aarch64-cpu", CPU, "ml-linux-x86_64-cuda"]
    assert {row["stack"] for row in rows} == {row["name"] for row in rows}


def test_one_source_may_be_chosen(shipped: Run) -> None:
    records = shipped("find", "py-torch", *ZEN4, "--source", "ml-linux-x86_64-cuda", "--json").document["records"]
    assert {tuple(r["sources"]) for r in records} == {("ml-linux-x86_64-cuda",)}


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("resolve", "ml-linux-x86_64-cp", *ZEN4), 3, "did you mean ml-linux-x86_64-cpu"),
        (("resolve", CPU, *UBUNTU, "--target", "zen44"), 3, "did you mean zen4"),
        (("resolve", CPU, "--machine", "github-ubuntu-24.05"), 3, "did you mean github-ubuntu-24.04"),
        (("resolve", CPU, "--platform", "vms"), 3, "unknown platform 'vms'"),
        (("resolve", "label:nosuch", *ZEN4), 3, "no record is labelled 'nosuch'"),
        (("resolve", CPU, *ZEN4, "--group", "nosuch"), 3, "has no group 'nosuch'"),
        (("resolve", CPU, *ZEN4, "--source", "nosuch"), 3, "no source named 'nosuch'"),
        (("resolve", CPU, *ZEN4, "--libc", "dietlibc@1"), 3, "is not a libc"),
        (("resolve", CPU, *ZEN4, "--emit", "nosuch"), 2, "is none of"),
        (("resolve", CPU, *ZEN4, "--env", "x"), 2, "is not NAME=VALUE"),
        (("find", "a@1@2", *ZEN4), 3, "two versions"),
        (("find", "+x", *ZEN4), 3, "names no package"),
        (("find", "  ", *ZEN4), 3, "no spec is given"),
        (("find", "zlib", "--arch", "linux-zen4"), 3, "is not an architecture"),
        (("sync", "/no/such/place"), 5, "there is no file or directory"),
        (("sync",), 2, "no source is given"),
        (("--config", "/no/such.yaml", "sources"), 3, "cannot be read"),
        (("nosuch",), 2, "no command 'nosuch'"),
    ],
)
def test_mistakes_end_in_one_paragraph(shipped: Run, words: tuple[str, ...], code: int, message: str) -> None:
    result = shipped(*words)
    assert (result.code, result.out) == (code, "")
    assert message in result.err
    assert "Traceback" not in result.err
    if code > 2:
        assert "hint:" in result.err


def test_errors_as_documents(run: Run) -> None:
    result = run("sources", "--json")
    assert result.code == 3
    assert set(result.document) == {"schema", "kind", "what", "why", "hint", "where", "exit_code"}
    assert result.document["schema"] == "spack-resolver/error/1"


def test_a_spec_error_shows_its_place(shipped: Run) -> None:
    err = shipped("find", "hdf5 a= b").err
    assert "    hdf5 a= b\n          ^" in err


def test_one_bad_source_leaves_the_others(run: Run, tmp_path: Path) -> None:
    (tmp_path / "cut.json").write_text('{"database": {"version": "8", "installs": {')
    (tmp_path / "future.lock").write_text('{"_meta": {"lockfile-version": 99}, "roots": [], "concrete_specs": {}}')
    result = run("sync", tmp_path / "cut.json", DATA / "mirrors" / "v3", tmp_path / "future.lock", "--json")
    assert result.code == 5
    assert [s["name"] for s in result.document["sources"]] == ["v3"]
    assert [e["exit_code"] for e in result.document["errors"]] == [5, 3]
    assert str(tmp_path / "cut.json") in result.document["errors"][0]["where"]


def test_a_damaged_source_keeps_its_last_good_state(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "index.json"
    path.write_bytes((DATA / "mirrors" / "v2" / "build_cache" / "index.json").read_bytes())
    assert run("sync", path, "--name", "x").code == 0
    path.write_bytes(path.read_bytes()[:-100])
    assert run("sync", path, "--name", "x").code == 5
    assert run("sources", "--json").document["sources"][0]["records"] == 50


def test_what_cannot_be_written_is_an_error(shipped: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = shipped("resolve", CPU, *ZEN4, "-o", tmp_path / "file" / "env")
    assert result.code == 3
    assert "cannot be written" in result.err


def test_a_device_is_written_to_and_not_replaced(shipped: Run) -> None:
    assert shipped("resolve", CPU, *ZEN4, "--emit", "json=/dev/null").code == 0
    assert Path("/dev/null").is_char_device()


def test_internal_errors_are_no_tracebacks(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolver.api.sources.list_sources", lambda _: 1 / 0)
    result = run("sources")
    assert result.code == 1
    assert "internal error: ZeroDivisionError" in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize("words", [("find", "py-torch", *ZEN4), ("resolve", CPU, *ZEN4), ("sources",), ("--help",)])
def test_commands_load_only_what_they_need(shipped: Run, words: tuple[str, ...]) -> None:
    assert shipped("sources").code == 0
    done = subprocess.run([sys.executable, "-X", "importtime", "-m", "resolver", *words], capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time")}
    assert not loaded & {"networkx", "clingo", "httpx", "rich", "rich.console", "asyncio"}
    assert ("yaml" in loaded) == ("resolve" in words)


def test_the_catalog_in_python(shipped: Run, catalog: Path) -> None:
    from resolver import Catalog, Machine
    from resolver.api.resolve import ResolveRequest
    from resolver.api.stacks import StackRequest
    from resolver.arch.machine import Libc

    assert shipped("sources").code == 0
    opened = Catalog(catalog)
    machine = Machine("linux", "ubuntu24.04", "zen4", Libc.parse("glibc@2.39"))
    resolution = opened.resolve(ResolveRequest(StackRequest(CPU), machine))
    graph = opened.selection_graph(resolution)
    assert graph.out_degree(f"stack:{CPU}") == 1
    assert graph.out_degree(f"group:{CPU}:default") == 29
    assert set(resolution.environment.closure) <= set(graph)
    assert len(opened.find(["py-torch"], machine).records) == 6
    assert len(opened.sources()) == 4


def test_public_names() -> None:
    import resolver

    assert sorted(resolver.__all__) == ["AbstractSpec", "Catalog", "ConcreteSpec", "Machine", "Stack", "Version", "VersionSet", "resolve"]
    assert all(getattr(resolver, name) for name in resolver.__all__)
    with pytest.raises(AttributeError):
        resolver.nosuch  # noqa: B018 - the access is the test
    assert "Version" in dir(resolver)


def test_find_lists_the_best_few(run: Run) -> None:
    assert run("sync", "stacks").code == 0
    machine = ("--platform", "linux", "--os", "ubuntu24.04", "--target", "zen4", "--libc", "glibc@2.39", "--json")
    whole = run("find", "py-numpy", *machine).document["records"]
    assert len(whole) > 2
    for limit in (1, 2, len(whole) + 1):
        document = run("find", "py-numpy", "--limit", str(limit), *machine).document
        assert document["records"] == whole[:limit]
        assert (document["rejected"] is None) == (limit < len(whole))
    assert run("find", "py-numpy", "--limit", "1", "--all").code == 2
