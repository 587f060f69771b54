"""Pushes: the object as it is at each try, one at a time, and the whole where a PATCH is refused."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from ocpi.delivery import duties, engine
from ocpi.delivery.kinds import Message, register_push
from ocpi.delivery.models import Attempt, Duty, Push
from ocpi.partners.models import OAuthClient, Partner
from ocpi.partners.secrets import encrypt
from tests.factories import NOW, make_partner
from tests.peer import Peer, enveloped
from tests.ports import free_port
from tests.token_endpoint import CLIENT_ID, TokenEndpoint

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/2.2.1/receiver/sessions/NL/NOD/S1"


def message(method: str, body: Any, *, document: Any = None, whole: Message | None = None) -> Message:
    return Message(method, "sessions", "RECEIVER", ("NL", "NOD", "S1"), body, document, whole)


def renders(*messages: Message | None) -> list[Any]:
    """Register the kind "session": each try renders the next message, the last one for ever."""
    seen: list[Any] = []

    def render(partner: Partner, object_key: str, sent_document: Any) -> Message | None:
        seen.append((partner.pk, object_key, sent_document))
        return messages[min(len(seen), len(messages)) - 1]

    register_push("session", render)
    return seen


def owe(partner: Partner, **fields: Any) -> Push:
    return duties.owe_push(partner=partner, **({"kind": "session", "object_key": "S1", "now": NOW} | fields))


def try_at(push: Push, now: datetime = NOW) -> Push:
    engine.deliver_push(push.pk, now)
    push.refresh_from_db()
    return push


def test_puts_what_the_module_renders_and_remembers_it(peer: Peer) -> None:
    partner = make_partner(url=peer.url, party_id="EMS")
    seen = renders(message("PUT", {"kwh": 1}, document={"kwh": 1}), message("PUT", {"kwh": 2}))

    push = try_at(owe(partner))
    try_at(owe(partner))

    first, second = peer.requests
    assert (first.method, first.path, first.body) == ("PUT", PATH, {"kwh": 1})
    assert (second.method, second.path, second.body) == ("PUT", PATH, {"kwh": 2})
    assert first.headers["OCPI-to-party-id"] == "EMS"
    assert seen == [(partner.pk, "S1", None), (partner.pk, "S1", {"kwh": 1})]
    assert (push.state, push.version, push.sent_document) == (Duty.State.DONE, 1, {"kwh": 1})
    assert push.sent_at is not None


def test_counts_nothing_as_sent_from_before_the_registration(peer: Peer) -> None:
    partner = make_partner(url=peer.url)
    seen = renders(message("PUT", {"kwh": 1}, document={"kwh": 1}))
    try_at(owe(partner))
    Partner.objects.update(registered_at=NOW + timedelta(minutes=1))

    push = try_at(owe(partner, now=NOW + timedelta(minutes=2)), NOW + timedelta(minutes=2))
    try_at(owe(partner, now=NOW + timedelta(minutes=3)), NOW + timedelta(minutes=3))

    assert [sent for _, _, sent in seen] == [None, None, {"kwh": 1}]
    assert push.sent_document == {"kwh": 1}


def test_names_the_party_that_the_message_is_for(peer: Peer) -> None:
    register_push(
        "session",
        lambda *_: Message("PUT", "sessions", "RECEIVER", ("S1",), {}, to_party=("FR", "EMP")),
    )

    try_at(owe(make_partner(url=peer.url)))

    headers = peer.requests[0].headers
    assert (headers["OCPI-to-country-code"], headers["OCPI-to-party-id"]) == ("FR", "EMP")


def test_sends_nothing_when_there_is_nothing_to_say(peer: Peer) -> None:
    renders(None)

    push = try_at(owe(make_partner(url=peer.url)))

    assert (push.state, push.last_error) == (Duty.State.DONE, "")
    assert peer.requests == []


def test_settles_without_error_when_the_partner_has_no_such_endpoint(peer: Peer) -> None:
    renders(message("PUT", {}))

    push = try_at(owe(make_partner(url=peer.url, endpoints=[])))

    assert (push.state, push.last_outcome) == (Duty.State.DONE, "no_endpoint")
    assert "sessions RECEIVER" in push.last_error
    assert peer.requests == []


def test_sends_nothing_to_a_partner_that_is_gone(peer: Peer) -> None:
    renders(message("PUT", {}))
    push = owe(make_partner(url=peer.url))
    Partner.objects.update(status=Partner.Status.ENDED)

    push = try_at(push)

    assert (push.state, push.last_outcome, peer.requests) == (Duty.State.DONE, "not_registered", [])


@pytest.mark.parametrize("status", [200, 404])
def test_is_owed_anew_when_the_object_changed_while_it_was_out(peer: Peer, status: int) -> None:
    partner = make_partner(url=peer.url)

    def changes_meanwhile(request: Any) -> Any:
        owe(partner, now=NOW + timedelta(seconds=1))
        # It runs in the server's thread, which has a connection of its own.
        connections.close_all()
        return status, enveloped()

    peer.answer("PUT", body=changes_meanwhile)
    renders(message("PUT", {"kwh": 1}, document={"kwh": 1}), message("PUT", {"kwh": 2}, document={"kwh": 2}))

    push = try_at(owe(partner))

    assert (push.state, push.version, push.attempts) == (Duty.State.PENDING, 2, 0)
    sent_document = {"kwh": 1} if status == 200 else None
    assert (push.sent_document, push.next_at) == (sent_document, NOW + timedelta(seconds=1))
    peer.answer("PUT")
    push = try_at(push, NOW + timedelta(seconds=2))
    assert (push.state, push.sent_document) == (Duty.State.DONE, {"kwh": 2})


def test_waits_longer_and_longer_then_expires(peer: Peer) -> None:
    peer.answer("PUT", status=503)
    renders(message("PUT", {}))
    push = owe(make_partner(url=peer.url))
    moment, steps_s = NOW, [1, 5, 15, 60, 300, 900, 900]

    for step_s in steps_s:
        push = try_at(push, moment)
        assert 0 <= (push.next_at - moment).total_seconds() <= step_s + 1
        moment = push.next_at
    push = try_at(push, NOW + timedelta(hours=24))

    assert (push.state, len(peer.requests)) == (Duty.State.EXPIRED, len(steps_s))
    assert try_at(owe(push.partner, now=NOW + timedelta(hours=30))).state == Duty.State.PENDING


@pytest.mark.parametrize(
    ("answers", "methods", "state"),
    [
        ({"PATCH": 404, "GET": 404}, ["PATCH", "GET", "PUT"], "DONE"),
        ({"PATCH": 405, "PUT": 201}, ["PATCH", "GET", "PUT"], "DONE"),
        ({"PATCH": 400, "GET": 500}, ["PATCH", "GET", "PUT"], "DONE"),
        ({"PATCH": 404, "PUT": 400}, ["PATCH", "GET", "PUT"], "DEAD"),
        ({"PATCH": 404, "PUT": 500}, ["PATCH", "GET", "PUT"], "PENDING"),
        ({"PATCH": 500}, ["PATCH", "GET", "PUT"], "DONE"),
        ({"PATCH": 501, "GET": 404}, ["PATCH", "GET", "PUT"], "DONE"),
        ({"PATCH": 503, "GET": 503, "PUT": 503}, ["PATCH", "GET", "PUT"], "PENDING"),
        ({"PATCH": 302}, ["PATCH", "GET", "PUT"], "DONE"),
        ({"PATCH": 401}, ["PATCH"], "PENDING"),
        ({"PATCH": 403}, ["PATCH"], "PENDING"),
        ({"PATCH": 408}, ["PATCH"], "PENDING"),
        ({"PATCH": 425}, ["PATCH"], "PENDING"),
        ({"PATCH": 429}, ["PATCH"], "PENDING"),
        ({}, ["PATCH"], "DONE"),
    ],
)
def test_puts_the_whole_after_a_failed_patch(
    peer: Peer, answers: dict[str, int], methods: list[str], state: str
) -> None:
    for method, status in answers.items():
        peer.answer(method, status=status)
    whole = message("PUT", {"id": "S1", "kwh": 2}, document={"id": "S1", "kwh": 2})
    renders(message("PATCH", {"kwh": 2}, document={"patched": True}, whole=whole))

    push = try_at(owe(make_partner(url=peer.url)))

    assert [request.method for request in peer.requests] == methods
    assert {request.path for request in peer.requests} == {PATH}
    assert (push.state, Attempt.objects.count()) == (state, len(methods))
    if state == "DONE":
        assert push.sent_document == ({"patched": True} if methods == ["PATCH"] else {"id": "S1", "kwh": 2})


@pytest.mark.parametrize("status_code", [2003, 3000])
def test_puts_the_whole_after_a_patch_that_ocpi_refuses(peer: Peer, status_code: int) -> None:
    peer.answer("PATCH", status_code=status_code)
    renders(message("PATCH", {"kwh": 2}, whole=message("PUT", {"id": "S1"})))

    push = try_at(owe(make_partner(url=peer.url)))

    assert [request.method for request in peer.requests] == ["PATCH", "GET", "PUT"]
    assert push.state == Duty.State.DONE


def test_tries_only_the_patch_again_when_no_answer_came() -> None:
    with Peer() as gone:
        url = gone.url
    renders(message("PATCH", {"kwh": 2}, whole=message("PUT", {"id": "S1"})))

    push = try_at(owe(make_partner(url=url)))

    assert (push.state, push.last_outcome) == (Duty.State.PENDING, "unreachable")
    assert [one.method for one in Attempt.objects.all()] == ["PATCH"]


def test_waits_while_the_token_endpoint_gives_no_token_and_says_so(peer: Peer) -> None:
    partner = make_partner(url=peer.url, sign_in=Partner.SignIn.OAUTH2)
    with TokenEndpoint() as endpoint:
        OAuthClient.objects.create(
            partner=partner,
            token_url=endpoint.url,
            client_id=CLIENT_ID,
            client_secret_encrypted=encrypt("a wrong secret"),
        )
        renders(message("PATCH", {"kwh": 2}, whole=message("PUT", {"id": "S1"})))

        push = try_at(owe(partner))

    assert (push.state, push.last_outcome) == (Duty.State.PENDING, "sign_in_failed")
    assert push.last_error == f"sign_in_failed: no token from {endpoint.url}: HTTP 401, invalid_client"
    [attempt] = Attempt.objects.all()
    assert (attempt.method, attempt.outcome, attempt.detail) == ("PATCH", "sign_in_failed", push.last_error)
    assert peer.requests == []


def test_dies_with_a_refused_patch_that_has_no_whole(peer: Peer) -> None:
    peer.answer("PATCH", status=404)
    renders(message("PATCH", {"kwh": 2}))

    assert try_at(owe(make_partner(url=peer.url))).state == Duty.State.DEAD


def test_never_tells_news_that_an_open_result_tells_first(peer: Peer) -> None:
    partner = make_partner(url=peer.url)

    def decides_while_rendering(*_: Any) -> Message:
        duties.owe_result(
            partner=partner,
            request_key="request-1",
            subject="session:S1",
            url=f"{peer.url}/result",
            body={},
            correlation_id="",
            expires_at=NOW + timedelta(seconds=60),
            now=NOW,
        )
        return message("PUT", {})

    register_push("session", decides_while_rendering)

    push = try_at(owe(partner, subject="session:S1"))

    assert (push.state, push.attempts, push.crashes, peer.requests) == (Duty.State.PENDING, 0, 0, [])


def test_lets_the_other_pushes_to_a_silent_endpoint_wait_with_it() -> None:
    with Peer() as gone:
        url = gone.url
    partner = make_partner(url=url)
    renders(message("PUT", {}))
    others = [owe(partner, object_key=key) for key in ("S2", "S3")]
    elsewhere = [owe(make_partner(url=url)), owe(partner, kind="location")]

    push = try_at(owe(partner))

    assert (push.state, push.last_outcome) == (Duty.State.PENDING, "unreachable")
    for other in others:
        other.refresh_from_db()
        assert (other.next_at, other.attempts) == (push.next_at, 0)
    for other in elsewhere:
        other.refresh_from_db()
        assert other.next_at == NOW


@pytest.mark.parametrize(
    ("refused", "creates", "status", "complains"),
    [
        (["ok-for-created"], True, 200, True),
        (["ok-for-created"], True, 201, False),
        (["ok-for-created"], False, 200, False),
        ([], True, 200, False),
    ],
)
def test_tells_of_a_partner_that_must_say_201_and_does_not(
    peer: Peer, refused: list[str], creates: bool, status: int, complains: bool
) -> None:
    partner = make_partner(url=peer.url, refused_quirks=refused)
    peer.answer("PUT", PATH, status=status)
    renders(replace(message("PUT", {"kwh": 1}, document={"kwh": 1}), creates=creates))

    push = try_at(owe(partner))

    partner.refresh_from_db()
    assert (push.state, push.sent_document) == (Duty.State.DONE, {"kwh": 1})
    said = f"PUT {peer.url}{PATH} was answered HTTP 200; a new object calls for 201."
    assert partner.last_error == (said if complains else "")


@pytest.mark.parametrize(
    ("refused", "state", "outcome"),
    [([], Duty.State.DONE, "delivered"), (["envelope-variants"], Duty.State.DEAD, "no_envelope")],
)
def test_takes_an_answer_without_an_envelope_unless_the_partner_must_have_it(
    peer: Peer, refused: list[str], state: str, outcome: str
) -> None:
    partner = make_partner(url=peer.url, refused_quirks=refused)
    peer.answer("PUT", PATH, body={"status_code": "1000"})
    renders(message("PUT", {"kwh": 1}))

    push = try_at(owe(partner))

    assert (push.state, push.last_outcome) == (state, outcome)


def test_a_partner_that_could_not_be_reached_is_pulled_from_soon() -> None:
    endpoints = [("sessions", "RECEIVER"), ("sessions", "SENDER")]
    nobody = f"http://127.0.0.1:{free_port()}"
    partner = make_partner(url=nobody, endpoints=endpoints, pull_due_at=NOW + timedelta(hours=1))
    renders(message("PUT", {"kwh": 1}))

    push = try_at(owe(partner))

    partner.refresh_from_db()
    assert push.last_outcome == "unreachable"
    assert partner.pull_due_at is not None
    assert partner.pull_due_at <= NOW + timedelta(minutes=1, seconds=10)
