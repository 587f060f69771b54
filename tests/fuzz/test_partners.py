"""Anything as a partner's answer: our calls end as they were meant to, never in a crash."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargingprofiles import outgoing
from chargingprofiles.models import IssuedRequest
from locations.objects import LOCATION
from ocpi.delivery import duties, engine
from ocpi.delivery.models import Duty, Push, Result
from ocpi.partners.documents import ANSWERED_CREDENTIALS
from ocpi.partners.handshake import Refused, register, unregister
from ocpi.partners.models import InboundToken, Partner
from ocpi.partners.pulls import UnableToPull, pull
from ocpi.partners.rotation import rotate
from ocpi.protocol.errors import OcpiError
from ocpi.protocol.types import Object
from sessions.objects import SESSION
from tests.chargingprofiles.calls import profile
from tests.factories import NOW, make_location, make_partner, make_session
from tests.fuzz.settings import bounded
from tests.fuzz.strategies import ODD, RESPONSE, mutated, raw_bodies, valid
from tests.fuzz.test_http import undone
from tests.peer import Peer

pytestmark = pytest.mark.django_db

STATUSES = st.sampled_from([200] * 8 + [201, 204, 299, 302, 400, 401, 404, 405, 429, 500, 503])
LINKS = [
    "<http://[>; rel=next",
    "<>; rel=next",
    '<?offset=99>; rel="next"',
    "<//evil/>; rel=next",
    "<" * 99,
    ";",
    "",
]
TOTALS = ["0", "1", "-1", "9" * 30, "x", "٣", ""]
WAITS = [
    "1",
    "9" * 40,
    "-1",
    "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
    "Mon, 01 Jan 1 00:00:00 -9959",
    "x",
]
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Link": st.sampled_from(LINKS),
        "X-Total-Count": st.sampled_from(TOTALS),
        "Retry-After": st.sampled_from(WAITS),
    },
)


class Partnership:
    """A partner whose next answers the test chooses; when they are used up it answers 404."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.answers: list[tuple[int, bytes, dict[str, str]]] = []
        peer.answer("*", "/", body=self._next)

    def _next(self, request: Any) -> Any:
        return self.answers.pop(0) if self.answers else (404, b"{}", {})


@pytest.fixture
def partnership(settings: Any) -> Iterator[Partnership]:
    """The partner, on a real socket."""
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with Peer() as peer:
        yield Partnership(peer)


@st.composite
def answers(draw: st.DrawFn, data: st.SearchStrategy[Any]) -> tuple[int, bytes, dict[str, str]]:
    """Return an answer: mostly an envelope with this data, else a broken one or anything."""
    kind = draw(st.sampled_from(["envelope"] * 6 + ["odd envelope", "bare", "raw"]))
    if kind == "raw":
        body = draw(raw_bodies(RESPONSE))
    elif kind == "bare":
        body = json.dumps(draw(data)).encode()
    else:
        envelope = {"status_code": 1000, "timestamp": "2026-01-01T00:00:00Z", "data": draw(data)}
        if kind == "odd envelope":
            envelope |= {
                draw(st.sampled_from(sorted(envelope))): draw(ODD),
                "status_code": draw(st.sampled_from([2000, 2001, 3001, "1000", 10**40, -1, 1000.0, None])),
            }
        body = json.dumps(envelope).encode()
    return draw(STATUSES), body, draw(HEADERS)


def in_a_list(checker: Object) -> st.SearchStrategy[Any]:
    """Return lists of right and wrong objects, and what is no list."""
    one = valid(checker).map(lambda document: {**document, "country_code": "NL", "party_id": "PTN"})
    return st.lists(one | mutated(checker) | ODD, max_size=3) | ODD


@pytest.mark.parametrize(("module", "checker"), [("locations", LOCATION), ("sessions", SESSION)])
def test_a_list_is_pulled_as_far_as_it_can_be_read(
    partnership: Partnership, module: str, checker: Object
) -> None:
    partner = make_partner(role="CPO", country_code="NL", party_id="PTN", url=partnership.peer.url)

    @bounded(40)
    @given(st.lists(answers(in_a_list(checker)), min_size=1, max_size=3), st.booleans())
    def holds(told: list[Any], is_whole: bool) -> None:
        partnership.answers[:] = told
        with undone(), contextlib.suppress(UnableToPull):
            partner.refresh_from_db()
            counts = pull(partner, module, NOW, is_whole=is_whole)
            assert counts[module] >= 0

    holds()


def versions_of(url: str) -> st.SearchStrategy[Any]:
    """Return lists of versions, the right one among them or not."""
    urls = st.sampled_from(
        [f"{url}/2.2.1", f"{url}/", "http://[", "ftp://x", "", "https://127.0.0.1:9/", "x" * 300]
    )
    versions = st.sampled_from(["2.2.1", "2.2.1", "2.2.1", "2.1.1", "", "x\n"])
    listed = st.fixed_dictionaries({"version": versions | ODD, "url": urls | ODD})
    right = st.just([{"version": "2.2.1", "url": f"{url}/2.2.1"}])
    return right | right | right | st.lists(listed | ODD, max_size=3) | ODD


