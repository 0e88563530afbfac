"""A realm on the loopback that gives tokens a real registry accepts: JSON web tokens, signed with a key made for the test."""

from __future__ import annotations

import base64
import datetime as dt
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from fakes.registry_answers import Answer, Asked, Server, answering

ISSUER = "test-issuer"
SERVICE = "test-registry"
TOKEN_SECONDS = 60


class Realm(NamedTuple):
    """A running realm, and how a registry is told of it."""

    server: Server
    auth: dict[str, Any]
    given: list[str]


@contextmanager
def realm(folder: Path, authorization: str = "", refresh_token: str = "") -> Iterator[Realm]:
    """A realm that gives tokens to one who sends this header, or posts this refresh token; without both, to everybody."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(key)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "roots.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    given: list[str] = []

    def answer(asked: Asked) -> Answer:
        query = parse_qs(urlsplit(asked.path).query if asked.method == "GET" else asked.body.decode())
        wanted = asked.headers.get("authorization", "") if asked.method == "GET" else query["refresh_token"][0]
        if wanted != (authorization if asked.method == "GET" else refresh_token) or query["service"] != [SERVICE]:
            return Answer(401)
        given.append(_token(key, certificate, query["scope"][0], len(given)))
        return Answer(200, json.dumps({"token": given[-1]}).encode())

    with answering(answer) as server:
        about = {"realm": f"{server.url}/token", "service": SERVICE, "issuer": ISSUER, "rootcertbundle": str(folder / "roots.pem")}
        yield Realm(server, {"token": about}, given)


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, ISSUER)])
    now = dt.datetime.now(dt.UTC)
    day = dt.timedelta(days=1)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - day).not_valid_after(now + day)
    return made.sign(key, hashes.SHA256())


def _token(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate, scope: str, number: int) -> str:
    kind, name, actions = scope.split(":")
    now = int(time.time())
    access = [{"type": kind, "name": name, "actions": actions.split(",")}]
    chain = [base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()]
    claims = {"iss": ISSUER, "sub": "", "aud": SERVICE, "exp": now + TOKEN_SECONDS, "nbf": now - 10, "iat": now, "jti": str(number)}
    signed = f"{_part({'typ': 'JWT', 'alg': 'ES256', 'x5c': chain})}.{_part({**claims, 'access': access})}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{_encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _part(document: dict[str, Any]) -> str:
    return _encode(json.dumps(document).encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
