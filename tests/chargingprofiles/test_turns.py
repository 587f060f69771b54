"""Requests that meet others: repeated, too often, newer ones, at the same time, before the start."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from chargers.models import Charger, Command
from chargingprofiles import due
from chargingprofiles.models import ProfileRequest
from ocpi.delivery.models import Result
from tests.chargingprofiles import charger
from tests.chargingprofiles.calls import ANSWER_URL, delete, get, profile, put, said
from tests.factories import make_charger, make_location, make_partner, make_session, make_transaction

ACCEPTED = {"result": "ACCEPTED", "timeout": 30}
TOO_OFTEN = {"result": "TOO_OFTEN", "timeout": 0}
REJECTED = {"result": "REJECTED", "timeout": 0}


def result_of(number):
    """Return the result owed to the response_url with this number, None when there is none yet."""
    return Result.objects.filter(url=f"{ANSWER_URL}{number}").values_list("body", flat=True).first()


def urls():
    return (f"{ANSWER_URL}{number}" for number in range(1000))


def test_answers_a_repeated_request_alike_without_a_second_command(sender, charging):
    same = {"start_date_time": profile()["start_date_time"]}

    assert said(put(charging.session.session_id, **same))[2] == ACCEPTED
    assert said(put(charging.session.session_id, **same))[2] == ACCEPTED

    assert (ProfileRequest.objects.count(), Command.objects.count()) == (1, 1)
    assert not Result.objects.exists()


def test_takes_a_repeated_request_anew_once_it_was_decided(sender, charging):
    same = {"start_date_time": profile()["start_date_time"]}
    put(charging.session.session_id, **same)
    charger.says("REJECTED")

    assert said(put(charging.session.session_id, **same))[2] == ACCEPTED

    assert ProfileRequest.objects.count() == 2


def test_takes_the_last_of_set_other_set_again_for_the_newest_wish(sender, charging):
    session_id = charging.session.session_id
    first = profile()
    put(session_id, **first)
    Command.objects.update(state="SENT")
    put(session_id, charging_profile_period=[{"start_period": 0, "limit": 8}])

    assert said(put(session_id, **first))[2] == ACCEPTED

    waiting = Command.objects.get(state="QUEUED")
    assert [period["limit"] for period in waiting.schedule["periods"]] == [16, 10]
    assert list(ProfileRequest.objects.order_by("asked_at").values_list("decision", flat=True)) == [
        "",
        "REJECTED",
        "",
    ]


def test_lets_the_rate_be_used_up_in_a_burst_then_says_too_often(sender, charging, settings):
    settings.PROFILE_RATE = (3, 60)
    session_id = charging.session.session_id

    answers = [said(get(session_id, response_url=url)) for url, _ in zip(urls(), range(5), strict=False)]

    assert answers == [(200, 1000, ACCEPTED)] * 3 + [(200, 1000, TOO_OFTEN)] * 2
    assert said(put(session_id))[2] == TOO_OFTEN
    assert ProfileRequest.objects.count() == 3


def test_counts_only_what_it_accepted_within_the_window(sender, charging, settings):
    settings.PROFILE_RATE = (1, 60)
    session_id = charging.session.session_id
    put(session_id, start_date_time="2020-01-01T00:00:00Z", duration=60)
    assert said(get(session_id))[2] == ACCEPTED
    assert said(get(session_id, response_url=f"{ANSWER_URL}2"))[2] == TOO_OFTEN

    ProfileRequest.objects.update(asked_at=timezone.now() - timedelta(seconds=61))

    assert said(get(session_id, response_url=f"{ANSWER_URL}3"))[2] == ACCEPTED


def test_counts_each_sender_and_session_for_itself(sender, charging, settings):
    settings.PROFILE_RATE = (1, 60)
    make_partner(url="https://scsp.example", token="other", may_steer=True)
    location = make_location(location_id="LOC2")
    elsewhere = make_transaction(charger=make_charger(location=location, connected_at=timezone.now()))

    assert said(put(charging.session.session_id))[2] == ACCEPTED
    assert said(put(charging.session.session_id, token="other"))[2] == ACCEPTED
    assert said(put(elsewhere.session.session_id))[2] == ACCEPTED


def test_answers_a_repeated_request_also_when_the_rate_is_used_up(sender, charging, settings):
    settings.PROFILE_RATE = (1, 60)

    assert said(get(charging.session.session_id))[2] == ACCEPTED
    assert said(get(charging.session.session_id))[2] == ACCEPTED


@pytest.mark.django_db(transaction=True)
def test_holds_the_rate_against_requests_at_the_same_time(sender, charging, settings):
    settings.PROFILE_RATE = (3, 60)

    def ask(url):
        try:
            return said(get(charging.session.session_id, response_url=url))[2]["result"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, [url for url, _ in zip(urls(), range(8), strict=False)]))

    assert sorted(answers) == ["ACCEPTED"] * 3 + ["TOO_OFTEN"] * 5


@pytest.mark.django_db(transaction=True)
def test_takes_one_of_the_same_requests_at_the_same_time(sender, charging):
    same = {"start_date_time": profile()["start_date_time"]}

    def ask(_number):
        try:
            return said(put(charging.session.session_id, **same))[2]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(ask, range(5))) == [ACCEPTED] * 5

    assert Command.objects.count() == 1


def test_a_newer_profile_replaces_one_that_still_waits(sender, charging):
    put(charging.session.session_id, response_url=f"{ANSWER_URL}1")
    put(charging.session.session_id, response_url=f"{ANSWER_URL}2")

    assert (result_of(1), result_of(2)) == ({"result": "REJECTED"}, None)
    assert charger.pending().profile_request.response_url == f"{ANSWER_URL}2"


def test_a_clear_replaces_a_profile_that_still_waits(sender, charging):
    put(charging.session.session_id, response_url=f"{ANSWER_URL}1")
    delete(charging.session.session_id, response_url=f"{ANSWER_URL}2")

    assert (result_of(1), result_of(2)) == ({"result": "REJECTED"}, {"result": "UNKNOWN"})


def test_a_profile_that_the_charger_has_been_sent_is_left_to_the_charger(sender, charging):
    put(charging.session.session_id, response_url=f"{ANSWER_URL}1")
    Command.objects.update(state=Command.State.SENT, sent_at=timezone.now())
    delete(charging.session.session_id, response_url=f"{ANSWER_URL}2")

    first, second = Command.objects.all()
    assert (second.kind, second.state) == (Command.Kind.CLEAR_LIMIT, Command.State.QUEUED)
    charger.says("ACCEPTED", command=first)
    charger.says("ACCEPTED", command=second)
    assert (result_of(1), result_of(2)) == ({"result": "ACCEPTED"}, {"result": "ACCEPTED"})


def test_leaves_questions_and_other_senders_alone(sender, charging):
    make_partner(url="https://scsp.example", token="other", may_steer=True)
    get(charging.session.session_id, response_url=f"{ANSWER_URL}1")
    put(charging.session.session_id, response_url=f"{ANSWER_URL}2", token="other")
    put(charging.session.session_id, response_url=f"{ANSWER_URL}3")

    assert not Result.objects.exists()


@pytest.fixture
def plugged_in(sender):
    """A session that waits for its token; its charger is connected."""
    make_charger(connected_at=timezone.now())
    return make_session(status="PENDING")


@pytest.mark.parametrize("ask", [put, get])
def test_holds_a_request_until_charging_starts(plugged_in, ask):
    assert said(ask(plugged_in.session_id))[2] == ACCEPTED
    assert due.sweep(timezone.now()) == 0
    assert not Command.objects.exists()

    begun = make_transaction(session=plugged_in, charger=Charger.objects.first(), started_at=timezone.now())
    assert due.sweep(timezone.now()) == 1
    assert due.sweep(timezone.now()) == 0

    command = charger.pending()
    request = ProfileRequest.objects.get()
    assert (command.transaction, request.command) == (begun, command)
    assert command.deadline_at == request.deadline_at - timedelta(seconds=2)


def test_answers_a_clear_before_charging_starts_with_the_result_unknown(plugged_in):
    put(plugged_in.session_id, response_url=f"{ANSWER_URL}1")
    delete(plugged_in.session_id, response_url=f"{ANSWER_URL}2")

    assert (result_of(1), result_of(2)) == ({"result": "REJECTED"}, {"result": "UNKNOWN"})


@pytest.mark.parametrize(
    ("status", "after_s", "expected"),
    [("PENDING", 27, None), ("PENDING", 28, "REJECTED"), ("INVALID", 1, "REJECTED")],
)
def test_rejects_what_was_held_when_charging_does_not_start(plugged_in, status, after_s, expected):
    put(plugged_in.session_id, response_url=f"{ANSWER_URL}1")
    type(plugged_in).objects.update(status=status)

    due.sweep(ProfileRequest.objects.get().asked_at + timedelta(seconds=after_s))

    assert result_of(1) == (expected and {"result": expected})


def test_refuses_before_the_start_what_would_be_refused_after_it(plugged_in):
    Charger.objects.update(takes_profiles=False)
    assert said(put(plugged_in.session_id))[2]["result"] == "NOT_SUPPORTED"
    Charger.objects.update(takes_profiles=None, connected_at=None, gateway=None)
    assert said(put(plugged_in.session_id))[2]["result"] == "REJECTED"


def test_rejects_what_nobody_decided_a_little_after_its_end(sender, charging):
    put(charging.session.session_id, response_url=f"{ANSWER_URL}1")
    command = charger.pending()
    asked_at = ProfileRequest.objects.get().asked_at

    due.sweep(asked_at + timedelta(seconds=30))
    assert result_of(1) is None
    due.sweep(asked_at + timedelta(seconds=31))

    command.refresh_from_db()
    assert (result_of(1), command.state) == ({"result": "REJECTED"}, Command.State.NO_ANSWER)
