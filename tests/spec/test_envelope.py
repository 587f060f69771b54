"""OCPI 2.2.1 transport_and_format, "Response format": the envelope, and what is left out of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.factories import location_document, session_document
from tests.journeys.provider import Provider, Scene, profile
from tests.peer import TIMESTAMP
from tests.spec.answers import DATE_TIME, said

THEIRS = {"country_code": "NL", "party_id": "PTN"}
SUCCESS = {"status_code": 1000, "timestamp": TIMESTAMP}


def test_an_answer_has_data_status_and_time(provider: Provider) -> None:
    envelope = provider.ask("GET", f"{provider.node.url}/ocpi/versions").json()

    timestamp = envelope.pop("timestamp")
    assert DATE_TIME.fullmatch(timestamp)
    assert envelope == {
        "data": [{"version": "2.2.1", "url": f"{provider.node.url}/ocpi/2.2.1"}],
        "status_code": 1000,
        "status_message": "Success",
    }


def test_an_empty_list_is_a_list(provider: Provider) -> None:
    address = provider.endpoints["sessions", "SENDER"]

    answer = provider.ask("GET", address, params={"date_from": "2099-01-01T00:00:00Z"})

    assert said(answer) == (200, {"data": [], "status_code": 1000})


@pytest.mark.parametrize(
    ("method", "path", "body", "answered"),
    [
        ("PUT", "/receiver/sessions/NL/PTN/E3", b"{}", (200, 2001)),
        ("PUT", "/receiver/sessions/NL/PTN/E3", b"{", (400, 2001)),
        ("GET", "/receiver/locations/NL/PTN/E3", None, (404, 2003)),
        ("DELETE", "/receiver/sessions/NL/PTN/E3", None, (405, 2000)),
        ("GET", "/nothing", None, (404, 2001)),
    ],
)
def test_a_failure_has_its_status_and_a_message_and_no_data(
    cpo: Provider, method: str, path: str, body: bytes | None, answered: tuple[int, int]
) -> None:
    answer = cpo.ask(method, f"{cpo.node.url}/ocpi/2.2.1{path}", data=body)

    assert said(answer) == (answered[0], {"status_code": answered[1]})
    assert answer.json()["status_message"]


def test_where_no_data_is_specified_none_is_sent(cpo: Provider) -> None:
    changes = {"name": "E4", "last_updated": TIMESTAMP}
    asked: list[tuple[str, str, Any]] = [
        ("PUT", "sessions", session_document("E4", **THEIRS)),
        ("PUT", "locations", location_document("E4", **THEIRS)),
        ("PATCH", "locations", changes),
        ("PATCH", "sessions", {"kwh": 1, "last_updated": TIMESTAMP}),
    ]
    for method, module, body in asked:
        answer = cpo.ask(method, f"{cpo.endpoints[module, 'RECEIVER']}/NL/PTN/E4", json=body)
        assert said(answer)[1] == {"status_code": 1000}


def test_whatever_a_partner_sends_as_data_of_a_push_is_taken_for_success(scene: Scene) -> None:
    connector = next(scene.connectors)
    path = f"/2.2.1/receiver/locations/NL/SPC/SPEC/SPEC-1-{connector}"
    odd = ({"data": data, **SUCCESS} for data in (None, {}, [], "", "thanks", 0))
    answers: list[Any] = [SUCCESS, *odd, b"", (204, b""), SUCCESS]
    for number, body in enumerate(answers):
        scene.provider.peer.answer("*", path, body=body, status=201 if number % 2 else 200)
        told = {
            "connectorId": connector,
            "errorCode": "NoError",
            "status": "Available" if number % 2 else "Faulted",
        }
        scene.station.call("StatusNotification", told)
        scene.provider.peer.wait_for("PATCH", path, count=number + 1, timeout_s=10)

    # A failed PATCH would be followed by GET of the EVSE and PUT of the whole.
    sent = [(one.method, one.body and one.body["status"]) for one in scene.provider.peer.received("*", path)]
    statuses = [("OUTOFORDER", "AVAILABLE")[number % 2] for number in range(len(answers))]
    assert sent == [("PATCH", status) for status in statuses]


def test_results_and_active_profiles_are_answered_without_data(cpo: Provider, tmp_path: Path) -> None:
    address = f"{cpo.endpoints['sessions', 'RECEIVER']}/NL/PTN/E6"
    assert said(cpo.ask("PUT", address, json=session_document("E6", **THEIRS)))[0] == 201
    cpo.peer.answer("PUT", "/2.2.1/receiver/chargingprofiles/E6", data={"result": "ACCEPTED", "timeout": 30})
    wanted, file = profile(10), tmp_path / "profile.json"
    file.write_text(json.dumps(wanted))
    cpo.node.ask("profile", "set", "E6", "--file", str(file), "--partner", str(cpo.partner_id))
    sent = cpo.peer.received("PUT", "/2.2.1/receiver/chargingprofiles/E6")[0].body

    result = cpo.ask("POST", sent["response_url"], json={"result": "ACCEPTED"})
    active = cpo.ask(
        "PUT",
        f"{cpo.endpoints['chargingprofiles', 'SENDER']}/E6",
        json={"start_date_time": TIMESTAMP, "charging_profile": wanted},
    )

    assert said(result) == (200, {"status_code": 1000})
    assert said(active) == (200, {"status_code": 1000})
