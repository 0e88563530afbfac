"""A bucket's prefix as a place, read with boto3, which is loaded when a place is made.

Source of what is honoured: Spack ``util/s3.py``, ``mirrors/mirror.py``. Without credentials reads are not signed, as public buckets want.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from resolver.errors import InputError, ResolverError, SourceError, UnsupportedError
from resolver.sources.credentials import NO_CREDENTIALS, Credentials
from resolver.sources.place import MOST_SMALL_BYTES, Fetched, Report, no_report
from resolver.sources.s3_errors import UNSAFE, code_of, failures, in_words
from resolver.sources.s3_transfer import CHUNK_BYTES, pour, rest_of
from resolver.sources.sink import Sink

MOST_KEYS = 5_000_000
"""The longest list of files that is read; an empty page of a list counts as one."""
WAITS = (0.2, 0.5, 1.0)
"""Seconds before each further try to read on where a stream broke; requests as such are tried again by botocore."""
ATTEMPTS = 5
CONNECT_SECONDS = 10
READ_SECONDS = 60
URL = re.compile(r"s3://(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]{0,254})(?:/(?P<prefix>[^\x00-\x1f\x7f]*))?")
DIRECTORY_BUCKET = "--x-s3"
MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
UNCHANGED = frozenset({"304", "NotModified"})
EMPTY = frozenset({"416", "InvalidRange"})
SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


class S3Place:
    """Files below ``s3://bucket/prefix``.

    Raises ``InputError`` when the URL is none of these or the credentials are incomplete, ``UnsupportedError`` when boto3 is not
    installed, ``SourceError`` when what is configured cannot be used.
    """

    def __init__(self, url: str, credentials: Credentials = NO_CREDENTIALS) -> None:
        self._bucket, self._prefix = _parts(url)
        self._secrets = (credentials.user, credentials.secret, credentials.token, *(os.environ.get(name, "") for name in SECRETS))
        self._signed = True
        _need_boto3()
        _check(credentials)
        try:
            self._client, self._signed = _client(credentials)
        except failures() as error:
            raise self._error(self._prefix, error) from None

    @property
    def url(self) -> str:
        """``s3://bucket/prefix``."""
        return self._named(self._prefix)

    def read(self, path: str, *, most: int = MOST_SMALL_BYTES, tag: str = "", report: Report = no_report) -> Fetched | None:
        """An object's bytes, or None when there is no such object; a broken stream is read on from where it broke.

        ``tag`` is an entity tag. Raises ``SourceError``.
        """
        key = self._key(path)
        part = _Part(self._named(key), most, report)
        for wait in (*WAITS, None):
            answer = self._get(key, part.conditions(tag)) if key else None
            if answer is None:
                return None
            if not answer:
                return Fetched(b"", "", tag, unchanged=True)
            try:
                part.take(answer)
                return part.fetched()
            except failures() as error:
                if wait is None:
                    raise self._error(key, error) from None
                time.sleep(wait)
        return None

    def exists(self, path: str) -> bool:
        """Is there such an object? Asked for by a byte of it, since to a HEAD S3 does not say that the bucket is missing."""
        return self.length(path) is not None

    def length(self, path: str) -> int | None:
        """See ``Place``. Asked for as ``exists`` does."""
        key = self._key(path)
        if not key:
            return None
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key, Range="bytes=0-0")
            answer["Body"].close()
        except failures() as error:
            if (code := code_of(error)) in MISSING or code in EMPTY:
                return 0 if code in EMPTY else None
            raise self._error(key, error) from None
        whole = str(answer.get("ContentRange", "")).rpartition("/")[2]
        return int(whole) if whole.isascii() and whole.isdigit() else -1

    def fetch(self, path: str, sink: Sink) -> bool:
        """See ``Place``. A stream that breaks is read on from where it broke, as long as the object is the same."""
        key = self._key(path)
        for wait in (*WAITS, None):
            answer = self._get_rest(key, sink)
            if not answer:
                return False
            try:
                pour(answer, sink, self._named(key))
            except failures() as error:
                if wait is None:
                    raise self._error(key, error) from None
                time.sleep(wait)
            else:
                break
        sink.check()
        return True

    def paths(self, folder: str) -> Iterator[str]:
        """All objects below a folder, sorted; names that could lead out of a folder are passed over. Raises ``SourceError``."""
        names = self._names(folder.strip("/"))
        # Buckets answer in the order of UTF-8, which is that of Python; directory buckets in none.
        yield from sorted(names) if self._bucket.endswith(DIRECTORY_BUCKET) else names

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def _names(self, folder: str) -> Iterator[str]:
        below = f"{self._prefix}/" if self._prefix else ""
        prefix = f"{below}{folder}/" if folder else below
        for key in self._keys(prefix):
            name = key.removeprefix(below)
            if key.startswith(prefix) and _is_safe(name):
                yield name

    def _keys(self, prefix: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        count = 0
        try:
            for page in pages:
                found = page.get("Contents", ())
                count += max(1, len(found))
                if count > MOST_KEYS:
                    msg = f"{self._named(prefix)} holds more than {MOST_KEYS} files"
                    raise SourceError(msg, why="so many are not listed", hint="let `spack buildcache update-index` write an index")
                yield from (item["Key"] for item in found)
        except failures() as error:
            raise self._error(prefix, error) from None

    def _get(self, key: str, conditions: Mapping[str, str]) -> dict[str, Any] | None:
        """S3's answer; None when there is no such object, empty when it is unchanged."""
        try:
            found: dict[str, Any] = self._client.get_object(Bucket=self._bucket, Key=key, **conditions)
        except failures() as error:
            if (code := code_of(error)) in MISSING:
                return None
            if code in UNCHANGED and "IfNoneMatch" in conditions:
                return {}
            raise self._error(key, error) from None
        return found

    def _get_rest(self, key: str, sink: Sink) -> dict[str, Any] | None:
        """The rest of what a sink has, or the whole when that is not to be had: the object may have changed since."""
        conditions = rest_of(sink, self._named(key))
        try:
            return self._get(key, conditions)
        except SourceError:
            if not conditions:
                raise
        return self._get(key, {})

    def _key(self, path: str) -> str:
        if path and not _is_safe(path):
            raise InputError(f"{path[:100]!r} is no path below {self.url}", hint="a path is relative and has neither .. nor backslashes")
        return f"{self._prefix}/{path}".strip("/")

    def _named(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}".rstrip("/")

    def _error(self, key: str, error: Exception) -> ResolverError:
        return in_words(error, self._named(key), signed=self._signed, secrets=self._secrets)


class _Part:
    """The bytes of an object as far as they have come."""

    def __init__(self, name: str, most: int, report: Report) -> None:
        self._name, self._most, self._report = name, most, report
        self._total: int | None = None
        self._tag = ""
        self._held = 0
        self._forget()

    def conditions(self, tag: str) -> dict[str, str]:
        """What to ask for: all of it unless it is unchanged, or the rest of what was begun."""
        if self._held and self._tag:
            return {"Range": f"bytes={self._held}-", "IfMatch": self._tag}
        return {"IfNoneMatch": tag} if tag else {}

    def take(self, answer: dict[str, Any]) -> None:
        """Read a body to its end. Raises ``SourceError`` when it is too large, botocore's errors when it breaks."""
        body = answer["Body"]
        try:
            self._begin(str(answer.get("ContentRange", "")), str(answer.get("ETag", "")))
            length = answer.get("ContentLength")
            self._total = None if length is None else self._held + length
            self._check(self._total or 0)
            while chunk := body.read(CHUNK_BYTES):
                self._add(chunk)
        finally:
            body.close()

    def fetched(self) -> Fetched:
        """The whole. Raises ``SourceError`` when it is less or more than was announced."""
        if self._total not in {None, self._held}:
            msg = f"{self._name} has {self._held} bytes, announced were {self._total}"
            raise SourceError(msg, hint="try again")
        # a BytesIO gives away its own buffer, so that the body is held once
        return Fetched(self._buffer.getvalue(), self._hash.hexdigest(), self._tag)

    def _begin(self, span: str, tag: str) -> None:
        if not span.startswith(f"bytes {self._held}-"):
            self._forget()
        if self._held and tag != self._tag:
            raise SourceError(f"{self._name} cannot be read", why="it changed while it was read", hint="try again")
        self._tag = tag

    def _forget(self) -> None:
        """Drop what has come; the report is told of it as a negative count."""
        if self._held:
            self._report(-self._held, self._total)
        self._buffer, self._hash, self._held = io.BytesIO(), hashlib.sha256(), 0

    def _add(self, chunk: bytes) -> None:
        self._check(self._held + len(chunk))
        self._buffer.write(chunk)
        self._hash.update(chunk)
        self._held += len(chunk)
        self._report(len(chunk), self._total)

    def _check(self, size: int) -> None:
        if size > self._most:
            msg = f"{self._name} has {size} bytes or more"
            raise SourceError(msg, why=f"at most {self._most} are read", hint="check that this is the right file")


def _parts(url: str) -> tuple[str, str]:
    """Bucket and prefix."""
    found = URL.fullmatch(url)
    if found is None:
        why = "a bucket's name has letters, digits, dots and dashes"
        hint = "write s3://bucket/prefix; keys stand as access_pair in mirrors.yaml"
        raise InputError("not the URL of a bucket", why=why, hint=hint)
    return found["bucket"], (found["prefix"] or "").strip("/")


def _need_boto3() -> None:
    try:
        import boto3  # noqa: F401
    except ImportError:
        msg = "buckets (s3://) cannot be read"
        raise UnsupportedError(msg, why="boto3 is not installed", hint="pip install 'spack-resolver[s3]'") from None


def _check(credentials: Credentials) -> None:
    """Refuse what botocore would stumble over, or send to the wrong place."""
    hint = "an access_pair has an id and a secret; an access_token stands beside one"
    if bool(credentials.user) != bool(credentials.secret) or (credentials.token and not credentials.user):
        raise InputError("incomplete credentials of a bucket", hint=hint)
    if "@" in (_endpoint(credentials) or ""):
        raise InputError("an endpoint_url that holds an @", why="credentials do not stand in it", hint=hint)


def _client(credentials: Credentials) -> tuple[Any, bool]:
    """A client of boto3, and whether it signs."""
    from boto3.session import Session
    from botocore import UNSIGNED
    from botocore.config import Config

    session = Session(
        aws_access_key_id=credentials.user or None,
        aws_secret_access_key=credentials.secret or None,
        aws_session_token=credentials.token or None,
        profile_name=credentials.profile or None,
    )
    config = Config(
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS}, connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS
    )
    signed = session.get_credentials() is not None
    if not signed:
        config = config.merge(Config(signature_version=UNSIGNED))
    return session.client("s3", config=config, endpoint_url=_endpoint(credentials)), signed


def _endpoint(credentials: Credentials) -> str | None:
    """The configured endpoint; https is meant where no scheme is given (``_parse_s3_endpoint_url``)."""
    url = credentials.endpoint_url or os.environ.get("S3_ENDPOINT_URL", "")
    return (url if "://" in url else f"https://{url}") if url else None


def _is_safe(name: str) -> bool:
    """May this be the path of a file below a folder."""
    return not UNSAFE.search(name) and not any(part in {"", ".", ".."} for part in name.split("/"))
