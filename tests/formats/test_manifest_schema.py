from __future__ import annotations

import pytest

from resolver.formats.manifest_schema import Finding, check_manifest, check_scope
from resolver.formats.yaml_tree import load_yaml


def manifest(body: str) -> list[Finding]:
    lines = "".join(f"  {line}\n" for line in body.splitlines())
    return check_manifest(load_yaml(f"spack:\n{lines}"), "f")


def scope(text: str, section: str | None = None) -> list[Finding]:
    return check_scope(load_yaml(text), "f", section)


NO_SPECS = [
    ("packages: {a: {require: '@@'}}", "2:18", "`spack:packages:a:require` is '@@', which is no spec"),
    (
        "packages: {all: {require: [{one_of: [b, c+], when: '%gcc'}]}}",
        "2:43",
        "`spack:packages:all:require[0]:one_of[1]` is 'c+', which is no spec",
    ),
    ("packages: {a: {conflict: [{spec: b, when: '@@'}]}}", "2:39", "when` is '@@', which is no spec"),
    ("packages: {a: {externals: [{spec: 'a@1 [', prefix: /p}]}}", "2:31", "spec` is 'a@1 [', which is no spec"),
    ("concretizer: {reuse: {include: ['%%']}}", "2:35", "include[0]` is '%%', which is no spec"),
]


@pytest.mark.parametrize(("body", "place", "text"), NO_SPECS)
def test_a_rule_that_is_no_spec_is_a_warning_at_its_place(body: str, place: str, text: str) -> None:
    (finding,) = manifest(body)
    assert (finding.severity, finding.where) == ("warning", f"f:{place}")
    assert text in finding.text


GROUPS_SINCE = "is read by Spack 1.2 and later"
SOUND = {
    "nothing": "{}",
    "specs": "specs: [a, ~, '@1:', {matrix: [[a], [{matrix: [[b], [c]]}, $d]], exclude: [a]}]",
    "groups": "specs:\n- group: g\n  needs: [h]\n  explicit: false\n  specs: [a, {matrix: [[a]]}]\n  override: {packages: {all: {require: a}}}\n"
    "- {group: h, matrix: [[a]], exclude: [b]}\n- specs: [c]",
    "definitions": "definitions:\n- a: [b, {matrix: [[c]]}]\n  when: os == 'x'\n- d: []",
    "include": "include: [a, {path: b, when: 'True', optional: true, sha256: x}, {git: u, paths: [c], branch: m}]",
    "view": "view: true",
    "named views": "view: {a: {root: d, link: run, link_type: copy, select: [x], exclude: [y], projections: {all: z}, group: [g]}}",
    "develop": "develop: {a: {spec: a@1, path: d}}",
    "packages": "packages:\n  all: {require: [a, {one_of: [b], when: c}, {spec: d, message: e}], target: [x], providers: {mpi: [m]}, variants: +a}\n"
    "  a: {require: b, prefer: [c], conflict: [{spec: d, when: e}], version: [1, 1.5, x], buildable: false, variants: [+b]}",
    "externals": "packages:\n  gcc:\n    externals:\n    - {spec: gcc@12, prefix: /usr, modules: [m], id: i,\n"
    "       extra_attributes: {compilers: {c: cc, rocm: x}, flags: {cflags: ~}, environment: {set: {A: 1}, unset: [B]},\n"
    "                          extra_rpaths: [r], implicit_rpaths: true, other: t},\n"
    "       dependencies: [{id: j, deptypes: [link], virtuals: mpi}]}",
    "concretizer": "concretizer: {unify: when_possible, reuse: {roots: true, from: [{type: local, path: p}]}, targets: {granularity: generic},\n"
    "  duplicates: {max_dupes: {a: 2}}, compiler_mixing: [a], splice: {explicit: [{target: a, replacement: b}]}, timeout: 0, os_compatible: {a: [b]}}",
    "toolchains": "toolchains: {a: '%gcc', b: [{spec: '%c=gcc', when: '%c'}]}",
    "mirrors": "mirrors: {a: u, b: {url: u, access_pair: {id_variable: I, secret_variable: S}, signed: false, profile: ~}, c: {fetch: u, push: {url: v}}}",
    "ci": "ci:\n  target: gitlab\n  pipeline-gen:\n  - build-job: {tags: [a], image: {name: n}, script: [a, [b]], variables: {A: 1}, anything: [1]}\n"
    "    build-job-remove: {tags: [b]}\n  - match_behavior: merge\n    submapping: [{match: [a], build-job: {tags: [c]}}]\n"
    "  - dynamic-mapping: {endpoint: u, timeout: 3}",
    "config": "config: {install_tree: {root: r, padded_length: 8, projections: {all: a}}, build_jobs: 4, shared_linking: rpath, build_stage: [a]}",
    "others": "cdash: {build-group: g}\nenv_vars: {set: {A: b}}\nrepos: {a: b, c: {git: u, branch: d}}\nupstreams: {u: {install_tree: t}}\n"
    "bootstrap: {trusted: {a: true}}\ncontainer: {format: docker, images: {os: o, spack: v}, os_packages: {final: [a]}}",
    "modules": "modules: {prefix_inspections: {bin: [PATH]}, default: {enable: [tcl], tcl: {hash_length: 0, all: {autoload: direct}, ^mpi: {load: [a]}}}}",
    "override": "packages::\n  hdf5:: {require:: [a]}\nview:: false",
}


