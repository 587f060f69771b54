"""Owing: one row per request or object, however often and by however many it is owed."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from ocpi.delivery import duties
from ocpi.delivery.models import Duty, Push, Result
from ocpi.partners.models import Partner
from tests.factories import NOW, make_partner
from tests.ocpi.delivery.threads import together

pytestmark = pytest.mark.django_db


def owe_result(partner: Partner, **fields: Any) -> Result:
    values: dict[str, Any] = {
        "request_key": "request-1",
        "subject": "session:S1",
        "url": "http://127.0.0.1:9/results/1",
        "body": {"result": "ACCEPTED"},
        "correlation_id": "correlation-1",
        "expires_at": NOW + timedelta(seconds=270),
        "now": NOW,
    }
    return duties.owe_result(partner=partner, **(values | fields))


def owe_push(partner: Partner, **fields: Any) -> Push:
    values: dict[str, Any] = {"kind": "session", "object_key": "S1", "now": NOW}
    return duties.owe_push(partner=partner, **(values | fields))


def test_owes_one_result_per_request() -> None:
    partner = make_partner()

    first = owe_result(partner)
    second = owe_result(partner, body={"result": "REJECTED"})

    assert first.pk == second.pk
    assert second.body == {"result": "ACCEPTED"}
    assert Result.objects.get().next_at == NOW


def test_owes_a_result_in_one_query(django_assert_num_queries: Any) -> None:
    partner = make_partner()

    with django_assert_num_queries(3):  # savepoint, insert, release
        owe_result(partner)


def test_owes_a_known_push_in_two_queries(django_assert_num_queries: Any) -> None:
    partner = make_partner()
    owe_push(partner)

    with django_assert_num_queries(2):
        owe_push(partner)


@pytest.mark.parametrize(
    ("waits_s", "due_in_s"),
    [
        ([0], 0),
        ([5], 5),
        ([5, 5], 5),
        ([5, 0], 0),
        ([0, 5], 0),
    ],
    ids=str,
)
def test_coalesces_pushes_of_one_object_at_the_earliest_time(waits_s: list[float], due_in_s: float) -> None:
    partner = make_partner()

    for wait_s in waits_s:
        owe_push(partner, after_s=wait_s)

    push = Push.objects.get()
    assert push.version == len(waits_s)
    assert push.next_at == NOW + timedelta(seconds=due_in_s)


def test_keeps_pushes_of_other_objects_kinds_and_partners_apart() -> None:
    partner = make_partner()

    owe_push(partner)
    owe_push(partner, object_key="S2")
    owe_push(partner, kind="location")
    owe_push(make_partner())

    assert Push.objects.count() == 4


@pytest.mark.parametrize("state", [Duty.State.DONE, Duty.State.DEAD, Duty.State.EXPIRED])
def test_owes_a_settled_push_anew(state: Duty.State) -> None:
    push = owe_push(make_partner())
    Push.objects.update(state=state, attempts=7, crashes=3, settled_at=NOW, last_error="HTTP 404")
    later = NOW + timedelta(days=3)

    push = owe_push(push.partner, now=later)

    assert (push.state, push.attempts, push.crashes, push.last_error) == (Duty.State.PENDING, 0, 0, "")
    assert (push.next_at, push.expires_at) == (later, later + timedelta(hours=24))
    assert push.settled_at is None


def test_lets_a_failing_push_keep_its_growing_waits() -> None:
    push = owe_push(make_partner())
    Push.objects.update(attempts=5, next_at=NOW + timedelta(seconds=300), last_outcome="server_error")

    push = owe_push(push.partner)
    assert push.next_at == NOW + timedelta(seconds=10)

    push = owe_push(push.partner, now=NOW + timedelta(seconds=9))
    assert push.next_at == NOW + timedelta(seconds=10)


def test_leaves_a_push_in_flight_to_its_deliverer() -> None:
    push = owe_push(make_partner())
    lease_until = NOW + timedelta(seconds=15)
    Push.objects.update(state=Duty.State.LEASED, lease_until=lease_until, next_at=lease_until, attempts=1)

    push = owe_push(push.partner, after_s=5)

    assert (push.state, push.version) == (Duty.State.LEASED, 2)
    assert push.next_at == NOW + timedelta(seconds=5)


@pytest.mark.django_db(transaction=True)
def test_counts_every_change_when_many_owe_the_same_push_at_once() -> None:
    partner = make_partner()

    together(8, lambda _: owe_push(partner))

    assert Push.objects.get().version == 8


@pytest.mark.django_db(transaction=True)
def test_owes_one_result_when_many_decide_at_once() -> None:
    partner = make_partner()

    together(8, lambda number: owe_result(partner, body={"from": number}))

    assert Result.objects.count() == 1


def test_replays_a_settled_result_in_a_new_window() -> None:
    result = owe_result(make_partner())
    Result.objects.update(state=Duty.State.EXPIRED, attempts=20, settled_at=NOW)
    later = NOW + timedelta(days=1)

    duties.replay(f"result:{result.pk}", now=later)

    result.refresh_from_db()
    assert (result.state, result.attempts, result.next_at) == (Duty.State.PENDING, 0, later)
    assert result.expires_at == later + timedelta(seconds=settings.RESULT_GRACE_S)


def test_replays_a_push_as_a_whole() -> None:
    push = owe_push(make_partner())
    Push.objects.update(state=Duty.State.DEAD, sent_document={"id": "S1"}, settled_at=NOW)

    duties.replay(f"push:{push.pk}", now=NOW)

    push.refresh_from_db()
    assert (push.state, push.sent_document) == (Duty.State.PENDING, None)


@pytest.mark.parametrize(
    "duty_id",
    [
        "",
        "push",
        "push:",
        "push:x",
        "push:٣",
        "push:1e3",
        "push:0",
        "push:" + "9" * 30,
        "result:1",
        "session:1",
        "result:00000000-0000-0000-0000-000000000000",
    ],
)
def test_refuses_to_replay_what_is_not_there(duty_id: str) -> None:
    with pytest.raises(duties.UnableToReplay, match="delivery list"):
        duties.replay(duty_id, now=NOW)


def test_refuses_to_replay_what_is_still_open() -> None:
    push = owe_push(make_partner())

    with pytest.raises(duties.UnableToReplay, match="not settled"):
        duties.replay(f"push:{push.pk}", now=NOW)


def test_knows_since_when_the_oldest_duty_waits() -> None:
    partner = make_partner()
    assert duties.oldest_due_at(now=NOW) is None

    owe_push(partner, now=NOW - timedelta(seconds=9))
    result = owe_result(partner, now=NOW - timedelta(seconds=30))
    assert duties.oldest_due_at(now=NOW) == NOW - timedelta(seconds=30)

    # Leased by somebody who is gone since 5 s.
    Result.objects.filter(pk=result.pk).update(
        state=Duty.State.LEASED, lease_until=NOW - timedelta(seconds=5), next_at=NOW + timedelta(seconds=15)
    )
    assert duties.oldest_due_at(now=NOW) == NOW - timedelta(seconds=9)


def test_does_not_count_what_waits_for_a_slow_partner() -> None:
    partner = make_partner()
    owe_push(partner, now=NOW - timedelta(seconds=90))
    busy = owe_push(partner, object_key="S2", now=NOW - timedelta(seconds=90))

    Push.objects.filter(pk=busy.pk).update(state=Duty.State.LEASED, lease_until=NOW + timedelta(seconds=9))

    assert duties.oldest_due_at(now=NOW) is None
