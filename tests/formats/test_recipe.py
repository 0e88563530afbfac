"""Recipes are read, never run."""

from __future__ import annotations

import textwrap
from typing import Any

import msgspec
import pytest
from fakes.recipes import CMAKE_SYSTEM, CUDA_SYSTEM

from resolver.formats.recipe import RecipeReader
from resolver.formats.recipe.reader import class_name

SYSTEMS = {"cmake": CMAKE_SYSTEM.encode(), "cuda": CUDA_SYSTEM.encode()}


def read(body: str, head: str = "", bases: str = "PackageBase", platform: str = "linux", **others: str) -> tuple[Any, list[str]]:
    """The facts of a class ``Thing`` with this body, and the places that could not be read."""
    text = f"{textwrap.dedent(head)}\nclass Thing({bases}):\n    pass\n{textwrap.indent(textwrap.dedent(body), '    ')}\n"
    sources = {"thing": text.encode(), **{name: textwrap.dedent(other).encode() for name, other in others.items()}}
    reader = RecipeReader(platform, SYSTEMS, sources.get)
    found = reader.package("thing", "thing")
    return msgspec.to_builtins(found), [f"{u.line - text.count(chr(10), 0, text.index('    pass')) - 1}: {u.what}" for u in reader.unread]


def variants(body: str, **more: str) -> list[dict[str, Any]]:
    facts, unread = read(body, **more)
    assert not unread
    return list(facts.get("variants", []))


def test_versions_with_their_flags() -> None:
    facts, unread = read('version("2.0", sha256="00")\nversion("1.2", preferred=True)\nversion("main", branch="main", deprecated=True)')
    assert facts == {"versions": ["2.0", "1.2", "main"], "preferred": ["1.2"], "deprecated": ["main"]}
    assert not unread


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('variant("mpi", default=True)', {"name": "mpi", "default": True}),
        ('variant("mpi", True, "text")', {"name": "mpi", "default": True}),
        ('variant("mpi", default="false")', {"name": "mpi", "default": False}),
        ('variant("api", default="v1", values=("v1", "v2"))', {"name": "api", "default": "v1", "values": ["v1", "v2"]}),
        ('variant("api", default="a,b", values=["a", "b"], multi=True)', {"name": "api", "default": ["a", "b"], "values": ["a", "b"]}),
        ('variant("n", default=4, values=int)', {"name": "n", "default": "4"}),
        ('variant("n", default="4", values=lambda x: x.isdigit())', {"name": "n", "default": "4"}),
        ('variant("f", values=any_combination_of("x", "y"))', {"name": "f", "default": ["none"], "values": ["none", "x", "y"]}),
        (
            'variant("f", values=any_combination_of("x", "y").prohibit_empty_set().with_default("x,y"))',
            {"name": "f", "default": ["x", "y"], "values": ["x", "y"]},
        ),
        (
            'variant("f", values=disjoint_sets(("auto",), ("p", "q")).with_non_feature_values("auto").with_default("auto"))',
            {"name": "f", "default": ["auto"], "values": ["none", "auto", "p", "q"]},
        ),
        ('variant("f", values=auto_or_any_combination_of("x"))', {"name": "f", "default": ["auto"], "values": ["auto", "x"]}),
        (
            'variant("std", default="11", values=(conditional("11", "14", when="@:2"), "17"))',
            {"name": "std", "default": "11", "values": ["11", "14", "17"]},
        ),
        ('variant("mpi", default=False, when="@2:")', {"name": "mpi", "default": False, "when": "@2:"}),
        ('build_system("cmake", "make", default="make")', {"name": "build_system", "default": "make", "values": ["cmake", "make"]}),
        (
            'build_system(conditional("meson", when="@2:"), conditional("autotools", when="@:1"), default="meson")',
            {"name": "build_system", "default": "meson", "values": ["meson", "autotools"]},
        ),
    ],
)
def test_variants(text: str, expected: dict[str, Any]) -> None:
    assert variants(text) == [expected]


def test_of_two_definitions_under_one_condition_the_later_counts_and_comes_last() -> None:
    found = variants('variant("a", default=True)\nvariant("b", default=True)\nvariant("a", default=False)')
    assert [(v["name"], v["default"]) for v in found] == [("b", True), ("a", False)]


