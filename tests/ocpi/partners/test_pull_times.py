"""When partners are pulled from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from ocpi.partners import pull_times, tasks
from ocpi.partners.models import Partner
from ocpi.partners.pulls import LONGEST_PULL, PullCount, Reading, UnableToPull, register_puller
from ocpi.protocol.client import CallFailed
from ocpi.protocol.list_reading import Place
from tests.factories import NOW, make_partner

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def pulled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Only locations are pulled, which notes from whom; from Silent nothing comes."""
    names: list[str] = []
    monkeypatch.setattr("ocpi.partners.pulls._pullers", {})

    def puller(partner: Partner, reading: Reading) -> PullCount:
        names.append(partner.name)
        if partner.name == "Silent":
            raise UnableToPull("no answer")
        return PullCount(stored=1)

    register_puller("locations", puller)
    return names


def due(name: str, after: timedelta, **fields: object) -> Partner:
    return make_partner(name=name, role="CPO", pull_due_at=NOW + after, **fields)


def names(partner_ids: list[int]) -> list[str]:
    return [Partner.objects.get(pk=pk).name for pk in partner_ids]


def test_claims_whose_turn_it_is_the_longest_waiting_first() -> None:
    due("Two", timedelta())
    due("Later", MINUTE)
    due("One", -HOUR)
    make_partner(name="Never", role="CPO")
    ended = due("Ended", -HOUR)
    Partner.objects.filter(pk=ended.pk).update(status=Partner.Status.ENDED)

    assert names(pull_times.claim_due(NOW)) == ["One", "Two"]
    assert pull_times.claim_due(NOW) == []
    assert Partner.objects.get(name="One").pull_due_at == NOW + LONGEST_PULL


@pytest.mark.parametrize(
    ("reason", "silent_for", "seen", "is_back"),
    [
        ("timeout", 3 * MINUTE, MINUTE, True),
        ("unreachable", 3 * MINUTE, MINUTE, True),
        ("unreachable", 3 * MINUTE, -MINUTE, False),
        ("unreachable", MINUTE, MINUTE / 2, False),
        ("tls", 3 * MINUTE, MINUTE, False),
    ],
    ids=["timeout", "unreachable", "not seen since", "a moment ago", "answers"],
)
def test_who_gave_no_answer_and_calls_us_again_is_back(
    monkeypatch: pytest.MonkeyPatch, reason: str, silent_for: timedelta, seen: timedelta, is_back: bool
) -> None:
    monkeypatch.setattr("ocpi.partners.pulls._pullers", {})

    def silent(partner: Partner, reading: Reading) -> PullCount:
        raise CallFailed(reason, "nothing came")

    register_puller("locations", silent)
    partner = due("Down", timedelta(), pull_failures=9)
    pull_times.take_turn(partner, now=NOW)
    Partner.objects.update(last_seen_at=NOW + seen)

    assert names(pull_times.claim_due(NOW + silent_for)) == (["Down"] if is_back else [])
    assert pull_times.claim_due(NOW + silent_for) == []


def test_lets_only_a_few_pull_at_once() -> None:
    for number in range(5):
        due(f"Due {number}", -MINUTE * number)
    make_partner(name="Slow", role="CPO", pulling_until=NOW + MINUTE)
    make_partner(name="Dead", role="CPO", pulling_until=NOW - MINUTE)

    assert names(pull_times.claim_due(NOW)) == ["Due 4", "Due 3"]


def test_gives_the_next_turn_about_an_hour_later(pulled: list[str]) -> None:
    times = set()
    for number in range(8):
        partner = due(f"CPO {number}", timedelta(), pull_failures=2)
        pull_times.take_turn(partner, now=NOW)
        partner.refresh_from_db()
        assert partner.pull_due_at is not None
        assert NOW + HOUR / 2 <= partner.pull_due_at <= NOW + HOUR * 1.5
        assert partner.pull_failures == 0
        times.add(partner.pull_due_at)
    assert len(times) > 1


