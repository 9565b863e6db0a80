"""Both ends of a connection show that they know the token before either says anything of the case; the token itself
never travels, so that a stranger who listens on an engine's old port learns nothing.

Each end says a random word, and proves by HMAC-SHA256 (RFC 2104) over both words and its own part that it has the
token: what one end proves cannot be said back to it, nor again another time.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

WORD_BYTES = 16
ENGINE, SESSION = "engine", "session"


def new_word() -> str:
    return secrets.token_hex(WORD_BYTES)


def proof(token: str, part: str, session_word: str, engine_word: str) -> str:
    """What the end that plays this part, ENGINE or SESSION, says."""
    said = f"{part} {session_word} {engine_word}".encode()
    return hmac.new(token.encode(), said, hashlib.sha256).hexdigest()


def is_proof(given: Any, token: str, part: str, session_word: str, engine_word: str) -> bool:
    """Whether it is; how long it takes does not say where it differs."""
    return isinstance(given, str) and hmac.compare_digest(
        given.encode(), proof(token, part, session_word, engine_word).encode()
    )


def is_word(given: Any) -> bool:
    """Of the length that both ends choose, so that none makes another sentence of two words."""
    return isinstance(given, str) and len(given) == 2 * WORD_BYTES and given.isalnum()
