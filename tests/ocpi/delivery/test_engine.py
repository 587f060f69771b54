"""The engine: whose turn it is, and what becomes of a duty on which our own code fails."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ocpi.delivery import duties, engine
from ocpi.delivery.kinds import Message, register_push
from ocpi.delivery.models import Attempt, Duty, Push
from ocpi.partners.models import Partner
from tests.factories import NOW, make_partner
from tests.peer import Peer

pytestmark = pytest.mark.django_db(transaction=True)


def owe(partner: Partner, key: str = "S1") -> Push:
    return duties.owe_push(partner=partner, kind="session", object_key=key, now=NOW)


def test_tries_first_what_was_not_tried_for_longest() -> None:
    with Peer() as gone:
        url = gone.url
    partner = make_partner(url=url)
    register_push("session", lambda *_: Message("PUT", "sessions", "RECEIVER", ("S1",), {}))
    pushes = [owe(partner, key) for key in ("S1", "S2", "S3")]
    moment = NOW

    for _ in range(6):
        engine.drain(Push, partner.pk, now=moment, stop=threading.Event())
        moment += timedelta(hours=1)

    tried = [one.duty for one in Attempt.objects.order_by("pk")]
    assert tried == [f"push:{push.pk}" for push in pushes] * 2


def raises(*_: Any) -> Message:
    raise ZeroDivisionError


@pytest.mark.parametrize("render", [raises, None], ids=["a bug", "an unknown kind"])
def test_parks_a_push_on_which_our_own_code_fails(
    render: Callable[..., Message] | None, caplog: pytest.LogCaptureFixture
) -> None:
    if render:
        register_push("session", render)
    push = owe(make_partner())

    for number in range(1, 6):
        engine.deliver_push(push.pk, push.next_at)
        push.refresh_from_db()
        assert (push.state, push.crashes, push.last_outcome) == (Duty.State.PENDING, number, "crashed")
    engine.deliver_push(push.pk, push.next_at)
    push.refresh_from_db()

    assert (push.state, push.attempts) == (Duty.State.DEAD, 6)
    assert f"delivery of push:{push.pk} failed" in caplog.text
