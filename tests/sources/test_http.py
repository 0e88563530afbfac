from __future__ import annotations

import gc
import gzip
import hashlib
import logging
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from pathlib import Path

import httpx
import pytest
from fakes.http_server import (
    HANG_UP,
    PING,
    HttpServer,
    body,
    chunk,
    cut,
    dripping,
    endless,
    head,
    http2,
    raw,
    redirect,
    resumable,
    running,
    status,
)

from resolver.errors import InputError, SourceError, UnsupportedError
from resolver.sources import http_download
from resolver.sources.credentials import Credentials
from resolver.sources.http import HttpPlace
from resolver.sources.http_download import Inflater, tag_of
from resolver.sources.http_errors import in_words, retry_after
from resolver.sources.http_exchange import Session, check_redirect
from resolver.sources.http_pace import Patience
from resolver.sources.place import Fetched

DATA = bytes(range(256)) * 400
ETAG = '"one"'
CHUNKED = head(200, Transfer_Encoding="chunked")
SECRET = "s3cr3t"  # noqa: S105 - a word to look for
Open = Callable[..., HttpPlace]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with running() as found:
        yield found


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def place(server: HttpServer, waits: list[float]) -> Iterator[Open]:
    places = []

    def make(url: str = "", credentials: Credentials | None = None, **patience: float) -> HttpPlace:
        patient = Patience(**{"connect": 2.0, "read": 2.0, "window": 2.0, "tries": 3, "sleep": waits.append, **patience})  # type: ignore[arg-type]
        places.append(HttpPlace(url or server.url, credentials or Credentials(), patience=patient))
        return places[-1]

    yield make
    for one in places:
        one.close()


def data_of(found: Fetched | None) -> bytes:
    assert found is not None
    assert found.sha256 == hashlib.sha256(found.data).hexdigest()
    return found.data


# bodies


def test_a_file_is_read_whole_with_its_digest_and_tag(server: HttpServer, place: Open) -> None:
    server.on("/m/a/b", body(DATA, ETag=ETAG))
    reports: list[tuple[int, int | None]] = []
    found = place(f"{server.url}/m/").read("a/b", report=lambda n, total: reports.append((n, total)))
    assert data_of(found) == DATA
    assert found
    assert found.tag == ETAG
    assert sum(n for n, _ in reports) == len(DATA)
    assert {total for _, total in reports} == {len(DATA)}
    assert server.seen[0].headers["user-agent"].startswith("spack-resolver/")
    assert server.seen[0].headers["accept-encoding"] == "gzip"


def test_an_empty_path_is_the_document_itself_with_its_query(server: HttpServer, place: Open) -> None:
    server.on("/index.json", body(b"{}"))
    one = place(f"{server.url}/index.json?sig=a%2Fb#part")
    assert data_of(one.read("")) == b"{}"
    assert server.seen[0].target == "/index.json?sig=a%2Fb"
    assert one.url == f"{server.url}/index.json"


def test_an_empty_file_is_a_file(server: HttpServer, place: Open) -> None:
    server.on("/a", body(b""))
    assert data_of(place().read("a")) == b""


@pytest.mark.parametrize("code", [404, 410])
def test_what_is_not_there_is_none(server: HttpServer, place: Open, code: int) -> None:
    server.on("/a", status(code))
    assert place().read("a") is None
    assert len(server.seen) == 1


def test_connections_are_used_again_even_after_a_page_that_nobody_wants(server: HttpServer, place: Open) -> None:
    server.on("/no", raw(head(404, Transfer_Encoding="chunked") + chunk(b"<html>sorry</html>") + chunk(b"")))
    server.on("/yes", body(b"1"))
    one = place()
    assert [one.read("no"), data_of(one.read("yes")), one.read("no")] == [None, b"1", None]
    assert server.connections == 1