@pytest.mark.parametrize("body", SOUND.values(), ids=SOUND)
def test_what_spack_knows_is_sound(body: str) -> None:
    assert [finding for finding in manifest(body) if GROUPS_SINCE not in finding.text] == []


@pytest.mark.parametrize("body", SOUND.values(), ids=SOUND)
def test_sections_are_the_same_in_included_files(body: str) -> None:
    assert [finding for finding in scope(body) if GROUPS_SINCE not in finding.text] == []


WRONG = [
    ("specs: a", "2:3", "`spack:specs` is 'a', not a list", "one spec a line"),
    ("specs:", "2:3", "`spack:specs` is null, not a list", ""),
    ("specs: [1]", "2:11", "`spack:specs[0]` is 1, not a text or null or a mapping", "quote"),
    ("specs: [2024-01-31]", "2:11", "`spack:specs[0]` is '2024-01-31', not a text", "quote"),
    ("specs:\n- a\n- py-x@1.2:", "4:5", "`spack:specs[1]` has the key `py-x@1.2`, and is not a matrix", "quoted"),
    ("specs:\n- {matrix: [a]}", "3:15", "`spack:specs[0]:matrix[0]` is 'a', not a list", "row"),
    ("specs:\n- {matrix: [[a]], exlude: [b]}", "3:21", "unknown key `exlude` in `spack:specs[0]`", "did you mean exclude?"),
    ("specs:\n- {group: g, specs: [a], override: {pakages: {}}}", "3:39", "unknown key `pakages`", "did you mean packages?"),
    ("specs:\n- {group: g, specs: [a], override: {packages: {a: {version: 1}}}}", "3:54", "version` is 1, not a list", ""),
    ("definitions: [{a: [b], c: [d]}]", "2:17", "`spack:definitions[0]` needs one name", "- name: [spec, ...]"),
    ("definitions: [{when: 'True'}]", "2:17", "`spack:definitions[0]` needs one name", ""),
    ("definitions: [{a: b}]", "2:18", "`spack:definitions[0]:a` is 'b', not a list", "one spec a line"),
    ("include: a", "2:3", "`spack:include` is 'a', not a list", "one path a line"),
    ("include: [{when: x}]", "2:13", "`spack:include[0]` needs the key `path`", "- path: FILE"),
    ("include: [{git: u}]", "2:13", "`spack:include[0]` needs the key `paths`", ""),
    ("view: {a: {link: all}}", "2:13", "`spack:view:a` needs the key `root`", ""),
    ("view: {a: {root: d, link: some}}", "2:23", "`spack:view:a:link` is 'some', not one of roots, all, run", ""),
    ("view: 3", "2:3", "`spack:view` is 3, not true or false or a text or a mapping", ""),
    ("packages: {a: {version: 1}}", "2:18", "`spack:packages:a:version` is 1, not a list", ""),
    ("packages: {a: {externals: [{prefix: p}]}}", "2:30", "needs the key `spec`", ""),
    (
        "packages: {a: {externals: [{spec: s, extra_atributes: {}}]}}",
        "2:40",
        "unknown key `extra_atributes`",
        "did you mean extra_attributes?",
    ),
    ("packages: {a: {require: {one_of: [b]}}}", "2:18", "`spack:packages:a:require` is a mapping, not a text or a list", "- one_of"),
    ("packages: {a: {require+: [b]}}", "2:18", "unknown key `require+`", "write `require:`"),
    ("packages: {buildable: true}", "2:14", "`spack:packages:buildable` is true, not a mapping", "names of packages"),
    ("packages: {a: {permissions: {read: all}}}", "2:32", "read` is 'all', not one of user, group, world", ""),
    ("concretizer: {unify: [a]}", "2:17", "`spack:concretizer:unify` is a list", "true, false or when_possible"),
    ("concretizer: {timeout: -1}", "2:17", "`spack:concretizer:timeout` is -1, not a whole number of at least 0", ""),
    ("concretizer: {timeout: 1.5}", "2:17", "`spack:concretizer:timeout` is 1.5, not a whole number", ""),
    ("concretizer: {unfy: true}", "2:17", "unknown key `unfy` in `spack:concretizer`", "did you mean unify?"),
    ("mirrors: {a: {signed: true}}", "2:16", "`spack:mirrors:a` needs one of the keys url, fetch, push", ""),
    ("mirrors: [a]", "2:3", "`spack:mirrors` is a list, not a mapping", "{NAME: URL}"),
    ("config: {build_jobs: 0}", "2:12", "`spack:config:build_jobs` is 0, not a whole number of at least 1", ""),
    ("config: {ccache: yes}", "2:12", "`spack:config:ccache` is 'yes', not true or false", ""),
    ("ci: {pipeline-gen: [{build-job: {}, any-job: {}}]}", "2:24", "`build-job` in `spack:ci:pipeline-gen[0]` stands beside", "one kind"),
    ("ci: {pipeline-gen: [{bild-job: {}}]}", "2:24", "unknown key `bild-job`", "build-job"),
    ("ci: {pipeline-gen: [{submapping: [{build-job: {}}]}]}", "2:37", "needs the key `match`", ""),
    ("modules: {default: {enable: [dotkit]}}", "2:32", "is 'dotkit', not one of tcl, lmod", ""),
    ("develop: {a: {path: p}}", "2:16", "`spack:develop:a` needs the key `spec`", ""),
    ("compilers: [{compiler: {spec: gcc@1}}]", "2:26", "needs the key `paths`", ""),
    ("toolchains: {a: 1}", "2:16", "`spack:toolchains:a` is 1, not a text or a list", ""),
    ("nosuch: 1", "2:3", "unknown key `nosuch` in `spack`", ""),
]


