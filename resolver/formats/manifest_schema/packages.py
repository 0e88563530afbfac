"""Shapes of the sections that say what a spec may be: packages, concretizer, toolchains, mirrors.

Sources: Spack ``schema/packages.py``, ``concretizer.py``, ``toolchains.py``, ``mirrors.py``.
"""

from __future__ import annotations

from resolver.formats.manifest_schema.shape import (
    ANYTHING,
    BOOLEAN,
    NAMED_TEXTS,
    SPEC,
    SPECS,
    TEXT,
    TEXT_OR_NOTHING,
    TEXT_OR_NUMBER,
    TEXTS,
    Former,
    ListOf,
    MapOf,
    OneOf,
    choice,
    whole,
)

WHEN = {"message": TEXT, "when": SPEC}
REQUIRE = OneOf(
    (SPEC, ListOf(OneOf((SPEC, MapOf({"one_of": SPECS, "any_of": SPECS, "spec": SPEC, **WHEN}))))),
    "write require: [spec, ...], or - one_of: [spec, spec]",
)
RULES = ListOf(OneOf((SPEC, MapOf({"spec": SPEC, **WHEN}))))
PERMISSION = choice("user", "group", "world")
BOTH = {
    "require": REQUIRE,
    "prefer": RULES,
    "conflict": RULES,
    "buildable": BOOLEAN,
    "permissions": MapOf({"read": PERMISSION, "write": PERMISSION, "group": TEXT}),
    "package_attributes": MapOf(others=ANYTHING),
    "variants": OneOf((TEXT, TEXTS)),
}

EXTERNALS_NOW = "write externals: [{spec: NAME@VERSION, prefix: DIRECTORY}]"
ALL_ONLY = "is known in `packages:all` only"
FORMER_IN_ALL = {
    "version": Former("names no package's version there", "write it below the package: packages: {NAME: {version: [...]}}"),
    "externals": Former("belongs to one package", "write it below the package: packages: {NAME: {externals: [...]}}"),
    "paths": Former("is the former form of externals", EXTERNALS_NOW),
    "modules": Former("is the former form of externals", "write externals: [{spec: NAME@VERSION, modules: [...]}] below a package"),
}
FORMER_IN_PACKAGE = {
    "paths": FORMER_IN_ALL["paths"],
    "modules": Former("is the former form of externals", "write externals: [{spec: NAME@VERSION, modules: [...]}]"),
    "target": Former(ALL_ONLY, "write require: [target=NAME], or move it to packages:all"),
    "compiler": Former(ALL_ONLY, "write require: ['%NAME@VERSION']"),
    "providers": Former(ALL_ONLY, "move it to packages:all"),
}
COMPILER_GONE = Former("is passed over since Spack 1.0", "write prefer: ['%NAME@VERSION'], or require: to insist")

FLAGS = MapOf(dict.fromkeys(("cflags", "cxxflags", "fflags", "cppflags", "ldflags", "ldlibs"), TEXT_OR_NOTHING))
ENVIRONMENT = MapOf(
    {
        "set": MapOf(others=TEXT_OR_NUMBER),
        "unset": TEXTS,
        "prepend_path": MapOf(others=TEXT_OR_NUMBER),
        "append_path": MapOf(others=TEXT_OR_NUMBER),
        "remove_path": MapOf(others=TEXT_OR_NUMBER),
    },
)
EXTERNAL = MapOf(
    {
        "spec": SPEC,
        "prefix": TEXT,
        "modules": TEXTS,
        "id": TEXT,
        "extra_attributes": MapOf(
            {
                "compilers": NAMED_TEXTS,
                "environment": ENVIRONMENT,
                "extra_rpaths": TEXTS,
                "implicit_rpaths": OneOf((TEXTS, BOOLEAN)),
                "flags": FLAGS,
            },
            others=TEXT,
        ),
        "dependencies": ListOf(
            MapOf({"id": TEXT, "spec": TEXT, "deptypes": OneOf((TEXT, TEXTS)), "virtuals": TEXT}, open=True),
        ),
    },
    needed=("spec",),
    hint="write - spec: NAME@VERSION",
)
PACKAGE = MapOf(
    {**BOTH, "version": ListOf(TEXT_OR_NUMBER), "externals": ListOf(EXTERNAL)},
    former=FORMER_IN_PACKAGE,
    hint="below `packages` stand names of packages, or `all`, and below a name its settings",
)
ALL = MapOf(
    {**BOTH, "target": TEXTS, "compiler": TEXTS, "providers": MapOf(others=TEXTS, hint="write providers: {mpi: [openmpi]}")},
    former=FORMER_IN_ALL,
    noted={"compiler": COMPILER_GONE},
)
PACKAGES = MapOf({"all": ALL}, others=PACKAGE, hint="write packages: {NAME: {...}}")

