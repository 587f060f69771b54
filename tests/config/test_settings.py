"""What the settings become of an environment: embedded and production defaults, and https."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from pytest_django import Settings

FILE = Path(__file__).resolve().parents[2] / "config/settings.py"
PRODUCTION = {
    "DATABASE_URL": "postgres://node@127.0.0.1/node",
    "REDIS_URL": "redis://127.0.0.1/0",
    "SECRET_KEY": "only for tests, " * 3,
    "FIELD_KEYS": Fernet.generate_key().decode(),
}
READ = [
    *PRODUCTION, "ACCEPT_UNKNOWN_TOKENS", "ALLOWED_HOSTS", "DEBUG", "LOG_LEVEL", "NODE_URL",
    "OTHER_PARTIES", "OUTBOUND_ALLOWED_NETWORKS", "PARTY_NAME",
]  # fmt: skip
HTTPS = "https://node.example.com"
HSTS = "max-age=31536000; includeSubDomains; preload"
FOR_MACHINES = ["/ocpi", "/ocpi/versions", "/ocpi/2.2.1/sender/sessions", "/api", "/api/any", "/metrics"]


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away what the run itself has set."""
    for name in READ:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))


def settings_of(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> dict[str, Any]:
    """Return the settings that an environment gives."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(FILE))


def test_an_embedded_node_reaches_its_own_machine_and_takes_every_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = settings_of(monkeypatch, {})

    assert found["IS_EMBEDDED"] is True
    assert found["OUTBOUND_ALLOWED_NETWORKS"] == ["127.0.0.0/8", "::1/128"]
    assert found["ACCEPT_UNKNOWN_TOKENS"] is True


@pytest.mark.parametrize("missing", ["", "DATABASE_URL", "REDIS_URL"])
def test_production_reaches_the_public_internet_only_and_takes_no_unknown_token(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    found = settings_of(monkeypatch, {**PRODUCTION, missing: ""} if missing else PRODUCTION)

    assert found["IS_EMBEDDED"] is False
    assert found["OUTBOUND_ALLOWED_NETWORKS"] == []
    assert found["ACCEPT_UNKNOWN_TOKENS"] is False


def test_says_yes_to_both_where_the_environment_does(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"OUTBOUND_ALLOWED_NETWORKS": "10.0.0.0/8", "ACCEPT_UNKNOWN_TOKENS": "true"}

    found = settings_of(monkeypatch, PRODUCTION | said)

    assert found["OUTBOUND_ALLOWED_NETWORKS"] == ["10.0.0.0/8"]
    assert found["ACCEPT_UNKNOWN_TOKENS"] is True


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"PARTY_NAME": "x" * 101}, "PARTY_NAME must have at most 100 characters, not 101."),
        (
            {"OTHER_PARTIES": "NL-ABC=EMSP:Name"},
            "OTHER_PARTIES must list parties such as NL-ABC=CPO:Name of it or NL-ABC=CPO+SCSP:Name of it "
            "(at most 100 characters), not 'NL-ABC=EMSP:Name'.",
        ),
        (
            {"OTHER_PARTIES": "nl-nod=CPO:Again"},
            "OTHER_PARTIES must not list NL-NOD again: it is a party of ours.",
        ),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR, not 'LOUD'."),
        (
            {"DATA_DIR": "/proc/nope"},
            "DATA_DIR must be a folder that we can write in, not /proc/nope: no such file or directory.",
        ),
        (
            PRODUCTION | {"SECRET_KEY": ""},
            "SECRET_KEY must be set to a long random text: production needs its own.",
        ),
    ],
)
def test_refuses(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], reason: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        settings_of(monkeypatch, environment)

    assert str(caught.value) == reason


def test_production_needs_no_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_of(monkeypatch, PRODUCTION | {"DATA_DIR": "/proc/nope"})["IS_EMBEDDED"] is False


def client_of(monkeypatch: pytest.MonkeyPatch, settings: Settings, node_url: str) -> Client:
    """Return a client of a node with this address."""
    found = settings_of(monkeypatch, PRODUCTION | {"NODE_URL": node_url})
    for name in [*(name for name in found if name.startswith("SECURE_")), "ALLOWED_HOSTS"]:
        setattr(settings, name, found[name])
    return Client(HTTP_HOST="node.example.com")


def test_a_person_is_led_to_https_where_the_node_has_it(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    client = client_of(monkeypatch, settings, HTTPS)

    response = client.get("/admin/login/")

    assert (response.status_code, response["Location"]) == (301, f"{HTTPS}/admin/login/")


@pytest.mark.django_db
@pytest.mark.parametrize("path", [*FOR_MACHINES, "/healthz", "/readyz"])
def test_a_machine_is_never_led_elsewhere(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, path: str
) -> None:
    client = client_of(monkeypatch, settings, HTTPS)

    assert client.get(path).status_code in {200, 401, 404}


@pytest.mark.parametrize(
    ("node_url", "forwarded", "promise"),
    [
        (HTTPS, "https", HSTS),
        (HTTPS, "http", None),
        ("http://node.example.com", "https", None),
        ("http://node.example.com", "http", None),
    ],
)
def test_promises_https_only_where_the_node_has_it(
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    node_url: str,
    forwarded: str,
    promise: str | None,
) -> None:
    client = client_of(monkeypatch, settings, node_url)

    response = client.get("/healthz", HTTP_X_FORWARDED_PROTO=forwarded)

    assert (response.status_code, response.get("Strict-Transport-Security")) == (200, promise)


@pytest.mark.django_db
def test_a_person_stays_on_http_where_the_node_has_no_https(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    client = client_of(monkeypatch, settings, "http://node.example.com")

    assert client.get("/admin/login/").status_code == 200