def test_conditions_around_are_joined_to_the_own() -> None:
    body = """
    with when("@2:"):
        with when("+mpi"):
            variant("deep", default=True, when="build_system=cmake")
            provides("blas")
        with when("@1"):
            variant("never", default=True)
    variant("off", default=True, when=False)
    """
    facts, unread = read(body)
    assert facts["variants"] == [{"name": "deep", "default": True, "when": "@2:+mpi build_system=cmake"}]
    assert facts["provides"] == [{"virtual": "blas", "when": "@2:+mpi"}]
    assert not unread


def test_provided_virtuals_have_versions_and_conditions() -> None:
    facts, _ = read('provides("mpi@:3.1", when="@2:")\nprovides("blas", "lapack")')
    assert facts["provides"] == [{"virtual": "mpi@:3.1", "when": "@2:"}, {"virtual": "blas"}, {"virtual": "lapack"}]


def test_arguments_by_default() -> None:
    facts, _ = read('with default_args(deprecated=True):\n    version("1.0")\n    version("1.1", deprecated=False)')
    assert facts == {"versions": ["1.0", "1.1"], "deprecated": ["1.0"]}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('for v in ("1", "2"):\n    version(v)', ["1", "2"]),
        ('_all = {"1": "x", "2": "y"}\nfor v, sha in _all.items():\n    version(v, sha256=sha)', ["1", "2"]),
        ('for v in range(2):\n    version(f"1.{v}")', ["1.0", "1.1"]),
        ('for v in [str(n) for n in range(3) if n != 1]:\n    version("%s.0" % v)', ["0.0", "2.0"]),
        ('_all = ["1"]\n_all += ["2"]\nfor v in _all + ["3"]:\n    version("{0}.{n}".format(v, n=1))', ["1.1", "2.1", "3.1"]),
        ('for v in ("1", "2", "3"):\n    if v == "2":\n        continue\n    version(v)', ["1", "3"]),
        ('for v in ("1", "2", "3"):\n    if v == "2":\n        break\n    version(v)', ["1"]),
        ('for row in [{"v": "1", "d": 1}, {"v": "2"}]:\n    version(row["v"], deprecated=row.get("d", False))', ["1", "2"]),
        ('version(ver("1.5"))\nversion(".".join(("1", "6")))', ["1.5", "1.6"]),
        ('if sys.platform == "win32":\n    version("1")\nelif not sys.platform == "darwin":\n    version("2")', ["2"]),
        ('version("1" if sys.platform != "linux" else "2")', ["2"]),
        ('if platform.system() == "Linux":\n    version("3")', ["3"]),
    ],
)
def test_loops_and_conditions_that_can_be_told_are_followed(body: str, expected: list[str]) -> None:
    facts, unread = read(body)
    assert facts["versions"] == expected
    assert not unread


def test_another_platform_takes_the_other_way() -> None:
    facts, _ = read('if sys.platform == "win32":\n    version("1")', platform="windows")
    assert facts["versions"] == ["1"]


def test_base_classes_come_first_and_are_overridden() -> None:
    found = variants('variant("cuda", default=True)', bases="CMakePackage, CudaPackage")
    names = [(v["name"], v["default"], v.get("when", "")) for v in found]
    assert ("build_type", "Release", "build_system=cmake") in names
    assert ("generator", "make", "build_system=cmake") in names
    assert ("cuda_arch", ["none"], "+cuda") in names
    assert names[-1] == ("cuda", True, "")
    assert [name for name, _, _ in names].count("cuda") == 1


def test_attributes_of_base_classes_and_of_other_recipes_are_known() -> None:
    head = "from spack_repo.builtin.build_systems.cuda import CudaPackage\nfrom spack_repo.builtin.packages.other.package import Other"
    body = 'variant("a", default="none", values=("none",) + CudaPackage.cuda_arch_values)\nfor v in Other.known:\n    version(v)'
    facts, unread = read(body, head, bases="Other", other='class Other(Package):\n    known = ("1",)\n    variant("of", default=True)')
    assert facts["versions"] == ["1"]
    assert [v["name"] for v in facts["variants"]] == ["build_system", "of", "a"]
    assert facts["variants"][-1]["values"] == ["none", "80", "90"]
    assert not unread


