from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from fakes.host import FakeHost, glibc_host

import resolver.machine
from resolver.api.machines import known_machines
from resolver.arch.features import features
from resolver.machine.gpu import NVIDIA
from resolver.machine.probe import Processor

LINUX = ("--platform", "linux", "--os", "rhel9", "--target", "zen4", "--libc", "glibc@2.34")
KEYS = {"schema", "name", "platform", "os", "target", "libc", "cuda_arch", "amdgpu_target", "found_by", "unknown", "doubts"}


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> FakeHost:
    """In place of the real host: Debian on a processor that hides a flag, with a GPU."""
    fake = glibc_host()
    fake.commands[" ".join(NVIDIA)] = "8.6\n"
    zen3 = features()["zen3"]
    fake._cpu = Processor("zen2", zen3.vendor, zen3.features - {"pku"})
    monkeypatch.setattr(resolver.machine, "HostProbe", lambda: fake)
    return fake


def machine(run: Run, *words: str) -> dict[str, Any]:
    result = run("machine", *words, "--json")
    assert result.code == 0, result.err
    document: dict[str, Any] = result.document
    assert set(document) == KEYS
    return document


def test_the_host_is_shown_fact_by_fact(run: Run, host: FakeHost) -> None:
    result = run("machine")
    assert [line.split()[:2] for line in result.out.splitlines()] == [
        ["fact", "value"],
        ["platform", "linux"],
        ["os", "debian12"],
        ["target", "zen2"],
        ["libc", "glibc@2.36"],
        ["cuda_arch", "86"],
        ["amdgpu_target", "unknown"],
    ]
    assert "rocminfo is not on this host" in result.out
    assert result.err.startswith("note: the CPU was detected as zen2; for zen3 it lacks only the flag pku")
    assert host.asked.count("cpu") == 1


def test_the_document_of_the_host(run: Run, host: FakeHost) -> None:
    document = machine(run)
    assert document["found_by"]["libc"].endswith("--version")
    assert set(document["unknown"]) == {"amdgpu_target"}
    assert document["doubts"][0] == {"fact": "target", "better": "zen3", "missing": ["pku"], "text": document["doubts"][0]["text"]}
    assert machine(run, "--machine", "auto") == {**document, "name": "auto"} or host.asked


def test_every_fact_can_be_said_otherwise(run: Run, host: FakeHost) -> None:
    words = ("--os", "debian13", "--libc", "glibc@2.41", "--cuda-arch", "9.0", "--amdgpu-target", "gfx90a")
    document = machine(run, *words)
    assert [document[key] for key in ("platform", "os", "target", "libc")] == ["linux", "debian13", "zen2", "glibc@2.41"]
    assert (document["cuda_arch"], document["amdgpu_target"]) == (["90"], ["gfx90a"])
    assert document["found_by"]["cuda_arch"] == "--cuda-arch"
    assert document["found_by"]["target"].startswith("this host: ")
    assert document["unknown"] == {}
    assert machine(run, "--target", "zen3")["doubts"] == []
    assert host.asked.count("cpu") == 1


def test_a_gpu_can_be_taken_away(run: Run, host: FakeHost) -> None:
    document = machine(run, "--cuda-arch", "none")
    assert (document["cuda_arch"], document["found_by"]["cuda_arch"]) == ([], "--cuda-arch none")
    assert "cuda_arch      none" in run("machine", "--cuda-arch", "none").out
    assert machine(run, "--machine", "frontier", "--amdgpu-target", "none")["amdgpu_target"] == []
    assert host.asked


def test_a_machine_that_is_described_is_not_this_host(run: Run, host: FakeHost) -> None:
    assert machine(run, *LINUX)["cuda_arch"] == []
    assert host.asked == []
    assert machine(run, "--arch", "linux-rhel9-zen4-glibc@2.34")["libc"] == "glibc@2.34"
    assert host.asked == []
    document = machine(run, "--arch", "linux-rhel9-zen4")
    assert (document["libc"], document["cuda_arch"]) == ("glibc@2.36", [])
    assert "cpu" not in host.asked
    document = machine(run, "--platform", "windows", "--target", "x86_64")
    assert (document["os"], document["unknown"]) == (None, {"os": "nothing says it; give --os"})


