"""What a charger's answer decides, and how its Sender hears of it: once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chargers.models import Command
from chargingprofiles.listener import on_command_settled
from chargingprofiles.models import ArmedSender, ProfileRequest
from ocpi.delivery.models import Result
from tests.chargingprofiles import charger
from tests.chargingprofiles.calls import ANSWER_URL, delete, get, put
from tests.factories import iso


def set_before(session_id):
    """Have a profile accepted, so that there is one to clear."""
    put(session_id, response_url=f"{ANSWER_URL}0")
    charger.says("ACCEPTED")
    charger.says("UNKNOWN")


def results():
    return list(Result.objects.exclude(url=f"{ANSWER_URL}0").values_list("body", flat=True))


@pytest.mark.parametrize(
    ("outcome", "result"), [("ACCEPTED", "ACCEPTED"), ("REJECTED", "REJECTED"), ("NOT_SUPPORTED", "REJECTED")]
)
def test_tells_what_the_charger_said_to_a_profile(sender, charging, outcome, result):
    put(charging.session.session_id)

    charger.says(outcome)

    assert results() == [{"result": result}]
    assert ProfileRequest.objects.get().decision == result
    assert ArmedSender.objects.exists() is (result == "ACCEPTED")


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        ("ACCEPTED", "ACCEPTED"),
        ("UNKNOWN", "UNKNOWN"),
        ("REJECTED", "REJECTED"),
        ("NOT_SUPPORTED", "REJECTED"),
    ],
)
def test_tells_what_the_charger_said_to_a_clear(sender, charging, outcome, result):
    set_before(charging.session.session_id)
    delete(charging.session.session_id)

    charger.says(outcome, command=charger.pending("CLEAR_LIMIT"))

    assert results() == [{"result": result}]


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        ("ACCEPTED", "UNKNOWN"),
        ("UNKNOWN", "UNKNOWN"),
        ("REJECTED", "REJECTED"),
        ("NOT_SUPPORTED", "REJECTED"),
    ],
)
def test_tells_when_there_is_no_schedule_to_tell(sender, charging, outcome, result):
    get(charging.session.session_id)

    charger.says(outcome)

    assert results() == [{"result": result}]


def test_tells_the_schedule_that_the_charger_told(sender, charging):
    get(charging.session.session_id, duration=900)
    now = timezone.now().replace(microsecond=0)

    charger.says("ACCEPTED", told=charger.schedule(16, 10.5, starts_at=now, duration_s=900), now=now)

    assert results() == [
        {
            "result": "ACCEPTED",
            "profile": {
                "start_date_time": iso(now),
                "charging_profile": {
                    "start_date_time": iso(now),
                    "duration": 900,
                    "charging_rate_unit": "A",
                    "charging_profile_period": [
                        {"start_period": 0, "limit": 16},
                        {"start_period": 600, "limit": 10.5},
                    ],
                },
            },
        }
    ]


def test_takes_silence_for_a_rejection(sender, charging):
    put(charging.session.session_id)

    charger.is_silent()

    assert results() == [{"result": "REJECTED"}]
    assert not ArmedSender.objects.exists()


def test_owes_the_result_to_the_request_it_belongs_to(sender, charging, settings):
    response = put(charging.session.session_id)
    charger.says("ACCEPTED")

    result, request = Result.objects.get(), ProfileRequest.objects.get()
    assert (result.partner, result.url) == (sender, ANSWER_URL)
    assert result.subject == f"session:{charging.session.pk}"
    assert result.correlation_id == response["X-Correlation-ID"]
    assert result.expires_at == request.deadline_at + timedelta(seconds=settings.RESULT_GRACE_S)


def test_decides_once_however_often_it_is_told(sender, charging):
    put(charging.session.session_id)
    command = charger.is_silent()

    command.state, command.outcome = Command.State.ANSWERED, Command.Outcome.ACCEPTED
    on_command_settled(command=command, now=timezone.now())

    assert results() == [{"result": "REJECTED"}]
    assert not ArmedSender.objects.exists()


def test_decides_nothing_for_a_command_that_nobody_asked_for(sender, charging):
    put(charging.session.session_id)
    command = charger.pending()
    ProfileRequest.objects.update(command=None)

    charger.says("ACCEPTED", command=command)

    assert results() == []
