"""Registries: most tests read from Debian's ``docker-registry`` on the loopback, those of faults from a server that says what they want.

``fakes/registry.py`` starts the program; where it is not installed its tests are skipped. Debian's release 2.8 does not part a list of
tags into pages, so that the pages are a fake's.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fakes import registry
from fakes.registry import PASSWORD, USER, Blob, Pusher, digest, manifest_of, package_config
from fakes.registry_answers import Answer, Asked, answering
from fakes.registry_tokens import realm

from resolver.errors import FormatError, InputError, ResolverError, SourceError, UnsupportedError, VerificationError
from resolver.formats.index import read_index
from resolver.formats.oci import Repository, is_package_tag, package_tag
from resolver.sources import oci
from resolver.sources.credentials import NO_CREDENTIALS, Credentials
from resolver.sources.http_pace import Patience
from resolver.sources.oci import Registry
from resolver.sources.oci_auth import Ask, Authorization, Login, login_for, read_challenges, read_token

DATA = Path(__file__).parents[1] / "data"
SAMPLE = (DATA / "oci" / "config_zlib-ng.json").read_bytes()
(INDEX,) = [path.read_bytes() for path in (DATA / "mirrors" / "v3" / "blobs").rglob("*") if path.stat().st_size > 20_000]
ARCHIVE = b"an archive, as far as a registry is concerned"
ZLIB = package_tag("zlib-ng", "2.3.3", "efw3j233uw6dsjy4tlubrab37bjdm6tf")
LOGIN = Credentials(user=USER, secret=PASSWORD)
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
SECRET = "s3cr3t-of-nobody"  # noqa: S105
Open = Callable[..., Registry]
needs_registry = pytest.mark.skipif(registry.PROGRAM is None, reason=registry.NOT_INSTALLED)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def open_registry(waits: list[float]) -> Iterator[Open]:
    opened: list[Registry] = []

    def call(host: str, credentials: Credentials = NO_CREDENTIALS, *, name: str = "org/cache", page: int = oci.PAGE) -> Registry:
        patience = Patience(tries=3, sleep=waits.append)
        opened.append(Registry(f"oci+http://{host}/{name}", credentials, patience=patience, page=page))
        return opened[-1]

    yield call
    for one in opened:
        one.close()


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registry")


@pytest.fixture(scope="module")
def host(storage: Path) -> Iterator[str]:
    """A registry that lets anybody read and push, with a build cache."""
    with registry.running(storage / "data", storage / "open") as found:
        with Pusher(found, "org/cache") as pusher:
            pusher.index(INDEX)
            config = Blob(package_config(SAMPLE, ARCHIVE), registry.CONFIG)
            pusher.image(ZLIB, config, Blob(b"a dependency"), Blob(ARCHIVE))
            pusher.image("docker.spack", config, Blob(ARCHIVE), media_type="application/vnd.docker.distribution.manifest.v2+json")
            pusher.image("other.spack", config, Blob(ARCHIVE), Blob(b"something after it"))
            pusher.image("environment", Blob(b"{}", registry.CONFIG), Blob(b"a user's own"))
        yield found


@pytest.fixture(scope="module")
def guarded(host: str, storage: Path) -> Iterator[str]:
    """The same cache behind a user and a password."""
    assert host
    (storage / "htpasswd").write_text(registry.HTPASSWD)
    auth = {"htpasswd": {"realm": "test", "path": str(storage / "htpasswd")}}
    with registry.running(storage / "data", storage / "guarded", auth) as found:
        yield found


def docker_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **content: Any) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps(content))


def encoded(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


@needs_registry
def test_the_index(host: str, open_registry: Open) -> None:
    cache = open_registry(host, name="Org/Cache:some-tag")
    assert cache.url == f"oci+http://{host}/org/cache"
    index = cache.index_manifest()
    assert index is not None
    assert (index.digest, index.size) == (digest(INDEX), len(INDEX))
    told: list[tuple[int, int | None]] = []
    data = cache.blob(index.digest, size=index.size, report=lambda count, total: told.append((count, total)))
    assert data == INDEX
    assert read_index(data).size == 52
    assert (sum(count for count, _ in told), told[-1][1]) == (len(INDEX), len(INDEX))


@needs_registry
def test_a_repository_that_is_not_there(host: str, open_registry: Open) -> None:
    cache = open_registry(host, name="org/nothing")
    assert cache.index_manifest() is None
    assert cache.package(ZLIB) is None
    with pytest.raises(SourceError, match="has no tags: the registry knows no such repository"):
        list(cache.tags())


@needs_registry
def test_a_package(host: str, open_registry: Open) -> None:
    cache = open_registry(host)
    package = cache.package(ZLIB)
    assert package is not None
    assert (package.archive.digest, package.archive.size) == (digest(ARCHIVE), len(ARCHIVE))
    assert json.loads(package.document)["spec"]["nodes"][0]["name"] == "zlib-ng"
    assert cache.blob(package.archive.digest, size=package.archive.size) == ARCHIVE
    assert cache.package("docker.spack") == package
    assert cache.package("zlib-ng-0-none.spack") is None
    assert repr(cache) == f"Registry('{cache.url}')"


@needs_registry
def test_a_package_whose_spec_is_of_another_archive(host: str, open_registry: Open) -> None:
    with pytest.raises(VerificationError, match=r"org/cache:other\.spack is of another archive: it states sha256:"):
        open_registry(host).package("other.spack")


@needs_registry
def test_what_is_no_package(host: str, open_registry: Open) -> None:
    with pytest.raises(FormatError, match="org/cache:environment: not the configuration of a package"):
        open_registry(host).package("environment")
    for tag in ("../../etc", "a b", "", "a" * 129, "a?b"):
        with pytest.raises(InputError, match="is no tag"):
            open_registry(host).package(tag)


@needs_registry
def test_all_tags(host: str, open_registry: Open) -> None:
    tags = list(open_registry(host).tags())
    assert sorted(tags) == sorted([ZLIB, "docker.spack", "other.spack", "index.spack", "environment"])
    assert sum(map(is_package_tag, tags)) == 3


@needs_registry
def test_a_blob_that_is_missing(host: str, open_registry: Open) -> None:
    with pytest.raises(VerificationError, match=r"the blob sha256:[0-9a-f]{64} of .* is missing"):
        open_registry(host).blob(digest(b"never pushed"))
    with pytest.raises(VerificationError, match="has no sha256"):
        open_registry(host).blob("sha256:../../../x")


@needs_registry
def test_no_more_than_was_asked_for(host: str, open_registry: Open) -> None:
    cache = open_registry(host)
    with pytest.raises(SourceError, match=r"has 65374 bytes: at most 100 are read"):
        cache.blob(digest(INDEX), size=len(INDEX), most=100)
    with pytest.raises(SourceError, match=r"larger than the 100 bytes"):
        cache.blob(digest(INDEX), most=100)


@needs_registry
def test_a_password(guarded: str, open_registry: Open) -> None:
    assert open_registry(guarded, LOGIN).blob(digest(INDEX)) == INDEX
    with pytest.raises(
        SourceError, match=r"index\.spack cannot be read: .*401.*Hint: set access_pair in mirrors.yaml, or log in with `docker"
    ):
        open_registry(guarded).index_manifest()
    with pytest.raises(SourceError, match=r"401 Unauthorized\. Hint: check access_pair in mirrors\.yaml") as caught:
        open_registry(guarded, Credentials(user=USER, secret=SECRET)).index_manifest()
    assert SECRET not in repr(vars(caught.value))


@needs_registry
def test_a_login_of_docker(guarded: str, open_registry: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    docker_config(monkeypatch, tmp_path, auths={guarded: {"auth": encoded(USER, PASSWORD)}})
    assert open_registry(guarded).index_manifest() is not None
    docker_config(monkeypatch, tmp_path, auths={f"http://{guarded}/v2/": {"username": USER, "password": SECRET}})
    with pytest.raises(SourceError, match=r"Hint: check the login of docker \(config\.json\)"):
        open_registry(guarded).index_manifest()
    docker_config(monkeypatch, tmp_path, auths={guarded: {}}, credsStore="desktop")
    with pytest.raises(SourceError, match="docker keeps its logins with the program 'desktop', which is not run from here"):
        open_registry(guarded).index_manifest()


@needs_registry
def test_tokens_for_anybody(host: str, storage: Path, tmp_path: Path, open_registry: Open) -> None:
    assert host
    with realm(tmp_path / "realm") as tokens, registry.running(storage / "data", tmp_path, tokens.auth) as found:
        cache = open_registry(found)
        assert cache.index_manifest() is not None
        assert cache.package(ZLIB) is not None
        assert len(list(cache.tags())) == 5
        assert len(tokens.given) == 1
        cache._reader._authorization.header = "Bearer one.that.expired"
        assert cache.index_manifest() is not None
        assert len(tokens.given) == 2
        asked = parse_qs(urlsplit(tokens.server.asked[0].path).query)
        assert asked == {"client_id": ["spack-resolver"], "service": ["test-registry"], "scope": ["repository:org/cache:pull"]}


@needs_registry
def test_tokens_for_those_who_log_in(
    host: str, storage: Path, tmp_path: Path, open_registry: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert host
    with realm(tmp_path / "realm", BASIC, SECRET) as tokens, registry.running(storage / "data", tmp_path, tokens.auth) as found:
        assert open_registry(found, LOGIN).index_manifest() is not None
        docker_config(monkeypatch, tmp_path, auths={found: {"auth": encoded("<token>", ""), "identitytoken": SECRET}})
        assert open_registry(found).index_manifest() is not None
        assert tokens.server.asked[-1].method == "POST"
        assert open_registry(found, Credentials(token=tokens.given[0])).index_manifest() is not None
        for credentials in (Credentials(user=USER, secret="not-it"), Credentials(token="not-it")):  # noqa: S106
            with pytest.raises(SourceError, match=r"401 Unauthorized\. Hint: check access_") as caught:
                open_registry(found, credentials).index_manifest()
            assert "not-it" not in repr(vars(caught.value))


# what a real registry cannot be made to say


MANIFEST = manifest_of(Blob(b"{}", registry.CONFIG), Blob(INDEX))


def cache_that(answers: dict[str, Answer | Callable[[Asked], Answer]]) -> Callable[[Asked], Answer]:
    """A registry that answers by the end of a path."""

    def answer(asked: Asked) -> Answer:
        found = next((said for path, said in answers.items() if urlsplit(asked.path).path.endswith(path)), Answer(404))
        return found if isinstance(found, Answer) else found(asked)

    return answer


@pytest.mark.parametrize("data", [b"x" + INDEX[1:], INDEX[:-1], INDEX + b" "])
def test_a_blob_that_is_another_one(data: bytes, open_registry: Open) -> None:
    with answering(cache_that({digest(INDEX): Answer(200, data)})) as server:
        with pytest.raises(VerificationError, match=rf"is not what its manifest says: {len(data)} bytes with sha256 "):
            open_registry(server.host).blob(digest(INDEX), size=len(INDEX))
        with pytest.raises(VerificationError, match="is not what its manifest says"):
            open_registry(server.host).blob(digest(INDEX))


def test_a_blob_of_another_size_than_stated(open_registry: Open) -> None:
    with answering(cache_that({digest(INDEX): Answer(200, INDEX)})) as server, pytest.raises(VerificationError, match="is not what its"):
        open_registry(server.host).blob(digest(INDEX), size=len(INDEX) + 1)
    long = INDEX + b"x" * oci.SLACK
    with answering(cache_that({digest(long): Answer(200, long)})) as server, pytest.raises(SourceError, match="larger than the 6"):
        open_registry(server.host).blob(digest(long), size=1)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (MANIFEST[:-5], FormatError, "org/cache:index.spack: not an image manifest"),
        (b'{"schemaVersion":2,"manifests":[]}', UnsupportedError, "org/cache:index.spack: a list of images for several platforms"),
        (b"<html>", FormatError, "not an image manifest"),
    ],
)
def test_manifests_that_are_none(data: bytes, error: type[ResolverError], message: str, open_registry: Open) -> None:
    with answering(cache_that({"index.spack": Answer(200, data)})) as server, pytest.raises(error, match=message):
        open_registry(server.host).index_manifest()


def test_both_kinds_of_manifest_are_accepted(open_registry: Open) -> None:
    with answering(cache_that({"index.spack": Answer(200, MANIFEST)})) as server:
        assert open_registry(server.host).index_manifest() is not None
        accepted = server.asked[0].headers["accept"]
    assert accepted == "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"


TAGS = json.loads((DATA / "oci" / "tags_list.json").read_bytes())["tags"]


def paged(asked: Asked, link: str = '</v2/org/cache/tags/list?n={n}&last={last}>; rel="next"') -> Answer:
    query = parse_qs(urlsplit(asked.path).query)
    count, last = int(query["n"][0]), query.get("last", [""])[0]
    tags = [tag for tag in sorted(TAGS) if tag > last]
    body = json.dumps({"name": "org/cache", "tags": tags[:count]}).encode()
    return Answer(200, body, {"Link": link.format(n=count, last=tags[count - 1])} if len(tags) > count else {})


@pytest.mark.parametrize("count", [7, 39, 40, 1000])
def test_tags_come_in_pages(count: int, open_registry: Open) -> None:
    with answering(paged) as server:
        assert list(open_registry(server.host, page=count).tags()) == sorted(TAGS)
        assert len(server.asked) == -(-len(TAGS) // count)


@pytest.mark.parametrize(
    ("link", "pages"),
    [
        ("<list?n={n}&last={last}>;rel=next", 4),
        ('<x>; rel="first", <?n={n}&last={last}>; title="a, <b>; rel=next"; rel="up next"', 4),
        ('</elsewhere>; rel="prev"', 1),
        ("</elsewhere>", 1),
        ("nonsense; rel=next", 1),
        ('<x>; rel="nextish"', 1),
    ],
)
def test_links(link: str, pages: int, open_registry: Open) -> None:
    with answering(lambda asked: paged(asked, link)) as server:
        assert list(open_registry(server.host, page=10).tags()) == sorted(TAGS)[: pages * 10]
        assert len(server.asked) == pages


@pytest.mark.parametrize(
    "link",
    ["<http://127.0.0.2:{port}/a>", "<http://127.0.0.1:1/a>", "<https://127.0.0.1:{port}/a>", "<//a:b@127.0.0.1:{port}/a>", "<http://[>"],
)
def test_links_to_other_servers_are_not_followed(link: str, open_registry: Open) -> None:
    def answer(asked: Asked) -> Answer:
        return Answer(200, b'{"tags":["a"]}', {"Link": f"{link.format(port=asked.headers['host'].partition(':')[2])}; rel=next"})

    with answering(answer) as server:
        with pytest.raises(SourceError, match="goes on at another server"):
            list(open_registry(server.host).tags())
        assert len(server.asked) == 1


@pytest.mark.parametrize("last", ["1", "{number}"])
def test_lists_without_an_end(last: str, open_registry: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oci, "MOST_PAGES", 5)
    number = iter(range(100))

    def answer(_: Asked) -> Answer:
        return Answer(200, b'{"tags":["a"]}', {"Link": f"<?last={last.format(number=next(number))}>; rel=next"})

    with answering(answer) as server:
        with pytest.raises(SourceError, match=r"the list of tags of .* does not end"):
            list(open_registry(server.host).tags())
        assert len(server.asked) == (2 if last == "1" else 5)


def test_too_many_tags(open_registry: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oci, "MOST_TAGS", 15)
    with answering(paged) as server, pytest.raises(SourceError, match="does not end"):
        list(open_registry(server.host, page=10).tags())


def test_blobs_may_lie_elsewhere_and_are_asked_for_without_credentials(open_registry: Open) -> None:
    with answering(lambda _: Answer(200, INDEX)) as store:
        there = Answer(307, b"", {"Location": f"{store.url}/bucket/blob?signature={SECRET}"})

        def answer(asked: Asked) -> Answer:
            return there if asked.headers.get("authorization") == BASIC else Answer(401, b"", {"WWW-Authenticate": 'Basic realm="x"'})

        with answering(answer) as server:
            assert open_registry(server.host, LOGIN).blob(digest(INDEX)) == INDEX
            assert [asked.headers.get("authorization") for asked in server.asked] == [None, BASIC]
        assert [asked.headers.get("authorization") for asked in store.asked] == [None]


@pytest.mark.parametrize(("status", "challenge"), [(401, 'Basic realm="x"'), (401, 'Bearer realm="http://127.0.0.1:1/"'), (403, "")])
def test_a_store_that_refuses_is_told_nothing(status: int, challenge: str, open_registry: Open) -> None:
    with answering(lambda _: Answer(status, b"", {"WWW-Authenticate": challenge})) as store:
        there = Answer(302, b"", {"Location": f"{store.url}/blob?signature={SECRET}"})
        with answering(lambda _: there) as server, pytest.raises(SourceError, match=f"the server answered {status}") as caught:
            open_registry(server.host, LOGIN).blob(digest(INDEX))
        assert [asked.headers.get("authorization") for asked in store.asked] == [None]
    assert SECRET not in repr(vars(caught.value))


def test_a_registry_that_never_has_enough(open_registry: Open) -> None:
    number = iter(range(100))

    def answer(asked: Asked) -> Answer:
        if asked.path.startswith("/token"):
            return Answer(200, json.dumps({"access_token": f"t{next(number)}"}).encode())
        return Answer(401, b"", {"WWW-Authenticate": f'Bearer realm="http://{asked.headers["host"]}/token"'})

    with answering(answer) as server:
        cache = open_registry(server.host, LOGIN)
        for _ in range(2):
            with pytest.raises(SourceError, match=r"401 Unauthorized\. Hint: check access_pair in mirrors.yaml: it was refused"):
                cache.index_manifest()
        assert [asked.headers.get("authorization") for asked in server.asked] == [None, BASIC, "Bearer t0", "Bearer t0", BASIC, "Bearer t1"]


@pytest.mark.parametrize("challenge", ['Basic realm="x"', 'Bearer realm="{url}/token"'])
def test_threads_prove_who_reads_once(challenge: str, open_registry: Open) -> None:
    meet = Barrier(3)
    asks: list[str] = []

    def answer(asked: Asked) -> Answer:
        if asked.path.startswith("/token"):
            asks.append(asked.path)
            return Answer(200, b'{"token":"always.the.same"}')
        if "authorization" in asked.headers:
            return Answer(200, MANIFEST)
        meet.wait(10)  # all have been refused before any is answered
        return Answer(401, b"", {"WWW-Authenticate": challenge.format(url=f"http://{asked.headers['host']}")})

    with answering(answer) as server, ThreadPoolExecutor(3) as pool:
        cache = open_registry(server.host, LOGIN)
        assert all(list(pool.map(lambda _: cache.index_manifest(), range(3))))
    assert len(asks) == ("Bearer" in challenge)


@pytest.mark.parametrize("challenge", ["", "Negotiate", 'Digest realm="x", nonce="y"', "%%%"])
def test_challenges_that_cannot_be_answered(challenge: str, open_registry: Open) -> None:
    with answering(lambda _: Answer(401, b"", {"WWW-Authenticate": challenge})) as server:
        with pytest.raises(SourceError, match="401 Unauthorized"):
            open_registry(server.host, LOGIN).index_manifest()
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("body", "status", "error", "message"),
    [
        (b'{"token":"a\\nb"}', 200, FormatError, "holds none"),
        (b'{"token":""}', 200, FormatError, "holds none"),
        (SECRET.encode(), 200, FormatError, "holds none"),
        (b"", 403, SourceError, r"/token\?\*\*\* cannot be read: no token is given, the server answered 403"),
        (b"", 500, SourceError, "500 Internal Server Error, in the last of 3 tries"),
    ],
)
def test_realms_that_give_no_token(body: bytes, status: int, error: type[Exception], message: str, open_registry: Open) -> None:
    def answer(asked: Asked) -> Answer:
        there = Answer(401, b"", {"WWW-Authenticate": f'Bearer realm="http://{asked.headers["host"]}/token"'})
        return Answer(status, body) if asked.path.startswith("/token") else there

    with answering(answer) as server, pytest.raises(error, match=message) as caught:
        open_registry(server.host, LOGIN).index_manifest()
    assert SECRET not in str(caught.value)


def test_what_may_pass_is_tried_again(open_registry: Open, waits: list[float]) -> None:
    answers = iter([Answer(429, b"", {"Retry-After": "7"}), Answer(200, MANIFEST[:9], {"Content-Length": "99"}), Answer(200, MANIFEST)])
    with answering(lambda _: next(answers)) as server:
        assert open_registry(server.host).index_manifest() is not None
    assert len(waits) == 2
    assert waits[0] >= 7
    with answering(lambda _: Answer(503)) as server:
        with pytest.raises(SourceError, match="503 Service Unavailable, in the last of 3 tries"):
            open_registry(server.host).index_manifest()
        assert len(server.asked) == 3


def test_nobody_answers(open_registry: Open) -> None:
    with answering(lambda _: Answer()) as server:
        gone = server.host
    with pytest.raises(SourceError, match=r"/v2/org/cache/manifests/index\.spack cannot be read: the connection failed"):
        open_registry(gone).index_manifest()


def test_a_registry_without_encryption_is_not_read_as_one_with() -> None:
    with answering(lambda _: Answer(200, MANIFEST)) as server:
        cache = Registry(f"oci://{server.host}/org/cache", patience=Patience(tries=1))
        with pytest.raises(SourceError, match=r"https://.* cannot be read"):
            cache.index_manifest()
        cache.close()


# who reads


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", []),
        ("Basic", [("basic", {})]),
        ('Basic realm="a b"', [("basic", {"realm": "a b"})]),
        ('Bearer realm="https://a/t",service="s",scope="repository:x:pull,push"', [("bearer", {"realm": "https://a/t", "service": "s", "scope": "repository:x:pull,push"})]),
        ('BEARER Realm = https , x="a\\"b\\\\c"', [("bearer", {"realm": "https", "x": 'a"b\\c'})]),
        ('Negotiate YWJj==, Basic realm="a", Bearer realm="b", error="c"', [("negotiate", {}), ("basic", {"realm": "a"}), ("bearer", {"realm": "b", "error": "c"})]),
        (',, Basic realm="a",,Digest nonce=1', [("basic", {"realm": "a"}), ("digest", {"nonce": "1"})]),
        ('Basic realm="a", realm="b"', [("basic", {"realm": "a"})]),
        ('realm="a", Basic', [("basic", {})]),
        ('Basic realm="unended', [("basic", {})]),
        ("Basic \x00 Bearer", [("basic", {})]),
        ("Basic " + "a" * 100_000, [("basic", {})]),
    ],
)  # fmt: skip
def test_challenges(header: str, found: list[tuple[str, dict[str, str]]]) -> None:
    assert [(challenge.scheme, challenge.values) for challenge in read_challenges(header)] == found


def authorization(scheme: str, login: Login, asks: list[Ask]) -> Authorization:
    def ask(one: Ask) -> bytes:
        asks.append(one)
        return b'{"token":"new"}'

    return Authorization(Repository(scheme, "host", "org/cache"), login, ask)


def test_tokens_are_asked_for_over_https_only() -> None:
    asks: list[Ask] = []
    for realm_url in ("http://host/token", "https://a:b@host/token", "ftp://host/", "https://", "//host/token", "https://[", ""):
        with pytest.raises(SourceError, match="tokens are asked for over https only"):
            authorization("https", Login(), asks).renew(f'Bearer realm="{realm_url}"', "")
    assert authorization("https", Login(), asks).renew('Bearer realm="https://elsewhere/token"', "")
    assert authorization("http", Login(), asks).renew('Bearer realm="http://elsewhere/token"', "")
    assert [ask.url for ask in asks] == ["https://elsewhere/token", "http://elsewhere/token"]


def test_what_a_realm_is_asked() -> None:
    asks: list[Ask] = []
    challenge = 'Basic realm="x", Bearer realm="https://r/t", scope="repository:a:pull"'
    authorization("https", Login(USER, PASSWORD), asks).renew(challenge, "")
    authorization("https", Login(identity=SECRET), asks).renew('Bearer realm="https://r/t", service=s', "")
    first, second = asks
    assert (first.authorization, first.form) == (BASIC, None)
    assert first.query == {"client_id": "spack-resolver", "scope": "repository:a:pull"}
    assert (second.authorization, second.query) == ("", {})
    expected = {"client_id": "spack-resolver", "service": "s", "scope": "repository:org/cache:pull", "grant_type": "refresh_token"}
    assert second.form == {**expected, "refresh_token": SECRET}


def test_logins_of_docker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    auths = {
        "https://index.docker.io/v1/": {"auth": encoded("hub", "a:b")},
        "https://ghcr.io": {"username": "u", "password": "p"},
        "Quay.io": {"auth": encoded("q", "p") + "\n"},
        "host:5000": {"auth": encoded("<token>", ""), "identitytoken": SECRET},
        "host:5001": {"registrytoken": "a\nb"},
        "ns.io/team": {"auth": encoded("n", "p")},
    }
    docker_config(monkeypatch, tmp_path, auths=auths, credHelpers={"gcr.io": "gcloud"}, HttpHeaders={}, unknown=1)
    hub = login_for("index.docker.io", NO_CREDENTIALS)
    assert (hub.user, hub.secret) == ("hub", "a:b")
    assert login_for("ghcr.io", NO_CREDENTIALS).basic == f"Basic {encoded('u', 'p')}"
    assert login_for("host:5000", NO_CREDENTIALS).identity == SECRET
    for other in ("quay.io", "host:5001", "ns.io", "host", "example.org"):
        assert login_for(other, NO_CREDENTIALS) == Login()
    assert login_for("gcr.io", NO_CREDENTIALS).note == "docker keeps its logins with the program 'gcloud', which is not run from here"
    assert login_for("ghcr.io", LOGIN).user == USER
    assert SECRET not in repr(login_for("host:5000", NO_CREDENTIALS))


@pytest.mark.parametrize("content", [b"{", b'{"auths":[]}', b"\xff", b"[" * 100_000])
def test_a_configuration_of_docker_that_cannot_be_read(content: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    docker_config(monkeypatch, tmp_path)
    (tmp_path / "config.json").write_bytes(content)
    assert login_for("ghcr.io", NO_CREDENTIALS) == Login(note="docker's config.json cannot be read")


def test_the_configuration_of_docker_is_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DOCKER_CONFIG")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert login_for("ghcr.io", NO_CREDENTIALS) == Login()
    (tmp_path / ".docker").mkdir()
    docker_config(monkeypatch, tmp_path / ".docker", auths={"ghcr.io": {"auth": encoded("u", "p")}})
    monkeypatch.delenv("DOCKER_CONFIG")
    assert login_for("ghcr.io", NO_CREDENTIALS).user == "u"


def test_tokens_that_are_none() -> None:
    assert read_token(b'{"token":"a.b-c_d~e+f/g=","expires_in":300}') == "a.b-c_d~e+f/g="
    assert read_token(b'{"token":null,"access_token":"b"}') == "b"
    with pytest.raises(InputError, match="characters that no token has"):
        login_for("ghcr.io", Credentials(token="a\r\nb"))  # noqa: S106


def test_a_host_that_is_none() -> None:
    for url in ("oci://[::::]/a", "oci://xn--.io/a"):
        with pytest.raises(InputError, match="is no host"):
            Registry(url)