@pytest.mark.parametrize(("body", "place", "text", "hint"), WRONG, ids=[body for body, *_ in WRONG])
def test_what_spack_refuses_is_an_error_at_its_place(body: str, place: str, text: str, hint: str) -> None:
    errors = [finding for finding in manifest(body) if finding.severity == "error"]
    found = [finding for finding in errors if text in finding.text]
    assert [finding.where for finding in found] == [f"f:{place}"]
    assert hint in found[0].hint


def test_all_errors_are_told_at_once_in_the_order_of_the_text() -> None:
    findings = manifest("zoo: 1\nspecs: a\nview: 3\npackages: {a: {version: 1, nosuch: 2}}")
    assert [finding.where for finding in findings] == ["f:2:3", "f:3:3", "f:4:3", "f:5:18", "f:5:30"]
    assert str(findings[1]) == "f:3:3: `spack:specs` is 'a', not a list. Hint: write one spec a line, each after '- '"


def test_findings_are_bounded() -> None:
    assert len(manifest("".join(f"k{number}: 1\n" for number in range(2000)))) == 300


@pytest.mark.parametrize(
    ("body", "place", "text"),
    [
        (
            "specs:\n- a\n- {group: b, specs: [c]}\n- {group: d, matrix: [[e]]}",
            "4:6",
            "`group` in `spack:specs[1]` is read by Spack 1.2 and later",
        ),
        (
            "mirrors: {a: {url: u, exclude_binary: [x]}, b: {fetch: {url: v, exclude_binary: [y]}}}",
            "2:25",
            "is read by the newest Spack alone",
        ),
    ],
)
def test_what_not_every_spack_reads_is_told_once(body: str, place: str, text: str) -> None:
    (finding,) = manifest(body)
    assert (finding.severity, finding.where) == ("warning", f"f:{place}")
    assert text in finding.text


