"""Anything over HTTP, to every address: never a crash, always an envelope, and nothing half stored."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from hypothesis import given

from chargingprofiles.models import IssuedRequest, Kind
from locations.objects import LOCATION
from ocpi.partners.guesses import wrong_tokens
from ocpi.partners.handshake import invite
from ocpi.protocol.types import Object
from sessions.objects import SESSION
from tests.factories import make_charger, make_partner, make_session, make_transaction
from tests.fuzz.calls import KNOWN, REQUEST_ID, ROUTES, calls
from tests.fuzz.settings import bounded
from tests.fuzz.strategies import HOST, valid

pytestmark = pytest.mark.django_db

# Noted of every request, whatever comes of it: when somebody called, and that we should pull again.
NOTES = {"last_seen_at", "pull_due_at", "last_error", "used_at"}


def test_knows_every_address() -> None:
    assert len(ROUTES) == 2 + 1 + 4 + 2 + 1 + 3 + 1 + 2
    assert {name for _, _, names in ROUTES for name in names} == set(KNOWN)


@pytest.fixture
def tokens(settings: Any) -> list[str]:
    """A node with something of everything, and the tokens that open it."""
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    now = timezone.now()
    cpo = make_partner(role="CPO", country_code="NL", party_id="PTN", token="cpo", url=HOST)
    make_partner(country_code="DE", party_id="SCS", token="provider", url=HOST, may_steer=True)
    charger = make_charger(identity="CHARGER", connected_at=now)
    make_transaction(
        charger=charger,
        session=make_session(session_id="OURS", evse_uid="LOC1-EVSE1"),
        started_at=now,
    )
    theirs = make_session(session_id="THEIRS", partner=cpo, country_code="NL", party_id="PTN")
    IssuedRequest.objects.create(pk=REQUEST_ID, partner=cpo, session=theirs, kind=Kind.GET, asked_at=now)
    invitation = invite(name="Invited", may_steer=False, response_hosts=[], now=now)
    return ["cpo", "provider", invitation.token]


@contextmanager
def undone() -> Iterator[None]:
    """Undo what is stored inside; each example begins with the same rows."""
    point = transaction.savepoint()
    wrong_tokens.clear()
    try:
        yield
    finally:
        transaction.savepoint_rollback(point)


def rows() -> dict[str, list[dict[str, Any]]]:
    """Return every row of ours, without what is noted of any request."""
    return {
        model._meta.label: [
            {name: value for name, value in row.items() if name not in NOTES}
            for row in model.objects.order_by("pk").values()
        ]
        for model in apps.get_models()
        if model.__module__.split(".")[0] in ("ocpi", "locations", "sessions", "chargers", "chargingprofiles")
    }


def ask(call: dict[str, Any]) -> HttpResponse:
    """Make the request; a crash is an answer, too."""
    return Client(raise_request_exception=False).generic(**call)


def check_answer(answer: HttpResponse, call: dict[str, Any]) -> bool:
    """Check what every answer must have; tell whether it says success."""
    assert answer.status_code < 500, (call, answer.content[:300])
    assert answer["X-Request-ID"].isprintable()
    for name in ("X_REQUEST_ID", "X_CORRELATION_ID"):
        sent = call.get(f"HTTP_{name}", "")
        if sent and sent.isascii() and sent.isprintable() and len(sent) <= 255 and sent == sent.strip():
            assert answer[name.replace("_", "-")] == sent
    if call["method"] == "HEAD":
        return False
    assert answer["Content-Type"] == "application/json", (call, answer.content[:300])
    envelope = json.loads(answer.content)
    assert {"status_code", "status_message", "timestamp"} <= envelope.keys()
    assert envelope["status_code"] in (1000, 2000, 2001, 2003, 3001, 3002, 3003)
    is_success: bool = answer.status_code < 300 and envelope["status_code"] == 1000
    assert is_success or answer.status_code >= 400 or envelope["status_code"] > 1999
    return is_success


def test_anything_is_answered_and_what_fails_stores_nothing(tokens: list[str]) -> None:
    before = rows()

    @bounded(150)
    @given(calls(tokens))
    def holds(call: dict[str, Any]) -> None:
        with undone():
            is_success = check_answer(ask(call), call)
            if not is_success or call["method"] == "GET":
                assert rows() == before, call

    holds()


@pytest.mark.parametrize(
    ("endpoint", "checker", "id_name"), [("locations", LOCATION, "id"), ("sessions", SESSION, "id")]
)
def test_what_was_put_is_what_is_got(tokens: list[str], endpoint: str, checker: Object, id_name: str) -> None:
    authorization = "Token " + base64.b64encode(b"cpo").decode()

    def call(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        raw = b"" if body is None else json.dumps(body).encode()
        request = {"method": method, "path": path, "data": raw, "content_type": "application/json"}
        answer = ask(request | {"HTTP_AUTHORIZATION": authorization, "REQUEST_URI": path})
        return answer.status_code, json.loads(answer.content)

    @bounded(40)
    @given(valid(checker))
    def holds(document: dict[str, Any]) -> None:
        document |= {"country_code": "NL", "party_id": "PTN"}
        path = f"/ocpi/2.2.1/receiver/{endpoint}/NL/PTN/{quote(document[id_name], safe='')}"
        with undone():
            put = call("PUT", path, document)
            assert (put[0], put[1]["status_code"]) == (201, 1000), put
            # An empty list of EVSEs is the same as none.
            told = {name: value for name, value in document.items() if (name, value) != ("evses", [])}
            assert call("GET", path)[1]["data"] == told
            again = call("PUT", path, document)
            assert (again[0], again[1]["status_code"]) == (200, 1000), again
            assert call("GET", path)[1]["data"] == told

    holds()
