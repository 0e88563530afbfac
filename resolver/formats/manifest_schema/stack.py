"""Shapes of the sections that say what a stack is: specs, definitions, groups, include, view, develop.

Sources: Spack ``schema/env.py``, ``spec_list.py``, ``specs.py``, ``definitions.py``, ``include.py``, ``view.py``, ``develop.py``.
"""

from __future__ import annotations

from resolver.formats.manifest_schema.shape import (
    ANYTHING,
    BOOLEAN,
    NOTHING,
    TEXT,
    TEXTS,
    ByKey,
    Former,
    ListOf,
    MapOf,
    OneOf,
    Section,
    choice,
)

QUOTE = "quote a spec that ends in ':' or holds ': '"
ROW_ITEM = OneOf((TEXT, Section("matrix")), QUOTE)
MATRIX = MapOf(
    {"matrix": ListOf(ListOf(ROW_ITEM, "a row of a matrix is a list: write - [a, b]")), "exclude": TEXTS},
    needed=("matrix",),
    hint="write - matrix: [[a, b], [c]]; a spec that ends in ':' or holds ': ' is quoted",
    what="a matrix",
)
SPEC_LIST = ListOf(OneOf((TEXT, NOTHING, MATRIX), QUOTE), "write one spec a line, each after '- '")

GROUPS_SINCE = Former(
    "is read by Spack 1.2 and later, and earlier ones refuse the file", "leave it so unless it is for an earlier Spack", once=True
)
ABOUT_GROUP = {"group": TEXT, "explicit": BOOLEAN, "needs": TEXTS, "override": Section("override")}
MATRIX_GROUP = MapOf(
    {"matrix": MATRIX.keys["matrix"], "exclude": TEXTS, **ABOUT_GROUP},
    noted={"group": GROUPS_SINCE},
    hint=MATRIX.hint,
    what="a matrix or a group",
)
GROUP = MapOf({**ABOUT_GROUP, "specs": SPEC_LIST}, noted={"group": GROUPS_SINCE}, what="a group")
SPECS = ListOf(
    OneOf((TEXT, NOTHING, ByKey({"matrix": MATRIX_GROUP, "specs": GROUP, "group": GROUP}, MATRIX)), QUOTE),
    "write one spec a line, each after '- '",
)
DEFINITIONS = ListOf(MapOf({"when": TEXT}, others=SPEC_LIST, one_other=True, hint="write - name: [spec, ...]"), "write - name: [spec, ...]")

INCLUDE = ListOf(
    OneOf(
        (
            TEXT,
            ByKey(
                {
                    "git": MapOf(
                        {
                            "git": TEXT,
                            "paths": TEXTS,
                            "branch": TEXT,
                            "tag": TEXT,
                            "commit": TEXT,
                            "name": TEXT,
                            "when": TEXT,
                            "optional": BOOLEAN,
                        },
                        needed=("paths",),
                        hint="it names files or directories of the repository",
                    ),
                },
                MapOf(
                    {
                        "path": TEXT,
                        "when": TEXT,
                        "optional": BOOLEAN,
                        "sha256": TEXT,
                        "name": TEXT,
                        "path_override_env_var": TEXT,
                        "prefer_modify": BOOLEAN,
                        "backwards_compat": ANYTHING,
                    },
                    needed=("path",),
                    hint="write - path: FILE, or - git: URL with paths: [FILE]",
                    what="an include",
                ),
            ),
        ),
        "write - path",
    ),
    "write one path a line, each after '- '",
)

PROJECTIONS = MapOf(others=TEXT, hint="write projections: {all: '{name}-{version}'}")
VIEW = OneOf(
    (
        BOOLEAN,
        TEXT,
        MapOf(
            others=MapOf(
                {
                    "root": TEXT,
                    "link": choice("roots", "all", "run"),
                    "link_type": choice("symlink", "hardlink", "copy"),
                    "select": TEXTS,
                    "exclude": TEXTS,
                    "projections": PROJECTIONS,
                    "group": OneOf((TEXT, TEXTS)),
                    "link_dirs": BOOLEAN,
                },
                needed=("root",),
                hint="write view: {NAME: {root: DIRECTORY}}",
            ),
        ),
    ),
    "write true, false, a directory, or NAME: {root: DIRECTORY}",
)
DEVELOP = MapOf(others=MapOf({"spec": TEXT, "path": TEXT}, needed=("spec",), hint="write develop: {NAME: {spec: NAME@VERSION}}"))
INCLUDE_CONCRETE = ListOf(TEXT, "write one environment a line, each after '- '")

SHAPES = {
    "matrix": MATRIX,
    "specs": SPECS,
    "definitions": DEFINITIONS,
    "include": INCLUDE,
    "include_concrete": INCLUDE_CONCRETE,
    "view": VIEW,
    "develop": DEVELOP,
}
