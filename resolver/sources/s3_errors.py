"""What goes wrong between here and a bucket, in words, and what to do about it. No secret is in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from resolver.errors import SourceError

UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]")
SECRET_LENGTH = 4
"""Shorter words are no secrets, and would be found inside of others."""
LONGEST_SHOWN = 300
REGION = re.compile(r"[a-z0-9-]{1,40}")
CHANGED = frozenset({"412", "PreconditionFailed"})
WRONG_REGION = frozenset(
    {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301", "307", "RecursionError"}
)
REFUSED = frozenset({"AccessDenied", "AllAccessDisabled", "403", "Forbidden", "401"})
CREDENTIALS_HINT = "check access_pair, access_token and profile in mirrors.yaml, or the AWS_* variables"
HINTS = {
    "NoSuchBucket": "check the bucket's name, and the endpoint_url in mirrors.yaml or S3_ENDPOINT_URL if it is not at Amazon",
    "InvalidAccessKeyId": CREDENTIALS_HINT,
    "SignatureDoesNotMatch": CREDENTIALS_HINT,
    "InvalidToken": CREDENTIALS_HINT,
    "ExpiredToken": "the credentials have run out: log in again",
    "RequestTimeTooSkewed": "set this machine's clock",
    "SlowDown": "try again later",
    "ProfileNotFound": "name a profile that stands in ~/.aws/config, in mirrors.yaml or AWS_PROFILE",
    "PartialCredentialsError": CREDENTIALS_HINT,
    "EndpointConnectionError": "check the network, and the endpoint_url in mirrors.yaml or S3_ENDPOINT_URL",
    "ConnectTimeoutError": "check the network, and the endpoint_url in mirrors.yaml or S3_ENDPOINT_URL",
    "ProxyConnectionError": "check the proxy in HTTPS_PROXY",
    "SSLError": "the endpoint's certificate is not trusted: name its authority's file in AWS_CA_BUNDLE",
    "ValueError": "check the endpoint_url in mirrors.yaml or S3_ENDPOINT_URL",
    "InvalidRegionError": "check the region in ~/.aws/config or AWS_DEFAULT_REGION",
}
"""What to do about an error, by S3's code or by the name of botocore's class."""


def in_words(error: Exception, where: str, *, signed: bool, secrets: Iterable[str]) -> SourceError:
    """The error that ends a read. ``signed`` is whether credentials were found; ``secrets`` are taken out of what the server says."""
    code = code_of(error)
    why = _message(error)
    for secret in secrets:
        if len(secret) >= SECRET_LENGTH:
            why = why.replace(secret, "***")
    why = UNSAFE.sub(" ", why)[:LONGEST_SHOWN].rstrip(". ")
    return SourceError(f"{where} cannot be read", why=why or code, hint=_hint(code, error, signed=signed))


def _hint(code: str, error: Exception, *, signed: bool) -> str:
    if code in WRONG_REGION:
        region = _header(error, "x-amz-bucket-region")
        return f"set AWS_DEFAULT_REGION{f'={region}' if REGION.fullmatch(region) else ' to the region of the bucket'}"
    if code in REFUSED and not signed:
        return "no credentials were found, so that nothing was signed: set access_pair or profile in mirrors.yaml, or AWS_PROFILE"
    if code in REFUSED:
        return "these credentials may not read it; without the right to list, S3 says so of missing files as well"
    return HINTS.get(code, "try again; if it stays so, ask who runs the bucket")


def failures() -> tuple[type[Exception], ...]:
    """All that boto3 and what it stands on may raise; without end it asks an endpoint that redirects and names no region."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError
    from urllib3.exceptions import HTTPError

    return (Boto3Error, BotoCoreError, ClientError, ResponseParserError, HTTPError, OSError, ValueError, RecursionError)


def _response(error: Exception) -> dict[str, Any]:
    found = getattr(error, "response", None)
    return found if isinstance(found, dict) else {}


def code_of(error: Exception) -> str:
    """S3's code for an error, else the name of its class."""
    code = str(_response(error).get("Error", {}).get("Code", "")) or type(error).__name__
    return UNSAFE.sub("", code)[:60]


def _message(error: Exception) -> str:
    """What S3 says, with its code, else what the error says."""
    if not _response(error):
        return str(error) if not isinstance(error, RecursionError) else "the endpoint redirects and names no region"
    code = code_of(error)
    return f"{code}: {_response(error).get('Error', {}).get('Message', '')}" if code not in CHANGED else "it changed while it was read"


def _header(error: Exception, name: str) -> str:
    return str(_response(error).get("ResponseMetadata", {}).get("HTTPHeaders", {}).get(name, ""))
