"""Unsafe settings are warned of, each by its id."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from pytest_django import Settings

from config.checks import unsafe_settings

SAFE = {
    "IS_EMBEDDED": False,
    "DEBUG": False,
    "ALLOWED_HOSTS": ["node.example.com"],
    "OUTBOUND_ALLOWED_NETWORKS": ["10.0.0.0/8", "fc00::/7"],
    "SECRET_KEY": "x" * 32,
}


def warned(settings: Settings, **unsafe: object) -> list[str]:
    """Return the ids of the warnings of safe settings with something unsafe in them."""
    for name, value in {**SAFE, **unsafe}.items():
        setattr(settings, name, value)
    return [str(warning.id) for warning in unsafe_settings()]


def test_has_nothing_to_say_of_safe_settings(settings: Settings) -> None:
    assert warned(settings) == []


def test_lets_an_embedded_node_have_debug_pages_and_a_short_key(settings: Settings) -> None:
    assert warned(settings, IS_EMBEDDED=True, DEBUG=True, SECRET_KEY="short") == []


@pytest.mark.parametrize(
    ("unsafe", "ids"),
    [
        ({"DEBUG": True}, ["node.W001"]),
        ({"ALLOWED_HOSTS": ["*"]}, ["node.W002"]),
        ({"ALLOWED_HOSTS": ["*"], "IS_EMBEDDED": True}, ["node.W002"]),
        ({"OUTBOUND_ALLOWED_NETWORKS": ["10.0.0.0/8", "0.0.0.0/0"]}, ["node.W003"]),
        ({"OUTBOUND_ALLOWED_NETWORKS": ["128.0.0.0/1"]}, ["node.W003"]),
        ({"OUTBOUND_ALLOWED_NETWORKS": ["::/0"]}, ["node.W003"]),
        ({"OUTBOUND_ALLOWED_NETWORKS": ["2000::/3"], "IS_EMBEDDED": True}, ["node.W003"]),
        ({"SECRET_KEY": "x" * 31}, ["node.W004"]),
        ({"SECRET_KEY": "short", "DEBUG": True}, ["node.W001", "node.W004"]),
    ],
)
def test_warns_of(settings: Settings, unsafe: dict[str, object], ids: list[str]) -> None:
    assert warned(settings, **unsafe) == ids


def test_check_lists_them(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    warned(settings, ALLOWED_HOSTS=["*"])

    call_command("check")

    assert (
        "(node.W002) ALLOWED_HOSTS has *: requests for any host name are answered." in capsys.readouterr().err
    )


def test_never_repeats_the_secret_key(settings: Settings) -> None:
    warned(settings, SECRET_KEY="hunter2")

    assert "hunter2" not in str(unsafe_settings())
