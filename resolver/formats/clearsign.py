"""OpenPGP's cleartext signed messages, as Spack signs spec files and manifests. The signature is not verified here.

Source: Spack ``spec.py:Spec.extract_json_from_clearsig``, RFC 9580 section 7.
"""

from __future__ import annotations

from resolver.errors import FormatError

BEGIN = b"-----BEGIN PGP SIGNED MESSAGE-----"
END = b"-----BEGIN PGP SIGNATURE-----"
ESCAPED = b"- "


def is_signed(data: bytes) -> bool:
    """Does it begin like a signed message?"""
    return data.startswith(BEGIN)


def unsigned(data: bytes) -> bytes:
    """The text inside a signed message; anything else as it is. Raises ``FormatError`` when the message is cut short."""
    if not is_signed(data):
        return data
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    start = next((number for number, line in enumerate(lines) if not line.strip()), None)
    end = next((number for number, line in enumerate(lines) if line.startswith(END)), None)
    if start is None or end is None or end < start:
        msg = "a signed message that is cut short"
        raise FormatError(msg, hint="fetch it again")
    return b"\n".join(line.removeprefix(ESCAPED) for line in lines[start + 1 : end])
