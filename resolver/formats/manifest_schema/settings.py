"""Shapes of the sections that do not bear on what is chosen: config, ci, cdash, modules, container, compilers, bootstrap, upstreams.

Sources: Spack ``schema/config.py``, ``ci.py``, ``cdash.py``, ``modules.py``, ``container.py``, ``compilers.py``, ``bootstrap.py``,
``upstreams.py``.
"""

from __future__ import annotations

from resolver.formats.manifest_schema.packages import ENVIRONMENT, FLAGS
from resolver.formats.manifest_schema.shape import (
    ANYTHING,
    BOOLEAN,
    NAMED_TEXTS,
    NOTHING,
    TEXT,
    TEXT_OR_NOTHING,
    TEXT_OR_NUMBER,
    TEXTS,
    ByKey,
    Former,
    ListOf,
    MapOf,
    OneOf,
    choice,
    whole,
)
from resolver.formats.manifest_schema.stack import PROJECTIONS

TEXT_NAMES = (
    "stage_name",
    "develop_stage_link",
    "test_stage",
    "license_dir",
    "source_cache",
    "misc_cache",
    "environments_root",
    "ssl_certs",
    "build_language",
    "url_fetch_method",
)
BOOLEAN_NAMES = (
    "verify_ssl",
    "suppress_gpg_warnings",
    "debug",
    "checksum",
    "deprecated",
    "locks",
    "dirty",
    "ccache",
    "allow_sgid",
    "install_status",
)
CONFIG = MapOf(
    {
        **dict.fromkeys(TEXT_NAMES, TEXT),
        **dict.fromkeys(BOOLEAN_NAMES, BOOLEAN),
        **dict.fromkeys(("install_hash_length", "build_jobs", "concurrent_packages", "db_lock_timeout"), whole(1)),
        **dict.fromkeys(("connect_timeout", "binary_index_ttl"), whole()),
        **dict.fromkeys(("extensions", "template_dirs", "additional_external_search_paths"), TEXTS),
        "flags": MapOf({"keep_werror": choice("all", "specific", "none")}, open=True),
        "shared_linking": OneOf(
            (
                choice("rpath", "runpath"),
                MapOf(
                    {
                        "type": choice("rpath", "runpath"),
                        "bind": BOOLEAN,
                        "missing_library_policy": choice("error", "warn", "ignore"),
                    },
                    open=True,
                ),
            ),
        ),
        "install_tree": MapOf(
            {"root": TEXT, "padded_length": OneOf((BOOLEAN, whole())), "projections": PROJECTIONS},
            open=True,
            hint="write install_tree: {root: DIRECTORY}",
        ),
        "locations": ANYTHING,
        "build_stage": OneOf((TEXT, TEXTS)),
        "package_lock_timeout": OneOf((whole(1), NOTHING)),
        "aliases": NAMED_TEXTS,
        "installer": choice("old", "new"),
    },
    open=True,
    former={
        "install_path_scheme": Former("is the former form", "write install_tree: {projections: {all: '...'}}"),
        "install_missing_compilers": Former("is no longer known", "name the compiler as a spec, or in packages:NAME:externals"),
        "concretizer": Former("is no longer known: there is one concretizer", "leave it out"),
        "module_roots": Former("has moved", "write modules: {default: {roots: {tcl: DIRECTORY}}}"),
        "concretization": Former("has moved", "write concretizer: {unify: true}, or false for what was `separately`"),
        "terminal_title": Former("has another name", "write install_status"),
    },
)

SCRIPT = ListOf(OneOf((TEXT, TEXTS)))
JOB = MapOf(
    {
        "image": OneOf((TEXT, MapOf({"name": TEXT, "entrypoint": TEXTS}, others=ANYTHING))),
        "tags": TEXTS,
        "variables": MapOf(others=TEXT_OR_NUMBER),
        "before_script": SCRIPT,
        "script": SCRIPT,
        "after_script": SCRIPT,
    },
    others=ANYTHING,
)
DYNAMIC = MapOf(
    {
        "name": TEXT,
        "endpoint": TEXT,
        "timeout": whole(),
        "verify_ssl": BOOLEAN,
        "header": NAMED_TEXTS,
        "allow": TEXTS,
        "require": TEXTS,
        "ignore": TEXTS,
    },
    open=True,
    needed=("endpoint",),
)
JOBS = ("any", "build", "cleanup", "copy", "noop", "reindex", "signing")
KINDS = [f"{name}-job{remove}" for name in JOBS for remove in ("", "-remove")] + ["submapping", "dynamic-mapping"]
ALONE = dict.fromkeys(KINDS, Former("stands beside an entry of another kind", "write one kind of job an item"))
ENTRIES = {
    "submapping": MapOf(
        {
            "match_behavior": choice("first", "merge"),
            "submapping": ListOf(
                MapOf({"match": TEXTS, "build-job": JOB, "build-job-remove": JOB}, needed=("match",), hint="write match: [spec, ...]"),
            ),
        },
        former=ALONE,
    ),
    "dynamic-mapping": MapOf({"dynamic-mapping": DYNAMIC}, former=ALONE),
}
for name in JOBS:
    shape = MapOf({f"{name}-job": JOB, f"{name}-job-remove": JOB}, former=ALONE)
    ENTRIES |= {f"{name}-job": shape, f"{name}-job-remove": shape}