@pytest.mark.parametrize(
    ("body", "place", "text", "hint"),
    [
        ("specs: [{group: g, specs: [{group: h, specs: [a]}]}]", "2:30", "has the keys `group`, `specs`, and is not a matrix", "- matrix:"),
        ("include: [{pathh: a}]", "2:13", "has the key `pathh`, and is not an include", "did you mean path? write - path"),
        ("concretizer: {unify: maybe}", "2:17", "is 'maybe', not true or false or when_possible", "write true, false or when_possible"),
        ("concretizer: {reuse: dependecies}", "2:17", "not true or false or dependencies or a mapping", "did you mean dependencies?"),
    ],
)
def test_one_mistake_is_one_error(body: str, place: str, text: str, hint: str) -> None:
    (finding,) = [finding for finding in manifest(body) if finding.severity == "error"]
    assert finding.where == f"f:{place}"
    assert text in finding.text
    assert hint in finding.hint


@pytest.mark.parametrize(
    ("body", "text", "hint"),
    [
        ("config: {bild_jobs: 3}", "Spack does not know the key `bild_jobs` in `spack:config`", "did you mean build_jobs"),
        ("ci: {pipeline_gen: []}", "Spack does not know the key `pipeline_gen` in `spack:ci`", "did you mean pipeline-gen?"),
        ("concretizer: {targets: {host: true}}", "Spack does not know the key `host`", "host_compatible"),
        ("packages: {all: {compiler: [gcc]}}", "`compiler` in `spack:packages:all` is passed over", "require"),
        ("include_concrete: [d]", "`include_concrete` in `spack` is deprecated", "spack.lock"),
        ("compilers: []", "`compilers` in `spack` is the former form", "externals"),
        ("compilers:: []", "`compilers` in `spack` is the former form", "externals"),
        ("bootstrap: {enable: true}", "`enable` in `spack:bootstrap` is passed over", "trusted"),
        ("config: {install_path_scheme: x}", "`install_path_scheme` in `spack:config` is the former form", "projections"),
    ],
)
def test_what_spack_tolerates_is_a_warning(body: str, text: str, hint: str) -> None:
    findings = manifest(body)
    assert [finding.severity for finding in findings] == ["warning"]
    assert text in findings[0].text
    assert hint in findings[0].hint


def test_a_file_of_one_section_holds_no_other() -> None:
    assert scope("packages: {a: {buildable: true}}", "packages") == []
    assert scope("packages:: {}", "packages") == []
    findings = scope("packages: {}\ntoolchains: {}\nnosuch: 1", "packages")
    assert [finding.where for finding in findings] == ["f:2:1", "f:3:1"]
    assert findings[0].hint == "move it to toolchains.yaml"


def test_included_files() -> None:
    assert scope("") == []
    assert scope("specs: [a]\npackages: {}") == []
    assert scope("- a")[0].text == "the file is a list, not a mapping"
    assert "stack definition" in scope("spack: {}")[0].text
    assert scope("nosuch: 1")[0].text == "unknown key `nosuch` at the top of the file"


def test_values_without_places_are_checked_too() -> None:
    findings = check_manifest({"spack": {"specs": [1], "view": []}}, "f")
    assert [finding.where for finding in findings] == ["f:1:1", "f:1:1"]


def test_merged_keys_are_found_at_their_mapping() -> None:
    text = "spack:\n  packages:\n    a: &a {nosuch: 1}\n    b:\n      <<: *a\n"
    findings = check_manifest(load_yaml(text), "f")
    assert [finding.where for finding in findings] == ["f:3:12", "f:5:7"]


def test_secrets_are_not_repeated() -> None:
    findings = manifest(
        "mirrors:\n  a: {url: 'https://user:hunter2@h/', access_pair: [me, hunter2], access_token: hunter2}\n"
        "  b: {fetch: {url: [hunter2]}}\n  c: {url: u, access_pair: hunter2, profile: {a: hunter2}}",
    )
    assert len(findings) == 5
    assert "hunter2" not in repr(findings)


def test_odd_keys_are_shown_safely() -> None:
    findings = manifest('"a\\u001b[31m`": 1\n"' + "x" * 500 + '": 2')
    assert all(finding.text.isprintable() for finding in findings)
    assert all(len(str(finding)) < 500 for finding in findings)
