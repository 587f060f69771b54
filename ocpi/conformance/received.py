"""Sessions that we tell the platform of as a CPO: PUT, PATCH and GET at its receiver."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ocpi.conformance.exchange import Exchange
from ocpi.conformance.requirements import Level, Part, Run, expect, expect_http, expect_status, expect_success
from ocpi.protocol.times import format_datetime, parse_datetime

part = Part("Sessions: told to the platform as their receiver")
PUT, PATCH = 'mod_sessions, "PUT Method"', 'mod_sessions, "PATCH Method"'
NAME = "CONFORMANCE-1"
PERIOD = {"start_date_time": "2026-01-15T12:00:00Z", "dimensions": [{"type": "ENERGY", "volume": 0.5}]}


def session(run: Run, seconds: int = 0, **fields: Any) -> dict[str, Any]:
    """Return a session of ours, last updated `seconds` after now."""
    country_code, party_id = run.party
    return {
        "country_code": country_code,
        "party_id": party_id,
        "id": NAME,
        "start_date_time": "2026-01-15T12:00:00Z",
        "kwh": 0.5,
        "cdr_token": {
            "country_code": country_code,
            "party_id": party_id,
            "uid": "CONFORMANCE",
            "type": "RFID",
            "contract_id": "CONFORMANCE",
        },
        "auth_method": "WHITELIST",
        "location_id": "CONFORMANCE",
        "evse_uid": "CONFORMANCE",
        "connector_id": "1",
        "currency": "EUR",
        "status": "ACTIVE",
        "last_updated": _moment(seconds),
        **fields,
    }


def _moment(seconds: int = 0) -> str:
    return format_datetime(datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds))


def _ask(run: Run, method: str, body: Any = None, *, name: str = NAME, more: str = "") -> Exchange:
    token = run.needs_registration()
    country_code, party_id = run.party
    url = f"{run.endpoint('sessions', 'RECEIVER')}/{country_code}/{party_id}/{name}{more}"
    return run.platform.ask(method, url, token=token, **({} if body is None else {"body": body}))


@part.requirement("S7", Level.SHOULD, "status_codes")
def creates(run: Run) -> None:
    """PUT of a new session gets HTTP 201, or 200 from one that knew it."""
    answer = _ask(run, "PUT", session(run))
    expect(answer.is_success and answer.http_status in (200, 201), "HTTP 201 and OCPI 1000", answer)


@part.requirement("SE24", Level.MUST, 'mod_sessions, "GET Method"')
def gives_back_what_it_got(run: Run) -> None:
    """GET gives the session back as it was PUT."""
    sent = session(run, 1)
    expect_success(_ask(run, "PUT", sent))
    got = expect_success(_ask(run, "GET"))
    wrong = {name: got.get(name) for name in sent if not _is_same(name, sent[name], got.get(name))}
    expect(not wrong, "the same fields", wrong)


@part.requirement("S5", Level.SHOULD, "status_codes")
def does_not_find_what_is_not_there(run: Run) -> None:
    """GET of a session that was never told gets HTTP 404."""
    expect_http(_ask(run, "GET", name="NEVER-TOLD"), 404)


@part.requirement("S11", Level.MUST, PUT)
def refuses_another_party_in_the_body(run: Run) -> None:
    """PUT with another party in the body than in the URL gets OCPI 2001 and changes nothing."""
    expect_status(_ask(run, "PUT", session(run, 2, party_id="XXX")), 2001)


@part.requirement("S9", Level.SHOULD, 'transport_and_format, "Errors"')
def refuses_a_foreign_party(run: Run) -> None:
    """PUT below another party's address is refused."""
    url = f"{run.endpoint('sessions', 'RECEIVER')}/XX/YYY/{NAME}"
    token = run.needs_registration()
    answer = run.platform.ask("PUT", url, token=token, body=session(run, country_code="XX", party_id="YYY"))
    expect(not answer.is_success, "HTTP 404, or OCPI 2001", answer)


@part.requirement("SE20", Level.MUST, PATCH)
def needs_last_updated(run: Run) -> None:
    """PATCH without last_updated gets OCPI 2001."""
    expect_status(_ask(run, "PATCH", {"kwh": 0.7}), 2001)


@part.requirement("U2", Level.MUST, 'transport_and_format, "PATCH"')
def changes_what_it_names(run: Run) -> None:
    """PATCH changes the fields that it names and leaves the others."""
    expect_success(_ask(run, "PATCH", {"kwh": 0.8, "last_updated": _moment(3)}))
    got = expect_success(_ask(run, "GET"))
    expect((got.get("kwh"), got.get("currency")) == (0.8, "EUR"), "kwh 0.8 and EUR", got)


@part.requirement("SE21", Level.MUST, PATCH)
def appends_charging_periods(run: Run) -> None:
    """PATCH appends charging_periods to those that are there."""
    expect_success(_ask(run, "PUT", session(run, 4, charging_periods=[PERIOD])))
    more = {**PERIOD, "start_date_time": "2026-01-15T12:30:00Z"}
    expect_success(_ask(run, "PATCH", {"charging_periods": [more], "last_updated": _moment(5)}))
    got = expect_success(_ask(run, "GET")).get("charging_periods") or []
    expect(len(got) == 2, "2 charging periods", len(got))


@part.requirement("SE19", Level.MUST, PUT)
def replaces_the_whole(run: Run) -> None:
    """PUT replaces the session: charging_periods that it leaves out are gone."""
    expect_success(_ask(run, "PUT", session(run, 6)))
    got = expect_success(_ask(run, "GET")).get("charging_periods")
    expect(not got, "no charging periods", got)


@part.requirement("E4", Level.SHOULD, 'transport_and_format, "Response format"')
def answers_a_put_without_data(run: Run) -> None:
    """The answer to PUT has no data."""
    answer = _ask(run, "PUT", session(run, 7))
    expect_success(answer)
    expect(answer.data in (None, "", [], {}), "no data", answer.data)


@part.requirement("SE25", Level.MUST, 'mod_sessions, "Receiver Interface"')
def refuses_other_methods(run: Run) -> None:
    """POST and DELETE of a session get HTTP 405."""
    for method in ("POST", "DELETE"):
        expect_http(_ask(run, method, {} if method == "POST" else None), 405)


@part.requirement("SE22", Level.MUST, PATCH)
def has_nothing_below_a_session(run: Run) -> None:
    """There is no address below a session: PATCH gets HTTP 404 or 405."""
    expect_http(_ask(run, "PATCH", {"kwh": 1}, more="/charging_periods"), 404, 405)


@part.requirement("SE5", Level.MUST, 'mod_sessions, "SessionStatus enum"')
def takes_the_end(run: Run) -> None:
    """PATCH to COMPLETED is taken."""
    changes = {"status": "COMPLETED", "end_date_time": _moment(8), "last_updated": _moment(8)}
    expect_success(_ask(run, "PATCH", changes))
    got = expect_success(_ask(run, "GET")).get("status")
    expect(got == "COMPLETED", "COMPLETED", got)


def _is_same(name: str, sent: Any, got: Any) -> bool:
    if name.endswith(("date_time", "last_updated")):
        return got is not None and parse_datetime(sent) == parse_datetime(str(got))
    return bool(sent == got)