@pytest.mark.parametrize(("failures", "wait"), [(0, 2), (1, 4), (3, 16), (4, 32), (5, 60), (10, 60)])
def test_tries_again_sooner_after_a_failure_but_ever_later(
    pulled: list[str], monkeypatch: pytest.MonkeyPatch, failures: int, wait: int
) -> None:
    monkeypatch.setattr("random.uniform", lambda least, most: 1)
    partner = due("Silent", timedelta(), pull_failures=failures)

    pull_times.take_turn(partner, now=NOW)

    partner.refresh_from_db()
    assert partner.pull_due_at == NOW + MINUTE * wait
    assert partner.pull_failures == min(failures + 1, 10)
    assert "no answer" in partner.last_error


def test_waits_no_longer_after_a_failure_that_came_on(
    pulled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.uniform", lambda least, most: 1)

    def comes_on(partner: Partner, reading: Reading) -> PullCount:
        reading.keep(Place("https://cpo.example/l?offset=200", None, 200))
        raise UnableToPull("The list did not end within 600 s.")

    register_puller("locations", comes_on)
    waits = []
    for _ in range(3):
        partner = due("Long", timedelta(), pull_failures=5) if not waits else Partner.objects.get()
        pull_times.take_turn(partner, now=NOW)
        partner.refresh_from_db()
        waits.append(partner.pull_due_at - NOW if partner.pull_due_at else None)

    assert waits == [2 * MINUTE, 4 * MINUTE, 8 * MINUTE]


@pytest.mark.parametrize(
    ("make", "is_soon"),
    [
        (lambda: due("CPO", HOUR), True),
        (lambda: make_partner(name="CPO", role="CPO"), True),
        (lambda: due("CPO", MINUTE / 2), False),
        (lambda: due("CPO", HOUR, pull_failures=1), False),
        (lambda: make_partner(name="CPO", role="CPO", endpoints=[("tokens", "SENDER")]), False),
        (lambda: make_partner(name="CPO", role="SCSP"), False),
    ],
    ids=["waits", "never pulled", "soon anyway", "failing", "no list", "provider"],
)
def test_a_gap_makes_a_turn_come_soon(make: Callable[[], Partner], is_soon: bool) -> None:
    partner = make()
    before = partner.pull_due_at

    pull_times.expect_gap(partner.pk, now=NOW)

    partner.refresh_from_db()
    if is_soon:
        assert partner.pull_due_at is not None
        assert NOW <= partner.pull_due_at <= NOW + MINUTE
    else:
        assert partner.pull_due_at == before


def test_after_a_start_everybody_is_asked_soon_at_different_moments() -> None:
    for number in range(8):
        due(f"CPO {number}", HOUR * 100_000)

    tasks.catch_up()

    times = list(Partner.objects.values_list("pull_due_at", flat=True))
    assert max(moment for moment in times if moment) < NOW + HOUR * 100_000
    assert len(set(times)) > 1


def test_workers_pull_from_everybody_although_one_is_silent(
    pulled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Silent", "One", "Two"):
        due(name, timedelta())
    # A worker's part; the broker between is Celery's.
    monkeypatch.setattr(tasks.pull_one, "delay", tasks.pull_one)

    tasks.pull_due()

    assert sorted(pulled) == ["One", "Silent", "Two"]
    assert Partner.objects.get(name="Silent").last_error
    assert Partner.objects.get(name="One").pulled.keys() == {"locations"}


def test_a_gap_that_is_noticed_during_a_pull_brings_another_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    partner = due("CPO", timedelta())

    def puller(partner: Partner, reading: Reading) -> PullCount:
        Partner.objects.update(pull_due_at=NOW + MINUTE * 31)
        pull_times.expect_gap(partner.pk, now=NOW)
        return PullCount()

    monkeypatch.setattr("ocpi.partners.pulls._pullers", {"locations": puller})
    Partner.objects.update(pull_due_at=NOW + LONGEST_PULL)
    partner.refresh_from_db()

    pull_times.take_turn(partner, now=NOW)

    partner.refresh_from_db()
    assert partner.pull_due_at is not None
    assert partner.pull_due_at <= NOW + MINUTE


def test_a_pull_under_way_is_no_failure(pulled: list[str]) -> None:
    partner = due("CPO", timedelta(), pulling_until=NOW + MINUTE)

    pull_times.take_turn(partner, now=NOW)

    partner.refresh_from_db()
    assert (pulled, partner.pull_failures) == ([], 0)
