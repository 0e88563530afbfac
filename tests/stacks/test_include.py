from __future__ import annotations

import hashlib
import posixpath

import pytest

from resolver.arch.machine import Machine, parse_triple
from resolver.errors import InputError
from resolver.formats.yaml_tree import load_yaml
from resolver.stacks.paths import Surroundings
from resolver.stacks.scopes import Configuration
from resolver.stacks.tree import MOST_FILES, read_configuration

ZEN4 = parse_triple("linux-ubuntu24.04-zen4")
MANIFEST = "/env/spack.yaml"
VIEW_A = "view: /a\n"
VIEW_B = "view: /b\n"


class Disk:
    """Files by path, for a room that has none."""

    def __init__(self, files: dict[str, str | bytes]) -> None:
        self.files = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}

    def read(self, path: str) -> bytes:
        return self.files[path]

    def is_file(self, path: str) -> bool:
        return path in self.files

    def is_dir(self, path: str) -> bool:
        return any(name.startswith(f"{path}/") for name in self.files)

    def listing(self, path: str) -> list[str]:
        return sorted({posixpath.relpath(name, path).split("/")[0] for name in self.files if name.startswith(f"{path}/")})


def load(
    manifest: str,
    files: dict[str, str | bytes] | None = None,
    *,
    machine: Machine = ZEN4,
    roots: dict[str, str] | None = None,
    lowest: str = "",
    **environment: str,
) -> Configuration:
    text = "spack:\n" + "".join(f"  {line}\n" for line in manifest.splitlines())
    around = Surroundings(machine, environment, roots or {}, "/env")
    return read_configuration(load_yaml(text, MANIFEST), MANIFEST, around, Disk(files or {}), lowest=lowest)


def view(manifest: str, files: dict[str, str | bytes] | None = None, *, roots: dict[str, str] | None = None, **environment: str) -> object:
    return load(manifest, files, machine=ZEN4, roots=roots, lowest="", **environment).section("view")


def message(manifest: str, files: dict[str, str | bytes] | None = None, *, lowest: str = "", **environment: str) -> str:
    with pytest.raises(InputError) as caught:
        load(manifest, files, machine=ZEN4, roots=None, lowest=lowest, **environment)
    return str(caught.value)


def packages(name: str, value: str) -> str:
    return f"packages: {{all: {{require: ['{value}'], variants: {name}}}}}\n"


def test_the_manifest_stands_above_its_first_include_and_that_above_the_second() -> None:
    files: dict[str, str | bytes] = {"/env/a.yaml": packages("+a", "@1"), "/env/b.yaml": packages("+b", "@2")}
    configuration = load("include: [a.yaml, b.yaml]\npackages: {all: {require: ['@0']}}", files)
    assert configuration.section("packages") == {"all": {"require": ["@0", "@1", "@2"], "variants": "+a"}}


def test_what_an_include_includes_stands_directly_below_it() -> None:
    files = {
        "/env/a/include.yaml": "include: [deep.yaml]\n",
        "/env/a/deep.yaml": VIEW_A,
        "/env/b.yaml": VIEW_B,
    }
    configuration = load("include: [a, b.yaml]", {**files})
    assert [scope.place for scope in configuration.scopes] == [MANIFEST, "/env/a", "/env/a/deep.yaml", "/env/b.yaml"]
    assert configuration.section("view") == "/a"


def test_a_path_is_relative_to_the_file_that_names_it() -> None:
    assert view("include: [../sub/one.yaml]", {"/sub/one.yaml": "include: [two.yaml]\n", "/sub/two.yaml": VIEW_A}) == "/a"


def test_a_directory_is_one_scope_with_a_file_for_each_section() -> None:
    files: dict[str, str | bytes] = {
        "/env/d/view.yaml": VIEW_A,
        "/env/d/mirrors.yaml": "mirrors: {m: /m}\n",
        "/env/d/notes.yaml": "other: 1\n",
        "/env/d/spack.yaml": "spack: {}\n",
    }
    configuration = load("include: [d/]", files)
    (scope,) = configuration.scopes[1:]
    assert scope.sections == {"view": "/a", "mirrors": {"m": "/m"}}
    assert scope.file_of("mirrors") == "/env/d/mirrors.yaml"


