"""Charging profiles as Sender, at the platform's receiver; and its own calls of us."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from ocpi.conformance.exchange import Exchange
from ocpi.conformance.lists import EPOCH
from ocpi.conformance.requirements import (
    Failed,
    Level,
    NotTried,
    Part,
    Run,
    expect,
    expect_http,
    expect_status,
    expect_success,
)
from ocpi.protocol.times import format_datetime

part = Part("ChargingProfiles: asked of the platform as their receiver")
MODULE = "mod_charging_profiles"
RECEIVER, RESPONSE = f'{MODULE}, "Receiver Interface"', f'{MODULE}, "ChargingProfileResponse object"'
POST, SENDER_PUT = f'{MODULE}, "POST Method"', f'{MODULE}, "PUT Method" of the Sender'
RESULTS = ("ACCEPTED", "NOT_SUPPORTED", "REJECTED", "TOO_OFTEN", "UNKNOWN_SESSION")
UNKNOWN = "CONFORMANCE-UNKNOWN"
# A charger's answer may need longer than was announced; then the platform says so.
SLACK_S = 5


def _profile(**fields: Any) -> dict[str, Any]:
    return {
        "start_date_time": format_datetime(datetime.now(UTC).replace(microsecond=0)),
        "charging_rate_unit": "A",
        "charging_profile_period": [{"start_period": 0, "limit": 10.0}],
        **fields,
    }


def _put(run: Run, session_id: str, url: str, **fields: Any) -> Exchange:
    body = {"charging_profile": _profile(**fields), "response_url": url}
    return _ask(run, "PUT", session_id, body=body)


def _ask(run: Run, method: str, session_id: str, query: str = "", **fields: Any) -> Exchange:
    token = run.needs_registration()
    address = f"{run.endpoint('chargingprofiles', 'RECEIVER')}/{quote(session_id, safe='')}"
    return run.platform.ask(method, address + query, token=token, **fields)


def _url(run: Run, name: str) -> str:
    return f"{run.partner.url}/results/{name}"


def _query(run: Run, name: str, **params: str) -> str:
    pairs = {**params, "response_url": quote(_url(run, name), safe="")}
    return "?" + "&".join(f"{key}={value}" for key, value in pairs.items())


def _answered(exchange: Exchange, *results: str) -> int:
    """Return the timeout of a ChargingProfileResponse with one of some results. Raises Failed."""
    expect_status(exchange, 1000)
    data = exchange.data
    expect(isinstance(data, dict) and data.get("result") in results, " or ".join(results), data)
    timeout = data.get("timeout")
    expect(isinstance(timeout, int) and not isinstance(timeout, bool), "timeout: whole seconds", data)
    return int(timeout)


def _running(run: Run) -> str:
    """Return the id of a session that is charging. Raises NotTried."""
    if not run.session:
        url = run.endpoint("sessions", "SENDER")
        page = run.platform.ask("GET", url, token=run.token, params={"date_from": EPOCH})
        rows = [row for row in expect_success(page) if row.get("status") == "ACTIVE"]
        if not rows:
            raise NotTried("the platform shows us no session that is ACTIVE")
        run.session = rows[-1]
    return str(run.session["id"])


def _result(run: Run, name: str, exchange: Exchange) -> Any:
    """Return the body of the one POST that follows an ACCEPTED answer. Raises Failed or NotTried."""
    timeout_s = _answered(exchange, *RESULTS)
    if exchange.data["result"] != "ACCEPTED":
        raise NotTried(f"the platform answered {exchange.data['result']}")
    calls = run.partner.wait_for("POST", f"/results/{name}", within_s=timeout_s + SLACK_S)
    if not calls:
        raise Failed(f"a POST to response_url within {timeout_s} s", "none")
    expect(run.token_b in calls[0].tokens, "token B with the result", "another Authorization")
    expect(
        calls[0].headers.get("X-Correlation-ID") == exchange.correlation_id,
        "the request's X-Correlation-ID",
        "another",
    )
    return calls[0].body


@part.requirement("CP10", Level.MUST, RESPONSE)
def knows_what_it_does_not_know(run: Run) -> None:
    """A profile for an unknown session gets HTTP 200 with result UNKNOWN_SESSION and a timeout."""
    _answered(_put(run, UNKNOWN, _url(run, "unknown")), "UNKNOWN_SESSION")


@part.requirement("CP10", Level.MUST, RESPONSE)
def knows_it_for_get_and_delete_too(run: Run) -> None:
    """GET and DELETE of an unknown session get UNKNOWN_SESSION, too."""
    _answered(_ask(run, "GET", UNKNOWN, _query(run, "unknown", duration="900")), "UNKNOWN_SESSION")
    _answered(_ask(run, "DELETE", UNKNOWN, _query(run, "unknown")), "UNKNOWN_SESSION")


@part.requirement("CP11", Level.MUST, POST)
def sends_no_result_after_a_refusal(run: Run) -> None:
    """No result follows an answer other than ACCEPTED."""
    run.needs_registration()
    expect(not run.partner.got("POST", "/results/unknown"), "no POST", "a POST")


@part.requirement("CP1", Level.MUST, f'{MODULE}, "GET Method"')
def needs_response_url(run: Run) -> None:
    """GET without response_url gets OCPI 2001."""
    expect_status(_ask(run, "GET", UNKNOWN, "?duration=900"), 2001)


@part.requirement("CP1", Level.MUST, f'{MODULE}, "GET Method"')
def needs_duration(run: Run) -> None:
    """GET without duration gets OCPI 2001."""
    expect_status(_ask(run, "GET", UNKNOWN, _query(run, "none")), 2001)


@part.requirement("CP2", Level.MUST, f'{MODULE}, "SetChargingProfile Object"')
def needs_both_fields(run: Run) -> None:
    """PUT without charging_profile, or without response_url, gets OCPI 2001."""
    for body in ({"response_url": _url(run, "none")}, {"charging_profile": _profile()}):
        expect_status(_ask(run, "PUT", UNKNOWN, body=body), 2001)


@part.requirement("Y6", Level.MUST, f'{MODULE}, "ChargingRateUnit enum"')
def knows_its_units(run: Run) -> None:
    """A charging_rate_unit that is neither W nor A gets OCPI 2001."""
    expect_status(_put(run, UNKNOWN, _url(run, "none"), charging_rate_unit="kW"), 2001)


@part.requirement("CP4", Level.MUST, RECEIVER)
def refuses_other_methods(run: Run) -> None:
    """POST and PATCH get HTTP 405."""
    for method in ("POST", "PATCH"):
        expect_http(_ask(run, method, UNKNOWN, body={}), 405)


@part.requirement("CP2", Level.MUST, f'{MODULE}, "PUT Method"')
def takes_a_profile(run: Run) -> None:
    """A valid profile for a running session gets a ChargingProfileResponse; ACCEPTED leads to one result."""
    body = _result(run, "set", _put(run, _running(run), _url(run, "set")))
    expect(isinstance(body, dict) and "status_code" not in body, "a plain result, no envelope", body)
    expect(body.get("result") in ("ACCEPTED", "REJECTED", "UNKNOWN"), "ACCEPTED, REJECTED or UNKNOWN", body)


@part.requirement("CP16", Level.MUST, SENDER_PUT)
def keeps_us_told(run: Run) -> None:
    """After an accepted profile the platform PUTs the ActiveChargingProfile to us when it changes."""
    results = run.partner.got("POST", "/results/set")
    if not results or results[0].body.get("result") != "ACCEPTED":
        raise NotTried("no profile of ours was accepted")
    path = f"/chargingprofiles/sender/{_running(run)}"
    told = run.partner.wait_for("PUT", path, within_s=15)
    if not told:
        raise NotTried("nothing changed")
    profile = told[0].body.get("charging_profile") if isinstance(told[0].body, dict) else None
    expect(
        isinstance(profile, dict) and "start_date_time" in told[0].body,
        "an ActiveChargingProfile",
        told[0].body,
    )
    expect(told[0].at > results[0].at, "it after the result", "it before")


@part.requirement("CP12", Level.MUST, POST)
def tells_the_active_profile(run: Run) -> None:
    """GET leads to an ActiveChargingProfileResult, with the profile when it is ACCEPTED."""
    exchange = _ask(run, "GET", _running(run), _query(run, "get", duration="900"))
    body = _result(run, "get", exchange)
    expect(body.get("result") in ("ACCEPTED", "REJECTED", "UNKNOWN"), "ACCEPTED, REJECTED or UNKNOWN", body)
    has_profile = isinstance(body.get("profile"), dict)
    expect(has_profile == (body["result"] == "ACCEPTED"), "profile exactly when ACCEPTED", body)


@part.requirement("CP22", Level.MUST, f'{MODULE}, "PUT Method"')
def takes_another_profile(run: Run) -> None:
    """A second profile replaces the first."""
    periods = [{"start_period": 0, "limit": 8.0}]
    body = _result(
        run, "set-2", _put(run, _running(run), _url(run, "set-2"), charging_profile_period=periods)
    )
    expect(body.get("result") in ("ACCEPTED", "REJECTED", "UNKNOWN"), "a result", body)


@part.requirement("CP3", Level.MUST, f'{MODULE}, "DELETE Method"')
def clears_the_profile(run: Run) -> None:
    """DELETE leads to a ClearProfileResult."""
    body = _result(run, "clear", _ask(run, "DELETE", _running(run), _query(run, "clear")))
    expect(body.get("result") in ("ACCEPTED", "REJECTED", "UNKNOWN"), "ACCEPTED, REJECTED or UNKNOWN", body)


@part.requirement("CP13", Level.MUST, f'{MODULE}, "ChargingProfileResultType enum"')
def finds_nothing_to_clear(run: Run) -> None:
    """DELETE where nothing is set leads to UNKNOWN."""
    cleared = run.partner.got("POST", "/results/clear")
    if not cleared or cleared[0].body.get("result") != "ACCEPTED":
        raise NotTried("nothing was cleared before")
    body = _result(run, "clear-2", _ask(run, "DELETE", _running(run), _query(run, "clear-2")))
    expect(body.get("result") == "UNKNOWN", "UNKNOWN", body)


@part.requirement("CP11", Level.MUST, POST)
def sends_each_result_once(run: Run) -> None:
    """Each request got exactly one result."""
    names = ["set", "get", "set-2", "clear", "clear-2"]
    counts = {name: len([c for c in run.partner.calls if c.path == f"/results/{name}"]) for name in names}
    if not any(counts.values()):
        raise NotTried("no request was accepted")
    expect(all(count <= 1 for count in counts.values()), "one POST each", counts)
