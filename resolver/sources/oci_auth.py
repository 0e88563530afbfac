"""Who reads from a registry: challenges, what docker's configuration holds, and tokens.

Source: RFC 9110 section 11 (challenges), the distribution registry's token and OAuth2 documents, Spack ``oci/opener.py``.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from resolver.errors import FormatError, InputError, SourceError
from resolver.formats.oci import DOCKER_HUB, Repository
from resolver.sources.credentials import Credentials

CLIENT = "spack-resolver"
MOST_HEADER = 1 << 14
MOST_CONFIG_BYTES = 1 << 20
DOCKER_HUB_NAMES = frozenset({DOCKER_HUB, "docker.io", "registry-1.docker.io"})
DOCKER_PATHS = frozenset({"", "v1", "v2"})
NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]++"
PARAMETER = re.compile(rf'[\s,]*({NAME})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({NAME}))', re.DOTALL)
SCHEME = re.compile(rf"[\s,]*({NAME})(?!\s*=)(?:\s+[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|\Z)))?")
TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,65536}")


class Challenge(msgspec.Struct, frozen=True):
    """One way to say who reads: ``scheme`` is ``bearer``, ``basic`` or another in small letters, ``values`` what it says by names."""

    scheme: str
    values: Mapping[str, str]


class Login(msgspec.Struct, frozen=True):
    """What is known of the one who reads: a user and a secret, a ``bearer`` token for the registry, an ``identity`` token for its realm.

    ``source`` says where from, ``note`` what was found and cannot be used. Never shown.
    """

    user: str = ""
    secret: str = ""
    bearer: str = ""
    identity: str = ""
    source: str = ""
    note: str = ""

    def __repr__(self) -> str:
        """Nothing of what it holds."""
        return "Login(***)"

    @property
    def basic(self) -> str:
        """The header that gives user and secret, empty when there are none."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.secret}".encode()).decode() if self.user and self.secret else ""


class Ask(msgspec.Struct, frozen=True):
    """What a realm is asked for a token: ``query`` goes into its URL, or ``form`` is posted. ``hint`` is for when it refuses."""

    url: str
    hint: str
    query: Mapping[str, str] = {}
    authorization: str = ""
    form: Mapping[str, str] | None = None


class _Auth(msgspec.Struct):
    auth: str = ""
    username: str = ""
    password: str = ""
    identity: str = msgspec.field(name="identitytoken", default="")
    bearer: str = msgspec.field(name="registrytoken", default="")


class _DockerConfig(msgspec.Struct):
    auths: dict[str, _Auth] = {}
    helpers: dict[str, str] = msgspec.field(name="credHelpers", default={})
    store: str = msgspec.field(name="credsStore", default="")


class _Token(msgspec.Struct):
    token: str | None = None
    access_token: str | None = None


_configs = msgspec.json.Decoder(_DockerConfig)  # on import, see formats/manifest.py
_tokens = msgspec.json.Decoder(_Token)


class Authorization:
    """What one registry is told in the header ``Authorization``: nothing until it asks, then a token for its scope, kept until refused.

    A client reads one repository and asks for nothing but to pull, so that there is one scope. ``ask`` answers with the realm's bytes.
    """

    def __init__(self, repository: Repository, login: Login, ask: Callable[[Ask], bytes]) -> None:
        self._repository, self._login, self._ask = repository, login, ask
        self._lock = threading.Lock()
        self.header = ""

    def renew(self, asked: str, sent: str) -> bool:
        """Answer the challenges that a registry made to the header that was sent; is there another to send.

        Threads may have met the same challenge: one answers it for all. Raises ``SourceError`` for realms that cannot be used.
        """
        with self._lock:
            if self.header == sent:
                self.header = self._answer(asked)
            return self.header not in {"", sent}

    def _answer(self, asked: str) -> str:
        offered = {challenge.scheme: challenge for challenge in reversed(read_challenges(asked))}
        if "bearer" in offered:
            return self._bearer(offered["bearer"].values)
        return self._login.basic if "basic" in offered else ""

    def _bearer(self, values: Mapping[str, str]) -> str:
        if self._login.bearer:
            return f"Bearer {self._login.bearer}"
        realm = self._realm(values.get("realm", ""))
        query = {"client_id": CLIENT, "scope": values.get("scope") or f"repository:{self._repository.name}:pull"}
        if service := values.get("service"):
            query["service"] = service
        if self._login.identity:
            form = {**query, "grant_type": "refresh_token", "refresh_token": self._login.identity}
            return f"Bearer {read_token(self._ask(Ask(realm, self.hint, form=form)))}"
        return f"Bearer {read_token(self._ask(Ask(realm, self.hint, query, self._login.basic)))}"

    def _realm(self, url: str) -> str:
        """The realm's URL, when credentials may be sent there: over https, or where the registry itself is read over http."""
        try:
            parts = urlsplit(url)
        except ValueError:
            parts = urlsplit("")
        if parts.hostname and parts.username is None and parts.scheme in {"https", self._repository.scheme}:
            return url
        msg = f"{self._repository.url} names a place for tokens that is not used"
        why = f"it is {parts.scheme or 'no URL'}://{parts.hostname or ''}, and tokens are asked for over https only"
        raise SourceError(msg, why=why, hint="ask who runs the registry")

    @property
    def hint(self) -> str:
        """What to do when it is refused."""
        login, registry = self._login, self._repository.registry
        note = f"; {login.note}" if login.note else ""
        if login.source:
            return f"check {login.source}: it was refused, or may not read this repository{note}"
        return f"set access_pair in mirrors.yaml, or log in with `docker login {registry}`{note}"


