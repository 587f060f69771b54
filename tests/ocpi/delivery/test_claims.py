"""Claims: one deliverer per duty, late writers fenced off, a few per partner at once."""

from datetime import timedelta

import pytest
from django.db.models import Q

from ocpi.delivery import claims
from ocpi.delivery.models import Duty, Push, Result
from ocpi.partners.models import Partner
from tests.factories import NOW, make_partner
from tests.ocpi.delivery.threads import together

pytestmark = pytest.mark.django_db


def push_for(partner: Partner, number: int = 1, **fields: object) -> Push:
    values = {"next_at": NOW, "expires_at": NOW + timedelta(hours=24), "created_at": NOW, "version": 1}
    return Push.objects.create(partner=partner, kind="session", object_key=f"S{number}", **(values | fields))


def result_for(partner: Partner, number: int = 1, **fields: object) -> Result:
    values = {"next_at": NOW, "expires_at": NOW + timedelta(seconds=270), "created_at": NOW, "body": {}}
    return Result.objects.create(
        partner=partner, request_key=f"R{number}", url="http://127.0.0.1:9/", **(values | fields)
    )


def test_takes_what_is_due_with_a_lease() -> None:
    push = push_for(make_partner())

    claimed = claims.claim(Push, push.pk, now=NOW)

    push.refresh_from_db()
    assert claimed is not None
    assert (claimed.fence, claimed.attempts, claimed.crashes) == (push.fence, push.attempts, push.crashes)
    assert (push.state, push.lease_owner) == (Duty.State.LEASED, claims.OWNER)
    assert push.lease_until == NOW + claims.LEASE


@pytest.mark.parametrize(
    ("fields", "is_taken"),
    [
        ({}, True),
        ({"next_at": NOW + timedelta(milliseconds=1)}, False),
        ({"state": "LEASED", "lease_until": NOW}, False),
        ({"state": "LEASED", "lease_until": NOW - timedelta(milliseconds=1)}, True),
        (
            {"state": "LEASED", "lease_until": NOW - timedelta(hours=1), "next_at": NOW + timedelta(hours=1)},
            True,
        ),
        ({"state": "DONE"}, False),
        ({"state": "DEAD"}, False),
        ({"state": "EXPIRED"}, False),
    ],
    ids=str,
)
def test_takes_only_what_is_due_or_abandoned(fields: dict[str, object], is_taken: bool) -> None:
    push = push_for(make_partner(), **fields)

    assert (claims.claim(Push, push.pk, now=NOW) is not None) == is_taken


@pytest.mark.parametrize(
    ("push_subject", "result_subject", "state", "is_taken"),
    [
        ("session:S1", "session:S1", "PENDING", False),
        ("session:S1", "session:S1", "LEASED", False),
        ("session:S1", "session:S1", "DONE", True),
        ("session:S1", "session:S1", "DEAD", True),
        ("session:S1", "session:S1", "EXPIRED", True),
        ("session:S1", "session:S2", "PENDING", True),
        ("", "", "PENDING", True),
    ],
)
def test_lets_a_push_wait_for_the_open_result_of_its_subject(
    push_subject: str, result_subject: str, state: str, is_taken: bool
) -> None:
    partner = make_partner()
    push = push_for(partner, subject=push_subject)
    result_for(partner, subject=result_subject, state=state, next_at=NOW + timedelta(seconds=8))

    assert (claims.claim(Push, push.pk, now=NOW) is not None) == is_taken


def test_does_not_let_a_push_wait_for_the_result_of_another_partner() -> None:
    push = push_for(make_partner(), subject="session:S1")
    result_for(make_partner(), subject="session:S1")

    assert claims.claim(Push, push.pk, now=NOW)


def test_limits_what_is_in_flight_per_partner() -> None:
    partner, other = make_partner(), make_partner()
    pushes = [push_for(partner, number) for number in range(5)] + [push_for(other)]
    results = [result_for(partner, number) for number in range(6)]

    claimed_pushes = [bool(claims.claim(Push, push.pk, now=NOW)) for push in pushes]
    claimed_results = [bool(claims.claim(Result, result.pk, now=NOW)) for result in results]

    assert claimed_pushes == [True, True, False, False, False, True]
    assert claimed_results == [True] * 4 + [False] * 2


@pytest.mark.parametrize(
    ("subject", "lease_s", "is_taken"),
    [("location:1", 9, False), ("location:1", -1, True), ("location:2", 9, True), ("", 9, True)],
)
def test_has_one_push_of_a_subject_out_at_once(subject: str, lease_s: int, is_taken: bool) -> None:
    partner = make_partner()
    push = push_for(partner, 1, subject=subject)
    push_for(
        partner,
        2,
        subject="location:1" if subject else "",
        state="LEASED",
        lease_until=NOW + timedelta(seconds=lease_s),
    )
    push_for(make_partner(), 3, subject=subject, state="LEASED", lease_until=NOW + timedelta(seconds=9))

    assert (claims.claim(Push, push.pk, now=NOW) is not None) == is_taken


@pytest.mark.django_db(transaction=True)
def test_has_one_push_of_a_subject_out_among_many_claimers() -> None:
    partner = make_partner()
    rows = [push_for(partner, number, subject="location:1").pk for number in range(8)]

    taken = together(8, lambda number: claims.claim(Push, rows[number], now=NOW) is not None)

    assert taken.count(True) == 1


def test_fences_off_a_late_writer() -> None:
    push = push_for(make_partner())
    late = claims.claim(Push, push.pk, now=NOW)
    second = claims.claim(Push, push.pk, now=NOW + timedelta(seconds=16))
    assert late
    assert second

    assert not claims.renew(late, now=NOW + timedelta(seconds=17))
    assert not claims.settle(late, state=Duty.State.DEAD)
    assert claims.settle(second, state=Duty.State.DONE)
    assert not claims.settle(second, state=Duty.State.DEAD)

    push.refresh_from_db()
    assert push.state == Duty.State.DONE


def test_settles_only_when_the_row_is_as_expected() -> None:
    claimed = claims.claim(Push, push_for(make_partner()).pk, now=NOW)
    assert claimed

    assert not claims.settle(claimed, only=Q(version=2), state=Duty.State.DONE)
    assert claims.settle(claimed, only=Q(version=1), state=Duty.State.DONE)


def test_releases_what_processes_before_this_one_held() -> None:
    partner = make_partner()
    mine = claims.claim(Push, push_for(partner, 1).pk, now=NOW)
    gone = push_for(partner, 2, state="LEASED", lease_owner="a:1:x", lease_until=NOW + timedelta(seconds=9))

    assert claims.release_all_of_others(now=NOW) == 1

    gone.refresh_from_db()
    assert gone.state == Duty.State.PENDING
    assert mine
    assert claims.settle(mine, state=Duty.State.DONE)


@pytest.mark.django_db(transaction=True)
def test_gives_each_row_to_one_of_many_claimers() -> None:
    rows = [result_for(make_partner(), number).pk for number in range(25)]

    taken = together(8, lambda _: [pk for pk in rows if claims.claim(Result, pk, now=NOW)])

    assert sorted(pk for own in taken for pk in own) == sorted(rows)
    assert set(Result.objects.values_list("fence", flat=True)) == {1}


@pytest.mark.django_db(transaction=True)
def test_keeps_the_limit_per_partner_among_many_claimers() -> None:
    partner = make_partner()
    rows = [push_for(partner, number).pk for number in range(8)]

    taken = together(8, lambda number: claims.claim(Push, rows[number], now=NOW) is not None)

    assert taken.count(True) == claims.MOST_IN_FLIGHT[Push]
