"""Receiver interface: what each request is answered at once, and what it leaves behind."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chargers.models import Command, Gateway
from chargingprofiles.models import Kind, ProfileRequest
from ocpi.delivery.models import Result
from tests.chargingprofiles.calls import ANSWER_URL, RECEIVER, call, delete, get, profile, put, said
from tests.factories import make_charger, make_location, make_partner, make_session, make_transaction

ACCEPTED = (200, 1000, {"result": "ACCEPTED", "timeout": 30})
CALLS = [put, delete, get]


def refused(result):
    return (200, 1000, {"result": result, "timeout": 0})


def nothing_is_owed():
    return not (ProfileRequest.objects.exists() or Command.objects.exists() or Result.objects.exists())


def test_takes_a_profile_and_owes_the_charger_a_limit(sender, charging, settings):
    response = put(charging.session.session_id)

    assert said(response) == ACCEPTED
    request = ProfileRequest.objects.get()
    command = Command.objects.get()
    assert (request.partner, request.session, request.kind) == (sender, charging.session, Kind.SET)
    assert (request.response_url, request.decision) == (ANSWER_URL, "")
    assert request.correlation_id == response["X-Correlation-ID"]
    assert request.deadline_at == request.asked_at + timedelta(seconds=settings.PROFILE_TIMEOUT_S)
    assert (command.kind, command.state) == (Command.Kind.SET_LIMIT, Command.State.QUEUED)
    assert (command.transaction, command.source) == (charging, f"partner:{sender.pk}")
    assert (request.command, command.deadline_at) == (command, request.deadline_at - timedelta(seconds=2))


def test_takes_a_question_for_the_active_profile(sender, charging):
    assert said(get(charging.session.session_id, duration=900)) == ACCEPTED

    command = ProfileRequest.objects.get(kind=Kind.GET, duration_s=900).command
    assert (command.kind, command.duration_s) == (Command.Kind.READ_SCHEDULE, 900)


def test_answers_a_clear_without_a_profile_with_the_result_unknown(sender, charging):
    assert said(delete(charging.session.session_id)) == ACCEPTED

    assert (Result.objects.get().url, Result.objects.get().body) == (ANSWER_URL, {"result": "UNKNOWN"})
    assert not Command.objects.exists()


def test_reads_a_response_url_that_was_not_encoded(sender, charging):
    url = "https://scsp.example/answer?request_id=5678"

    response = call("GET", f"{RECEIVER}/{charging.session.session_id}?duration=900&response_url={url}")

    assert said(response) == ACCEPTED
    assert ProfileRequest.objects.get().response_url == url


def test_finds_the_session_without_regard_to_case(sender, charging):
    assert said(put(charging.session.session_id.lower())) == ACCEPTED


@pytest.mark.parametrize("ask", CALLS)
def test_refuses_a_session_that_does_not_exist(sender, charging, ask):
    assert said(ask("NOPE")) == refused("UNKNOWN_SESSION")
    assert nothing_is_owed()


@pytest.mark.parametrize("ask", CALLS)
def test_does_not_take_a_partners_session_for_one_of_ours(sender, charging, ask):
    make_session(session_id="THEIRS", partner=make_partner(role="CPO"))

    assert said(ask("THEIRS")) == refused("UNKNOWN_SESSION")


@pytest.mark.parametrize("ask", CALLS)
def test_refuses_a_partner_that_may_not_steer_the_session(charging, ask):
    make_partner(url="https://scsp.example", token="stranger")

    assert said(ask(charging.session.session_id, token="stranger")) == refused("REJECTED")
    assert nothing_is_owed()


def test_lets_the_owner_of_the_token_steer(charging):
    make_partner(url="https://scsp.example", token="owner", role="EMSP", country_code="DE", party_id="MSP")
    type(charging.session).objects.update(token_country_code="DE", token_party_id="MSP")

    assert said(put(charging.session.session_id, token="owner")) == ACCEPTED


@pytest.mark.parametrize("ask", CALLS)
@pytest.mark.parametrize("status", ["COMPLETED", "INVALID"])
def test_refuses_a_session_that_is_over(sender, charging, ask, status):
    type(charging.session).objects.update(status=status)

    assert said(ask(charging.session.session_id)) == refused("REJECTED")
    assert nothing_is_owed()


@pytest.mark.parametrize("ask", CALLS)
def test_refuses_a_charger_that_can_not_do_profiles(sender, charging, ask):
    type(charging.outlet.charger).objects.update(takes_profiles=False)

    assert said(ask(charging.session.session_id)) == refused("NOT_SUPPORTED")
    assert nothing_is_owed()


@pytest.mark.parametrize("ask", CALLS)
def test_refuses_an_evse_that_can_not_do_profiles(sender, charging, ask):
    evse = charging.outlet.evse
    evse.document = {**evse.document, "capabilities": ["REMOTE_START_STOP_CAPABLE"]}
    evse.save()

    assert said(ask(charging.session.session_id)) == refused("NOT_SUPPORTED")


def test_refuses_only_questions_where_the_charger_can_not_tell_its_schedule(sender, charging):
    type(charging.outlet.charger).objects.update(reads_schedules=False)

    assert said(get(charging.session.session_id)) == refused("NOT_SUPPORTED")
    assert said(put(charging.session.session_id)) == ACCEPTED


@pytest.mark.parametrize("ask", CALLS)
def test_refuses_a_charger_that_is_not_connected(sender, charging, ask):
    type(charging.outlet.charger).objects.update(connected_at=None, gateway=None)
    Gateway.objects.all().delete()

    assert said(ask(charging.session.session_id)) == refused("REJECTED")
    assert nothing_is_owed()


def test_finds_a_session_whose_id_has_a_slash(sender, charging):
    type(charging.session).objects.update(session_id="A/1", key="A/1")

    assert said(put("A%2F1")) == ACCEPTED


def test_refuses_a_session_that_no_charger_of_ours_charges(sender):
    make_location(location_id="LOC9")
    session = make_session(location_id="LOC9", evse_uid="LOC9-EVSE1")

    assert said(put(session.session_id)) == refused("REJECTED")


def test_refuses_a_profile_that_is_wholly_over(sender, charging):
    response = put(charging.session.session_id, start_date_time="2020-01-01T00:00:00Z", duration=3600)

    assert said(response) == refused("REJECTED")
    assert nothing_is_owed()


def test_counts_a_profile_without_a_start_from_the_start_of_charging(sender, charging):
    body = {"charging_profile": profile(), "response_url": ANSWER_URL}
    del body["charging_profile"]["start_date_time"]

    assert said(call("PUT", f"{RECEIVER}/{charging.session.session_id}", body)) == ACCEPTED

    begins = Command.objects.get().schedule["starts_at"]
    assert begins.startswith(charging.session.started_at.strftime("%Y-%m-%dT%H:%M:%S"))


def period(**fields):
    return {"charging_profile_period": [{"start_period": 0, "limit": 16.0, **fields}]}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"charging_profile_period": []}, "charging_profile_period"),
        ({"charging_profile_period": None}, "charging_profile_period"),
        ({"charging_profile_period": "16"}, "charging_profile_period"),
        ({"charging_rate_unit": "kW"}, "charging_rate_unit"),
        ({"charging_rate_unit": None}, "charging_rate_unit"),
        ({"start_date_time": "yesterday"}, "start_date_time"),
        ({"duration": -1}, "duration"),
        ({"duration": True}, "duration"),
        ({"min_charging_rate": "some"}, "min_charging_rate"),
        (period(limit=-1), "limit"),
        (period(limit=True), "limit"),
        (period(limit=None), "limit"),
        (period(start_period=-5), "start_period"),
        (period(start_period=1.5), "start_period"),
        ({"charging_profile_period": [{"start_period": 0, "limit": 1}] * 2}, "charging_profile_period"),
    ],
)
def test_refuses_a_bad_profile_and_names_the_field(sender, charging, fields, named):
    response = put(charging.session.session_id, **fields)

    assert said(response)[:2] == (200, 2001)
    assert named in response.json()["status_message"]
    assert nothing_is_owed()


@pytest.mark.parametrize(
    "body",
    [[], "text", None, {}, {"charging_profile": {}}, {"response_url": ANSWER_URL}, {"charging_profile": []}],
)
def test_refuses_a_body_that_is_no_set_charging_profile(sender, charging, body):
    response = call("PUT", f"{RECEIVER}/{charging.session.session_id}", body)

    assert said(response)[1] == 2001
    assert nothing_is_owed()


@pytest.mark.parametrize("body", [b"{", b'{"a": NaN}', b'{"a": 1, "a": 2}'])
def test_refuses_what_is_not_json(sender, charging, body):
    assert said(call("PUT", f"{RECEIVER}/{charging.session.session_id}", body))[:2] == (400, 2001)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "answer",
        "http://scsp.example/answer",
        "https://evil.example/answer",
        "https://scsp.example@evil.example/",
        "ftp://scsp.example/answer",
        "https://scsp.example/\n",
        "https://scsp.example/" + "a" * 250,
    ],
)
@pytest.mark.parametrize("ask", CALLS)
def test_refuses_a_response_url_that_is_not_allowed(sender, charging, ask, url):
    response = ask(charging.session.session_id, response_url=url)

    assert said(response)[:2] == (200, 2001)
    assert "response_url" in response.json()["status_message"]
    assert nothing_is_owed()


@pytest.mark.parametrize("duration", ["", "0", "-1", "abc", "900.5", "99999999999"])
def test_refuses_an_odd_duration(sender, charging, duration):
    response = get(charging.session.session_id, duration=duration)

    assert said(response)[:2] == (200, 2001)
    assert "duration" in response.json()["status_message"]


def test_refuses_a_question_without_a_duration(sender, charging):
    response = call("GET", f"{RECEIVER}/{charging.session.session_id}?response_url={ANSWER_URL}")

    assert said(response)[:2] == (200, 2001)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_answers_405_to_methods_that_ocpi_does_not_have(sender, charging, method):
    response = call(method, f"{RECEIVER}/{charging.session.session_id}", {})

    assert said(response)[:2] == (405, 2000)
    assert response["Allow"] == "GET, PUT, DELETE"


@pytest.mark.parametrize("ask", CALLS)
def test_refuses_a_wrong_token(sender, charging, ask):
    assert said(ask(charging.session.session_id, token="wrong"))[:2] == (401, 2000)
    assert nothing_is_owed()


def test_checks_the_request_before_the_session(sender):
    assert said(put("NOPE", charging_profile_period=[]))[:2] == (200, 2001)


def test_takes_numbers_that_came_as_text(sender, charging):
    period = [{"start_period": "0", "limit": "16.27"}]

    assert said(put(charging.session.session_id, charging_profile_period=period)) == ACCEPTED


def test_steers_two_sessions_apart(sender, charging):
    now = timezone.now()
    location = make_location(location_id="LOC2")
    other = make_transaction(charger=make_charger(location=location, connected_at=now), started_at=now)

    assert said(put(charging.session.session_id)) == ACCEPTED
    assert said(put(other.session.session_id)) == ACCEPTED
    assert set(Command.objects.values_list("transaction", flat=True)) == {charging.pk, other.pk}