def details_of(url: str) -> st.SearchStrategy[Any]:
    """Return version details, with what is needed or not."""
    endpoint = st.fixed_dictionaries(
        {
            "identifier": st.sampled_from(["credentials", "locations", "x y", ""]) | ODD,
            "role": st.sampled_from(["SENDER", "receiver", "x"]) | ODD,
            "url": st.sampled_from([f"{url}/c", "http://[", "https://127.0.0.1:9/"]) | ODD,
        }
    )
    right = st.just(
        {
            "version": "2.2.1",
            "endpoints": [{"identifier": "credentials", "role": "SENDER", "url": f"{url}/c"}],
        }
    )
    broken = st.fixed_dictionaries({"endpoints": st.lists(endpoint | ODD, max_size=3) | ODD})
    return right | right | right | broken | ODD


def test_a_registration_is_whole_or_leaves_nothing(partnership: Partnership) -> None:
    url = partnership.peer.url
    credentials = valid(ANSWERED_CREDENTIALS) | mutated(ANSWERED_CREDENTIALS) | ODD

    @bounded(60)
    @given(
        st.tuples(answers(versions_of(url)), answers(details_of(url)), answers(credentials)),
        st.tuples(answers(versions_of(url)), answers(details_of(url)), answers(credentials), answers(ODD)),
    )
    def holds(told: tuple[Any, ...], told_later: tuple[Any, ...]) -> None:
        with undone():
            partnership.answers[:] = told
            try:
                partner = register(
                    name="Fuzz", versions_url=f"{url}/versions", token="a", may_steer=True, now=NOW
                )
            except (Refused, OcpiError):
                assert not Partner.objects.exists()
                assert not InboundToken.objects.exists()
                return
            assert partner.roles.exists()
            partnership.answers[:] = told_later
            with contextlib.suppress(Refused):
                rotate(partner, now=NOW + timedelta(minutes=1))
            partner.refresh_from_db()
            unregister(partner)
            assert not InboundToken.objects.exists()

    holds()


def test_a_request_for_a_profile_ends_in_a_state_that_is_known(partnership: Partnership) -> None:
    cpo = make_partner(role="CPO", country_code="NL", party_id="PTN", url=partnership.peer.url)
    session = make_session(session_id="S1", partner=cpo, country_code="NL", party_id="PTN")
    results = st.sampled_from(["ACCEPTED", "REJECTED", "TOO_OFTEN", "accepted"]) | ODD
    response = st.fixed_dictionaries({"result": results}, optional={"timeout": st.integers() | ODD})

    @bounded(60)
    @given(answers(response | ODD), st.sampled_from(["set", "clear", "get"]))
    def holds(told: Any, kind: str) -> None:
        partnership.answers[:] = [told]
        with undone():
            request = {
                "set": lambda: outgoing.set_profile(session=session, profile=profile(), now=NOW),
                "clear": lambda: outgoing.clear_profile(session=session, now=NOW),
                "get": lambda: outgoing.get_profile(session=session, duration_s=600, now=NOW),
            }[kind]()
            assert request.state in (IssuedRequest.State.WAITING, IssuedRequest.State.REFUSED)

    holds()


@pytest.mark.django_db(transaction=True)
def test_a_duty_is_done_waits_or_is_given_up(partnership: Partnership) -> None:
    url = partnership.peer.url
    partner = make_partner(url=url, may_steer=True)
    keys = {"location": make_location().pk, "session": make_session().pk}

    @bounded(60)
    @given(st.lists(answers(ODD), min_size=1, max_size=3), st.sampled_from(["location", "session", "result"]))
    def holds(told: list[Any], kind: str) -> None:
        partnership.answers[:] = told
        Push.objects.all().delete()
        Result.objects.all().delete()
        Partner.objects.filter(pk=partner.pk).update(status=Partner.Status.REGISTERED)
        if kind == "result":
            duty: Any = duties.owe_result(
                partner=partner,
                url=f"{url}/results/1",
                request_key="request",
                subject="",
                body={"result": "ACCEPTED"},
                correlation_id="",
                expires_at=NOW + timedelta(minutes=5),
                now=NOW,
            )
            engine.deliver_result(duty.pk, NOW)
        else:
            duty = duties.owe_push(partner=partner, kind=kind, object_key=str(keys[kind]), now=NOW)
            engine.deliver_push(duty.pk, NOW)
        duty.refresh_from_db()
        assert duty.state in Duty.State.values
        assert duty.state != Duty.State.LEASED
        assert duty.last_error.isprintable()

    holds()