@pytest.mark.parametrize("name", known_machines())
def test_well_known_machines_are_sound(run: Run, host: FakeHost, name: str) -> None:
    document = machine(run, "--machine", name)
    assert document["platform"]
    assert document["target"]
    assert document["name"] == name
    assert known_machines()[name].about
    assert document["doubts"] == []
    assert host.asked == []


def test_a_runner_is_known_by_its_label(run: Run) -> None:
    document = machine(run, "--machine", "macos-15")
    assert (document["os"], document["target"], document["libc"], document["unknown"]) == ("sequoia", "m1", None, {})
    assert machine(run, "--machine", "ubuntu-24.04", "--target", "zen4")["target"] == "zen4"


def test_what_a_named_machine_does_not_say_is_unknown(run: Run) -> None:
    document = machine(run, "--machine", "gitlab-linux-gpu", "--os", "debian12")
    assert (document["os"], document["cuda_arch"]) == ("debian12", ["75"])
    assert document["unknown"] == {"libc": "nothing says it; give --libc"}


def test_a_document_describes_the_machine_elsewhere(run: Run, tmp_path: Path) -> None:
    document = machine(run, "--machine", "perlmutter-gpu")
    path = tmp_path / "there.json"
    path.write_text(json.dumps(document))
    again = machine(run, "--machine", str(path))
    assert {key: again[key] for key in KEYS - {"name", "found_by"}} == {key: document[key] for key in KEYS - {"name", "found_by"}}
    assert (again["name"], again["found_by"]["libc"]) == ("there", "the machine there")


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("--machine", "perlmutter"), 3, "did you mean perlmutter-gpu or perlmutter-cpu?"),
        (("--machine", "github-ubuntu-24.05"), 3, "did you mean github-ubuntu-24.04"),
        (("--machine", "linux-ubuntu24.04-zen44"), 3, "unknown machine"),
        (("--machine", "nosuch.yaml"), 3, "nosuch.yaml cannot be read"),
        (("--machine", "bad.yaml"), 3, "its keys are platform, os, target"),
        (("--machine", "worse.yaml"), 3, "worse.yaml: unknown target 'zen44'"),
        (("--arch", "linux-ubuntu24.04-zen44"), 3, "did you mean zen4"),
        (("--target", "x86_64v3"), 3, "did you mean x86_64_v3"),
        (("--platform", "macos"), 3, "known are linux, darwin"),
        (("--libc", "glibc-2.39"), 3, "write glibc@2.39"),
        (("--cuda-arch", "a100"), 3, "80 for capability 8.0"),
        (("--cuda-arch", "80", "--cuda-arch", "none"), 3, "'none' is not a CUDA compute capability"),
        (("--list", "colors"), 2, "targets"),
    ],
)
def test_names_that_nobody_knows(
    run: Run, words: tuple[str, ...], code: int, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.yaml").write_text("platforms: linux")
    (tmp_path / "worse.yaml").write_text("target: zen44")
    result = run("machine", *words)
    assert result.code == code
    assert text in result.err


def test_lists(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spack-resolver.yaml").write_text("machines: {frontier: {platform: linux, os: mine9, about: Not that one}}")
    monkeypatch.chdir(tmp_path)
    lines = run("machine", "--list", "machines").out.splitlines()
    assert lines[0].split() == ["name", "platform", "os", "target", "libc", "gpu", "what", "it", "is"]
    (line,) = [line for line in lines if line.startswith("frontier")]
    assert line.split() == ["frontier", "linux", "mine9", "-", "-", "-", "Not", "that", "one"]
    assert run("machine", "--list", "machines", "--json").document["names"] == [line.split()[0] for line in lines[1:]]
    oses = run("machine", "--list", "oses").out.split()
    assert {"mine9", "sles15", "ubuntu24.04", "tahoe", "mojave"} <= set(oses)
    assert machine(run, "--machine", "frontier")["os"] == "mine9"
