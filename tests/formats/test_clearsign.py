from __future__ import annotations

import pytest

from resolver.errors import FormatError
from resolver.formats.clearsign import is_signed, unsigned

BEGIN = "-----BEGIN PGP SIGNED MESSAGE-----"
END = "-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("header", ["Hash: SHA512\n", "Hash: SHA512\nHash: SHA256\n", ""])
def test_the_body_is_what_stands_between(header: str, newline: str) -> None:
    text = f"{BEGIN}\n{header}\n{{\n\n- - x\n}}\n{END}".replace("\n", newline)
    assert is_signed(text.encode())
    assert unsigned(text.encode()) == b"{\n\n- x\n}"


def test_other_text_is_left_as_it_is() -> None:
    for data in (b"", b"{}", b"---\nx", b"\xff", f" {BEGIN}".encode()):
        assert not is_signed(data)
        assert unsigned(data) is data


@pytest.mark.parametrize(
    "text", [BEGIN, f"{BEGIN}\nHash: x\n{{}}", f"{BEGIN}\n\n{{}}\n", f"{BEGIN}\n{END}", f"{BEGIN}\n-----BEGIN PGP SIGNATURE-----\n\n"]
)
def test_a_message_that_is_cut_short(text: str) -> None:
    with pytest.raises(FormatError, match="cut short"):
        unsigned(text.encode())
