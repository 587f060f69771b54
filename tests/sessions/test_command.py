"""`manage.py session` shows what the node knows."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from tests.factories import make_partner, make_session, session_document

pytestmark = pytest.mark.django_db


def test_lists_the_newest_first_and_says_whose_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    make_session(session_id="OURS", kwh=1.5)
    partner = make_partner(name="Operator", role="CPO")
    make_session(session_id="THEIRS", partner=partner, status="COMPLETED")

    call_command("session", "list", "--json")

    rows = json.loads(capsys.readouterr().out)["sessions"]
    assert [(row["id"], row["owner"], row["status"], row["kwh"]) for row in rows] == [
        ("THEIRS", "Operator", "COMPLETED", 0.0),
        ("OURS", "ours", "ACTIVE", 1.5),
    ]


def test_lists_only_active_ones_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    make_session(session_id="OVER", status="COMPLETED")
    make_session(session_id="RUNS")

    call_command("session", "list", "--active")

    shown = capsys.readouterr().out
    assert "RUNS" in shown
    assert "OVER" not in shown


def test_shows_the_ocpi_object_whatever_the_case_of_the_id(capsys: pytest.CaptureFixture[str]) -> None:
    make_session(session_id="Abc")

    call_command("session", "show", "aBC", "--json")

    assert json.loads(capsys.readouterr().out)["document"] == session_document("Abc")


def test_says_when_there_is_none() -> None:
    with pytest.raises(CommandError, match=r"There is no session NOPE\."):
        call_command("session", "show", "NOPE")
