"""Buckets: most tests read from moto's server on the loopback, those of faults from one that says what the test wants."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from fakes.registry_answers import Answer, Asked, answering

from resolver.errors import InputError, SourceError, UnsupportedError
from resolver.formats.manifest import INDEX_MANIFEST
from resolver.sources import s3
from resolver.sources.credentials import NO_CREDENTIALS, Credentials
from resolver.sources.files import sha256
from resolver.sources.place import Place
from resolver.sources.s3 import S3Place

pytestmark = pytest.mark.skipif(find_spec("moto") is None, reason="moto is not installed")

MIRROR = Path(__file__).parents[1] / "data" / "mirrors" / "v3"
ACCOUNT = "123456789012"
SECRET = "wJalrXUtnFEMI-not-a-real-one"  # noqa: S105
TOKEN = "FwoGZXIvYXdz-not-a-real-one"  # noqa: S105
MANY = 1003


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    from moto.s3.models import s3_backends
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    backend = s3_backends[ACCOUNT]["aws"]
    backend.create_bucket("caches", "us-east-1")
    for path in sorted(p for p in MIRROR.rglob("*") if p.is_file()):
        backend.put_object("caches", f"org/v3mirror/{path.relative_to(MIRROR)}", path.read_bytes())
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def loader() -> object:
    """Descriptions of services, which are read once: that takes the most of a test's time."""
    from botocore.loaders import Loader

    return Loader()