def test_chunks_make_a_body_without_a_length(server: HttpServer, place: Open) -> None:
    server.on("/a", raw(CHUNKED + chunk(b"ab") + chunk(b"cd") + chunk(b"")))
    totals: set[int | None] = set()
    assert data_of(place().read("a", report=lambda _, total: totals.add(total))) == b"abcd"
    assert totals == {None}


def test_threads_read_from_one_place_at_the_same_time(server: HttpServer, place: Open) -> None:
    for n in range(10):
        server.on(f"/{n}", status(503), body(bytes([n]) * 50_000, Set_Cookie=f"a{n}=b"))
    one = place()
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda n: data_of(one.read(str(n))), range(10)))
    assert found == [bytes([n]) * 50_000 for n in range(10)]
    assert not [seen for seen in server.seen if "cookie" in seen.headers]


# tags


@pytest.mark.parametrize("etag", [ETAG, 'W/"weak"'])
def test_an_entity_tag_that_holds_saves_the_body(server: HttpServer, place: Open, etag: str) -> None:
    server.on("/a", status(304))
    found = place().read("a", tag=etag)
    assert found == Fetched(b"", "", etag, unchanged=True)
    assert server.seen[0].headers["if-none-match"] == etag


def test_a_time_is_the_tag_where_there_is_no_better_one(server: HttpServer, place: Open) -> None:
    then = "Wed, 21 Oct 2015 07:28:00 GMT"
    server.on("/a", body(b"x", Last_Modified=then), status(304))
    one = place()
    first = one.read("a")
    assert first
    again = one.read("a", tag=first.tag)
    assert again
    assert again.unchanged
    assert again.tag == first.tag != then
    assert server.seen[1].headers["if-modified-since"] == then
    assert "if-none-match" not in server.seen[1].headers


def test_a_changed_file_comes_with_its_new_tag(server: HttpServer, place: Open) -> None:
    server.on("/a", body(b"new", ETag='"two"'))
    assert place().read("a", tag=ETAG) == Fetched(b"new", hashlib.sha256(b"new").hexdigest(), '"two"')


def test_unchanged_is_no_answer_to_who_did_not_ask(server: HttpServer, place: Open) -> None:
    server.on("/a", status(304))
    with pytest.raises(SourceError, match="304 Not Modified"):
        place().read("a")


def test_tags_that_cannot_be_sent_back_are_none(server: HttpServer, place: Open) -> None:
    assert tag_of({"etag": '"' + "x" * 2000 + '"'}) == tag_of({"etag": '"\xe9"'}) == tag_of({"etag": "bare"}) == ""
    server.on("/a", body(b"x"))
    assert data_of(place().read("a", tag='"a"\r\nX-Other: 1')) == b"x"
    assert "if-none-match" not in server.seen[0].headers


# tries


def test_errors_of_the_server_are_tried_again_with_growing_waits(server: HttpServer, place: Open, waits: list[float]) -> None:
    server.on("/a", status(500), status(503), body(b"x"))
    assert data_of(place(first_delay=2.0).read("a")) == b"x"
    assert len(server.seen) == 3
    assert 0 <= waits[0] <= 2
    assert 0 <= waits[1] <= 4


def test_tries_come_to_an_end(server: HttpServer, place: Open, waits: list[float]) -> None:
    server.on("/a", status(502))
    with pytest.raises(SourceError, match=r"502 Bad Gateway, in the last of 3 tries. Hint: ") as caught:
        place().read("a")
    assert f"{server.url}/a cannot be read" in str(caught.value)
    assert (len(server.seen), len(waits)) == (3, 2)


def test_the_wait_that_is_asked_for_is_kept_up_to_the_cap(server: HttpServer, place: Open, waits: list[float]) -> None:
    server.on("/a", status(429, Retry_After="7"), status(429, Retry_After="86400"), body(b"x"))
    assert data_of(place(first_delay=0.5, longest_delay=30.0).read("a")) == b"x"
    assert waits == [7, 30]


