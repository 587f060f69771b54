"""Each wrong value of the environment is named in one sentence."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from config import environment as env

KEY = Fernet.generate_key().decode()

READERS: dict[str, Callable[[str], Any]] = {
    "flag": lambda name: env.flag(name, False),
    "seconds": lambda name: env.seconds(name, 30, least=5, most=600),
    "code": lambda name: env.code(name, "NL", 2),
    "choices": lambda name: env.choices(name, ["CPO", "SCSP"], ["CPO", "SCSP"]),
    "networks": lambda name: env.networks(name, ["127.0.0.0/8"]),
    "base_url": lambda name: env.base_url(name, "http://127.0.0.1:8000"),
    "server_url": lambda name: env.server_url(name, ["redis", "rediss"]),
    "rate": lambda name: env.rate(name, "10/min"),
    "fernet_keys": env.fernet_keys,
}


@pytest.mark.parametrize(
    ("reader", "text", "value"),
    [
        ("flag", "Yes", True),
        ("flag", "0", False),
        ("flag", "", False),
        ("seconds", "45", 45),
        ("seconds", " ", 30),
        ("code", "de", "DE"),
        ("choices", "scsp", ["SCSP"]),
        ("choices", "", ["CPO", "SCSP"]),
        ("networks", "10.0.0.0/8, fd00::/8", ["10.0.0.0/8", "fd00::/8"]),
        ("base_url", "https://node.example.com/", "https://node.example.com"),
        ("base_url", "https://example.com:8443/node", "https://example.com:8443/node"),
        ("server_url", "redis://127.0.0.1/0", "redis://127.0.0.1/0"),
        ("rate", "3/s", (3, 1)),
        ("rate", "100/hour", (100, 3600)),
        ("fernet_keys", f"{KEY}, {KEY}", [KEY, KEY]),
    ],
)
def test_reads(monkeypatch: pytest.MonkeyPatch, reader: str, text: str, value: Any) -> None:
    monkeypatch.setenv("SOME_SETTING", text)

    assert READERS[reader]("SOME_SETTING") == value


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        ("flag", "maybe"),
        ("seconds", "4"),
        ("seconds", "601"),
        ("seconds", "-30"),
        ("seconds", "30.5"),
        ("seconds", "٣٠٠٠٠٠٠٠٠٠"),
        ("code", "NLD"),
        ("code", "N_"),
        ("choices", "CPO,EMSP"),
        ("choices", ","),
        ("networks", "10.0.0.1/8"),
        ("networks", "everywhere"),
        ("base_url", "node.example.com"),
        ("base_url", "ftp://node.example.com"),
        ("base_url", "https://user:secret@node.example.com"),
        ("base_url", "https://node.example.com/?a=b"),
        ("base_url", "http://node:port"),
        ("server_url", "http://127.0.0.1"),
        ("rate", "10"),
        ("rate", "0/min"),
        ("rate", "10/day"),
        ("fernet_keys", "short"),
        ("fernet_keys", f"{KEY},nonsense"),
    ],
)
def test_refuses_and_names_the_variable(monkeypatch: pytest.MonkeyPatch, reader: str, text: str) -> None:
    monkeypatch.setenv("SOME_SETTING", text)

    with pytest.raises(ImproperlyConfigured, match="SOME_SETTING"):
        READERS[reader]("SOME_SETTING")


@pytest.mark.parametrize("secret", ["my-very-secret-key", "redis://user:hunter2@host"])
def test_never_repeats_a_secret(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("SECRET_SETTING", secret)

    with pytest.raises(ImproperlyConfigured) as caught:
        env.fernet_keys("SECRET_SETTING") and env.server_url("SECRET_SETTING", ["postgres"])

    assert secret not in str(caught.value)


def test_keeps_a_secret_of_its_own_that_only_the_owner_reads(tmp_path: Path) -> None:
    first = env.kept_secret(tmp_path / "new", "field_key", "fernet")

    again = env.kept_secret(tmp_path / "new", "field_key", "fernet")

    assert first == again
    assert stat.S_IMODE((tmp_path / "new" / "field_key").stat().st_mode) == 0o600
    Fernet(first)
