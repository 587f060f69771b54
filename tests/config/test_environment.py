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
    "text": lambda name: env.text(name, "Node", most=5),
    "country": lambda name: env.country(name, "NL"),
    "party": lambda name: env.party(name, "NOD"),
    "parties": lambda name: env.parties(name, main=("NL", "NOD")),
    "choice": lambda name: env.choice(name, "INFO", ["INFO", "ERROR"]),
    "choices": lambda name: env.choices(name, ["CPO", "SCSP"], ["CPO", "SCSP"]),
    "networks": lambda name: env.networks(name, ["127.0.0.0/8"]),
    "base_url": lambda name: env.base_url(name, "http://127.0.0.1:8000"),
    "database_url": env.database_url,
    "redis_url": env.redis_url,
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
        ("text", " ", "Node"),
        ("text", "Ünïtö", "Ünïtö"),
        ("country", "de", "DE"),
        ("party", "n1x", "N1X"),
        ("parties", "", []),
        (
            "parties",
            "NL-ABC=CPO:Name of it, de-x1z=scsp+cpo+SCSP: Other: name",
            [("NL", "ABC", ("CPO",), "Name of it"), ("DE", "X1Z", ("SCSP", "CPO"), "Other: name")],
        ),
        ("choice", "error", "ERROR"),
        ("choices", "scsp", ["SCSP"]),
        ("choices", "", ["CPO", "SCSP"]),
        ("choices", "CPO,cpo", ["CPO"]),
        ("networks", "10.0.0.0/8, fd00::/8", ["10.0.0.0/8", "fd00::/8"]),
        ("base_url", "https://node.example.com/", "https://node.example.com"),
        ("base_url", "https://example.com:8443/node", "https://example.com:8443/node"),
        ("base_url", "http://[::1]:8000", "http://[::1]:8000"),
        ("database_url", "", ""),
        ("database_url", "postgres://u:p%23@h:5432/name", "postgres://u:p%23@h:5432/name"),
        ("database_url", "postgresql:///name", "postgresql:///name"),
        ("database_url", "sqlite:////folder/file", "sqlite:////folder/file"),
        ("redis_url", "redis://127.0.0.1/0", "redis://127.0.0.1/0"),
        ("redis_url", "rediss://:secret@host:6380", "rediss://:secret@host:6380"),
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
        ("text", "123456"),
        ("country", "NLD"),
        ("country", "N_"),
        ("country", "12"),
        ("country", "ß"),
        ("party", "NODE"),
        ("party", "N_D"),
        ("parties", "NL-ABC"),
        ("parties", "NL-ABC=CPO"),
        ("parties", "NL-ABC=CPO:"),
        ("parties", "NL-ABC=:Name"),
        ("parties", "NL-ABC=EMSP:Name"),
        ("parties", "NL-ABC=CPO+:Name"),
        ("parties", "NLABC=CPO:Name"),
        ("parties", "NL-ABCD=CPO:Name"),
        ("parties", "NL-ÄBC=CPO:Name"),
        ("parties", f"NL-ABC=CPO:{'x' * 101}"),
        ("parties", "NL-ABC=CPO:Name,nl-abc=SCSP:Name"),
        ("parties", "NL-NOD=SCSP:The main one"),
        ("choice", "LOUD"),
        ("choices", "CPO,EMSP"),
        ("choices", ","),
        ("networks", "10.0.0.1/8"),
        ("networks", "everywhere"),
        ("base_url", "node.example.com"),
        ("base_url", "ftp://node.example.com"),
        ("base_url", "https://user:secret@node.example.com"),
        ("base_url", "https://node.example.com/?a=b"),
        ("base_url", "http://node:port"),
        ("base_url", "http://a b"),
        ("base_url", "http://a/b c"),
        ("base_url", "http://nodé.example.com"),
        ("base_url", "http://node:0"),
        ("database_url", "mysql://h/name"),
        ("database_url", "postgres"),
        ("database_url", "postgres://"),
        ("database_url", "postgres://u:p@h:5432/"),
        ("database_url", "postgres://u:p@h:abc/name"),
        ("database_url", "postgres://u:p@h:70000/name"),
        ("database_url", "sqlite://"),
        ("redis_url", "http://127.0.0.1"),
        ("redis_url", "redis://h:abc/0"),
        ("redis_url", "redis://h:6379/abc"),
        ("redis_url", "unix:///run/redis.sock?db=1"),
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


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        ("fernet_keys", "hunter2"),
        ("base_url", "https://user:hunter2@node.example.com"),
        ("database_url", "hunter2://host/name"),
        ("database_url", "postgres://user:hunter2@host:abc/name"),
        ("database_url", "postgres://user:hunter2#@host/name"),
        ("database_url", "postgres://user:hunter2[@host/name"),
        ("database_url", "postgres://user:hunter2@host"),
        ("redis_url", "redis://:hunter2@host:abc/0"),
        ("redis_url", "redis://:hunter2@host/abc"),
    ],
)
def test_never_repeats_a_secret(monkeypatch: pytest.MonkeyPatch, reader: str, text: str) -> None:
    monkeypatch.setenv("SECRET_SETTING", text)

    with pytest.raises(ImproperlyConfigured) as caught:
        READERS[reader]("SECRET_SETTING")

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("folder", ["/proc/nope", "/etc/passwd"])
def test_names_the_folder_that_it_can_not_write_in(folder: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^DATA_DIR must be a folder .*{folder}: "):
        env.make_folder(Path(folder), "DATA_DIR")


def test_keeps_a_secret_of_its_own_that_only_the_owner_reads(tmp_path: Path) -> None:
    env.make_folder(tmp_path / "new", "DATA_DIR")
    first = env.kept_secret(tmp_path / "new", "field_key", "fernet")

    again = env.kept_secret(tmp_path / "new", "field_key", "fernet")

    assert first == again
    assert stat.S_IMODE((tmp_path / "new" / "field_key").stat().st_mode) == 0o600
    Fernet(first)


@pytest.mark.parametrize("content", [b"", b"junk", b"\xff\xfe"], ids=["empty", "junk", "bytes"])
def test_says_that_a_kept_secret_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "field_key").write_bytes(content)

    with pytest.raises(ImproperlyConfigured, match=f"^DATA_DIR: {tmp_path}/field_key is damaged: put a copy"):
        env.kept_secret(tmp_path, "field_key", "fernet")
