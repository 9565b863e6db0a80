"""Secrets of one run of the server and their comparison in constant time."""

from __future__ import annotations

import re
import secrets

from ...core.errors import input_error

SHORTEST = 22  # 128 bits in base64url


def new_token() -> str:
    """43 characters that are safe in an address, 256 bits of them random."""
    return secrets.token_urlsafe(32)


def checked_token(token: str) -> str:
    """A token that its user chose; raises InputError where it could be guessed or does not fit in an address."""
    if not re.fullmatch(r"[A-Za-z0-9._~-]*", token):
        given = "a token with characters other than letters, digits, '-', '_', '.' and '~'"
        raise input_error(given, "one that fits in an address", "choose another or leave it out to get a random one")
    if len(token) < SHORTEST or len(set(token)) < SHORTEST // 3:
        given, wanted = f"a token of {len(token)} characters that could be guessed", f"{SHORTEST} random ones or more"
        raise input_error(given, wanted, "choose a longer one or leave it out to get a random one")
    return token


def is_same(given: str | None, wanted: str) -> bool:
    """Whether both are equal; how long it takes does not say where they differ."""
    return given is not None and secrets.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