@pytest.fixture(autouse=True)
def quick(loader: object, no_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - the environment is what counts
    monkeypatch.setattr("botocore.session.create_loader", lambda _: loader)
    monkeypatch.setattr(s3, "WAITS", (0.0, 0.0))
    monkeypatch.setattr(s3, "ATTEMPTS", 1)


@pytest.fixture
def pair(endpoint: str) -> Credentials:
    return Credentials(user="AKIAEXAMPLE", secret=SECRET, endpoint_url=endpoint)


@pytest.fixture
def mirror(pair: Credentials) -> Iterator[S3Place]:
    place = S3Place("s3://caches/org/v3mirror/", pair)
    yield place
    place.close()


def put(bucket: str, key: str, data: bytes = b"", *, acl: str = "") -> None:
    from moto.s3.models import get_canned_acl, s3_backends

    backend = s3_backends[ACCOUNT]["aws"]
    if bucket not in backend.buckets:
        backend.create_bucket(bucket, "us-east-1")
    found = backend.put_object(bucket, key, data)
    if acl:
        found.set_acl(get_canned_acl(acl))


def test_a_mirror_is_read(mirror: S3Place) -> None:
    place: Place = mirror
    assert place.url == "s3://caches/org/v3mirror"
    told: list[tuple[int, int | None]] = []
    found = place.read(INDEX_MANIFEST, report=lambda count, total: told.append((count, total)))
    data = (MIRROR / INDEX_MANIFEST).read_bytes()
    assert found is not None
    assert (found.data, found.sha256, found.unchanged) == (data, sha256(data), False)
    assert told == [(len(data), len(data))]


def test_files_are_listed_in_order(mirror: S3Place) -> None:
    everything = sorted(str(p.relative_to(MIRROR)) for p in MIRROR.rglob("*") if p.is_file())
    assert list(mirror.paths("")) == everything
    assert list(mirror.paths("v3/manifests/spec")) == [p for p in everything if p.startswith("v3/manifests/spec/")]
    assert list(mirror.paths("v3/mani")) == []


def test_a_bucket_without_a_prefix(pair: Credentials) -> None:
    put("whole", "a/b", b"1")
    place = S3Place("s3://whole", pair)
    assert (place.url, list(place.paths(""))) == ("s3://whole", ["a/b"])
    assert place.read("") is None
    assert place.read("a/b") is not None


def test_more_files_than_one_page(pair: Credentials) -> None:
    for number in range(MANY):
        put("many", f"p/{number:05}")
    assert list(S3Place("s3://many/p", pair).paths("")) == [f"{number:05}" for number in range(MANY)]


def test_too_many_files(pair: Credentials, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "MOST_KEYS", 2)
    with pytest.raises(SourceError, match="s3://caches/org/v3mirror holds more than 2 files"):
        list(S3Place("s3://caches/org/v3mirror", pair).paths(""))


def test_an_unchanged_file_is_not_sent_again(mirror: S3Place) -> None:
    first = mirror.read(INDEX_MANIFEST)
    assert first is not None
    again = mirror.read(INDEX_MANIFEST, tag=first.tag)
    assert again is not None
    assert (again.unchanged, again.data, again.tag) == (True, b"", first.tag)
    changed = mirror.read(INDEX_MANIFEST, tag='"another"')
    assert changed == first


def test_what_is_missing(mirror: S3Place, pair: Credentials) -> None:
    assert mirror.read("v3/layout.json") is None
    with pytest.raises(SourceError, match=r"s3://no-such-bucket/a/b cannot be read: NoSuchBucket.*check the bucket's name"):
        S3Place("s3://no-such-bucket/a", pair).read("b")
    with pytest.raises(SourceError, match="NoSuchBucket"):
        list(S3Place("s3://no-such-bucket/a", pair).paths(""))


def test_what_is_there(mirror: S3Place, pair: Credentials) -> None:
    assert [mirror.exists(path) for path in (INDEX_MANIFEST, "v3/layout.json", "v3/manifests")] == [True, False, False]
    put("empties", "empty")
    place = S3Place("s3://empties", pair)
    assert place.exists("empty")
    empty = place.read("empty")
    assert empty is not None
    assert empty.data == b""
    with pytest.raises(SourceError, match="NoSuchBucket"):
        S3Place("s3://no-such-bucket/a", pair).exists("b")


@pytest.mark.parametrize("path", ["../x", "a/../b", "/a", "a//b", "a/", "a\\b", "a\nb"])
def test_paths_that_lead_out_of_the_place(path: str, mirror: S3Place) -> None:
    with pytest.raises(InputError, match="is no path below s3://caches/org/v3mirror"):
        mirror.read(path)


def test_no_more_than_was_asked_for(mirror: S3Place) -> None:
    size = (MIRROR / INDEX_MANIFEST).stat().st_size
    assert mirror.read(INDEX_MANIFEST, most=size) is not None
    with pytest.raises(SourceError, match=f"has {size} bytes or more: at most {size - 1} are read"):
        mirror.read(INDEX_MANIFEST, most=size - 1)


def test_without_credentials_nothing_is_signed(endpoint: str) -> None:
    put("mixed", "public", b"1", acl="public-read")
    put("mixed", "private", b"2")
    place = S3Place("s3://mixed", Credentials(endpoint_url=endpoint))
    assert place.read("public") is not None
    with pytest.raises(SourceError, match=r"s3://mixed/private cannot be read: 403.*no credentials were found, so that nothing was signed"):
        place.read("private")


def test_the_environment_counts(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    assert S3Place("s3://caches/org/v3mirror").read(INDEX_MANIFEST) is not None


def test_a_profile(endpoint: str, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text(f"[site]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = {SECRET}\n")
    place = S3Place("s3://caches/org/v3mirror", Credentials(profile="site", endpoint_url=endpoint))
    assert place.read(INDEX_MANIFEST) is not None
    with pytest.raises(SourceError, match=r"profile \(elsewhere\) could not be found.*~/.aws/config"):
        S3Place("s3://caches", Credentials(profile="elsewhere"))


def read_from(answer: Callable[[Asked], Answer], credentials: Credentials = NO_CREDENTIALS, most: int = 100) -> tuple[Any, list[Asked]]:
    """What a place gives for a file of a bucket that answers so, or the error that it raises; and what it asked."""
    with answering(answer) as server:
        place = S3Place("s3://bucket/p", Credentials(credentials.user, credentials.secret, credentials.token, endpoint_url=server.url))
        try:
            return place.read("f", most=most), server.asked
        except SourceError as error:
            return error, server.asked
        finally:
            place.close()


def refusal(status: int, code: str, message: str = "no", **headers: str) -> Callable[[Asked], Answer]:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    return lambda _: Answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def test_keys_are_sent_as_signatures_only() -> None:
    given = Credentials(user="AKIAEXAMPLE", secret=SECRET, token=TOKEN)
    found, asked = read_from(lambda _: Answer(200, b"1", {"ETag": '"e"'}), given)
    assert (found.data, found.tag) == (b"1", '"e"')
    assert "AKIAEXAMPLE" in asked[0].headers["authorization"]
    assert asked[0].headers["x-amz-security-token"] == TOKEN
    assert SECRET not in str(asked)
    assert "authorization" not in read_from(lambda _: Answer(200, b"1"))[1][0].headers


def test_a_broken_stream_is_read_on() -> None:
    def answer(asked: Asked) -> Answer:
        start = int(asked.headers.get("range", "bytes=0-")[6:-1])
        headers = {"Content-Length": str(10 - start), "Content-Range": f"bytes {start}-9/10", "ETag": '"e"'}
        return Answer(206 if start else 200, b"0123456789"[start : start + 4], headers)

    found, asked = read_from(answer)
    assert (found.data, found.sha256) == (b"0123456789", sha256(b"0123456789"))
    assert [(a.headers.get("range"), a.headers.get("if-match")) for a in asked] == [(None, None), ("bytes=4-", '"e"'), ("bytes=8-", '"e"')]


def test_where_ranges_are_not_known_it_begins_again() -> None:
    bodies = iter([b"0123", b"0123456789"])
    told: list[int] = []
    with answering(lambda _: Answer(200, next(bodies), {"Content-Length": "10", "ETag": '"e"'})) as server:
        place = S3Place("s3://bucket/p", Credentials(endpoint_url=server.url))
        found = place.read("f", report=lambda count, _: told.append(count))
        place.close()
    assert found is not None
    assert found.data == b"0123456789"
    assert told == [4, -4, 10]


def test_a_stream_that_keeps_breaking() -> None:
    error, asked = read_from(lambda _: Answer(200, b"", {"Content-Length": "10", "ETag": '"e"'}))
    assert isinstance(error, SourceError)
    assert str(error).startswith("s3://bucket/p/f cannot be read: ")
    assert len(asked) == 1 + len(s3.WAITS)


def test_an_answer_that_nobody_asked_for() -> None:
    error, _ = read_from(lambda _: Answer(304))
    assert isinstance(error, SourceError)


@pytest.mark.parametrize(
    "second",
    [
        Answer(412, b"<Error><Code>PreconditionFailed</Code></Error>"),
        Answer(206, b"456789", {"Content-Range": "bytes 4-9/10", "ETag": '"f"'}),
    ],
)
def test_a_file_that_changes_while_it_is_read(second: Answer) -> None:
    answers = iter([Answer(200, b"0123", {"Content-Length": "10", "ETag": '"e"'}), second])
    error, _ = read_from(lambda _: next(answers))
    assert "it changed while it was read" in str(error)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (refusal(403, "AccessDenied", "not you"), "AccessDenied: not you. Hint: these credentials may not read it"),
        (refusal(403, "SignatureDoesNotMatch"), "check access_pair"),
        (refusal(400, "ExpiredToken"), "log in again"),
        (refusal(301, "PermanentRedirect", x_amz_bucket_region="eu-north-1"), "set AWS_DEFAULT_REGION=eu-north-1"),
        (refusal(301, "PermanentRedirect"), "set AWS_DEFAULT_REGION to the region of the bucket"),
        (refusal(503, "SlowDown"), "try again later"),
        (lambda _: Answer(500, b"<html>no XML"), "cannot be read"),
        (lambda _: Answer(200, b"x" * 101), "has 101 bytes or more: at most 100"),
    ],
)
def test_refusals_say_what_to_do(answer: Callable[[Asked], Answer], message: str) -> None:
    error, _ = read_from(answer, Credentials(user="AKIAEXAMPLE", secret=SECRET))
    assert message in str(error)
    assert "s3://bucket/p/f" in str(error)


def test_secrets_are_never_shown() -> None:
    given = Credentials(user="AKIAEXAMPLE", secret=SECRET, token=TOKEN)
    error, _ = read_from(refusal(403, "AccessDenied", f"AKIAEXAMPLE {SECRET}&#10;{TOKEN}"), given)
    assert "AccessDenied: *** *** ***" in str(error)
    shown = f"{error!r} {error} {vars(error)} {given}"
    assert not any(secret in shown for secret in ("AKIAEXAMPLE", SECRET, TOKEN))


def test_secrets_of_the_environment_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ACCESS_KEY_ID", "AKIAEXAMPLE"), ("SECRET_ACCESS_KEY", SECRET), ("SESSION_TOKEN", TOKEN)):
        monkeypatch.setenv(f"AWS_{name}", value)
    error, asked = read_from(refusal(400, "InvalidToken", f"{SECRET} {TOKEN}"))
    assert asked[0].headers["x-amz-security-token"] == TOKEN
    assert "InvalidToken: *** ***. Hint: check access_pair" in str(error)


def test_nobody_answers() -> None:
    with answering(lambda _: Answer()) as server:
        url = server.url
    with pytest.raises(SourceError, match=r"s3://bucket/p/f cannot be read: .*Hint: check the network, and the endpoint_url"):
        S3Place("s3://bucket/p", Credentials(endpoint_url=url)).read("f")


LIST = """<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>1</KeyCount>{}</ListBucketResult>"""
AWKWARD = ("p/v3/../../x", "p//x", "p/v3/", "p/a%0Ab", "p/a%5Cb", "p/./x", "elsewhere/x", "p", "p/good%2Bname", "p/e%C3%A9")


def test_names_that_lead_elsewhere_are_passed_over() -> None:
    body = LIST.format("<EncodingType>url</EncodingType>" + "".join(f"<Contents><Key>{key}</Key></Contents>" for key in AWKWARD))
    with answering(lambda _: Answer(200, body.encode())) as server:
        assert list(S3Place("s3://bucket/p", Credentials(endpoint_url=server.url)).paths("")) == ["good+name", "eé"]


def test_a_list_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "MOST_KEYS", 5)
    token = iter(range(100))

    def answer(_: Asked) -> Answer:
        more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{next(token)}</NextContinuationToken>"
        return Answer(200, f"<ListBucketResult>{more}</ListBucketResult>".encode())

    with answering(answer) as server, pytest.raises(SourceError, match="more than 5 files"):
        list(S3Place("s3://bucket/p", Credentials(endpoint_url=server.url)).paths(""))
    assert len(server.asked) == 6


@pytest.mark.parametrize("url", ["s3://", "s3:///a", "s3://user:secret@bucket/a", "https://bucket/a", "s3://bucket/a\nb", "s3://b?x=y"])
def test_what_is_no_bucket(url: str) -> None:
    with pytest.raises(InputError, match="not the URL of a bucket") as caught:
        S3Place(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "credentials",
    [
        Credentials(user="AKIAEXAMPLE"),
        Credentials(secret=SECRET),
        Credentials(token=TOKEN),
        Credentials(endpoint_url=f"https://a:{SECRET}@b"),
    ],
)
def test_credentials_that_cannot_be_meant(credentials: Credentials) -> None:
    with pytest.raises(InputError) as caught:
        S3Place("s3://bucket", credentials)
    assert SECRET not in str(caught.value)


def test_an_endpoint_without_a_scheme_is_https() -> None:
    assert s3._endpoint(Credentials(endpoint_url="minio.example.org:9000")) == "https://minio.example.org:9000"
    with pytest.raises(SourceError, match="Invalid endpoint"):
        S3Place("s3://bucket", Credentials(endpoint_url="http://a b"))


def test_boto3_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(UnsupportedError, match=r"pip install 'spack-resolver\[s3\]'"):
        S3Place("s3://bucket")