def test_retry_after_is_a_number_or_a_date() -> None:
    assert retry_after("120") == 120
    assert 50 < retry_after(formatdate(time.time() + 60, usegmt=True)) <= 60
    wrong = ["", "-1", "1.5", "soon", "9" * 5000, "Wed, 99 Oct 2015 07:28:00 GMT", formatdate(0)]
    assert [retry_after(text) for text in wrong] == [0] * len(wrong)


def test_a_body_that_broke_off_is_continued(server: HttpServer, place: Open) -> None:
    half = len(DATA) // 2
    server.on("/a", resumable(DATA, ETAG, after=half), resumable(DATA, ETAG, after=1000), resumable(DATA, ETAG))
    counts: list[int] = []
    assert data_of(place().read("a", tag='"old"', report=lambda n, _: counts.append(n))) == DATA
    assert server.ranges() == ["", f"bytes={half}-", f"bytes={half + 1000}-"]
    assert server.seen[1].headers["if-range"] == ETAG
    assert server.seen[1].headers["accept-encoding"] == "identity"
    assert "if-none-match" not in server.seen[1].headers
    assert sum(counts) == len(DATA)
    assert min(counts) > 0


@pytest.mark.parametrize("headers", [{}, {"ETag": 'W/"a"', "Accept_Ranges": "bytes"}, {"ETag": ETAG}, {"Accept_Ranges": "bytes"}])
def test_a_body_that_cannot_be_continued_is_begun_anew(server: HttpServer, place: Open, headers: dict[str, str]) -> None:
    server.on("/a", cut(DATA, 5000, **headers), body(DATA))
    counts: list[int] = []
    assert data_of(place().read("a", report=lambda n, _: counts.append(n))) == DATA
    assert server.ranges() == ["", ""]
    assert sum(counts) == len(DATA)
    assert -5000 in counts


def test_a_file_that_changed_between_its_parts_is_begun_anew(server: HttpServer, place: Open) -> None:
    other = DATA[::-1]
    server.on("/a", resumable(DATA, ETAG, after=5000), resumable(other, '"two"'))
    found = place().read("a")
    assert data_of(found) == other
    assert found
    assert found.tag == '"two"'
    assert server.ranges() == ["", "bytes=5000-"]


@pytest.mark.parametrize(
    "part",
    [
        {"Content_Range": "bytes 4999-9999/10000"},
        {"Content_Range": "bytes 5000-9998/10000"},
        {"Content_Range": "bytes 5000-9999/20000"},
        {"Content_Range": "bytes 5000-10000/10001"},
        {"Content_Range": "bytes 5000-9999/*", "Content_Length": 3},
        {"Content_Range": "bytes 5000-9999/10000", "ETag": '"two"'},
        {"Content_Range": "bytes 5000-9999/10000", "Content_Encoding": "gzip"},
        {"Content_Range": "items 5000-9999/10000"},
        {},
    ],
)
def test_a_part_that_does_not_fit_is_not_taken(server: HttpServer, place: Open, part: dict[str, object]) -> None:
    data = DATA[:10000]
    wrong = raw(head(206, **{"Content_Length": 5000, **part}) + data[5000:], HANG_UP)
    server.on("/a", resumable(data, ETAG, after=5000), wrong, body(data))
    assert data_of(place().read("a")) == data
    assert server.ranges() == ["", "bytes=5000-", ""]


def test_a_file_that_became_shorter_is_begun_anew(server: HttpServer, place: Open) -> None:
    server.on("/a", resumable(DATA, ETAG, after=5000), status(416), body(b"short"))
    assert data_of(place().read("a")) == b"short"


def test_a_part_that_was_not_asked_for_is_an_error(server: HttpServer, place: Open) -> None:
    server.on("/a", raw(head(206, Content_Length=1, Content_Range="bytes 0-0/1") + b"x"))
    with pytest.raises(SourceError, match="does not fit"):
        place().read("a")


# lengths


