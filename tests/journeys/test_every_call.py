"""Our client against our server: every OCPI call in both directions, one node as CPO, one as SCSP."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from demo.processes import ROOT
from tests.factories import connector_document, evse_document, location_document, session_document
from tests.journeys.conftest import Pair
from tests.journeys.nodes import Node
from tests.station import Station
from tests.waiting import wait_for

THEN, LATER, LAST = "2026-01-15T12:00:00Z", "2026-01-15T13:00:00Z", "2026-01-15T14:00:00Z"
NOBODY = "00000000-0000-4000-8000-000000000000"
OURS = {"country_code": "NL", "party_id": "JCP"}
ROUTED_BACK = {"ocpi-from-country-code", "ocpi-from-party-id", "ocpi-to-country-code", "ocpi-to-party-id"}
PROFILE = {"charging_rate_unit": "A", "charging_profile_period": [{"start_period": 0, "limit": 10}]}
ACTIVE = {
    "start_date_time": THEN,
    "charging_profile": {
        "charging_rate_unit": "A",
        "duration": 900,
        "charging_profile_period": [{"start_period": 0, "limit": 16}],
    },
}


@dataclass(frozen=True)
class Call:
    """One line of a table: what is asked, and what the other node must answer.

    "{session}", "{cpo}" and "{scsp}" stand for the session's id and the nodes' addresses. `data` is the whole
    data, a function that tells whether it is right, or "nothing": an answer without data.
    """

    name: str
    method: str
    module: str
    role: str
    path: str = ""
    body: Any = None
    params: dict[str, str] | None = None
    http: int = 200
    ocpi: int = 1000
    data: Any = "nothing"

    def written(self, facts: dict[str, str]) -> dict[str, Any]:
        """Return what `tests.journeys.calling` reads."""
        if self.module == "versions":
            return {"method": self.method, "url": facts[self.role] + self.path}
        found = {
            "method": self.method,
            "module": self.module,
            "role": self.role,
            "path": [segment for segment in self.path.format_map(facts).split("/") if segment],
        }
        for name, value in (("body", self.body), ("params", self.params)):
            if value is not None:
                text = json.dumps(value)
                for fact, told in facts.items():
                    text = text.replace("{" + fact + "}", told)
                found[name] = json.loads(text)
        return found


def has(**fields: Any) -> Callable[[Any], bool]:
    """Return whether data is an object with these fields."""
    return lambda data: {name: data.get(name) for name in fields} == fields


def listed(**fields: Any) -> Callable[[Any], bool]:
    """Return whether data is a list with an object with these fields."""
    return lambda data: isinstance(data, list) and any(map(has(**fields), data))


def endpoints(*expected: tuple[str, str]) -> Callable[[Any], bool]:
    """Return whether data are version details with exactly these modules and roles."""
    return lambda data: (
        data["version"] == "2.2.1"
        and {(one["identifier"], one["role"]) for one in data["endpoints"]} == set(expected)
    )


def credentials(role: str, party_id: str) -> Callable[[Any], bool]:
    """Return whether data is a Credentials object of this party."""
    return lambda data: (
        set(data) == {"token", "url", "roles"}
        and [(one["role"], one["party_id"]) for one in data["roles"]] == [(role, party_id)]
    )


ANSWER = {"response_url": "{scsp}/ocpi/2.2.1/sender/chargingprofiles/result/" + NOBODY}
TO_CPO = [
    Call("versions", "GET", "versions", "cpo", "/ocpi/versions", data=listed(version="2.2.1")),
    Call(
        "version details", "GET", "versions", "cpo", "/ocpi/2.2.1",
        data=endpoints(
            ("credentials", "SENDER"), ("locations", "SENDER"), ("sessions", "SENDER"),
            ("chargingprofiles", "RECEIVER"),
        ),
    ),
    Call("credentials", "GET", "credentials", "", data=credentials("CPO", "JCP")),
    Call("credentials again", "POST", "credentials", "", body={}, http=405, ocpi=2000),
    Call("locations", "GET", "locations", "SENDER", params={"limit": "100"}, data=listed(id="CALLS", **OURS)),
    Call("a location", "GET", "locations", "SENDER", "CALLS", data=has(id="CALLS", **OURS)),
    Call("an EVSE", "GET", "locations", "SENDER", "CALLS/CALLS-1-1", data=has(uid="CALLS-1-1")),
    Call(
        "a connector", "GET", "locations", "SENDER", "CALLS/CALLS-1-1/1",
        data=has(id="1", power_type="AC_3_PHASE", max_voltage=230, max_amperage=32),
    ),
    Call("no such location", "GET", "locations", "SENDER", "NOWHERE", http=404, ocpi=2003),
    Call("no such EVSE", "GET", "locations", "SENDER", "CALLS/NONE", http=404, ocpi=2003),
    Call("no such connector", "GET", "locations", "SENDER", "CALLS/CALLS-1-1/9", http=404, ocpi=2003),
    Call("locations are read only", "PUT", "locations", "SENDER", "CALLS", body={}, http=405, ocpi=2000),
    Call(
        "sessions", "GET", "sessions", "SENDER", params={"date_from": THEN},
        data=listed(id="{session}", location_id="CALLS", status="ACTIVE", **OURS),
    ),
    Call("sessions without date_from", "GET", "sessions", "SENDER", data=listed(id="{session}")),
    Call(
        "sessions, a wrong date", "GET", "sessions", "SENDER", params={"date_from": "soon"}, ocpi=2001
    ),
    Call(
        "preferences", "PUT", "sessions", "SENDER", "{session}/charging_preferences",
        body={"profile_type": "FAST"}, http=404, ocpi=2001,
    ),
    Call("set", "PUT", "chargingprofiles", "RECEIVER", "{session}",
         body={"charging_profile": PROFILE, **ANSWER}, data={"result": "ACCEPTED", "timeout": 30}),
    Call("set without periods", "PUT", "chargingprofiles", "RECEIVER", "{session}",
         body={"charging_profile": {**PROFILE, "charging_profile_period": []}, **ANSWER}, ocpi=2001),
    Call("get", "GET", "chargingprofiles", "RECEIVER", "{session}",
         params={"duration": "900", **ANSWER}, data={"result": "ACCEPTED", "timeout": 30}),
    Call("get without duration", "GET", "chargingprofiles", "RECEIVER", "{session}",
         params=ANSWER, ocpi=2001),
    Call("clear", "DELETE", "chargingprofiles", "RECEIVER", "{session}",
         params=ANSWER, data={"result": "ACCEPTED", "timeout": 30}),
    Call("clear without response_url", "DELETE", "chargingprofiles", "RECEIVER", "{session}", ocpi=2001),
    *(
        Call(f"{method} of an unknown session", method, "chargingprofiles", "RECEIVER", "NOSUCH",
             body={"charging_profile": PROFILE, **ANSWER} if method == "PUT" else None,
             params=None if method == "PUT" else {"duration": "60", **ANSWER},
             data={"result": "UNKNOWN_SESSION", "timeout": 0})
        for method in ("PUT", "GET", "DELETE")
    ),
]  # fmt: skip

EVSE, CONNECTOR = evse_document("TOLD-1"), connector_document(max_amperage=16, last_updated=LATER)
SESSION = {**session_document("TOLD-S", **OURS), "location_id": "TOLD", "evse_uid": "TOLD-1"}
THEIRS = "NL/JCP"
TO_SCSP = [
    Call("versions", "GET", "versions", "scsp", "/ocpi/versions", data=listed(version="2.2.1")),
    Call(
        "version details", "GET", "versions", "scsp", "/ocpi/2.2.1",
        data=endpoints(
            ("credentials", "SENDER"), ("locations", "RECEIVER"), ("sessions", "RECEIVER"),
            ("chargingprofiles", "SENDER"),
        ),
    ),
    Call("credentials", "GET", "credentials", "", data=credentials("SCSP", "JSC")),
    Call("credentials again", "POST", "credentials", "", body={}, http=405, ocpi=2000),
    Call("unknown location", "GET", "locations", "RECEIVER", f"{THEIRS}/TOLD", http=404, ocpi=2003),
    Call("new location", "PUT", "locations", "RECEIVER", f"{THEIRS}/TOLD",
         body=location_document("TOLD", **OURS), http=201),
    Call("new EVSE", "PUT", "locations", "RECEIVER", f"{THEIRS}/TOLD/TOLD-1", body=EVSE, http=201),
    Call("connector", "PUT", "locations", "RECEIVER", f"{THEIRS}/TOLD/TOLD-1/1", body=CONNECTOR),
    Call("new connector", "PUT", "locations", "RECEIVER", f"{THEIRS}/TOLD/TOLD-1/2",
         body={**CONNECTOR, "id": "2"}, http=201),
    Call("location's fields", "PATCH", "locations", "RECEIVER", f"{THEIRS}/TOLD",
         body={"name": "Told", "last_updated": LATER}),
    Call("EVSE's fields", "PATCH", "locations", "RECEIVER", f"{THEIRS}/TOLD/TOLD-1",
         body={"status": "CHARGING", "last_updated": LAST}),
    Call("connector's fields", "PATCH", "locations", "RECEIVER", f"{THEIRS}/TOLD/TOLD-1/1",
         body={"max_amperage": 20, "last_updated": LAST}),
    Call("unknown EVSE's fields", "PATCH", "locations", "RECEIVER", f"{THEIRS}/TOLD/NONE",
         body={"status": "CHARGING", "last_updated": LAST}, http=404, ocpi=2003),
    Call("stored location", "GET", "locations", "RECEIVER", f"{THEIRS}/TOLD",
         data=has(id="TOLD", name="Told", **OURS)),
    Call("stored EVSE", "GET", "locations", "RECEIVER", f"{THEIRS}/TOLD/TOLD-1",
         data=has(uid="TOLD-1", status="CHARGING")),
    Call("stored connector", "GET", "locations", "RECEIVER", f"{THEIRS}/TOLD/TOLD-1/1",
         data=has(id="1", max_amperage=20)),
    Call("somebody else's location", "PUT", "locations", "RECEIVER", "NL/XXX/TOLD",
         body=location_document("TOLD", country_code="NL", party_id="XXX"), http=404, ocpi=2001),
    Call("unknown session", "GET", "sessions", "RECEIVER", f"{THEIRS}/TOLD-S", http=404, ocpi=2001),
    Call("new session", "PUT", "sessions", "RECEIVER", f"{THEIRS}/TOLD-S", body=SESSION, http=201),
    Call("session's fields", "PATCH", "sessions", "RECEIVER", f"{THEIRS}/TOLD-S",
         body={"kwh": 1.5, "last_updated": LATER}),
    Call("stored session", "GET", "sessions", "RECEIVER", f"{THEIRS}/TOLD-S",
         data=has(id="TOLD-S", kwh=1.5, last_updated=LATER, **OURS)),
    Call("session again", "PUT", "sessions", "RECEIVER", f"{THEIRS}/TOLD-S",
         body={**SESSION, "kwh": 2.5, "last_updated": LAST}),
    Call("broken session", "PUT", "sessions", "RECEIVER", f"{THEIRS}/TOLD-S",
         body={"id": "TOLD-S"}, ocpi=2001),
    Call("result", "POST", "chargingprofiles", "SENDER", "result/{request}", body={"result": "ACCEPTED"}),
    Call("result of nothing", "POST", "chargingprofiles", "SENDER", f"result/{NOBODY}",
         body={"result": "ACCEPTED"}, http=404, ocpi=2001),
    Call("active profile", "PUT", "chargingprofiles", "SENDER", "{session}", body=ACTIVE),
    Call("active profile of nothing", "PUT", "chargingprofiles", "SENDER", "NOSUCH", body=ACTIVE,
         http=404, ocpi=2001),
    Call("broken active profile", "PUT", "chargingprofiles", "SENDER", "{session}", body={}, ocpi=2001),
]  # fmt: skip


def answers(node: Node, partner: int, table: list[Call], facts: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Let a node make the calls of a table; return its partner's answers by name."""
    finished = subprocess.run(
        [sys.executable, "-m", "tests.journeys.calling", str(partner)],
        cwd=ROOT,
        env=node.environment,
        input=json.dumps([one.written(facts) for one in table]),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return dict(zip([one.name for one in table], json.loads(finished.stdout), strict=True))


@dataclass(frozen=True)
class Answers:
    """What both nodes answered, and the session that it was about."""

    facts: dict[str, str]
    of_cpo: dict[str, dict[str, Any]]
    of_scsp: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def answered(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    """Charge at the CPO, steer once so that there is a request, and make all the calls."""
    pair.cpo.ask("charger", "add", "CALLS-1", "--location", "CALLS")
    profile = tmp_path_factory.mktemp("calls") / "profile.json"
    profile.write_text(json.dumps(PROFILE))
    accepts = {"status": "Accepted"}
    replies: dict[str, Any] = {
        "SetChargingProfile": accepts,
        "ClearChargingProfile": accepts,
        "GetCompositeSchedule": {"status": "Rejected"},
    }
    with Station(f"ws://127.0.0.1:{pair.cpo.ocpp_port}", "CALLS-1", replies=replies) as station:
        station.boot()
        station.start(tag="CALLS")

        def arrived() -> str | None:
            sessions = pair.scsp.ask("session", "list", "--active")["sessions"]
            return next((one["id"] for one in sessions if one["location_id"] == "CALLS"), None)

        session = wait_for(arrived, 10)
        request = pair.scsp.ask("profile", "set", session, "--file", str(profile))["request"]
        facts = {"session": session, "request": request, "cpo": pair.cpo.url, "scsp": pair.scsp.url}
        yield Answers(
            facts,
            answers(pair.scsp, pair.cpo_at_scsp, TO_CPO, facts),
            answers(pair.cpo, pair.scsp_at_cpo, TO_SCSP, facts),
        )


def check(call: Call, reply: dict[str, Any], facts: dict[str, str]) -> None:
    """Check one answer, with the session's id written as in the tables."""
    reply = json.loads(json.dumps(reply).replace(facts["session"], "{session}"))
    assert (reply["http_status"], reply["status_code"]) == (call.http, call.ocpi), reply
    if call.module in {"versions", "credentials"}:
        assert not ROUTED_BACK & set(reply["headers"])
    else:
        assert set(reply["headers"]) >= ROUTED_BACK
    if callable(call.data):
        assert call.data(reply["data"]), reply
    else:
        assert reply["data"] == (None if call.data == "nothing" else call.data)


@pytest.mark.parametrize("call", TO_CPO, ids=lambda call: call.name)
def test_the_cpo_answers(answered: Answers, call: Call) -> None:
    check(call, answered.of_cpo[call.name], answered.facts)


@pytest.mark.parametrize("call", TO_SCSP, ids=lambda call: call.name)
def test_the_scsp_answers(answered: Answers, call: Call) -> None:
    check(call, answered.of_scsp[call.name], answered.facts)
