"""Reading the environment: each value is checked here, and a wrong one is named in one sentence."""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

POSTGRES_FORM = "postgres://user:password@host:5432/name"
REDIS_FORM = "redis://host:6379/0"
TRUE_WORDS = {"1", "true", "yes", "on"}
PARTY_ROLES: list[str] = ["CPO", "SCSP"]
FALSE_WORDS = {"0", "false", "no", "off"}


def read_settings(*, exit_code: int = 1) -> None:
    """Read the settings, or end the process with the sentence about a wrong value on standard error."""
    try:
        settings.DATABASES  # noqa: B018 - the first access reads the environment
    except ImproperlyConfigured as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(exit_code)


def text(name: str, default: str = "", *, most: int | None = None) -> str:
    """Return the variable without outer white space, or the default when unset or empty.

    Raises ImproperlyConfigured when it is longer than `most` characters.
    """
    found = os.environ.get(name, "").strip() or default
    if most is not None and len(found) > most:
        raise ImproperlyConfigured(f"{name} must have at most {most} characters, not {len(found)}.")
    return found


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


def country(name: str, default: str) -> str:
    """Return an ISO 3166-1 alpha-2 code in upper case. Raises ImproperlyConfigured for other forms."""
    word = text(name, default)
    if not re.fullmatch(r"[A-Za-z]{2}", word):
        raise ImproperlyConfigured(f"{name} must be the two letters of a country, not {word!r}.")
    return word.upper()


def party(name: str, default: str) -> str:
    """Return an OCPI party id in upper case. Raises ImproperlyConfigured for other forms."""
    word = text(name, default)
    if not re.fullmatch(r"[A-Za-z0-9]{3}", word):
        raise ImproperlyConfigured(f"{name} must be 3 letters or digits, not {word!r}.")
    return word.upper()


def parties(name: str, *, main: tuple[str, str]) -> list[tuple[str, str, tuple[str, ...], str]]:
    """Return (country_code, party_id, roles, name) of each party listed, as in NL-ABC=CPO+SCSP:Name of it.

    Raises ImproperlyConfigured for another form, and for a party that is listed twice or is `main`.
    """
    found: list[tuple[str, str, tuple[str, ...], str]] = []
    for word in words(name):
        match = re.fullmatch(r"([A-Z]{2})-([A-Z0-9]{3})=(\w+(?:\+\w+)*):\s*(.{1,100})", word, re.I | re.ASCII)
        roles = tuple(dict.fromkeys(match[3].upper().split("+"))) if match else ()
        if match is None or any(role not in PARTY_ROLES for role in roles):
            raise ImproperlyConfigured(
                f"{name} must list parties such as NL-ABC=CPO:Name of it or NL-ABC=CPO+SCSP:Name of it "
                f"(at most 100 characters), not {word!r}."
            )
        key = (match[1].upper(), match[2].upper())
        if key in (main, *((country_code, party_id) for country_code, party_id, _, _ in found)):
            raise ImproperlyConfigured(f"{name} must not list {'-'.join(key)} again: it is a party of ours.")
        found.append((*key, roles, match[4]))
    return found


def choice(name: str, default: str, allowed: Sequence[str]) -> str:
    """Return one of `allowed`, in upper case. Raises ImproperlyConfigured for any other word."""
    word = text(name, default)
    if word.upper() not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {word!r}.")
    return word.upper()


def choices(name: str, default: Sequence[str], allowed: Sequence[str]) -> list[str]:
    """Return a comma-separated list. Raises ImproperlyConfigured for an empty list or a stranger in it."""
    found = list(dict.fromkeys(word.upper() for word in words(name, default)))
    if not found or any(word not in allowed for word in found):
        raise ImproperlyConfigured(f"{name} must list some of {', '.join(allowed)}, not {text(name)!r}.")
    return found


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
        is_host = re.fullmatch(r"[a-z0-9.-]+|[0-9a-f:.]+", parts.hostname or "") is not None
        is_usable = is_host and parts.scheme in {"http", "https"} and parts.port != 0
    except ValueError:
        is_usable = False
    is_plain = re.fullmatch(r"[!-~]+", word) is not None
    if not is_usable or not is_plain or any(sign in word for sign in "?#@"):
        # Not repeated: it may hold a password.
        raise ImproperlyConfigured(f"{name} must be an address such as https://node.example.com.")
    return word


def database_url(name: str) -> str:
    """Return a database's address, or "" when unset. Raises ImproperlyConfigured when it names none."""
    word, path = _server_url(name, ["postgres", "postgresql", "sqlite"], POSTGRES_FORM)
    if word and not path.strip("/"):
        raise ImproperlyConfigured(
            f"{name} must name a database, as {POSTGRES_FORM} or sqlite:////folder/file do."
        )
    return word


def redis_url(name: str) -> str:
    """Return the address of Redis, or "" when unset. Raises ImproperlyConfigured when it can't be one."""
    word, path = _server_url(name, ["redis", "rediss"], REDIS_FORM)
    if word and not re.fullmatch(r"/?|/[0-9]{1,9}", path):
        raise ImproperlyConfigured(f"{name} must end in the number of a database, as {REDIS_FORM} does.")
    return word


def _server_url(name: str, schemes: Sequence[str], form: str) -> tuple[str, str]:
    """Return a server's address and the path in it; no message repeats its password."""
    word = text(name)
    starts = [f"{scheme}://" for scheme in schemes]
    if word and not word.startswith(tuple(starts)):
        raise ImproperlyConfigured(f"{name} must start with {' or '.join(starts)}.")
    try:
        parts = urlsplit(word)
        is_usable = parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or parts.fragment:
        raise ImproperlyConfigured(
            f"{name} must be like {form}: the port a number, other signs in a password written as %23."
        )
    return word, parts.path


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


def make_folder(folder: Path, name: str) -> None:
    """Make the folder that the variable names. Raises ImproperlyConfigured when we can't write in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(folder, os.W_OK | os.X_OK) else "permission denied"
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
    if reason:
        raise ImproperlyConfigured(f"{name} must be a folder that we can write in, not {folder}: {reason}.")


def kept_secret(folder: Path, name: str, make: str) -> str:
    """Return the secret kept in the data folder, made at the first start; embedded default only.

    Raises ImproperlyConfigured when it can't be read or is damaged.
    """
    path = folder / name
    try:
        if not path.exists():
            _keep(path, Fernet.generate_key().decode() if make == "fernet" else secrets.token_urlsafe(48))
        value = path.read_text().strip()
        if make == "fernet":
            Fernet(value)
    except OSError as error:
        raise ImproperlyConfigured(f"DATA_DIR: {path} can't be read or made: {error.strerror}.") from error
    except ValueError as error:
        raise ImproperlyConfigured(_damaged(path)) from error
    if not value:
        raise ImproperlyConfigured(_damaged(path))
    return value


def _keep(path: Path, value: str) -> None:
    """Write a secret so that nobody ever reads half of it; another process may be the first to."""
    handle, draft = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(value)
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)


def _damaged(path: Path) -> str:
    return f"DATA_DIR: {path} is damaged: put a copy back; without it, stored tokens can't be read any more."
