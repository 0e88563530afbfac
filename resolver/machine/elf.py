"""The dynamic linker that a program names in its ELF header."""

from __future__ import annotations

import struct

PT_INTERP = 3
LONGEST_PATH = 4096


def interpreter(elf: bytes) -> str:
    """The path in the ``PT_INTERP`` segment; empty when there is none in these bytes, the beginning of a file."""
    if elf[:4] != b"\x7fELF" or len(elf) < 64:
        return ""
    wide, order = elf[4] == 2, "<" if elf[5] == 1 else ">"
    try:
        table, size, count = _program_headers(elf, order, wide=wide)
        for place in range(table, table + size * count, max(size, 1)):
            if struct.unpack_from(f"{order}I", elf, place)[0] == PT_INTERP:
                return _path(elf, *_segment(elf, order, place, wide=wide))
    except struct.error:
        return ""
    return ""


def _path(elf: bytes, offset: int, length: int) -> str:
    data = elf[offset : offset + min(length, LONGEST_PATH)].split(b"\0")[0]
    path = data.decode("utf-8", errors="replace")
    return path if path.startswith("/") and path.isprintable() else ""


def _program_headers(elf: bytes, order: str, *, wide: bool) -> tuple[int, int, int]:
    table = struct.unpack_from(f"{order}Q", elf, 32)[0] if wide else struct.unpack_from(f"{order}I", elf, 28)[0]
    size, count = struct.unpack_from(f"{order}HH", elf, 54 if wide else 42)
    return table, size, count


def _segment(elf: bytes, order: str, place: int, *, wide: bool) -> tuple[int, int]:
    if wide:
        offset, length = struct.unpack_from(f"{order}Q", elf, place + 8)[0], struct.unpack_from(f"{order}Q", elf, place + 32)[0]
    else:
        offset, length = struct.unpack_from(f"{order}I", elf, place + 4)[0], struct.unpack_from(f"{order}I", elf, place + 16)[0]
    return offset, length
