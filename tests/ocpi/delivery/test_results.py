"""Results: the same body to the response_url until the partner takes it or its time is over."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from ocpi.delivery import duties, engine
from ocpi.delivery.models import Attempt, Duty, Push, Result
from ocpi.delivery.verdicts import TOKEN_REFUSED
from ocpi.partners.models import Partner
from tests.factories import NOW, make_partner
from tests.ocpi.delivery.threads import together
from tests.peer import Peer, enveloped
from tests.spec.answers import routing, routing_in

pytestmark = pytest.mark.django_db(transaction=True)


def owe(partner: Partner, url: str, *, number: int = 1, **fields: Any) -> Result:
    values: dict[str, Any] = {
        "request_key": f"request-{number}",
        "subject": "session:S1",
        "body": {"result": "ACCEPTED", "profile": None},
        "correlation_id": "correlation-1",
        "expires_at": NOW + timedelta(seconds=270),
        "now": NOW,
    }
    return duties.owe_result(partner=partner, url=url, **(values | fields))


def try_at(result: Result, now: datetime) -> Result:
    engine.deliver_result(result.pk, now)
    result.refresh_from_db()
    return result


def test_posts_the_body_to_the_response_url(peer: Peer) -> None:
    result = owe(make_partner(url=peer.url), f"{peer.url}/results/1?secret=x")

    try_at(result, NOW)

    (request,) = peer.requests
    assert (request.method, request.path, request.query) == ("POST", "/results/1", {"secret": "x"})
    assert request.body == {"result": "ACCEPTED", "profile": None}
    assert request.headers["X-Correlation-ID"] == "correlation-1"
    assert (result.state, result.attempts, result.last_error) == (Duty.State.DONE, 1, "")
    assert result.settled_at is not None
    attempt = Attempt.objects.get()
    assert (attempt.duty, attempt.number, attempt.method) == (f"result:{result.pk}", 1, "POST")
    assert attempt.url == f"{peer.url}/results/1"
    assert (attempt.http_status, attempt.ocpi_status, attempt.outcome) == (200, 1000, "delivered")


def test_posts_under_the_longest_correlation_id_that_a_partner_may_send(peer: Peer) -> None:
    correlation_id = "<a b> " * 42 + "end"

    try_at(owe(make_partner(url=peer.url), peer.url, correlation_id=correlation_id), NOW)

    assert len(correlation_id) == 255
    assert [request.headers["X-Correlation-ID"] for request in peer.requests] == [correlation_id]


@pytest.mark.parametrize(
    ("status", "body", "state", "label"),
    [
        (200, enveloped(), "DONE", "delivered"),
        (201, b"", "DONE", "delivered"),
        (200, b"thanks", "DONE", "delivered"),
        (204, b"", "DONE", "delivered"),
        (200, enveloped(status_code=2001), "DEAD", "refused"),
        (200, enveloped(status_code=3000), "PENDING", "ocpi_server_error"),
        (302, b"", "DEAD", "redirect"),
        (404, enveloped(status_code=2003), "DEAD", "refused"),
        (401, enveloped(status_code=2000), "PENDING", "unauthorized"),
        (429, b"", "PENDING", "overloaded"),
        (500, b"<html>", "PENDING", "server_error"),
    ],
)
def test_settles_by_the_answer(peer: Peer, status: int, body: Any, state: str, label: str) -> None:
    peer.answer("POST", status=status, body=body, headers={"Location": "/elsewhere"})

    result = try_at(owe(make_partner(url=peer.url), f"{peer.url}/1"), NOW)

    assert (result.state, result.last_outcome, len(peer.requests)) == (state, label, 1)
    assert (result.settled_at is None) == (state == "PENDING")


def test_sends_the_same_again_with_growing_waits_until_its_time_is_over(peer: Peer) -> None:
    peer.answer("POST", status=500)
    result = owe(make_partner(url=peer.url), f"{peer.url}/1", expires_at=NOW + timedelta(seconds=30))

    waits_s = []
    moment = NOW
    while result.state == Duty.State.PENDING:
        result = try_at(result, moment)
        waits_s.append((result.next_at - moment).total_seconds())
        assert try_at(result, moment).attempts == len(waits_s)
        moment = result.next_at

    steps_s = [0.5, 1, 2, 4, 8, 15]
    for wait_s, step_s in zip(waits_s[:-1], steps_s, strict=False):
        assert 0.8 * step_s <= wait_s <= 1.2 * step_s + 0.5
    assert len(waits_s) in (6, 7)
    assert result.state == Duty.State.EXPIRED
    assert {str(request.body) for request in peer.requests} == {"{'result': 'ACCEPTED', 'profile': None}"}
    assert {request.headers["X-Correlation-ID"] for request in peer.requests} == {"correlation-1"}
    assert len({request.headers["X-Request-ID"] for request in peer.requests}) == len(waits_s)
    assert Attempt.objects.count() == len(waits_s)


def test_gives_up_when_the_token_is_refused_twice(peer: Peer) -> None:
    peer.answer("POST", status=401)
    partner = make_partner(url=peer.url)
    result = try_at(owe(partner, f"{peer.url}/1"), NOW)

    result = try_at(result, result.next_at)

    partner.refresh_from_db()
    assert (result.state, result.attempts, partner.last_error) == (Duty.State.DEAD, 2, TOKEN_REFUSED)


def test_forgets_the_refused_token_once_it_works(peer: Peer) -> None:
    partner = make_partner(url=peer.url, last_error=TOKEN_REFUSED)

    try_at(owe(partner, f"{peer.url}/1"), NOW)

    partner.refresh_from_db()
    assert partner.last_error == ""


def test_does_not_connect_to_an_address_that_is_not_the_partners(peer: Peer) -> None:
    with Peer() as other:
        url = other.url.replace("127.0.0.1", "localhost")
        result = try_at(owe(make_partner(url=peer.url), f"{url}/steal"), NOW)

        assert (result.state, result.last_outcome) == (Duty.State.DEAD, "forbidden_address")
        assert other.requests == []


def test_retries_when_nobody_listens() -> None:
    with Peer() as gone:
        url = gone.url

    result = try_at(owe(make_partner(url=url), f"{url}/1"), NOW)

    assert (result.state, result.last_outcome) == (Duty.State.PENDING, "unreachable")
    assert Attempt.objects.get().http_status is None


def test_sends_nothing_to_a_partner_that_is_gone(peer: Peer) -> None:
    partner = make_partner(url=peer.url)
    result = owe(partner, f"{peer.url}/1")
    Partner.objects.update(status=Partner.Status.ENDED)

    result = try_at(result, NOW)

    assert (result.state, result.last_outcome, peer.requests) == (Duty.State.DEAD, "not_registered", [])


@pytest.mark.parametrize(
    ("late_s", "attempts", "state"), [(0, 0, "DONE"), (11, 0, "EXPIRED"), (0, 1, "EXPIRED")]
)
def test_makes_a_first_try_even_at_the_very_end(peer: Peer, late_s: float, attempts: int, state: str) -> None:
    result = owe(make_partner(url=peer.url), f"{peer.url}/1", expires_at=NOW)
    Result.objects.update(attempts=attempts)

    result = try_at(result, NOW + timedelta(seconds=late_s))

    assert (result.state, len(peer.requests)) == (state, int(state == "DONE"))


def test_parks_a_result_that_ended_its_deliverer_five_times(peer: Peer) -> None:
    result = owe(make_partner(url=peer.url), f"{peer.url}/1")
    Result.objects.update(
        state=Duty.State.LEASED, crashes=5, attempts=5, lease_until=NOW - timedelta(seconds=1)
    )

    result = try_at(result, NOW)

    assert (result.state, result.last_outcome, peer.requests) == (Duty.State.DEAD, "crashed", [])


def test_is_sent_again_when_its_deliverer_died(peer: Peer) -> None:
    result = owe(make_partner(url=peer.url), f"{peer.url}/1")
    Result.objects.update(state=Duty.State.LEASED, crashes=1, lease_until=NOW + timedelta(seconds=15))

    assert try_at(result, NOW + timedelta(seconds=14)).state == Duty.State.LEASED
    assert try_at(result, NOW + timedelta(seconds=16)).state == Duty.State.DONE
    assert len(peer.requests) == 1


def test_refuses_to_call_within_a_transaction(peer: Peer) -> None:
    result = owe(make_partner(url=peer.url), f"{peer.url}/1")

    with transaction.atomic(), pytest.raises(RuntimeError, match="outside any transaction"):
        engine.deliver_result(result.pk, NOW)


@pytest.mark.parametrize("status", [200, 404])
def test_lets_the_pushes_of_its_subject_go_once_settled(
    peer: Peer, hinted: list[tuple[str, str]], status: int
) -> None:
    peer.answer("POST", status=status)
    partner = make_partner(url=peer.url)
    result = owe(partner, f"{peer.url}/1")
    waiting = duties.owe_push(partner=partner, kind="active", object_key="1", subject="session:S1", now=NOW)
    duties.owe_push(partner=partner, kind="active", object_key="2", subject="session:S2", now=NOW)
    hinted.clear()

    assert engine.deliver_push(waiting.pk, NOW) is None
    try_at(result, NOW)

    assert hinted == [("delivery.deliver_push", str(waiting.pk))]
    assert Push.objects.filter(attempts=0).count() == 2


def test_is_tried_by_one_of_many(peer: Peer) -> None:
    peer.answer("POST", delay=0.2)
    result = owe(make_partner(url=peer.url), f"{peer.url}/1")

    handled = together(8, lambda _: engine.deliver_result(result.pk, NOW))

    assert sum(one is not None for one in handled) == 1
    assert len(peer.requests) == 1


def test_costs_few_queries_beside_the_call(peer: Peer, django_assert_max_num_queries: Any) -> None:
    result = owe(make_partner(url=peer.url), f"{peer.url}/1")

    with django_assert_max_num_queries(14):
        try_at(result, NOW)


def test_goes_between_the_party_asked_and_the_one_that_asked(peer: Peer) -> None:
    partner = make_partner(url=peer.url, role="HUB", country_code="BE", party_id="HUB")
    asked = owe(partner, peer.url, to_party=("DE", "TWO"), from_party=("NL", "ABC"))
    unrouted = owe(partner, peer.url, number=2)

    for result in (asked, unrouted):
        try_at(result, NOW)

    sent = [routing_in(one.headers) for one in peer.requests]
    assert sent == [routing(("DE", "TWO"), ("NL", "ABC")), routing(("BE", "HUB"), ("NL", "NOD"))]
