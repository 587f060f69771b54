"""Reading the environment: each value is checked here, and a wrong one is named in one sentence."""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off"}


def text(name: str, default: str = "") -> str:
    """Return the variable without outer white space, or the default when unset or empty."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool) -> bool:
    """Return a yes/no variable. Raises ImproperlyConfigured for any other word."""
    word = text(name).lower()
    if not word:
        return default
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {word!r}.")


def seconds(name: str, default: int, *, least: int, most: int) -> int:
    """Return a whole number of seconds. Raises ImproperlyConfigured outside [least, most]."""
    word = text(name)
    if not word:
        return default
    if not re.fullmatch(r"\d{1,9}", word) or not least <= int(word) <= most:
        raise ImproperlyConfigured(
            f"{name} must be a whole number of seconds from {least} to {most}, not {word!r}."
        )
    return int(word)


def code(name: str, default: str, length: int) -> str:
    """Return an OCPI country or party code in upper case. Raises ImproperlyConfigured for other forms."""
    word = text(name, default).upper()
    if not re.fullmatch(rf"[A-Z0-9]{{{length}}}", word):
        raise ImproperlyConfigured(f"{name} must be {length} letters or digits, not {word!r}.")
    return word


def choices(name: str, default: Sequence[str], allowed: Sequence[str]) -> list[str]:
    """Return a comma-separated list. Raises ImproperlyConfigured for an empty list or a stranger in it."""
    words = [word.strip().upper() for word in text(name, ",".join(default)).split(",") if word.strip()]
    strangers = [word for word in words if word not in allowed]
    if strangers or not words:
        raise ImproperlyConfigured(f"{name} must list some of {', '.join(allowed)}, not {text(name)!r}.")
    return words


def words(name: str, default: Sequence[str] = ()) -> list[str]:
    """Return a comma-separated list, empty entries left out."""
    return [word.strip() for word in text(name, ",".join(default)).split(",") if word.strip()]


def networks(name: str, default: Sequence[str] = ()) -> list[str]:
    """Return a list of CIDRs. Raises ImproperlyConfigured for one that is not a network."""
    found = words(name, default)
    for word in found:
        try:
            ipaddress.ip_network(word)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name} must list networks such as 10.0.0.0/8: {error}.") from error
    return found


def base_url(name: str, default: str) -> str:
    """Return an absolute http(s) address without a trailing slash. Raises ImproperlyConfigured otherwise."""
    word = text(name, default).rstrip("/")
    try:
        parts = urlsplit(word)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or parts.username:
        raise ImproperlyConfigured(
            f"{name} must be an address such as https://node.example.com, not {word!r}."
        )
    return word


def server_url(name: str, schemes: Sequence[str]) -> str:
    """Return a server's address, or "" when unset. Raises ImproperlyConfigured for another scheme."""
    word = text(name)
    if word and urlsplit(word).scheme not in schemes:
        raise ImproperlyConfigured(f"{name} must start with {' or '.join(f'{s}://' for s in schemes)}.")
    return word


def rate(name: str, default: str) -> tuple[int, int]:
    """Return (count, window in seconds) of a rate such as 10/min. Raises ImproperlyConfigured otherwise."""
    word = text(name, default)
    match = re.fullmatch(r"([1-9]\d{0,5})/(s|sec|min|h|hour)", word)
    if not match:
        raise ImproperlyConfigured(f"{name} must be a rate such as 10/min, not {word!r}.")
    window_s = {"s": 1, "sec": 1, "min": 60, "h": 3600, "hour": 3600}[match[2]]
    return int(match[1]), window_s


def fernet_keys(name: str) -> list[str]:
    """Return Fernet keys, newest first. Raises ImproperlyConfigured for one that is not a key."""
    keys = words(name)
    for number, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{name}: key {number} is not a Fernet key (32 bytes in URL-safe Base64)."
            ) from error
    return keys


def kept_secret(directory: Path, name: str, make: str) -> str:
    """Return the secret kept in the data directory, made at the first start; embedded default only."""
    path = directory / name
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        value = Fernet.generate_key().decode() if make == "fernet" else secrets.token_urlsafe(48)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text().strip()
        with os.fdopen(handle, "w") as file:
            file.write(value)
    return path.read_text().strip()
