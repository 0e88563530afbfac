"""Strategies that make versions, sets and specs of the kinds that occur, and texts that do not."""

from __future__ import annotations

from hypothesis import strategies as st

words = st.sampled_from(["a", "b", "z", "Z", "rc", "alpha", "beta", "dev", "develop", "main", "final", "p"])
numbers = st.integers(0, 30).map(str)
separators = st.sampled_from([".", "-", "_", ""])
versions = st.lists(st.tuples(st.one_of(numbers, words), separators), min_size=1, max_size=4).map(
    lambda parts: "".join(text + separator for text, separator in parts).strip("._-") or "1",
)
names = st.sampled_from(["hdf5", "zlib-ng", "py-numpy", "openmpi", "cmake"])
variant_texts = st.sampled_from(["+mpi", "~shared", "++cuda", "api=v18", "libs:=static", "x=a,b", "y=*", "cflags=-O2"])
targets = st.sampled_from(["target=zen4", "target=x86_64_v3:", "os=ubuntu24.04", "platform=linux", "target=:zen3"])


@st.composite
def nodes(draw: st.DrawFn) -> str:
    """A named node with attributes, each kind once."""
    text = draw(names)
    if draw(st.booleans()):
        low = draw(st.integers(1, 9))
        text += draw(st.sampled_from([f"@{low}", f"@={low}.1", f"@{low}:", f"@:{low}", f"@{low}:{low + 3}"]))
    chosen = draw(st.lists(variant_texts, unique_by=lambda t: t.strip("+~").split("=")[0].rstrip(":"), max_size=3))
    arch = draw(st.lists(targets, unique_by=lambda t: t.split("=")[0], max_size=2))
    return " ".join([text, *chosen, *arch])


@st.composite
def specs(draw: st.DrawFn) -> str:
    """A root with a few dependencies, each package once."""
    root = draw(nodes())
    below = draw(
        st.lists(st.tuples(st.sampled_from(["^", "%"]), nodes()), max_size=3, unique_by=lambda item: item[1].split("@")[0].split()[0])
    )
    direct = [f"%{text}" for sigil, text in below if sigil == "%"]
    deep = [f"^{text}" for sigil, text in below if sigil == "^"]
    return " ".join([root, *direct, *deep])
