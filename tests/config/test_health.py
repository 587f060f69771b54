"""Whether the process is up, and whether it does its work."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from ocpi.delivery.duties import owe_push
from tests.factories import make_partner

WORKS = {"status": "ok", "database": "ok", "broker": "ok", "delivery": "ok"}


def test_is_up_without_a_database() -> None:
    assert Client().get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("overdue_s", "status", "body"),
    [
        (-60, 200, WORKS),
        (30, 200, WORKS),
        (61, 503, WORKS | {"status": "unready", "delivery": "late"}),
    ],
)
def test_is_ready_unless_a_duty_is_overdue_for_a_minute(
    overdue_s: int, status: int, body: dict[str, str]
) -> None:
    due_at = timezone.now() - timedelta(seconds=overdue_s)
    owe_push(partner=make_partner(), kind="session", object_key="1", now=due_at)

    response = Client().get("/readyz")

    assert (response.status_code, response.json()) == (status, body)
