"""A directory that takes files whole or not at all, and sinks that know what they are to hold."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from resolver.errors import InputError, SourceError, VerificationError
from resolver.sources.folder import INCOMPLETE, Folder
from resolver.sources.sink import Memory, Sink

DATA = b"some bytes of a file"
SHA = hashlib.sha256(DATA).hexdigest()


def test_what_has_come_is_there_for_the_next_run(tmp_path: Path) -> None:
    told: list[int] = []
    folder = Folder(tmp_path / "new")
    part = folder.part("a/b", len(DATA), SHA)
    part.begin("http://host/b", '"tag"')
    part.add(DATA[:7])
    part.close()
    again = folder.part("a/b", len(DATA), SHA, lambda count, _: told.append(count))
    assert (again.held, again.tag, again.origin, told) == (7, '"tag"', "http://host/b", [7])
    assert again.continues("http://another/b")
    again.add(DATA[7:])
    folder.finish(again, "a/b")
    assert (tmp_path / "new" / "a" / "b").read_bytes() == DATA
    assert not list((tmp_path / "new" / INCOMPLETE).iterdir())
    folder.tidy()
    assert not (tmp_path / "new" / INCOMPLETE).exists()


def test_a_rest_without_a_checksum_is_continued_only_where_it_is_from(tmp_path: Path) -> None:
    part = Folder(tmp_path).part("a", None, "")
    part.begin("http://host/a", "")
    part.add(b"x")
    assert not part.continues("http://host/a")
    part.begin("http://host/a", '"tag"')
    part.add(b"x")
    assert (part.continues("http://host/a"), part.continues("http://other/a")) == (True, False)
    part.discard()


@pytest.mark.parametrize("left", [DATA + b"more", b""])
def test_more_than_there_is_to_be_is_not_taken_up(tmp_path: Path, left: bytes) -> None:
    folder = Folder(tmp_path)
    part = folder.part("a", None, "")
    part.add(left)
    part.close()
    again = folder.part("a", len(DATA), SHA)
    assert again.held == 0
    again.close()


@pytest.mark.parametrize("content", [DATA[:-1], DATA[:-1] + b"x", b""])
def test_what_is_not_whole_gets_no_name(tmp_path: Path, content: bytes) -> None:
    folder = Folder(tmp_path)
    part = folder.part("a", len(DATA), SHA)
    part.add(content)
    with pytest.raises(VerificationError):
        folder.finish(part, "a")
    part.close()
    assert folder.holds("a") is None


@pytest.mark.parametrize("name", ["", "/etc/x", "../x", "a/../../x", "a//b", "a/./b", "a\\b", "a\nb", "a\0b", "x" * 5000, "é\u202e"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    for use in (lambda: Folder(tmp_path).put(name, b""), lambda: Folder(tmp_path).part(name, 0, ""), lambda: Folder(tmp_path).remove(name)):
        with pytest.raises(InputError, match="is no name of a file"):
            use()


def test_a_disk_that_refuses_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        Folder(tmp_path / "file").put("a", b"x")


def test_only_what_changes_is_written(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert [folder.put("a/b", b"one"), folder.put("a/b", b"one"), folder.put("a/b", b"two")] == [True, False, True]
    folder.remove("a/b")
    assert not (tmp_path / "a").exists()
    folder.remove("a/b")


def test_a_file_is_linked_or_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    source.write_bytes(DATA)
    folder = Folder(tmp_path / "out")
    folder.link("a", source)
    assert source.stat().st_nlink == 2

    def refuse(*_: object, **__: object) -> None:
        raise OSError(18, "another disk")

    monkeypatch.setattr("os.link", refuse)
    folder.link("b", source)
    assert ((tmp_path / "out" / "b").read_bytes(), source.stat().st_nlink) == (DATA, 2)


def test_a_sink_knows_what_it_is_to_hold() -> None:
    told: list[int] = []
    sink = Memory("x", size=len(DATA), sha256=SHA, report=lambda count, _: told.append(count))
    sink.add(DATA[:5])
    assert not sink.complete
    sink.restart()
    sink.add(DATA)
    assert (sink.complete, sink.data, told) == (True, DATA, [5, -5, len(DATA)])
    with pytest.raises(VerificationError, match="more than the 20 bytes"):
        sink.add(b"x")
    with pytest.raises(SourceError, match="more than the 3 bytes"):
        Sink("x", most=3).add(b"four")
