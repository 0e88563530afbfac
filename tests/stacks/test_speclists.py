from __future__ import annotations

import pytest
from fakes.stack_texts import ZEN4, read, roots, texts

from resolver.errors import InputError
from resolver.stacks.stack import Stack

NESTED = "  definitions:\n  - m: [{matrix: [[gcc, llvm], ['@12']]}]\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  specs: [hdf5+mpi, zlib]", ["hdf5+mpi", "zlib"]),
        ("  specs: [zlib, zlib]", ["zlib", "zlib"]),
        ("  specs: [null, zlib, '']", ["zlib"]),
        ("  specs: [7zip, 281]", ["7zip", "281"]),
        ("  specs:\n  - matrix: [[a, b], [+x, ~x]]", ["a+x", "a~x", "b+x", "b~x"]),
        ("  specs:\n  - matrix: [[a, a], [+x]]", ["a+x", "a+x"]),
        ("  specs:\n  - matrix: [[a, b], ['', +x]]", ["a", "a+x", "b", "b+x"]),
        ("  specs:\n  - matrix: [[a, b], []]", []),
        ("  specs:\n  - matrix: [[a@1], [], ['@2']]", []),
        ("  specs:\n  - matrix: [[x], [{matrix: [[+a, ~a], [+b]]}]]", ["x+a+b", "x~a+b"]),
        ("  specs:\n  - matrix: [[{matrix: [[x, y], [+a]]}], [+b]]", ["x+a+b", "y+a+b"]),
        # The parts of a nested matrix become one text, in which a later part belongs to the last dependency.
        ("  specs:\n  - matrix: [[x], [{matrix: [['%gcc'], [+b]]}]]", ["x %gcc+b"]),
        ("  specs:\n  - matrix: [[x], ['%gcc'], [+b]]", ["x+b %gcc"]),
    ],
)
def test_lists_and_matrices(text: str, expected: list[str]) -> None:
    assert roots(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  - m: [openmpi, mpich]\n  specs:\n  - matrix: [[hdf5], [$^m]]", ["hdf5 ^openmpi", "hdf5 ^mpich"]),
        ("  - c: [gcc@12]\n  specs:\n  - matrix: [[hdf5], [$%c]]", ["hdf5 %gcc@12"]),
        ("  - a: [x]\n  - b: [$a, y]\n  - a: [z]\n  specs: [$b]", ["x", "z", "y"]),
        ("  - a:\n  - a: null\n  specs: [$a, x]", ["x"]),
        ("  - a: [x]\n    when: target == 'zen4'\n  - a: [y]\n    when: target == 'zen3'\n  specs: [$a]", ["x"]),
        ("  - a: [x]\n    when: False\n  specs:\n  - matrix: [[q], [$a]]", []),
        ("  - a: [x]\n    when: False\n  - b: [$a, y]\n  specs: [$b]", ["y"]),
        ("  - a: [x]\n    when: False\n  - b: [y]\n  - a: [$nosuch]\n    when: False\n  specs: [$a, $b]", ["y"]),
    ],
)
def test_definitions(text: str, expected: list[str]) -> None:
    assert roots(f"  definitions:\n{text}") == expected


@pytest.mark.parametrize(
    ("specs", "expected"),
    [
        ("[$m]", ["gcc@12", "llvm@12"]),
        ("[{matrix: [[x], [$^m]]}]", ["x ^gcc@12", "x ^llvm@12"]),
        ("[{matrix: [[x], [$%m]]}]", ["x %gcc@12", "x %clang@12"]),
        # A matrix that is used as a whole is combined part by part, and only its first part has the sigil.
        ("[$^m]", ["@12 ^gcc", "@12 ^llvm"]),
    ],
)
def test_a_definition_with_a_matrix(specs: str, expected: list[str]) -> None:
    assert roots(f"{NESTED}  specs: {specs}") == expected


