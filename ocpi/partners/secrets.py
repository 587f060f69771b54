"""Tokens at rest: those we send are encrypted, of those we issued only a digest is kept."""

from __future__ import annotations

import hashlib
import secrets
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

TOKEN_BYTES = 32


class UnreadableSecret(Exception):
    """A stored secret was encrypted with a key that FIELD_KEYS no longer lists."""

    # Commands show it as one line, not as a traceback.
    is_foreseen = True


def encrypt(text: str) -> str:
    """Encrypt `text` with the newest of FIELD_KEYS."""
    return _fernet(tuple(settings.FIELD_KEYS)).encrypt(text.encode()).decode()


def decrypt(text: str) -> str:
    """Decrypt what `encrypt` made, with any of FIELD_KEYS. Raises UnreadableSecret."""
    try:
        return _fernet(tuple(settings.FIELD_KEYS)).decrypt(text.encode()).decode()
    except InvalidToken as error:
        raise UnreadableSecret(
            "A stored token can't be read: FIELD_KEYS lacks the key it was encrypted with."
        ) from error


def new_token() -> str:
    """Make a credentials token: 32 random bytes as 43 URL-safe characters."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    # Command lines take what begins with a dash for an option.
    return new_token() if token.startswith("-") else token


def digest(token: str) -> str:
    """Return the SHA-256 of a token in hex; tokens of 32 random bytes need no slower hash."""
    return hashlib.sha256(token.encode()).hexdigest()


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
