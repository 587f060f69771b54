"""docs/quirks.md on a live node: each quirk is borne, and refused from a partner that should know."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from demo.processes import StepFailed
from ocpi.protocol.headers import authorization
from ocpi.protocol.quirks import MEANINGS, Quirk
from tests.factories import CPO_ENDPOINTS, SCSP_ENDPOINTS, session_document
from tests.journeys.provider import Provider, Scene, profile, registered
from tests.spec.answers import OUR_PARTY, routing, status
from tests.waiting import wait_for

PAGE = Path(__file__).resolve().parents[2] / "docs" / "quirks.md"
EMAID = session_document()["cdr_token"] | {"type": "EMAID"}
BOTH = [*CPO_ENDPOINTS, *(one for one in SCSP_ENDPOINTS if one not in CPO_ENDPOINTS)]
Call = Callable[["Sides", str], requests.Response]


class Sides:
    """A partner that is CPO and SCSP, with what the specification wants in each request."""

    def __init__(self, partner: Provider) -> None:
        self.partner = partner
        self.party = {"country_code": partner.party[0], "party_id": partner.party[1]}

    def ask(self, method: str, url: str, *, without: str = "", **fields: Any) -> requests.Response:
        """Call the node, with all headers but those that begin with `without`."""
        headers = {
            "Authorization": authorization(self.partner.token),
            "X-Request-ID": "request-1",
            "X-Correlation-ID": "correlation-1",
            **routing(OUR_PARTY, self.partner.party),
            **fields.pop("headers", {}),
        }
        kept = {name: value for name, value in headers.items() if not without or not name.startswith(without)}
        return requests.request(method, url, headers=kept, timeout=10, allow_redirects=False, **fields)

    def session(self, name: str, **fields: Any) -> requests.Response:
        """PUT a session of the partner."""
        document = session_document(name, **self.party | fields)
        return self.ask("PUT", self.session_url(name), json=document)

    def session_url(self, session_id: str) -> str:
        """Return where the node keeps a session of the partner."""
        receiver = self.partner.endpoints["sessions", "RECEIVER"]
        return f"{receiver}/{self.partner.party[0]}/{self.partner.party[1]}/{session_id}"

    def locations(self, **fields: Any) -> requests.Response:
        """Read the node's locations."""
        return self.ask("GET", self.partner.endpoints["locations", "SENDER"], **fields)


def late(sides: Sides, name: str) -> requests.Response:
    assert status(sides.session(name))[1] == 1000
    return sides.session(name, last_updated="2026-01-15T11:00:00Z")


def unencoded(sides: Sides, name: str) -> requests.Response:
    url = f"{sides.partner.url(name)}?response_url={sides.partner.peer.url}/results?name={name}&x=1"
    return sides.ask("DELETE", url)


CALLS: dict[Quirk, Call] = {
    Quirk.RAW_TOKENS: lambda sides, name: sides.locations(
        headers={"Authorization": f"Token {sides.partner.token}"}
    ),
    Quirk.MISSING_ROUTING: lambda sides, name: sides.locations(without="OCPI-to"),
    Quirk.MISSING_MESSAGE_IDS: lambda sides, name: sides.locations(without="X-Request"),
    Quirk.MIXED_CASE_IDS: lambda sides, name: sides.session(name, id=name.lower()),
    Quirk.DATE_FORMS: lambda sides, name: sides.session(name, start_date_time="2026-01-15T12:00:00+00:00"),
    Quirk.NUMBERS_AS_STRINGS: lambda sides, name: sides.session(name, kwh="1.5"),
    Quirk.LONG_TEXTS: lambda sides, name: sides.session(name, meter_id="m" * 300),
    Quirk.NULLS: lambda sides, name: sides.session(name, total_cost=None),
    Quirk.UNKNOWN_FIELDS: lambda sides, name: sides.session(name, colour="red"),
    Quirk.UNKNOWN_VALUES: lambda sides, name: sides.session(name, cdr_token=EMAID),
    Quirk.RESERVED: lambda sides, name: sides.session(name, status="RESERVED"),
    Quirk.LATE_UPDATES: late,
    Quirk.UNENCODED_RESPONSE_URL: unencoded,
}
REFUSED = {Quirk.RAW_TOKENS: (401, 2000)}