def test_each_reference_to_a_matrix_has_its_own_sigil_and_where_spack_differs_is_said() -> None:
    stack = read(f"{NESTED}  specs: [$m, {{matrix: [[x], [$%m]]}}]")
    assert texts(stack) == ["gcc@12", "llvm@12", "x %gcc@12", "x %clang@12"]
    assert stack.warnings == (
        "s.yaml:4:31: the matrix of m is used as $m and $%m; Spack 1.2 reads all of them as the last, here each is its own",
    )
    assert len(read(f"{NESTED}  - n: [{{matrix: [[x], [$%m]]}}]\n  specs: [$n, $m]").warnings) == 1
    assert read(f"{NESTED}  - c: [gcc]\n  specs: [$m, $m, $c, {{matrix: [[x], [$%c]]}}]").warnings == ()


@pytest.mark.parametrize(
    ("combined", "exclude", "dropped"),
    [
        ("hdf5~mpi ^mpich", "hdf5~mpi ^mpich", True),
        ("hdf5~mpi ^mpich", "~mpi", True),
        ("hdf5 %gcc@12.1", "%gcc@12", True),
        ("netcdf-c %clang@17", "hdf5 %clang", False),
        ("openmpi fabrics=ucx,ofi", "fabrics=ucx", True),
        ("hdf5 ^openmpi", "^mpi", False),
        ("zlib target=zen4", "target=x86_64_v3:", True),
        ("zlib +nosuch", "+nosuch", True),
        ("zlib", "zlib@1.2", False),
    ],
)
def test_exclusion(combined: str, exclude: str, *, dropped: bool) -> None:
    assert (roots(f"  specs:\n  - matrix: [['{combined}']]\n    exclude: ['{exclude}']") == []) is dropped


def test_exclusion_looks_at_a_combination_without_the_sigil() -> None:
    text = "  definitions:\n  - m: [{matrix: [[gcc, llvm], ['@12']], exclude: [gcc]}]\n  specs:\n  - matrix: [[x], [$%m]]"
    assert roots(text) == ["x %clang@12"]


def test_exclusions_may_be_references() -> None:
    assert roots("  definitions:\n  - e: [a]\n  specs:\n  - matrix: [[a, b], [+x]]\n    exclude: [$e]") == ["b+x"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  specs: [a b]", "s.yaml:2:11: 'a b', column 3: one spec was expected"),
        ("  specs: [[a]]", "s.yaml:2:11: ['a'] is no spec"),
        ("  specs: [true]", "s.yaml:2:11: True is no spec"),
        ("  specs:\n  - matrix: [[a@1, a], ['@2']]", "s.yaml:3:5: 'a@1 @2': version cannot be both @1 and @2"),
        ("  specs:\n  - matrix: [[a@1], ['@2']]\n    exclude: [a]", "nor does `exclude`"),
        ("  specs: [{matrix: [[a]], other: 1}]", "an item with the keys matrix, other"),
        ("  specs: [{matrix: [[a]], excludes: [b]}]", "did you mean exclude?"),
        ("  specs: [{exclude: [b]}]", "a matrix has `matrix`"),
        ("  specs: [{py-x@0.24: null}]", "quote the spec: 'py-x@0.24:'"),
        ("  specs: [{matrix: []}]", "a matrix is a list of rows"),
        ("  specs: [{matrix: a}]", "a matrix is a list of rows"),
        ("  specs: [{matrix: [a]}]", "s.yaml:2:21: a row of a matrix is a list"),
        ("  specs: [{matrix: [null]}]", "a row of a matrix is a list"),
        ("  specs: [{matrix: [[a, null]]}]", "s.yaml:2:25: an item of a row is empty"),
        ("  specs: [{matrix: [[a]], exclude: b}]", "s.yaml:2:27: a list of specs is expected"),
        ("  specs: [{matrix: [[a]], exclude: [{matrix: [[b]]}]}]", "a matrix cannot be excluded"),
        ("  specs: [{matrix: [[a]], exclude: ['b c']}]", "s.yaml:2:37: 'b c'"),
        ("  specs: [{matrix: [[a], [{matrix: [[b], [c]]}]]}]", "package cannot be both b and c"),
        ("  definitions: [{m: [{matrix: [[a b], [+c]]}]}]\n  specs: [$m]", "s.yaml:2:33: 'a b'"),
        (
            "  definitions: [{a: [x], b: [y]}]\n  specs: [a]",
            "s.yaml:2:17: a definition has one name, and may have `when`: this one has a, b",
        ),
        ("  definitions: [{when: 'True'}]\n  specs: [a]", "a definition has one name"),
        ("  definitions: [a]\n  specs: [a]", "a definition has one name"),
        ("  definitions: [{a: x}]\n  specs: [a]", "s.yaml:2:18: a list of specs is expected"),
        ("  specs: [$nosuch]", "s.yaml:2:11: $nosuch refers to no definition before it"),
        ("  definitions: [{a: [$a]}]\n  specs: [a]", "a definition cannot refer to itself"),
        ("  definitions: [{a: [$b]}, {b: [x]}]\n  specs: [a]", "b begins at s.yaml:2:28; move it before"),
        ("  definitions: [{a: [x]}, {b: [y]}, {a: [$b]}]\n  specs: [a]", "b begins at"),
        ("  definitions: [{compilers: [x]}]\n  specs: [$%compiler]", "did you mean compilers?"),
        ("  definitions: [{a: [x]}]\n  specs: [$a +foo]", "all that follows '$' is the name"),
        ("  definitions: [{a: [x]}]\n  specs: [$]", "$ refers to no definition"),
    ],
)
def test_mistakes_are_named_with_their_place(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text)
    assert message in str(caught.value)