def read_challenges(header: str) -> list[Challenge]:
    """The challenges of a ``WWW-Authenticate`` header, in order; several headers are one with commas. What cannot be read ends it."""
    text, at = header[:MOST_HEADER], 0
    found: list[Challenge] = []
    values: dict[str, str] = {}
    while match := PARAMETER.match(text, at) or SCHEME.match(text, at):
        at = match.end()
        if match.re is SCHEME:
            values = {}
            found.append(Challenge(match[1].lower(), values))
        else:
            values.setdefault(match[1].lower(), match[3] if match[2] is None else re.sub(r"\\(.)", r"\1", match[2]))
    return found


def read_token(data: bytes) -> str:
    """The token of a realm's answer. Raises ``FormatError``, which shows nothing of it."""
    try:
        found = _tokens.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = _Token()
    token = found.token or found.access_token or ""
    if not TOKEN.fullmatch(token):
        raise FormatError("the answer to a request for a token holds none", hint="try again; ask who runs the registry")
    return token


def login_for(registry: str, credentials: Credentials) -> Login:
    """Who reads: what mirrors.yaml says, else what docker's configuration says of the registry, else nobody. Raises ``InputError``."""
    if credentials.token and not TOKEN.fullmatch(credentials.token):
        raise InputError("the access token has characters that no token has", hint="see the access_token in mirrors.yaml")
    if credentials.user or credentials.token:
        source = "access_pair in mirrors.yaml" if credentials.user else "access_token in mirrors.yaml"
        return Login(credentials.user, credentials.secret, "" if credentials.user else credentials.token, source=source)
    return _docker_login(registry)


def _docker_login(registry: str) -> Login:
    """The login that ``docker login`` left. Programs that keep secrets for docker are not run."""
    folder = os.environ.get("DOCKER_CONFIG")
    try:
        path = Path(folder) if folder else Path.home() / ".docker"
        with (path / "config.json").open("rb") as file:
            config = _configs.decode(file.read(MOST_CONFIG_BYTES))
    except FileNotFoundError:
        return Login()
    except (OSError, RuntimeError, msgspec.MsgspecError, UnicodeDecodeError):
        return Login(note="docker's config.json cannot be read")
    for key, auth in config.auths.items():
        if _is_same(key, registry) and (login := _login(auth)):
            return login
    helper = next((name for key, name in config.helpers.items() if _is_same(key, registry)), config.store)
    return Login(note=f"docker keeps its logins with the program {helper[:40]!r}, which is not run from here" if helper else "")


def _is_same(key: str, registry: str) -> bool:
    """Is this key of ``auths`` the registry: a host, or an old URL with its version."""
    host, _, path = key.removeprefix("https://").removeprefix("http://").partition("/")
    host, registry = host.lower(), registry.lower()
    return path.strip("/") in DOCKER_PATHS and (host == registry or {host, registry} <= DOCKER_HUB_NAMES)


def _login(auth: _Auth) -> Login | None:
    try:
        user, _, secret = base64.b64decode(auth.auth, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user, secret = "", ""
    user, secret = auth.username or user, auth.password or secret.rstrip("\0")
    usable = (user and secret) or auth.identity or TOKEN.fullmatch(auth.bearer)
    return Login(user, secret, auth.bearer, auth.identity, "the login of docker (config.json)") if usable else None
