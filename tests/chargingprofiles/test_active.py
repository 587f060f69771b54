"""Who is told the active profile, when, and what it says."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chargers.commands import read_schedule
from chargers.models import Charger, Command
from chargingprofiles.active import render
from chargingprofiles.models import ActiveProfile, ArmedSender
from ocpi.delivery.models import Push
from ocpi.partners.models import Grant
from tests.chargingprofiles import charger
from tests.chargingprofiles.calls import ANSWER_URL, delete, get, put
from tests.factories import iso, make_partner


@pytest.fixture
def now():
    return timezone.now().replace(microsecond=0)


@pytest.fixture
def other(db):
    return make_partner(url="https://scsp.example", token="other", may_steer=True)


def told(partner, session, sent=None):
    """Return the message that a push to this partner would send now."""
    return render(partner, str(session.pk), sent)


def limits(message):
    profile = message.body["charging_profile"]
    periods = [(period["start_period"], period["limit"]) for period in profile["charging_profile_period"]]
    return profile["charging_rate_unit"], profile["duration"], periods


def accept(charging, now, *limits_a, ask=put, kind="SET_LIMIT", **fields):
    """Have a request accepted, and the charger then tell these limits."""
    ask(charging.session.session_id, response_url=f"{ANSWER_URL}{Command.objects.count()}", **fields)
    charger.says("ACCEPTED", command=charger.pending(kind), now=now)
    charger.says("ACCEPTED", told=charger.schedule(*limits_a, starts_at=now), now=now)


def sign_of_change(charging, now, *limits_a):
    """Have the charger asked because something may have changed, and tell these limits."""
    deadline_at = now + timedelta(seconds=20)
    read_schedule(transaction=charging, duration_s=3600, deadline_at=deadline_at, now=now)
    charger.says("ACCEPTED", told=charger.schedule(*limits_a, starts_at=now), now=now)


def test_asks_the_charger_after_an_accepted_profile(sender, charging):
    put(charging.session.session_id)
    charger.says("ACCEPTED")

    command = charger.pending()
    assert (command.kind, command.duration_s) == (Command.Kind.READ_SCHEDULE, 3600)
    assert not Push.objects.exists()


def test_does_not_keep_the_next_profile_waiting_for_a_charger_that_tells_nothing(sender, charging):
    put(charging.session.session_id)
    charger.says("ACCEPTED")

    command = charger.pending()
    assert command.deadline_at - command.created_at <= timedelta(seconds=6)


def test_tells_the_sender_the_active_profile_of_the_next_hour(sender, charging, now):
    accept(charging, now, 16, 10)

    push = Push.objects.get()
    assert (push.partner, push.kind, push.object_key) == (sender, "active_profile", str(charging.session.pk))
    assert push.subject == f"session:{charging.session.pk}"
    message = told(sender, charging.session)
    assert (message.method, message.module, message.role) == ("PUT", "chargingprofiles", "SENDER")
    assert message.path == (charging.session.session_id,)
    assert message.body == {
        "start_date_time": iso(now),
        "charging_profile": {
            "start_date_time": iso(now),
            "duration": 3600,
            "charging_rate_unit": "A",
            "charging_profile_period": [
                {"start_period": 0, "limit": 16},
                {"start_period": 600, "limit": 10},
            ],
        },
    }


@pytest.mark.parametrize("outcome", ["REJECTED", "NOT_SUPPORTED"])
def test_tells_nobody_whose_profile_was_not_accepted(sender, charging, outcome):
    put(charging.session.session_id)
    charger.says(outcome)

    assert not Command.objects.filter(kind="READ_SCHEDULE").exists()
    assert not Push.objects.exists()
    assert told(sender, charging.session) is None


def test_tells_nobody_who_only_asked(sender, charging, now):
    get(charging.session.session_id)
    charger.says("ACCEPTED", told=charger.schedule(16, starts_at=now), now=now)

    assert not Push.objects.exists()


def test_does_not_tell_an_unchanged_profile_again(sender, charging, now):
    accept(charging, now, 16, 10)
    first = told(sender, charging.session)

    sign_of_change(charging, now + timedelta(minutes=5), 16, 10)
    # Read five minutes later, the second step would begin five minutes later too: that is a change.
    assert told(sender, charging.session, first.document) is not None

    sign_of_change(charging, now, 16, 10)
    assert told(sender, charging.session, first.document) is None


def test_tells_a_changed_profile(sender, charging, now):
    accept(charging, now, 16)
    first = told(sender, charging.session)

    sign_of_change(charging, now + timedelta(minutes=5), 8)

    assert limits(told(sender, charging.session, first.document)) == ("A", 3600, [(0, 8)])


def test_tells_it_once_after_each_accepted_request_even_unchanged(sender, charging, now):
    accept(charging, now, 16)
    first = told(sender, charging.session)
    accept(charging, now + timedelta(seconds=30), 16)

    second = told(sender, charging.session, first.document)

    assert limits(second) == ("A", 3600, [(0, 16)])
    assert told(sender, charging.session, second.document) is None


def test_tells_other_armed_senders_only_of_changes(sender, other, charging, now):
    accept(charging, now, 16)
    accept(charging, now, 16, token="other")
    first = told(sender, charging.session)
    assert told(other, charging.session) is not None

    accept(charging, now, 16, token="other")
    assert told(sender, charging.session, first.document) is None

    accept(charging, now, 10, token="other")
    assert limits(told(sender, charging.session, first.document)) == ("A", 3600, [(0, 10)])


def test_tells_the_maximum_of_the_evse_after_a_clear(sender, charging, now):
    Charger.objects.update(reads_schedules=False)
    put(charging.session.session_id)
    charger.says("ACCEPTED")
    delete(charging.session.session_id, response_url=f"{ANSWER_URL}2")
    charger.says("ACCEPTED")

    assert limits(told(sender, charging.session)) == ("A", 3600, [(0, 32)])


def test_computes_it_where_the_charger_can_not_tell(sender, charging):
    Charger.objects.update(reads_schedules=False)
    put(charging.session.session_id, start_date_time=iso(timezone.now()))
    charger.says("ACCEPTED")

    assert not Command.objects.filter(kind="READ_SCHEDULE").exists()
    assert limits(told(sender, charging.session))[0] == "A"
    assert limits(told(sender, charging.session))[2][0] == (0, 16)


@pytest.mark.parametrize("answer", ["NOT_SUPPORTED", "REJECTED", "UNKNOWN", "silence"])
def test_computes_it_when_the_charger_fails_to_tell_after_a_change(sender, charging, answer):
    put(charging.session.session_id)
    charger.says("ACCEPTED")
    if answer == "silence":
        charger.is_silent()
    else:
        charger.says(answer)

    assert limits(told(sender, charging.session))[2][0] == (0, 16)


def test_computes_nothing_when_a_sign_of_change_leads_nowhere(sender, charging, now):
    accept(charging, now, 12)
    first = told(sender, charging.session)
    read_schedule(transaction=charging, duration_s=3600, deadline_at=now + timedelta(seconds=20), now=now)
    charger.is_silent(now=now)

    assert told(sender, charging.session, first.document) is None


def test_computes_it_when_the_charger_has_no_schedule_any_more(sender, charging, now):
    accept(charging, now, 12, start_date_time=iso(now))
    first = told(sender, charging.session)
    read_schedule(transaction=charging, duration_s=3600, deadline_at=now + timedelta(seconds=20), now=now)
    charger.says("UNKNOWN", now=now)

    assert limits(told(sender, charging.session, first.document)) == ("A", 3600, [(0, 16)])


def test_learns_from_the_answer_to_a_question_too(sender, charging, now):
    accept(charging, now, 16)
    first = told(sender, charging.session)
    get(charging.session.session_id, duration=900)
    charger.says("ACCEPTED", told=charger.schedule(6, starts_at=now), now=now)

    assert limits(told(sender, charging.session, first.document)) == ("A", 900, [(0, 6)])


def test_tells_nothing_beyond_what_the_charger_told(sender, charging, now):
    accept(charging, now, 16)
    read_schedule(transaction=charging, duration_s=3600, deadline_at=now + timedelta(seconds=20), now=now)
    charger.says("ACCEPTED", told=charger.schedule(16, 6, starts_at=now, duration_s=1500), now=now)

    assert limits(told(sender, charging.session)) == ("A", 1500, [(0, 16), (600, 6)])


def test_loses_no_second_of_the_schedule_to_a_fraction_of_one(sender, charging, now):
    accept(charging, now, 16)
    read_schedule(transaction=charging, duration_s=3600, deadline_at=now + timedelta(seconds=20), now=now)
    told_at = now.replace(microsecond=0)
    schedule = charger.schedule(16, starts_at=told_at, duration_s=1500)
    charger.says("ACCEPTED", told=schedule, now=told_at + timedelta(milliseconds=400))

    assert limits(told(sender, charging.session)) == ("A", 1500, [(0, 16)])


def test_does_not_learn_from_a_short_glance(sender, charging, now):
    accept(charging, now, 16)
    get(charging.session.session_id, duration=60)
    charger.says("ACCEPTED", told=charger.schedule(6, starts_at=now), now=now)

    assert limits(told(sender, charging.session)) == ("A", 3600, [(0, 16)])


def test_tells_nothing_while_a_newer_reading_is_awaited(sender, charging, now):
    accept(charging, now, 16)
    put(charging.session.session_id, response_url=f"{ANSWER_URL}2")
    charger.says("ACCEPTED", command=charger.pending("SET_LIMIT"), now=now)

    assert told(sender, charging.session) is None


def test_asks_again_after_limits_were_restored(sender, charging, now):
    accept(charging, now, 16)
    restore = Command.objects.create(
        charger=charging.outlet.charger,
        outlet=charging.outlet,
        transaction=charging,
        kind=Command.Kind.RESTORE,
        created_at=now,
        not_before=now,
        deadline_at=now + timedelta(seconds=20),
    )

    charger.says("ACCEPTED", command=restore, now=now)

    assert charger.pending().kind == Command.Kind.READ_SCHEDULE


@pytest.mark.parametrize("status", ["COMPLETED", "INVALID"])
def test_tells_nothing_once_the_session_is_over(sender, charging, now, status):
    accept(charging, now, 16)
    type(charging.session).objects.update(status=status)

    assert told(sender, charging.session) is None


def test_tells_nothing_once_the_sender_may_not_steer_any_more(sender, charging, now):
    accept(charging, now, 16)
    Grant.objects.all().delete()

    assert told(sender, charging.session) is None


def test_keeps_telling_after_a_clear(sender, charging, now):
    accept(charging, now, 16)
    accept(charging, now, 32, ask=delete, kind="CLEAR_LIMIT")
    first = told(sender, charging.session)

    sign_of_change(charging, now, 20)

    assert ArmedSender.objects.count() == 1
    assert limits(told(sender, charging.session, first.document)) == ("A", 3600, [(0, 20)])


def test_forgets_nothing_it_can_not_render(sender, charging):
    assert render(sender, "999999", None) is None
    assert not ActiveProfile.objects.exists()


def test_asks_again_when_the_charger_had_lost_its_profile(sender, charging, now):
    accept(charging, now, 16)
    delete(charging.session.session_id)

    charger.says("UNKNOWN", now=now)

    assert charger.pending().kind == Command.Kind.READ_SCHEDULE
