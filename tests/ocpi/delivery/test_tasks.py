"""The Celery tasks: run twice, late or for nothing, they do no harm."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from celery import current_app
from celery.contrib.testing.worker import start_worker
from django.utils import timezone

from ocpi.delivery import duties, hints, tasks
from ocpi.delivery.kinds import Message, register_push
from ocpi.delivery.models import Attempt, Duty, Push, Result
from ocpi.delivery.stopping import told_to_stop
from ocpi.partners.models import Partner
from tests.factories import make_partner
from tests.peer import Peer, Recorded, enveloped
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _goes_on_afterwards() -> Iterator[None]:
    """No test leaves this process told to stop."""
    yield
    told_to_stop.clear()


def owe_result(partner: Partner, url: str, number: int = 1) -> Result:
    now = timezone.now()
    return duties.owe_result(
        partner=partner,
        request_key=f"request-{number}",
        subject="",
        url=url,
        body={"number": number},
        correlation_id="",
        expires_at=now + timedelta(seconds=60),
        now=now,
    )


def owe_push(partner: Partner, key: str = "S1") -> Push:
    register_push("session", lambda *_: Message("PUT", "sessions", "RECEIVER", (key,), {}))
    return duties.owe_push(partner=partner, kind="session", object_key=key, now=timezone.now())


@pytest.mark.parametrize("kind", ["result", "push"])
def test_delivers_once_when_run_twice(peer: Peer, kind: str) -> None:
    partner = make_partner(url=peer.url)
    duty: Any = owe_result(partner, f"{peer.url}/1") if kind == "result" else owe_push(partner)
    task = tasks.deliver_result if kind == "result" else tasks.deliver_push

    task(duty_id=str(duty.pk), from_a_newer_version=True)
    task(duty_id=str(duty.pk))

    duty.refresh_from_db()
    assert (duty.state, len(peer.requests)) == (Duty.State.DONE, 1)


def test_does_nothing_for_a_duty_that_is_gone() -> None:
    tasks.deliver_result(duty_id=str(uuid4()))
    tasks.deliver_push(duty_id="1")


def test_goes_on_with_what_else_is_ready_for_the_partner(peer: Peer) -> None:
    partner = make_partner(url=peer.url)
    first, *_ = [owe_result(partner, f"{peer.url}/{number}", number) for number in range(3)]

    tasks.deliver_result(duty_id=str(first.pk))

    assert sorted(request.path for request in peer.requests) == ["/0", "/1", "/2"]


def test_begins_nothing_once_the_process_is_told_to_stop(peer: Peer) -> None:
    partner = make_partner(url=peer.url)
    result, push = owe_result(partner, f"{peer.url}/1"), owe_push(partner)
    told_to_stop.set()

    tasks.deliver_result(duty_id=str(result.pk))
    tasks.deliver_push(duty_id=str(push.pk))

    assert peer.requests == []


def test_ends_what_it_began_when_the_process_is_told_to_stop(peer: Peer) -> None:
    def stops(request: Recorded) -> Any:
        told_to_stop.set()
        return enveloped()

    peer.answer("POST", body=stops)
    partner = make_partner(url=peer.url)
    first, *_ = [owe_result(partner, f"{peer.url}/{number}", number) for number in range(3)]

    tasks.deliver_result(duty_id=str(first.pk))

    first.refresh_from_db()
    assert (first.state, len(peer.requests)) == (Duty.State.DONE, 1)


def test_prunes_what_was_settled_a_month_ago() -> None:
    partner = make_partner()
    rows = [("DONE", 31), ("DONE", 29), ("DEAD", 31), ("DEAD", 29), ("EXPIRED", 31)]
    for number, (state, days) in enumerate([*rows, ("PENDING", 31)]):
        result = owe_result(partner, "http://127.0.0.1:9/", number)
        push = owe_push(partner, f"S{number}")
        moment = timezone.now() - timedelta(days=days)
        settled: dict[str, Any] = {"state": state, "settled_at": None if state == "PENDING" else moment}
        Result.objects.filter(pk=result.pk).update(**settled)
        Push.objects.filter(pk=push.pk).update(**settled)
        Attempt.objects.create(
            partner=partner,
            duty=f"result:{result.pk}",
            number=1,
            method="POST",
            url="",
            outcome="delivered",
            duration_ms=1,
            at=moment,
        )

    tasks.prune()
    tasks.prune()

    for model in (Result, Push):
        states = model.objects.order_by("state").values_list("state", flat=True)
        assert list(states) == ["DEAD", "DONE", "PENDING"]
    assert Attempt.objects.count() == 2


def test_keeps_the_pushes_that_their_module_still_needs() -> None:
    partner = make_partner()
    for key in ("S1", "S2"):
        owe_push(partner, key)
    Push.objects.update(state=Duty.State.DONE, settled_at=timezone.now() - timedelta(days=31))
    register_push("session", lambda *_: None, needed_keys=lambda: ["S2"])

    tasks.prune()

    assert [push.object_key for push in Push.objects.all()] == ["S2"]


@pytest.mark.parametrize(
    ("name", "queue"), [("delivery.deliver_result", "results"), ("delivery.deliver_push", "push")]
)
def test_is_known_by_name_and_routed_to_its_own_queue(name: str, queue: str) -> None:
    assert current_app.tasks[name].expires == 30
    assert current_app.conf.task_routes[name] == {"queue": queue}


def test_is_run_by_a_worker_that_gets_the_hint(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints, "worker_is_here", threading.Event())
    hints.worker_is_here.set()
    queues = "results,push"
    with start_worker(current_app, pool="solo", queues=queues, perform_ping_check=False, loglevel="ERROR"):
        partner = make_partner(url=peer.url)
        owe_result(partner, f"{peer.url}/1")
        owe_push(partner)

        peer.wait_for("POST")
        peer.wait_for("PUT")
        wait_for(lambda: Push.objects.filter(state=Duty.State.DONE).exists())
