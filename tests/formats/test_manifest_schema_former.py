"""Forms of the field that are no longer known: what they are called, and what is to be written."""

from __future__ import annotations

import pytest

from resolver.errors import FormatError
from resolver.formats.manifest_schema import check_manifest
from resolver.formats.yaml_tree import load_yaml


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "the file is empty", "write spack:"),
        ("# nothing", "the file is empty", "write spack:"),
        ("only a text", "the file is a single text", "write spack:"),
        ("3", "the file is a single text or number", "write spack:"),
        ("- a\n- b", "the file is a list", "write spack:"),
        ("{}", "`spack:` is missing, there is nothing", "write spack:"),
        ("env:\n  specs: [a]", "`env` at the top of the file is the former name", "write spack:"),
        ("specs: [a]", "the top-level key `spack:` is missing", "indent"),
        ("packages: {}", "the top-level key `spack:` is missing", "indent"),
        ("kind: Pod\nspec: {}", "there is kind, spec", "write spack:"),
        ("spack:", "`spack` is null, not a mapping", "specs"),
        ("spack: [a]", "`spack` is a list, not a mapping", "specs"),
        ("spack: {}\nother: 1", "unknown key `other` at the top of the file", ""),
        ("spack: {concretization: together}", "former form of `concretizer:unify`", "unify: true"),
        ("spack: {concretization: separately}", "former form of `concretizer:unify`", "unify: false"),
        ("spack: {concretization: together_where_possible}", "former form", "unify: when_possible"),
        ("spack: {concretization: [x]}", "former form", "unify: true"),
        ("spack: {gitlab-ci: {mappings: []}}", "`gitlab-ci` in `spack` is the former form of `ci`", "pipeline-gen"),
        ("spack: {config: {install_tree: /opt}}", "`spack:config:install_tree` is '/opt', not a mapping", "{root: DIRECTORY}"),
        ("spack: {modules: {enable: [tcl]}}", "`enable` in `spack:modules` is of the form before Spack 0.17", "default"),
        ("spack: {modules: {tcl: {hash_length: 0, all: {}, zlib: {}}}}", "`tcl` in `spack:modules` is of the form before", "default"),
        ("spack: {modules: {default: {tcl: {blacklist: [a]}}}}", "blacklist` is a list, not a mapping", "include and exclude"),
        ("spack: {modules: {default: {tcl: {all: {filter: {environment_blacklist: []}}}}}}", "has another name", "exclude_env_vars"),
        ("spack: {packages: {a: {paths: {a@1: /usr}}}}", "`paths` in `spack:packages:a` is the former form", "externals"),
        ("spack: {packages: {a: {modules: {a@1: m}}}}", "`modules` in `spack:packages:a` is the former form", "externals"),
        ("spack: {packages: {a: {compiler: [gcc]}}}", "is known in `packages:all` only", "require"),
        ("spack: {packages: {all: {version: [1]}}}", "`version` in `spack:packages:all`", "below the package"),
        ("spack: {mirrors: {a: {url: u, access_pair: [x, y]}}}", "access_pair` is a list, not a mapping", "secret_variable"),
        ("spack: {mirrors: {a: {url: u, access_token: x}}}", "`access_token` in `spack:mirrors:a` is a secret", "access_token_variable"),
        ("spack: {mirrors: {a: {pull: u, url: u}}}", "`pull` in `spack:mirrors:a` is named `fetch`", "fetch"),
        ("spack: {container: {base: {}}}", "`base` in `spack:container` is the former form", "images"),
        ("spack: {container: {extra_instructions: {}}}", "is no longer known", "template"),
    ],
)
def test_a_former_form_is_named_with_what_replaces_it(text: str, message: str, hint: str) -> None:
    errors = [finding for finding in check_manifest(load_yaml(text), "f") if finding.severity == "error"]
    assert len(errors) == 1
    assert message in errors[0].text
    assert hint in errors[0].hint
    assert errors[0].where.startswith("f:1:") or errors[0].where.startswith("f:2:")


def test_the_former_ci_section_is_a_warning_where_spack_passes_it_over() -> None:
    findings = check_manifest(load_yaml("spack: {ci: {mappings: [], enable-artifacts-buildcache: true}}"), "f")
    assert {finding.severity for finding in findings} == {"warning"}
    assert "pipeline-gen" in findings[0].hint


@pytest.mark.parametrize(
    "text", ["{{ header }}\nspack:\n  specs: [a]", "spack:\n  specs: {{ specs }}", "spack:\n  specs:\n  {% for a in b %}\n  - x"]
)
def test_a_template_is_called_one(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        load_yaml(text, "f")
    assert "template" in caught.value.hint