REUSED = {"include": SPECS, "exclude": SPECS}
CONCRETIZER = MapOf(
    {
        "unify": OneOf((BOOLEAN, choice("when_possible")), "write true, false or when_possible"),
        "reuse": OneOf(
            (
                BOOLEAN,
                choice("dependencies"),
                MapOf(
                    {
                        "roots": BOOLEAN,
                        **REUSED,
                        "from": ListOf(
                            MapOf({"type": choice("local", "buildcache", "external", "environment"), "path": TEXT, **REUSED}, open=True),
                        ),
                    },
                    open=True,
                ),
            ),
            "write true, false, dependencies, or from: [{type: buildcache}]",
        ),
        "force": BOOLEAN,
        "targets": MapOf({"host_compatible": BOOLEAN, "granularity": choice("generic", "microarchitectures")}, open=True),
        "compiler_mixing": OneOf((BOOLEAN, ListOf(ANYTHING))),
        "splice": MapOf(
            {
                "explicit": ListOf(MapOf({"target": TEXT, "replacement": TEXT, "transitive": BOOLEAN}, needed=("target", "replacement"))),
                "automatic": BOOLEAN,
            },
        ),
        "duplicates": MapOf({"strategy": choice("none", "minimal", "full"), "max_dupes": MapOf(others=whole(1))}, open=True),
        "static_analysis": BOOLEAN,
        "timeout": whole(),
        "error_on_timeout": BOOLEAN,
        "os_compatible": MapOf(others=ListOf(ANYTHING)),
        "concretization_cache": MapOf({"enable": BOOLEAN, "url": TEXT, "entry_limit": whole()}, open=True),
        "externals": MapOf({"completion": choice("architecture_only", "default_variants")}, open=True),
    },
    former={"enable_node_namespace": Former("is no longer known", "leave it out")},
)

TOOLCHAINS = MapOf(others=OneOf((TEXT, ListOf(MapOf({"spec": TEXT, "when": TEXT}, open=True)))))

SECRET_NOW = "write access_pair: {id_variable: NAME, secret_variable: NAME}, the names of environment variables"  # noqa: S105 - a hint
CONNECTION = {
    "url": TEXT,
    "view": TEXT,
    "access_pair": MapOf({"id": TEXT, "id_variable": TEXT, "secret_variable": TEXT}, needed=("secret_variable",), hint=SECRET_NOW),
    "profile": TEXT_OR_NOTHING,
    "endpoint_url": TEXT_OR_NOTHING,
    "access_token_variable": TEXT_OR_NOTHING,
    "include_binary": TEXTS,
    "exclude_binary": TEXTS,
}
FORMER_CONNECTION = {
    "access_token": Former("is a secret in plain text, which Spack no longer reads", "write access_token_variable: NAME"),
    "pull": Former("is named `fetch`", "write fetch: URL"),
}
FILTERED = Former("is read by the newest Spack alone, and others refuse the file", "leave it so unless it is for another Spack", once=True)
NEW_CONNECTION = {"include_binary": FILTERED, "exclude_binary": FILTERED}
ONE_WAY = OneOf((TEXT, MapOf(CONNECTION, former=FORMER_CONNECTION, noted=NEW_CONNECTION)))
MIRROR = MapOf(
    {
        **CONNECTION,
        "source": BOOLEAN,
        "binary": BOOLEAN,
        "signed": BOOLEAN,
        "autopush": BOOLEAN,
        "fetch": ONE_WAY,
        "push": ONE_WAY,
    },
    needed_any=("url", "fetch", "push"),
    former=FORMER_CONNECTION,
    noted=NEW_CONNECTION,
    hint="write mirrors: {NAME: {url: URL}}",
)
MIRRORS = MapOf(others=OneOf((TEXT, MIRROR)), hint="write mirrors: {NAME: URL}")

SHAPES = {
    "packages": PACKAGES,
    "concretizer": CONCRETIZER,
    "toolchains": TOOLCHAINS,
    "mirrors": MIRRORS,
    "env_vars": ENVIRONMENT,
    "repos": OneOf(
        (
            ListOf(TEXT),
            MapOf(
                others=OneOf(
                    (
                        TEXT,
                        MapOf({"git": TEXT, "branch": TEXT, "commit": TEXT, "tag": TEXT, "destination": TEXT, "paths": TEXTS}),
                    ),
                ),
            ),
        ),
        "write repos: {NAME: DIRECTORY}, or NAME: {git: URL}",
    ),
}