def test_recipes_that_import_each_other_end() -> None:
    head = "from spack_repo.builtin.packages.other.package import Other"
    facts, _ = read(
        'version("1")', head, other="from spack_repo.builtin.packages.thing.package import Thing\nclass Other(Thing):\n    pass"
    )
    assert facts["versions"] == ["1"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("version(platform.machine())", "1: version(...) has arguments that cannot be told"),
        ('if os.environ["X"]:\n    version("1")', "2: version(...) depends on what cannot be told"),
        ('for v in open("x"):\n    version(v)', "2: version(...) depends on what cannot be told"),
        ('while True:\n    version("1")', "2: version(...) depends on what cannot be told"),
        ('with when(here()):\n    provides("blas")', "2: provides(...) depends on what cannot be told"),
        ('known = ["1"]\nknown.append(here())\nfor v in known:\n    version(v)', "4: version(...) depends on what cannot be told"),
        ('variant("x", default=here())', "1: variant(...) has arguments that cannot be told"),
        ('version("not a version")', "1: version(...) has arguments that cannot be told"),
        ('version("1", **here())', "1: version(...) has arguments that cannot be told"),
        ('variant("x", default=True, when="@@@")', "1: variant(...) has arguments that cannot be told"),
    ],
)
def test_what_cannot_be_told_is_noted_with_its_line(body: str, place: str) -> None:
    facts, unread = read(body)
    assert unread == [place]
    assert "versions" not in facts


def test_of_a_version_whose_flag_cannot_be_told_the_rest_is_kept() -> None:
    facts, unread = read('version("1", deprecated=here())')
    assert facts == {"versions": ["1"]}
    assert unread == ["1: whether 1 is deprecated cannot be told"]


def test_own_functions_are_not_run() -> None:
    _, unread = read("more()", 'def more():\n    version("1")')
    assert unread == ["1: more(...) is a function of its own, which is not run"]


def test_nothing_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    read('print("run")\nversion(print("run"))\n[print("run") for _ in (1,)]', 'import os\nos.system("echo run")\nprint("run")')
    assert capsys.readouterr().out == ""


def deep(inner: str, times: int) -> str:
    return "(" * times + inner + ")" * times


HOSTILE = {
    "a width in a format": 'version("{:>99999999999}".format("1"))',
    "a width in an f-string": 'version(f"{1:>99999999999}")',
    "a width in a percent text": 'version("%99999999999s" % "1")',
    "an attribute in a format": 'version("{0.__class__}".format("1"))',
    "a product": 'version("1" * 99999999999)',
    "a power": "version(str(9 ** 9 ** 9))",
    "a shift": "version(str(1 << 99999999999))",
    "a long range": "for v in range(99999999999):\n    version(str(v))",
    "loops in loops": "".join("    " * n + f"for a{n} in range(9999):\n" for n in range(5)) + " " * 20 + 'version("1")',
    "doubled texts": 'a = "1"\n' + "a = a + a\n" * 60 + "version(a)",
    "doubled lists": "a = []\n" + "a = [a, a]\n" * 60 + 'variant("x", default="1", values=a)',
    "doubled tuples as keys": "a = ()\n" + "a = (a, a)\n" * 60 + "b = {a: 1}\nversion(str(len(b)))",
    "replaced by much": 'a = "1" * 1\nfor x in range(30):\n    a = a.replace("1", "11")\nversion(a)',
    "a deep expression": f"version({deep('1', 150)})",
    "a long sum": "version(" + "+".join(['"1"'] * 5000) + ")",
    "a deep block": "".join("    " * n + "if True:\n" for n in range(60)) + "    " * 60 + 'version("1")',
    "a stray break": 'break\nversion("1")',
    "comprehensions in comprehensions": "version(str(len([1 for a in range(9999) for b in range(9999) for c in range(9999)])))",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_hostile_recipes_are_given_up_quickly(body: str) -> None:
    facts, _ = read(body)
    assert len((facts or {}).get("versions", [])) < 10


@pytest.mark.parametrize(
    "data", [b"\x00", b"class Thing(", b"\xff\xfe", b"(" * 5000, b"x = " + b"-" * 200_000 + b"1", b" " * (5 << 20)], ids=range(6)
)
def test_files_that_are_no_python_are_noted(data: bytes) -> None:
    reader = RecipeReader("linux", {}, {"thing": data}.get)
    assert reader.package("thing", "thing") is None
    assert len(reader.unread) == 1


def test_a_recipe_without_its_class_is_noted() -> None:
    reader = RecipeReader("linux", {}, {"thing": b"class Other: pass"}.get)
    assert reader.package("thing", "thing") is None
    assert str(reader.unread[0]) == "thing: line 1: there is no class Thing"


@pytest.mark.parametrize(("package", "name"), [("py-numpy", "PyNumpy"), ("7zip", "_7zip"), ("hdf5", "Hdf5"), ("r-a4base", "RA4base")])
def test_names_of_classes(package: str, name: str) -> None:
    assert class_name(package) == name
