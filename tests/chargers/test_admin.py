"""The admin pages of chargers."""

from __future__ import annotations

import pytest
from django.contrib.admin.utils import quote
from django.test import Client
from django.utils import timezone

from chargers.models import Charger, Command, Gateway, Limit
from chargers.passwords import hash_password
from tests.chargers.owed import owe_limit
from tests.factories import NOW, make_charger, make_transaction

pytestmark = pytest.mark.django_db


def test_lists_and_shows_everything(admin_client: Client) -> None:
    kept = hash_password("a good password")
    charging = make_transaction(charger=make_charger(connected_at=NOW, password_hash=kept))
    command = owe_limit(charging.pk, 10)
    Limit.objects.create(
        transaction=charging, source="partner:1", schedule=command.schedule, accepted_at=timezone.now()
    )

    for model, row in (
        ("charger", Charger.objects.get()),
        ("transaction", charging),
        ("command", command),
        ("gateway", Gateway.objects.get()),
    ):
        listed = admin_client.get(f"/admin/chargers/{model}/?q=a")
        shown = admin_client.get(f"/admin/chargers/{model}/{quote(row.pk)}/change/")
        assert (listed.status_code, shown.status_code) == (200, 200)
        assert kept not in shown.content.decode()
    assert Command.objects.count() == 1
