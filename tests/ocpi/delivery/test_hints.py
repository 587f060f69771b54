"""Hints: after the commit, ids only, and never a trouble to whom they would help."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import transaction

from ocpi.delivery import duties, hints
from ocpi.delivery.models import Push
from tests.factories import NOW, make_partner

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _worker_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker runs in this process, as in the embedded node."""
    monkeypatch.setattr(hints, "worker_is_here", threading.Event())
    hints.worker_is_here.set()


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What Celery was given."""
    sent: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, **options: sent.append((name, options)))
    monkeypatch.setattr(hints, "publisher", hints.Publisher())
    return sent


def owe(**fields: Any) -> Push:
    return duties.owe_push(
        partner=make_partner(), **({"kind": "session", "object_key": "S1", "now": NOW} | fields)
    )


def test_leaves_when_the_transaction_commits(published: list[Any]) -> None:
    with transaction.atomic():
        push = owe()
        assert published == []

    options = {"kwargs": {"duty_id": str(push.pk)}, "expires": 30, "ignore_result": True}
    assert published == [("delivery.deliver_push", options)]


def test_does_not_leave_when_the_transaction_fails(published: list[Any]) -> None:
    with transaction.atomic():
        owe()
        transaction.set_rollback(True)

    assert published == []


def test_leaves_only_for_what_is_due_now(published: list[Any]) -> None:
    push = owe(after_s=5)
    assert published == []

    duties.owe_push(
        partner=push.partner, kind="session", object_key="S1", after_s=5, now=NOW + timedelta(seconds=5)
    )
    assert len(published) == 1


@pytest.mark.parametrize(
    ("redis_url", "is_worker_here", "leaves"),
    [("", False, False), ("", True, True), ("redis://127.0.0.1:6379/0", False, True)],
)
def test_leaves_only_where_a_worker_can_get_it(
    published: list[Any], settings: Any, redis_url: str, is_worker_here: bool, leaves: bool
) -> None:
    settings.REDIS_URL = redis_url
    if not is_worker_here:
        hints.worker_is_here.clear()

    owe()

    assert bool(published) == leaves


def test_leaves_the_broker_alone_after_a_failure(
    published: list[Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried = []

    def refuses(name: str, **options: Any) -> None:
        tried.append(name)
        raise ConnectionRefusedError("no broker")

    monkeypatch.setattr(current_app, "send_task", refuses)
    owe()
    owe()

    assert len(tried) == 1
    assert [record.getMessage() for record in caplog.records] == [
        "The broker takes no hints (ConnectionRefusedError: no broker); the sweeper delivers instead."
    ]

    monkeypatch.setattr(hints, "publisher", hints.Publisher())
    owe()
    assert len(tried) == 2