def test_a_file_of_a_directory_holds_its_own_section_only() -> None:
    assert "/env/d/view.yaml" in message("include: [d]", {"/env/d/view.yaml": "view: /a\nmirrors: {m: /m}\n"})


def test_a_file_may_hold_several_sections_but_no_manifest() -> None:
    assert load("include: [x.yaml]", {"/env/x.yaml": "view: /a\nmirrors: {m: /m}\n"}).section("mirrors") == {"m": "/m"}
    assert "/env/x.yaml" in message("include: [x.yaml]", {"/env/x.yaml": "spack: {view: /a}\n"})


def test_what_spack_refuses_or_has_left_behind_is_told_and_keeps_nobody_from_the_rest() -> None:
    files: dict[str, str | bytes] = {"/env/x.yaml": "view: /a\nconfig: {install_tree: /opt}\n", "/env/y.yaml": "veiw: /b\n"}
    configuration = load("include: [x.yaml, y.yaml]\nconcretization: together", files)
    assert configuration.section("view") == "/a"
    for place in ("/env/spack.yaml:3:3", "/env/x.yaml:2:10", "/env/y.yaml:1:1"):
        assert any(place in warning for warning in configuration.warnings), place
    assert configuration.refused
    text = message("include: [x.yaml, gone.yaml]", files)
    assert "/env/gone.yaml" in text
    assert "/env/x.yaml:2:10" in text


def test_an_empty_file_says_nothing() -> None:
    assert view("include: [a.yaml, d]", {"/env/a.yaml": "", "/env/d/view.yaml": "# nothing\n"}) is None


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("platform == 'linux' and target == 'zen4'", "/a"),
        ("platform == 'darwin'", None),
        ("env.get('STAGE') == 'release'", "/a"),
        ("env.get('STAGE') == 'other'", None),
    ],
)
def test_an_include_counts_when_its_condition_holds_for_the_machine(condition: str, expected: str | None) -> None:
    assert view(f'include:\n- path: a.yaml\n  when: "{condition}"', {"/env/a.yaml": VIEW_A}, STAGE="release") == expected


def test_a_condition_that_cannot_be_read_is_told_with_its_place() -> None:
    text = message('include:\n- path: a.yaml\n  when: "open(1)"', {"/env/a.yaml": VIEW_A})
    assert "/env/spack.yaml:3" in text
    assert "open(1)" in text


def test_a_missing_file_is_an_error_with_its_place_and_all_of_them_are_told() -> None:
    text = message("include: [a.yaml, b.yaml]")
    assert "/env/spack.yaml:2:13" in text
    assert "/env/a.yaml" in text
    assert "/env/b.yaml" in text


def test_a_missing_optional_file_is_none() -> None:
    assert view("include: [{path: a.yaml, optional: true}]") is None


@pytest.mark.parametrize(
    "spelling", ["$FOLDER/a.yaml", "${FOLDER}/a.yaml", "file:///x/a.yaml", "/y/../x/a.yaml", "~/a.yaml", "$spack/a.yaml"]
)
def test_spellings_of_one_path(spelling: str) -> None:
    assert view(f"include: ['{spelling}']", {"/x/a.yaml": VIEW_A}, FOLDER="/x", HOME="/x", SPACK_ROOT="/x") == "/a"


@pytest.mark.parametrize(
    ("spelling", "meant"),
    [
        ("$platform/$os/$target", "linux/ubuntu24.04/zen4"),
        ("${operating_system}-$target_family", "ubuntu24.04-x86_64"),
        ("$arch", "linux-ubuntu24.04-zen4"),
        ("$ARCHITECTURE", "linux-ubuntu24.04-zen4"),
        ("$env/here", "here"),
    ],
)
def test_variables_mean_the_machine_that_is_asked_for(spelling: str, meant: str) -> None:
    assert view(f"include: ['{spelling}.yaml']", {f"/env/{meant}.yaml": VIEW_A}, TARGET="wrong") == "/a"


