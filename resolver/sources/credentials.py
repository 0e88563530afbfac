"""What opens a place: names and secrets as Spack's ``mirrors.yaml`` gives them. Never shown, never stored."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from resolver.errors import InputError
from resolver.formats.shapes import mapping


class Credentials(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """A user and a secret (``access_pair``), a token (``access_token``), or what boto3 is told (``profile``, ``endpoint_url``).

    All are empty where nothing is configured; then what the environment has counts (netrc, docker's configuration, AWS variables).
    """

    user: str = ""
    secret: str = ""
    token: str = ""
    profile: str = ""
    endpoint_url: str = ""

    def __repr__(self) -> str:
        """Nothing of what it holds."""
        return "Credentials(***)" if self != NO_CREDENTIALS else "Credentials()"


NO_CREDENTIALS = Credentials()


def configured(connection: Mapping[str, Any], where: str) -> Credentials:
    """What an entry of ``mirrors.yaml`` says of how to open it (Spack ``mirrors/mirror.py:Mirror.get_credentials``).

    Secrets may stand in it or in environment variables that it names. Raises ``InputError`` naming a variable that is not set.
    """
    pair = connection.get("access_pair")
    if isinstance(pair, list):
        user, secret = (*("" if part is None else str(part) for part in pair), "", "")[:2]
    else:
        entry = mapping(pair, f"{where}:access_pair")
        user = _value(entry, "id", where)
        secret = _value(entry, "secret", where)
    token = _value(connection, "access_token", where)
    profile, endpoint = (str(connection.get(key) or "") for key in ("profile", "endpoint_url"))
    return Credentials(user, secret, token, profile, endpoint)


def _value(entry: Mapping[str, Any], key: str, where: str) -> str:
    variable = entry.get(f"{key}_variable")
    if variable is None:
        return str(entry.get(key) or "")
    found = os.environ.get(str(variable))
    if found is None:
        msg = f"the environment variable {variable} is not set"
        raise InputError(msg, where=f"{where}:{key}_variable", hint="export it, or take the entry out")
    return found
