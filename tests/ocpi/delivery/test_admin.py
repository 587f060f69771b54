"""The admin of what is owed: to look at and to send again, nothing else."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ocpi.delivery import duties
from ocpi.delivery.models import Attempt, Duty, Push, Result
from tests.factories import NOW, make_partner

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin_client() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin", password="x"))
    return client


@pytest.fixture
def owed() -> tuple[Result, Push]:
    partner = make_partner(name="<script>alert(1)</script>")
    result = duties.owe_result(
        partner=partner,
        request_key="request-1",
        subject="session:S1",
        url="http://127.0.0.1:9/",
        body={"result": "ACCEPTED"},
        correlation_id="",
        expires_at=NOW + timedelta(seconds=60),
        now=NOW,
    )
    push = duties.owe_push(partner=partner, kind="session", object_key="S1", now=NOW)
    Attempt.objects.create(
        partner=partner,
        duty=f"result:{result.pk}",
        number=1,
        method="POST",
        url="",
        outcome="refused",
        duration_ms=1,
        at=NOW,
    )
    return result, push


@pytest.mark.usefixtures("owed")
@pytest.mark.parametrize("model", ["result", "push", "attempt"])
def test_lists_searches_and_shows(admin_client: Client, model: str) -> None:
    row = {"result": Result, "push": Push, "attempt": Attempt}[model].objects.get()

    listed = admin_client.get(reverse(f"admin:delivery_{model}_changelist"), {"q": "S1"})
    shown = admin_client.get(reverse(f"admin:delivery_{model}_change", args=[row.pk]))
    added = admin_client.get(reverse(f"admin:delivery_{model}_add"))

    assert (listed.status_code, shown.status_code, added.status_code) == (200, 200, 403)
    assert "<script>alert" not in listed.content.decode() + shown.content.decode()


@pytest.mark.parametrize(("state", "said"), [("DEAD", "Due again: 1."), ("PENDING", "Due again: 0.")])
def test_replays_what_is_settled(
    admin_client: Client, owed: tuple[Result, Push], state: str, said: str
) -> None:
    Push.objects.update(state=state)

    answer = admin_client.post(
        reverse("admin:delivery_push_changelist"),
        {"action": "replay", "_selected_action": [owed[1].pk]},
        follow=True,
    )

    assert said in answer.content.decode()
    assert Push.objects.get().state == Duty.State.PENDING
