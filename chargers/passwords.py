"""Passwords of chargers: kept as a hash that is cheap, since thousands of chargers may come back at once.

They are keys of 16 to 20 random bytes, not words of people: a slow hash would add nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

ROUNDS = 1000
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){8,}")


def hash_password(password: str) -> str:
    """Return what to keep of a password; hexadecimal digits stand for the bytes that they write.

    OCPP 1.6 configures AuthorizationKey as hexadecimal digits and sends the bytes; many chargers send the
    digits. "Improved security for OCPP 1.6-J" edition 4, section 3.2.1.
    """
    salt = secrets.token_bytes(12)
    return f"pbkdf2-sha256${ROUNDS}${salt.hex()}${_digest(_as_key(password.encode()), salt, ROUNDS)}"


def is_password(presented: bytes, kept: str) -> bool:
    """Tell whether a charger presented the password that `kept` was made of, as bytes or as digits."""
    try:
        _, rounds, salt, digest = kept.split("$")
        keys = {presented, _as_key(presented)}
        return any(
            hmac.compare_digest(_digest(key, bytes.fromhex(salt), int(rounds)), digest) for key in keys
        )
    except ValueError:
        return False


def _as_key(password: bytes) -> bytes:
    text = password.decode("ascii", "replace")
    return bytes.fromhex(text) if _HEX.fullmatch(text) else password


def _digest(key: bytes, salt: bytes, rounds: int) -> str:
    return hashlib.pbkdf2_hmac("sha256", key, salt, rounds).hex()