def test_fewer_bytes_than_announced_are_an_error(server: HttpServer, place: Open) -> None:
    server.on("/a", cut(DATA, 5000))
    with pytest.raises(SourceError, match="ended before the whole answer"):
        place().read("a")
    assert len(server.seen) == 3


def test_more_bytes_than_announced_are_an_error_and_no_part_of_the_next_answer(server: HttpServer, place: Open) -> None:
    forged = head(200, Content_Length=6) + b"forged"
    server.on("/a", raw(head(200, Content_Length=5) + b"right" + forged))
    server.on("/b", body(b"own"))
    one = place(tries=1)
    with pytest.raises(SourceError, match="more bytes came than the 5"):
        one.read("a")
    assert data_of(one.read("b")) == b"own"


def test_a_chunked_body_without_its_end_is_an_error(server: HttpServer, place: Open) -> None:
    server.on("/a", raw(CHUNKED + chunk(b"ab"), HANG_UP))
    with pytest.raises(SourceError, match="ended before"):
        place().read("a")


def test_an_announced_length_beyond_the_bound_is_refused_before_any_byte(server: HttpServer, place: Open) -> None:
    server.on("/a", dripping(head(200, Content_Length=101), b""))
    with pytest.raises(SourceError, match="larger than the 100 bytes"):
        place().read("a", most=100)


def test_the_bound_itself_is_allowed(server: HttpServer, place: Open) -> None:
    server.on("/a", body(b"x" * 100))
    assert len(data_of(place().read("a", most=100))) == 100


def test_an_endless_body_ends_at_the_bound(server: HttpServer, place: Open) -> None:
    server.on("/a", endless(CHUNKED, chunk(b"x" * 10_000)))
    with pytest.raises(SourceError, match="larger than the 1000000 bytes"):
        place().read("a", most=1_000_000)
    assert len(server.seen) == 1


# encoded bodies


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "identity, GZIP"])
def test_an_encoded_body_is_decoded(server: HttpServer, place: Open, coding: str) -> None:
    server.on("/a", body(gzip.compress(DATA), Content_Encoding=coding, ETag=ETAG))
    totals: set[int | None] = set()
    assert data_of(place().read("a", report=lambda _, total: totals.add(total))) == DATA
    assert totals == {None}


def test_members_of_gzip_follow_each_other(server: HttpServer, place: Open) -> None:
    server.on("/a", body(gzip.compress(b"ab") + gzip.compress(b"") + gzip.compress(b"cd"), Content_Encoding="gzip"))
    assert data_of(place().read("a")) == b"abcd"


