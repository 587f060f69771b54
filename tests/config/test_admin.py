"""The admin as a person meets it: every registered model's list, search, filters and pages, with data."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from chargers.models import Command, Limit
from chargers.passwords import hash_password
from chargingprofiles.models import ActiveProfile, ArmedSender, IssuedRequest, Kind, ProfileRequest
from locations.models import Evse
from ocpi.delivery.models import Attempt, Push, Result
from ocpi.partners.models import InboundToken, Partner
from ocpi.partners.secrets import encrypt
from sessions.models import Session
from tests.factories import NOW, make_charger, make_location, make_partner, make_session, make_transaction

pytestmark = pytest.mark.django_db

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
PASSWORD = "pbkdf2 or whatever it is"
PROFILE = {"charging_rate_unit": "A", "charging_profile_period": [{"start_period": 0, "limit": 10}]}
SCHEDULE = {"starts_at": "2026-01-15T12:00:00Z", "unit": "A", "periods": [[0, "10"]]}


@pytest.fixture
def secrets() -> list[str]:
    """Fill every table that the admin shows; return the secrets in them."""
    partner = make_partner(name="Provider", may_steer=True, token="a-token-of-ours")
    cpo = make_partner(role="CPO", party_id="CPO")
    outbound = encrypt("a-token-of-theirs")
    Partner.objects.filter(pk=partner.pk).update(outbound_token_encrypted=outbound, last_error="It failed.")
    kept = hash_password(PASSWORD)
    charger = make_charger(connected_at=NOW, password_hash=kept)
    charging = make_transaction(charger=charger)
    make_location(location_id="THEIRS", partner=cpo)
    theirs = make_session(partner=cpo)
    Limit.objects.create(transaction=charging, source="partner:1", schedule=SCHEDULE, accepted_at=NOW)
    command = Command.objects.create(
        charger=charger, outlet=charging.outlet, transaction=charging, kind=Command.Kind.SET_LIMIT,
        source="partner:1", schedule=SCHEDULE, created_at=NOW, not_before=NOW, deadline_at=NOW,
    )  # fmt: skip
    ProfileRequest.objects.create(
        partner=partner, session=charging.session, kind=Kind.SET, document=PROFILE, command=command,
        response_url="http://127.0.0.1:9/results/1", correlation_id="c-1", timeout_s=30, dedupe_key="d-1",
        asked_at=NOW, deadline_at=NOW,
    )  # fmt: skip
    IssuedRequest.objects.create(partner=cpo, session=theirs, kind=Kind.SET, document=PROFILE, asked_at=NOW)
    ArmedSender.objects.create(partner=partner, session=charging.session, armed_at=NOW)
    ActiveProfile.objects.create(session=theirs, document={"charging_profile": PROFILE}, reported_at=NOW)
    Result.objects.create(
        partner=partner, request_key="k-1", subject="s", url="http://127.0.0.1:9/results/1",
        body={"result": "ACCEPTED"}, next_at=NOW, created_at=NOW, expires_at=NOW,
    )  # fmt: skip
    Push.objects.create(
        partner=partner, kind="session", object_key="1", next_at=NOW, created_at=NOW, expires_at=NOW
    )
    Attempt.objects.create(
        partner=partner, duty="push:1", number=1, method="PUT", url="http://127.0.0.1:9/", outcome="DONE",
        duration_ms=5, at=NOW,
    )  # fmt: skip
    Group.objects.create(name="Operators")
    digests = list(InboundToken.objects.values_list("digest", flat=True))
    return [outbound, kept, "a-token-of-ours", "a-token-of-theirs", *digests]


def pages(client: Client, model: type[Model]) -> dict[str, Any]:
    """Return the list, the search, each filter and the page of a row, by name."""
    options = model._meta
    listing = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    row = model._default_manager.first()
    assert row is not None, f"no {options.label} to look at"
    shown = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk])
    found = {
        "list": client.get(listing),
        "search": client.get(listing, {"q": "a 1"}),
        "page": client.get(shown),
    }
    for specification in found["list"].context["cl"].get_filters(found["list"].wsgi_request)[0]:
        for choice in specification.choices(found["list"].context["cl"]):
            link = choice["query_string"]
            found[f"filter {link}"] = client.get(listing + link)
    return found


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_page_opens_and_shows_no_secret(
    admin_client: Client, secrets: list[str], model: type[Model]
) -> None:
    found = pages(admin_client, model)

    assert {name: page.status_code for name, page in found.items()} == dict.fromkeys(found, 200)
    for page in found.values():
        assert [secret for secret in secrets if secret in page.content.decode()] == []


@pytest.mark.parametrize("model", [Evse, Session], ids=lambda model: model._meta.label)
def test_leaves_what_partners_were_told_of_where_it_is(
    admin_client: Client, secrets: list[str], model: type[Model]
) -> None:
    options, row = model._meta, model._default_manager.last()
    assert row is not None

    response = admin_client.post(
        reverse(f"admin:{options.app_label}_{options.model_name}_delete", args=[row.pk]), {"post": "yes"}
    )

    assert response.status_code == 403
    assert model._default_manager.filter(pk=row.pk).exists()