@pytest.mark.parametrize(
    ("spelling", "option"),
    [("$user/a", "--env USER="), ("$tempdir/a", "--env TMPDIR="), ("$spack/a", "--include-root '$spack=DIR'"), ("~/a", "--env HOME=")],
)
def test_what_only_the_host_knows_is_asked_for(monkeypatch: pytest.MonkeyPatch, spelling: str, option: str) -> None:
    for name in ("USER", "TMPDIR", "HOME", "SPACK_ROOT"):
        monkeypatch.setenv(name, "/x")
    assert option in message(f"include: ['{spelling}']", {"/x/a": VIEW_A})
    (warning,) = load(f"include: [{{path: '{spelling}', optional: true}}]").warnings
    assert "was not read" in warning


def test_an_unknown_fact_of_the_machine_is_asked_for() -> None:
    with pytest.raises(InputError, match="--target"):
        load("include: [$target]", machine=Machine("linux"))


def test_an_undefined_variable_stays_and_is_named() -> None:
    assert "--env NOWHERE=" in message("include: [$NOWHERE/a.yaml]")
    assert "--env NOWHERE=" in message("include: [$NOWHERE/a.yaml]", NOWHERE_ELSE="/x")


def test_a_variable_may_stand_for_the_whole_path() -> None:
    files: dict[str, str | bytes] = {"/env/a.yaml": VIEW_A, "/env/b.yaml": VIEW_B}
    manifest = "include: [{path: a.yaml, path_override_env_var: OTHER}]"
    assert view(manifest, files) == "/a"
    assert view(manifest, files, OTHER="b.yaml") == "/b"


URL = "https://example.org/raw/a.yaml"
SUM = hashlib.sha256(VIEW_A.encode()).hexdigest()


def test_a_remote_file_is_read_from_its_root_and_fetched_from_nowhere() -> None:
    text = message(f"include: [{{path: '{URL}', sha256: {SUM}}}]")
    assert URL in text
    assert f"--include-root {URL}=" in text
    for root, path in (("https://example.org/", "/r/raw/a.yaml"), (URL, "/r"), ("https://example.org/raw", "/r/a.yaml")):
        assert view(f"include: [{{path: '{URL}', sha256: {SUM}}}]", {path: VIEW_A}, roots={root: "/r"}) == "/a"


def test_a_root_is_no_prefix_of_half_a_name() -> None:
    with pytest.raises(InputError, match="not on this computer"):
        load(f"include: ['{URL}']", {"/r/w/a.yaml": VIEW_A}, roots={"https://example.org/ra": "/r"})


def test_a_checksum_is_checked_where_it_is_given() -> None:
    assert view(f"include: [{{path: a.yaml, sha256: {SUM}}}]", {"/env/a.yaml": VIEW_A}) == "/a"
    assert "sha256" in message(f"include: [{{path: a.yaml, sha256: {SUM}}}]", {"/env/a.yaml": VIEW_B})


GIT = "include:\n- git: https://example.org/configs.git\n  branch: main\n  paths: [one, two/view.yaml]\n"


def test_paths_of_a_clone_are_read_from_its_root_in_their_order() -> None:
    text = message(GIT)
    assert "https://example.org/configs.git" in text
    assert "--include-root https://example.org/configs.git=DIR" in text
    assert "branch main" in text
    files: dict[str, str | bytes] = {"/clone/one/view.yaml": VIEW_A, "/clone/two/view.yaml": VIEW_B}
    configuration = load(GIT, files, roots={"https://example.org/configs": "/clone"})
    assert configuration.section("view") == "/a"
    assert [scope.place for scope in configuration.scopes[1:]] == ["/clone/one", "/clone/two/view.yaml"]


def test_the_url_of_a_clone_may_be_a_variable() -> None:
    manifest = GIT.replace("https://example.org/configs.git", "$CONFIGS")
    assert (
        view(manifest, {"/clone/one/view.yaml": VIEW_A, "/clone/two/view.yaml": ""}, roots={"ssh://x": "/clone"}, CONFIGS="ssh://x") == "/a"
    )
    assert "--env CONFIGS=" in message(manifest)


def test_an_optional_clone_that_is_not_here_is_a_warning() -> None:
    configuration = load(GIT + "  optional: true")
    assert len(configuration.scopes) == 1
    assert "--include-root" in configuration.warnings[0]


@pytest.mark.parametrize("path", ["../secret", "/etc", "a/../../b"])
def test_a_path_does_not_lead_out_of_its_clone(path: str) -> None:
    with pytest.raises(InputError, match="leads out"):
        load(GIT.replace("one", path), roots={"https://example.org/configs": "/clone"})


