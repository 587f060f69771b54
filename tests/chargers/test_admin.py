"""The admin pages of chargers."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.db import connection
from django.db.models.signals import pre_save
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chargers.models import Charger, Command, Gateway, Limit
from chargers.passwords import hash_password
from tests.chargers.owed import owe_limit
from tests.factories import NOW, make_charger, make_location, make_transaction

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


def test_keeps_what_a_gateway_wrote_while_somebody_edited(admin_client: Client) -> None:
    charger = make_charger(connected_at=NOW)
    page = f"/admin/chargers/charger/{charger.pk}/change/"
    shown = admin_client.get(page).context["adminform"].form

    def connect_meanwhile(sender: Any, instance: Charger, **_: Any) -> None:
        Charger.objects.filter(pk=charger.pk).update(epoch=7)

    pre_save.connect(connect_meanwhile, sender=Charger)
    try:
        outlets = {
            "outlets-TOTAL_FORMS": "0",
            "outlets-INITIAL_FORMS": "0",
        }
        saved = admin_client.post(
            page,
            {
                **shown.initial,
                "configuration": "{}",
                "takes_profiles": "false",
                "reads_schedules": "unknown",
                **outlets,
            },
        )
    finally:
        pre_save.disconnect(connect_meanwhile, sender=Charger)

    charger.refresh_from_db()
    assert (saved.status_code, charger.takes_profiles, charger.epoch) == (302, False, 7)


def test_lists_many_chargers_with_as_many_queries_as_one(
    admin_client: Client, django_assert_num_queries: Any
) -> None:
    make_charger(connected_at=NOW)
    with CaptureQueriesContext(connection) as for_one:
        admin_client.get("/admin/chargers/charger/")
    for number in range(3):
        make_charger(location=make_location(location_id=f"MORE-{number}"), connected_at=NOW)

    with django_assert_num_queries(len(for_one)):
        admin_client.get("/admin/chargers/charger/")