CI = MapOf(
    {
        "pipeline-gen": ListOf(ByKey(ENTRIES, MapOf(dict.fromkeys(ENTRIES, ANYTHING)))),
        "rebuild-index": BOOLEAN,
        "broken-specs-url": TEXT,
        "broken-tests-packages": TEXTS,
        "target": TEXT,
    },
    open=True,
    former={
        "mappings": Former("is of the former `gitlab-ci`", "write pipeline-gen: [{submapping: [{match: [...], build-job: {...}}]}]"),
        "enable-artifacts-buildcache": Former("is no longer known", "name a mirror `buildcache-destination`"),
        "temporary-storage-url-prefix": Former("is no longer known", "name a mirror `buildcache-destination`"),
    },
)
CDASH = MapOf({"build-group": TEXT, "url": TEXT, "project": TEXT, "site": TEXT}, needed=("build-group",))

SELECTION = choice("none", "run", "direct", "all")
MODULE = MapOf(
    {
        "filter": MapOf(
            {"exclude_env_vars": TEXTS},
            former={"environment_blacklist": Former("has another name", "write exclude_env_vars")},
        ),
        "template": TEXT,
        "autoload": SELECTION,
        "prerequisites": SELECTION,
        "conflict": TEXTS,
        "load": TEXTS,
        "suffixes": NAMED_TEXTS,
        "environment": ENVIRONMENT,
    },
    hint="below a kind of modules stand its settings and specs; the former whitelist and blacklist are include and exclude",
)
KIND = {
    "verbose": BOOLEAN,
    "hash_length": whole(),
    "include": TEXTS,
    "exclude": TEXTS,
    "exclude_implicits": BOOLEAN,
    "defaults": TEXTS,
    "hide_implicits": BOOLEAN,
    "naming_scheme": TEXT,
    "projections": PROJECTIONS,
    "all": MODULE,
}
INSPECTIONS = MapOf(others=TEXTS)
NAMED = "write modules: {default: {enable: [...], ...}}"
NO_SET = Former("is of the form before Spack 0.17, in which sets of modules had no names", NAMED)
MODULES = MapOf(
    {"prefix_inspections": INSPECTIONS},
    others=MapOf(
        {
            "use_view": OneOf((TEXT, BOOLEAN)),
            "arch_folder": BOOLEAN,
            "roots": MapOf({"tcl": TEXT, "lmod": TEXT}, others=ANYTHING),
            "enable": ListOf(choice("tcl", "lmod")),
            "tcl": MapOf(KIND, others=MODULE),
            "lmod": MapOf(
                {
                    **KIND,
                    "core_compilers": TEXTS,
                    "hierarchy": TEXTS,
                    "core_specs": TEXTS,
                    "filter_hierarchy_specs": MapOf(others=TEXTS),
                },
                others=MODULE,
            ),
            "prefix_inspections": INSPECTIONS,
        },
        hint=NAMED,
    ),
    mistaken=dict.fromkeys(("enable", "tcl", "lmod", "dotkit", "roots"), NO_SET),
)

CONTAINER = MapOf(
    {
        "format": choice("docker", "singularity"),
        "images": ByKey(
            {"os": MapOf({"os": TEXT, "spack": OneOf((TEXT, MapOf(others=ANYTHING)))}, needed=("spack",))},
            MapOf({"build": TEXT, "final": TEXT}, needed=("build", "final"), hint="write images: {os: NAME, spack: VERSION}"),
        ),
        "strip": BOOLEAN,
        "os_packages": MapOf(
            {"command": choice("apt", "yum", "zypper", "apk", "yum_amazon"), "update": BOOLEAN, "build": TEXTS, "final": TEXTS},
        ),
        "labels": MapOf(others=ANYTHING),
        "template": TEXT,
        "singularity": MapOf({"runscript": TEXT, "startscript": TEXT, "test": TEXT, "help": TEXT}),
        "docker": MapOf(),
        "depfile": BOOLEAN,
    },
    former={
        "base": Former("is the former form", "write images: {os: NAME, spack: VERSION}"),
        "extra_instructions": Former("is no longer known", "write template: FILE"),
    },
)

COMPILER = MapOf(
    {
        "paths": MapOf(dict.fromkeys(("cc", "cxx", "f77", "fc"), TEXT_OR_NOTHING), needed=("cc", "cxx", "f77", "fc")),
        "flags": FLAGS,
        "spec": TEXT,
        "operating_system": TEXT,
        "target": TEXT,
        "alias": TEXT_OR_NOTHING,
        "modules": OneOf((NOTHING, TEXTS)),
        "implicit_rpaths": OneOf((TEXTS, BOOLEAN)),
        "environment": ENVIRONMENT,
        "extra_rpaths": TEXTS,
    },
    needed=("paths", "spec", "modules", "operating_system"),
)

SHAPES = {
    "config": CONFIG,
    "ci": CI,
    "cdash": CDASH,
    "modules": MODULES,
    "container": CONTAINER,
    "compilers": ListOf(MapOf({"compiler": COMPILER})),
    "bootstrap": MapOf(
        {
            "enable": BOOLEAN,
            "root": TEXT,
            "sources": ListOf(MapOf({"name": TEXT, "metadata": TEXT}, needed=("name", "metadata"))),
            "trusted": MapOf(others=BOOLEAN),
        },
        open=True,
        noted={"enable": Former("is passed over since Spack 1.2", "set the sources in bootstrap:trusted to true or false")},
    ),
    "upstreams": MapOf(
        others=MapOf({"install_tree": TEXT, "modules": MapOf({"tcl": TEXT, "lmod": TEXT}, open=True)}),
    ),
}