@pytest.fixture(scope="module")
def sides(scene: Scene) -> Iterator[tuple[Sides, Sides]]:
    """A partner as any, and one from which every quirk is refused."""
    with ExitStack() as running:
        lenient = running.enter_context(registered(scene.node, party=("DK", "LEN"), endpoints=BOTH))
        strict = running.enter_context(
            registered(scene.node, "--may-steer", party=("DK", "STC"), endpoints=BOTH)
        )
        scene.node.ask("partner", "quirks", str(strict.partner_id), "--refuse", "all")
        yield Sides(lenient), Sides(strict)


@pytest.mark.parametrize("quirk", CALLS)
def test_a_quirk_is_borne_unless_it_is_refused_from_the_partner(
    sides: tuple[Sides, Sides], quirk: Quirk
) -> None:
    lenient, strict = sides
    name = quirk.upper()

    borne = status(CALLS[quirk](lenient, name))
    assert (borne[0] in (200, 201), borne[1]) == (True, 1000)
    assert status(CALLS[quirk](strict, name)) == REFUSED.get(quirk, (200, 2001))


def test_a_partner_without_quirks_notices_nothing(sides: tuple[Sides, Sides]) -> None:
    strict = sides[1]

    assert status(strict.session("PLAIN")) == (201, 1000)
    assert status(strict.ask("GET", strict.session_url("PLAIN"))) == (200, 1000)
    assert status(strict.locations()) == (200, 1000)


def test_a_wrapped_result_counts_unless_it_is_refused(
    scene: Scene, sides: tuple[Sides, Sides], tmp_path: Path
) -> None:
    for one, answer, result in ((sides[0], (200, 1000), "ACCEPTED"), (sides[1], (200, 2001), None)):
        name = f"WRAPPED-{one.partner.party[1]}"
        assert status(one.session(name))[1] == 1000
        one.partner.peer.answer("PUT", data={"result": "ACCEPTED", "timeout": 30})
        request = asked_to_limit(scene, one, name, tmp_path)
        path = f"/2.2.1/receiver/chargingprofiles/{name}"
        url = one.partner.peer.wait_for("PUT", path)[0].body["response_url"]

        wrapped = {"data": {"result": "ACCEPTED"}, "status_code": 1000, "timestamp": "2026-01-15T12:00:00Z"}
        assert status(one.ask("POST", url, json=wrapped)) == answer
        assert scene.node.ask("profile", "show", request["request"])["result"] == result


def test_an_answer_without_the_envelope_counts_unless_it_is_refused(
    scene: Scene, sides: tuple[Sides, Sides], tmp_path: Path
) -> None:
    for one in sides:
        assert status(one.session(f"BARE-{one.partner.party[1]}"))[1] == 1000
        one.partner.peer.answer("PUT", body={"result": "ACCEPTED", "timeout": 30})

    lenient, strict = (one.partner.party[1] for one in sides)
    assert asked_to_limit(scene, sides[0], f"BARE-{lenient}", tmp_path)["result"] == "ACCEPTED"
    with pytest.raises(StepFailed, match=r"was not taken\. no_envelope: "):
        asked_to_limit(scene, sides[1], f"BARE-{strict}", tmp_path)


def test_an_operator_reads_that_a_new_object_was_answered_with_200(
    scene: Scene, sides: tuple[Sides, Sides]
) -> None:
    strict = sides[1].partner
    strict.peer.answer("*")
    scene.session()

    def last_error() -> str:
        return str(scene.node.ask("partner", "show", str(strict.partner_id))["last_error"])

    assert wait_for(lambda: "answered HTTP 200; a new object calls for 201" in last_error(), 10)


def asked_to_limit(scene: Scene, sides: Sides, session_id: str, folder: Path) -> dict[str, Any]:
    """Send a profile to a session of the partner; return what the command printed."""
    file = folder / "profile.json"
    file.write_text(sides.partner.body(profile(8), "https://unused.example.com"))
    printed: dict[str, Any] = scene.node.ask("profile", "set", session_id, "--file", str(file))
    return printed


def test_the_page_tells_each_quirk() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| ([^|]+) \|", PAGE.read_text(), re.MULTILINE)

    assert rows == [(quirk.value, meaning) for quirk, meaning in MEANINGS.items()]