def test_an_encoded_body_that_broke_off_is_begun_anew(server: HttpServer, place: Open) -> None:
    packed = gzip.compress(DATA)
    facts = {"Content_Encoding": "gzip", "ETag": ETAG, "Accept_Ranges": "bytes"}
    short = raw(CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n") + chunk(packed[:-9]) + chunk(b""))
    server.on("/a", cut(packed, len(packed) - 100, **facts), short, body(packed, **facts))
    assert data_of(place().read("a")) == DATA
    assert server.ranges() == ["", "", ""]


@pytest.mark.parametrize(
    ("coding", "data"), [("gzip", b"plain"), ("br", b"x"), ("gzip, gzip", gzip.compress(gzip.compress(b"x", mtime=0), mtime=0))]
)
def test_a_body_that_is_not_as_it_says_is_an_error(server: HttpServer, place: Open, coding: str, data: bytes) -> None:
    server.on("/a", body(data, Content_Encoding=coding))
    with pytest.raises(SourceError, match=r"damaged|was asked for"):
        place().read("a")
    assert len(server.seen) == 1


def test_decoded_bytes_are_bounded(server: HttpServer, place: Open) -> None:
    server.on("/a", body(gzip.compress(b"\0" * 10_000_000), Content_Encoding="gzip"))
    with pytest.raises(SourceError, match="larger than the 1000000 bytes"):
        place().read("a", most=1_000_000)


def test_a_body_that_grows_as_no_index_does_is_an_error(server: HttpServer, place: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_download, "FREE_GROWTH", 1 << 20)
    server.on("/a", body(gzip.compress(b"\0" * 10_000_000), Content_Encoding="gzip"))
    with pytest.raises(SourceError, match="decode to more than"):
        place().read("a", most=1 << 30)


def test_an_encoded_body_that_never_gives_a_byte_is_bounded(server: HttpServer, place: Open) -> None:
    start = head(200, Transfer_Encoding="chunked", Content_Encoding="gzip")
    server.on("/a", endless(start, chunk(gzip.compress(b"") * 1000)))
    with pytest.raises(SourceError, match="larger than"):
        place().read("a", most=500_000)


def test_pieces_of_a_chunk_are_small() -> None:
    assert max(len(piece) for piece in Inflater("a").pieces(gzip.compress(b"\0" * 10_000_000))) <= 1 << 20


def test_cut_gzip_is_not_whole() -> None:
    inflater = Inflater("a")
    assert b"".join(inflater.pieces(gzip.compress(b"x" * 1000)[:-1])) == b"x" * 1000
    assert not inflater.whole
    with pytest.raises(SourceError, match="damaged"):
        list(Inflater("a").pieces(zlib.compress(b"x")))


# pace


@pytest.mark.parametrize(
    "answer",
    [
        dripping(head(200, Content_Length=10_000)),
        dripping(CHUNKED, chunk(b"x")),
        dripping(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
        dripping(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["body", "chunks", "head", "interim answers"],
)
def test_a_server_that_drips_is_left(server: HttpServer, place: Open, answer: Callable[..., Iterator[bytes]]) -> None:
    server.on("/a", answer)
    start = time.monotonic()
    with pytest.raises(SourceError, match=r"too slow: fewer than 1024 bytes in 0.2 s"):
        place(window=0.2, tries=2).read("a")
    assert time.monotonic() - start < 5
    assert len(server.seen) == 2


def test_a_steady_server_may_take_many_windows(server: HttpServer, place: Open) -> None:
    def steady(_: object) -> Iterator[bytes]:
        yield head(200, Content_Length=20 * 600)
        for _n in range(20):
            time.sleep(0.02)
            yield b"x" * 600

    server.on("/a", steady)
    assert len(data_of(place(window=0.3).read("a"))) == 12_000


def test_a_server_that_says_nothing_is_left(server: HttpServer, place: Open) -> None:
    def silent(_: object) -> Iterator[bytes]:
        server.closing.wait(5)
        yield HANG_UP

    server.on("/a", silent)
    with pytest.raises(SourceError, match=r"nothing came for 0.1 s"):
        place(read=0.1, tries=1).read("a")


# redirects


def test_a_redirect_to_another_host_has_no_credentials(server: HttpServer, place: Open) -> None:
    with running() as other:
        server.on("/a", redirect("/b"))
        server.on("/b", redirect(f"http://eve:evil@127.0.0.1:{other.url.rpartition(':')[2]}/c"))
        other.on("/c", body(b"x"))
        assert data_of(place(credentials=Credentials(token=SECRET)).read("a")) == b"x"
        assert [seen.headers.get("authorization") for seen in server.seen] == [f"Bearer {SECRET}"] * 2
        assert "authorization" not in other.seen[0].headers


def test_a_continued_body_follows_the_redirect_again(server: HttpServer, place: Open) -> None:
    server.on("/a", redirect("/b", 307))
    server.on("/b", resumable(DATA, ETAG, after=5000), resumable(DATA, ETAG))
    assert data_of(place().read("a")) == DATA
    assert server.ranges() == ["", "", "bytes=5000-", "bytes=5000-"]


def test_redirects_in_a_circle_are_an_error(server: HttpServer, place: Open) -> None:
    server.on("/a", redirect("/b"))
    server.on("/b", redirect("/a"))
    with pytest.raises(SourceError, match="redirects in a circle"):
        place().read("a")
    assert len(server.seen) == 2


def test_ten_redirects_are_followed_and_no_more(server: HttpServer, place: Open) -> None:
    for n in range(11):
        server.on(f"/{n}", redirect(f"/{n + 1}"))
    server.on("/11", body(b"x"))
    one = place()
    assert data_of(one.read("1")) == b"x"
    with pytest.raises(SourceError, match="more than 10 times"):
        one.read("0")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://a/b", "http://a:b:c/", "//[", "http://\x7f/", "gopher:"])
def test_a_redirect_to_what_is_no_web_server_is_refused(server: HttpServer, place: Open, target: str) -> None:
    server.on("/a", redirect(target))
    with pytest.raises(SourceError, match="redirects to"):
        place().read("a")
    assert len(server.seen) == 1


def test_a_redirect_from_https_to_http_is_refused() -> None:
    source = httpx.URL("https://a/x?key=k")
    with pytest.raises(SourceError, match=r"https://a/x\?\*\*\* cannot be read: it redirects from https to http, to http://a/y"):
        check_redirect(source, httpx.URL("http://a/y"), set())
    check_redirect(httpx.URL("http://a/x"), httpx.URL("https://a/x"), set())


def test_the_endless_page_of_a_redirect_is_not_read(server: HttpServer, place: Open) -> None:
    page = endless(head(302, Transfer_Encoding="chunked", Location="/b"), chunk(b"x" * 10_000))
    server.on("/a", page)
    server.on("/b", body(b"x"))
    assert data_of(place().read("a")) == b"x"


# credentials


def test_a_user_and_password_in_the_url_are_sent_and_not_shown(server: HttpServer, place: Open) -> None:
    server.on("/a", status(401))
    one = place(server.url.replace("//", f"//us%40er:{SECRET}@"))
    with pytest.raises(SourceError, match=r"401 Unauthorized. Hint: .*access_pair") as caught:
        one.read("a")
    assert server.seen[0].headers["authorization"] == "Basic dXNAZXI6czNjcjN0"
    assert one.url == server.url
    assert SECRET not in f"{caught.value} {caught.value!r} {one!r} {one.url}"
    assert len(server.seen) == 1


def test_given_credentials_come_before_those_of_the_url(server: HttpServer, place: Open) -> None:
    server.on("/a", body(b"x"))
    place(server.url.replace("//", "//a:b@"), Credentials("user", "pass")).read("a")
    assert server.seen[0].headers["authorization"] == "Basic dXNlcjpwYXNz"


def test_netrc_counts_where_nothing_is_given(server: HttpServer, place: Open, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password pass\n")
    server.on("/a", body(b"x"))
    place().read("a")
    place(credentials=Credentials(token=SECRET)).read("a")
    assert [seen.headers["authorization"] for seen in server.seen] == ["Basic dXNlcjpwYXNz", f"Bearer {SECRET}"]


@pytest.mark.parametrize("text", ["machine other login a password b\n", "password b c\n", '"', "\udcff"])
def test_netrc_that_says_nothing_of_the_host_is_no_error(server: HttpServer, place: Open, tmp_path: Path, text: str) -> None:
    (tmp_path / "netrc").write_bytes(text.encode(errors="surrogateescape"))
    server.on("/a", body(b"x"))
    assert data_of(place().read("a")) == b"x"
    assert "authorization" not in server.seen[0].headers


def test_a_token_that_would_break_the_header_is_refused() -> None:
    with pytest.raises(InputError, match="access token") as caught:
        HttpPlace("http://a", Credentials(token=f"{SECRET}\r\nX: y"))
    assert SECRET not in str(caught.value)


def test_403_says_what_else_it_may_mean(server: HttpServer, place: Open) -> None:
    server.on("/a", status(403))
    with pytest.raises(SourceError, match=r"403 Forbidden. Hint: .*bucket that may not be listed"):
        place().read("a")


def test_secrets_are_not_in_errors_or_logs(server: HttpServer, place: Open, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = f"HTTP/9.9 {SECRET} Authorization: Bearer {SECRET}\r\n\r\n".encode()
    server.on("/a", redirect(f"/b?sig={SECRET}"))
    server.on("/b", raw(echo, HANG_UP), status(403))
    one = place(f"{server.url}/a?key={SECRET}", Credentials(token=SECRET), tries=1)
    for _ in range(2):
        with pytest.raises(SourceError) as caught:
            one.read("")
        assert SECRET not in f"{caught.value} {caught.value!r} {one!r} {one.url}"
    assert SECRET not in caplog.text


# what cannot be reached


def test_a_refused_connection_names_the_url_and_the_reason(place: Open, waits: list[float]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(SourceError, match=rf"{url}/a cannot be read: the connection failed \(Connection refused\), in the last of 3"):
        place(f"{url}/").read("a")
    assert len(waits) == 2


@pytest.mark.parametrize(
    "answer", [raw(HANG_UP), raw(b"SSH-2.0-OpenSSH_9.2\r\n", HANG_UP), raw(b"HTTP/1.1 200 OK\r\n" + b"x" * 200_000, HANG_UP)]
)
def test_what_speaks_no_http_is_an_error(server: HttpServer, place: Open, answer: Callable[..., Iterator[bytes]]) -> None:
    server.on("/a", answer)
    with pytest.raises(SourceError, match=r"no HTTP|connection failed"):
        place().read("a")


def test_a_server_without_tls_is_an_error_for_https(server: HttpServer, place: Open) -> None:
    with pytest.raises(SourceError, match=r"https://127.0.0.1:\d+/a cannot be read: (the connection failed|no connection in time)"):
        place(server.url.replace("http:", "https:"), tries=1).read("a")


def test_any_error_of_the_libraries_has_words(place: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> httpx.Response:
        raise KeyError(SECRET)

    monkeypatch.setattr(httpx.Client, "send", fail)
    with pytest.raises(SourceError, match=r"exchange with the server failed \(KeyError\)"):
        place().read("a")


def test_our_own_errors_are_kept_as_they_are() -> None:
    with pytest.raises(InputError, match="mine"), in_words("a"):
        raise InputError("mine")


def test_an_error_of_the_report_is_not_taken_for_one_of_the_server(server: HttpServer, place: Open) -> None:
    def fail(_: int, __: int | None) -> None:
        raise ZeroDivisionError

    server.on("/a", body(DATA))
    with pytest.raises(ZeroDivisionError):
        place().read("a", report=fail)
    assert len(server.seen) == 1


def test_the_proxy_of_the_environment_is_asked(server: HttpServer, place: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url.replace("//", "//who:why@"))
    server.on("http://mirror.invalid/a", body(b"x"), status(407))
    one = place("http://mirror.invalid")
    assert data_of(one.read("a")) == b"x"
    assert server.seen[0].target == "http://mirror.invalid/a"
    assert server.seen[0].headers["proxy-authorization"] == "Basic d2hvOndoeQ=="
    with pytest.raises(SourceError, match=r"407 Proxy Authentication Required. Hint: .*https_proxy"):
        one.read("a")


def test_a_proxy_that_refuses_a_tunnel_is_an_error(server: HttpServer, place: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", server.url.removeprefix("http://"))
    server.on("mirror.invalid:443", status(407))
    with pytest.raises(SourceError, match=r"the proxy refused with 407 Proxy Authentication Required"):
        place("https://mirror.invalid").read("a")
    assert len(server.seen) == 1


def test_no_proxy_is_heeded(server: HttpServer, place: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server.on("/a", body(b"x"))
    assert data_of(place().read("a")) == b"x"


@pytest.mark.parametrize("proxy", ["carrier-pigeon://a", "http://a:b:c", "socks5://127.0.0.1:9"])
def test_a_proxy_that_cannot_be_used_is_an_error(place: Open, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("all_proxy", proxy)
    with pytest.raises((InputError, SourceError), match=r"proxy of the environment|connection failed"):
        place().read("a")


# URLs and paths


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://Host.Example/a/b//", "https://host.example/a/b"),
        (" http://host:8080 ", "http://host:8080"),
        ("https://host:443/", "https://host"),
        ("http://[::1]:80/x y", "http://[::1]/x%20y"),
        ("https://m\xfcnchen.example/\xe9?a=b", "https://xn--mnchen-3ya.example/%C3%A9"),
    ],
)
def test_the_url_is_plain(place: Open, given: str, url: str) -> None:
    one = place(given)
    assert one.url == url
    assert repr(one) == f"HttpPlace('{url}')"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host/path",
        "ftp://host",
        "http://",
        "http:///a",
        "http://host:99999/",
        "http://host:port/",
        "http://a b/",
        "http://ho\nst/",
        "http://ho%20st/",
        "http://\u2024/",
        "http://xn--/",
        f"http://u:{SECRET}/x@host/",
        f"http://u:p#{SECRET}@h:x/",
        f"http://h:x/?{SECRET}",
        "http://[::1",
        "http://" + "a" * 70_000,
    ],
)
def test_what_is_no_url_is_an_error(url: str) -> None:
    with pytest.raises(InputError, match="no URL of a web server") as caught:
        HttpPlace(url)
    assert SECRET not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_paths_are_encoded(server: HttpServer, place: Open) -> None:
    path = "v3/a+b@1.0=x?y#z%2F&é ~.json"
    encoded = "/v3/a%2Bb%401.0%3Dx%3Fy%23z%252F%26%C3%A9%20~.json"
    server.on(encoded, body(b"x"))
    assert data_of(place().read(path)) == b"x"
    assert server.seen[0].target == encoded


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "//host/a", "..", "a/../b", "a/..", "./a", "a//b", "a/", "a\\..\\b", "a\nb", "a\0", "\udc80", "x" * 5000]
)
def test_paths_that_lead_elsewhere_are_refused(server: HttpServer, place: Open, path: str) -> None:
    with pytest.raises(InputError, match="is no path below"):
        place().read(path)
    assert not server.seen


def test_a_web_server_cannot_be_listed(place: Open) -> None:
    with pytest.raises(UnsupportedError, match="cannot be listed"):
        place().paths("v3")


# connections


def test_a_place_that_is_dropped_closes_its_connections(server: HttpServer) -> None:
    server.on("/a", body(b"x"))
    one = HttpPlace(server.url)
    one.read("a")
    del one
    gc.collect()  # an open socket would warn here, and a warning is an error


def test_closing_twice_is_once(place: Open) -> None:
    one = place()
    one.close()
    one.close()


@pytest.fixture
def modern(place: Open) -> Iterator[tuple[HttpServer, HttpPlace]]:
    with running(http2) as server:
        one = place(server.url, tries=2)
        one._session.close()
        one._session = Session(Patience(window=0.5), http1=False)
        yield server, one
        one._session.close()


def test_http2_is_spoken(modern: tuple[HttpServer, HttpPlace]) -> None:
    server, one = modern
    server.on("/a", raw(b"x" * 30_000))
    with ThreadPoolExecutor(4) as pool:
        assert [len(data_of(found)) for found in pool.map(one.read, ["a"] * 8)] == [30_000] * 8
    assert server.connections == 1


def test_an_http2_body_that_is_dropped_does_not_block_the_next(modern: tuple[HttpServer, HttpPlace]) -> None:
    server, one = modern
    server.on("/a", raw(b"x" * 50_000))
    with pytest.raises(SourceError, match="larger than"):
        one.read("a", most=10_000)
    assert len(data_of(one.read("a"))) == 50_000
    assert server.connections == 2


def test_a_server_that_only_pings_is_left(modern: tuple[HttpServer, HttpPlace]) -> None:
    server, one = modern
    server.on("/a", dripping(b"x", PING))
    with pytest.raises(SourceError, match="too slow"):
        one.read("a")
