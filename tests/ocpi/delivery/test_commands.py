"""`delivery list`, `delivery replay` and `sweep` as people and scripts use them."""

import json
import os
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ocpi.delivery import duties
from ocpi.delivery.models import Duty, Push
from tests.factories import NOW, make_partner

ROOT = Path(__file__).resolve().parents[3]


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def owe(**fields: Any) -> Push:
    partner = make_partner(name=f"Partner of {fields}")
    return duties.owe_push(partner=partner, **({"kind": "session", "object_key": "S1", "now": NOW} | fields))


@pytest.mark.django_db
def test_lists_duties_as_json() -> None:
    push = owe()
    result = duties.owe_result(
        partner=push.partner,
        request_key="request-1",
        subject="session:S1",
        url="http://127.0.0.1:9/secret",
        body={},
        correlation_id="",
        expires_at=NOW,
        now=NOW,
    )
    Push.objects.update(state=Duty.State.DEAD, attempts=1, last_error="HTTP 404", settled_at=NOW)

    listed = json.loads(run("delivery", "list", "--json"))

    assert listed == {
        "duties": [
            {
                "id": f"result:{result.pk}",
                "partner": push.partner_id,
                "partner_name": "Partner of {}",
                "kind": "result",
                "subject": "session:S1",
                "state": "PENDING",
                "attempts": 0,
                "next_at": "2026-01-15T12:00:00Z",
                "last_error": "",
            },
            {
                "id": f"push:{push.pk}",
                "partner": push.partner_id,
                "partner_name": "Partner of {}",
                "kind": "session",
                "subject": "S1",
                "state": "DEAD",
                "attempts": 1,
                "next_at": None,
                "last_error": "HTTP 404",
            },
        ]
    }
    assert json.loads(run("delivery", "list", "--state", "dead", "--json"))["duties"] == listed["duties"][1:]


@pytest.mark.django_db
def test_lists_duties_as_a_table() -> None:
    assert run("delivery", "list") == "Nothing is owed.\n"

    push = owe()

    header, line = run("delivery", "list").splitlines()
    assert header.split() == [
        "id",
        "partner_name",
        "kind",
        "subject",
        "state",
        "attempts",
        "next_at",
        "last_error",
    ]
    assert line.startswith(f"push:{push.pk} ")


@pytest.mark.django_db
def test_replays_a_settled_duty() -> None:
    push = owe()
    Push.objects.update(state=Duty.State.DEAD)

    printed = run("delivery", "replay", f"push:{push.pk}", "--json")

    assert json.loads(printed) == {"id": f"push:{push.pk}", "state": "PENDING"}
    assert Push.objects.get().state == Duty.State.PENDING


@pytest.mark.django_db
@pytest.mark.parametrize(
    "arguments",
    [
        ["replay", "push:999"],
        ["replay", "nonsense"],
        ["list", "--limit", "0"],
        ["list", "--state", "LOST"],
        ["replay"],
        [],
    ],
    ids=str,
)
def test_gives_a_reason_in_one_line(arguments: list[str]) -> None:
    with pytest.raises(CommandError) as refusal:
        run("delivery", *arguments)

    assert str(refusal.value).count("\n") == 0


@pytest.mark.parametrize("every", ["0", "nan", "soon", "61"])
def test_refuses_an_absurd_interval(every: str) -> None:
    with pytest.raises(CommandError, match="not a number of seconds"):
        run("sweep", "--every", every)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_sweeps_until_a_signal_also_without_a_database(number: int, tmp_path: Path) -> None:
    environment = {**os.environ, "DATA_DIR": str(tmp_path), "PYTHONWARNINGS": "default"}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "sweep", "--every", "0.1"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "Sweeping every 0.1 s; Ctrl-C ends it.\n"

    process.send_signal(number)
    _, errors = process.communicate(timeout=5)

    assert process.returncode == 0
    assert "Traceback" not in errors