def test_values_that_know_no_place_are_named_by_their_path() -> None:
    manifest = {"spack": {"definitions": [{"a": ["x", ["y"]]}], "specs": ["b", {"matrix": [["c"], ["$d"]]}]}}
    with pytest.raises(InputError) as caught:
        Stack.read(manifest, "s", ZEN4)
    assert "s: item 1: definitions.a[1]: ['y'] is no spec" in str(caught.value)
    assert "s: item 2: specs.matrix[1][0]: $d refers to no definition" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  specs:\n  - matrix: [[" + "a," * 500 + "b], [" + "+x," * 500 + "+y]]", "a matrix of 251001 combinations"),
        (
            "  definitions:\n  - d0: [a]\n"
            + "".join(f"  - d{n}: [{{matrix: [[$d{n - 1}]]}}]\n" for n in range(1, 60))
            + "  specs: [$d59]\n",
            "more than 50 matrices within one another",
        ),
        (
            "  definitions:\n  - d0: [{matrix: [[a], []]}]\n"
            + "".join(f"  - d{n}: [{{matrix: [[$d{n - 1}, $d{n - 1}, $d{n - 1}]]}}]\n" for n in range(1, 45))
            + "  specs: [$d44]\n",
            "too many matrices within one another",
        ),
    ],
)
def test_lists_are_bounded(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(text)


def test_matrices_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolver.stacks.expansion.MOST_SPECS", 5)
    with pytest.raises(InputError, match=r"s\.yaml:4:5: more than 5 specs"):
        read("  specs:\n  - matrix: [[a, b], [+x, ~x]]\n  - matrix: [[a, b], [+x, ~x]]\n")


def test_references_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolver.stacks.speclists.MOST_REFERRED", 1000)
    doubled = "".join(f"  - d{n}: [$d{n - 1}, $d{n - 1}]\n" for n in range(1, 40))
    with pytest.raises(InputError, match="references stand for more than 1000 items"):
        read(f"  definitions:\n  - d0: [a, a]\n{doubled}  specs: [$d39]\n")