def test_a_root_may_stand_for_a_local_path() -> None:
    manifest = "include: [/site/settings/a.yaml]"
    assert "--include-root /site/settings/a.yaml=" in message(manifest)
    assert view(manifest, {"/here/settings/a.yaml": VIEW_A}, roots={"/site": "/here"}) == "/a"
    assert view("include: [$spack/etc/a.yaml]", {"/s/etc/a.yaml": VIEW_A}, roots={"$spack": "/s"}) == "/a"


def test_credentials_of_a_url_are_not_told() -> None:
    text = message("include: ['https://me:secret@example.org/a.yaml']")
    assert "secret" not in text
    url = "https://me:secret@example.org/a.yaml"
    assert view(f"include: ['{url}']", {"/r": VIEW_A}, roots={"https://example.org/a.yaml": "/r"}) == "/a"


def test_repeats_are_passed_over_and_cycles_end() -> None:
    files: dict[str, str | bytes] = {
        "/env/a.yaml": "include: [b.yaml, spack.yaml]\nview: /a\n",
        "/env/b.yaml": "include: [a.yaml, b.yaml]\nview: /b\n",
        MANIFEST: "spack: {}",
    }
    configuration = load("include: [a.yaml, ./a.yaml, b.yaml]", files)
    assert [scope.place for scope in configuration.scopes] == [MANIFEST, "/env/a.yaml", "/env/b.yaml"]


def test_the_second_scope_of_a_name_is_passed_over() -> None:
    files: dict[str, str | bytes] = {"/env/a.yaml": VIEW_A, "/env/b.yaml": "mirrors: {m: /m}\n"}
    configuration = load("include: [{path: a.yaml, name: site}, {path: b.yaml, name: site}]", files)
    assert [scope.name for scope in configuration.scopes] == ["manifest", "site"]


def test_a_tree_of_includes_has_an_end() -> None:
    files: dict[str, str | bytes] = {f"/env/{n}.yaml": f"include: [{n + 1}.yaml]\n" for n in range(300)}
    assert "deep" in message("include: [0.yaml]", files)
    many: dict[str, str | bytes] = {f"/env/{n}.yaml": "" for n in range(MOST_FILES + 5)}
    assert f"more than {MOST_FILES} files" in message(f"include: [{', '.join(f'{n}.yaml' for n in range(MOST_FILES + 5))}]", many)


def test_spacks_own_configuration_lies_below_unless_it_is_overridden() -> None:
    files: dict[str, str | bytes] = {"/site/view.yaml": VIEW_B, "/env/a.yaml": "mirrors: {m: /m}\n"}
    assert load("include: [a.yaml]", files, lowest="/site").section("view") == "/b"
    assert load("include: [a.yaml]\nview: /c", files, lowest="/site").section("view") == "/c"
    overridden = load("include:: [a.yaml]", files, lowest="/site")
    assert overridden.section("view") is None
    assert overridden.section("mirrors") == {"m": "/m"}


def test_a_directory_without_configuration_is_not_spacks() -> None:
    assert "no directory of Spack's configuration" in message("specs: []", {"/site/x": ""}, lowest="/site")


def test_locked_environments_are_kept_apart_from_scopes() -> None:
    files: dict[str, str | bytes] = {"/other/spack.lock": "{}", "/third/spack.lock": "{}"}
    configuration = load("include: [../other/spack.lock]\ninclude_concrete: [/third]", files)
    assert configuration.locks == ("/other/spack.lock", "/third/spack.lock")
    assert len(configuration.scopes) == 1
    assert "/gone/spack.lock" in message("include_concrete: [/gone]")


def test_a_file_that_is_no_text_is_told_with_its_line() -> None:
    assert "/env/a.yaml:2" in message("include: [a.yaml]", {"/env/a.yaml": b"view: /a\n# \xff\n"})


def test_what_is_wrong_in_several_files_is_told_at_once() -> None:
    text = message("include: [a.yaml, b.yaml]", {"/env/a.yaml": "view: [\n", "/env/b.yaml": "view: {\n"})
    assert "/env/a.yaml" in text
    assert "/env/b.yaml" in text
