"""``satisfies`` between abstract specs: what one text promises, and what another asks for."""

from __future__ import annotations

import pytest

from resolver import AbstractSpec

CASES = """
a ^b@2 %d       | a ^b %d         | yes
a ^b            | a ^b %d         | no
a ^b %d         | a ^b            | yes
a               | a namespace=x   | yes
a namespace=x   | a namespace=y   | no
a os=x          | a os=*          | yes
a               | a os=*          | no
a target=zen4   | a target=zen3:  | yes
a target=zen2   | a target=zen3:  | no
a target=x86_64: | a target=zen3: | yes
a target=aarch64: | a target=zen3: | no
a %b            | a %[when=+x] b  | yes
a %[when=+x] b  | a %b            | no
a~x             | a %[when=+x] b  | yes
a %[deptypes=build] b | a %[deptypes=link] b | no
a %c=gcc        | a %gcc          | yes
a %gcc          | a %c=gcc        | no
a ++x           | a +x            | yes
a +x            | a ++x           | no
a x=1,2         | a x=1           | yes
a x=1           | a x=1,2         | no
a x:=1,2        | a x=1           | yes
a x=1           | a x:=1          | no
a patches=abcd  | a patches=ab    | yes
a ^mpi=mpich    | a ^mpi          | yes
a ^mpich        | a ^mpi          | no
"""


@pytest.mark.parametrize(("have", "want", "answer"), [[part.strip() for part in line.split("|")] for line in CASES.strip().splitlines()])
def test_abstract_satisfies(have: str, want: str, answer: str) -> None:
    spec, wanted = AbstractSpec.parse(have), AbstractSpec.parse(want)
    assert spec.satisfies(wanted) is (answer == "yes")
    if answer == "yes":
        assert spec.intersects(wanted)


def test_the_order_of_edges_does_not_matter() -> None:
    assert AbstractSpec.parse("a ^b ^d") == AbstractSpec.parse("a ^d ^b")
