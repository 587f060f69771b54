"""The credentials handshake as its starter, what must not work before and after it, and its end."""

from __future__ import annotations

from typing import Any

from ocpi.conformance.exchange import Exchange
from ocpi.conformance.partner import ENDPOINTS, VERSION
from ocpi.conformance.requirements import (
    Level,
    Part,
    Run,
    expect,
    expect_http,
    expect_status,
    expect_success,
)
from ocpi.protocol.headers import new_message_id

part = Part("Credentials: registration and new tokens")
ending = Part("Credentials: the end")
POST, PUT = 'credentials, "POST Method"', 'credentials, "PUT Method"'
ERRORS = 'credentials, "Errors during registration"'


def credentials(run: Run, token: str, **fields: Any) -> dict[str, Any]:
    """Return our Credentials object: one platform that is SCSP and CPO."""
    country_code, party_id = run.party
    roles = [
        {
            "role": role,
            "country_code": country_code,
            "party_id": party_id,
            "business_details": {"name": "Conformance"},
        }
        for role in ("SCSP", "CPO")
    ]
    return {"token": token, "url": f"{run.partner.url}/versions", "roles": roles, **fields}


def _ask(run: Run, method: str, body: Any = None) -> Exchange:
    if body is None:
        return run.platform.ask(method, run.credentials_url(), token=run.token)
    return run.platform.ask(method, run.credentials_url(), token=run.token, body=body)


@part.requirement("C7", Level.MUST, PUT)
def refuses_put_before_registration(run: Run) -> None:
    """PUT before the registration gets HTTP 405."""
    expect_http(_ask(run, "PUT", credentials(run, new_message_id())), 405)


@part.requirement("C9", Level.MUST, 'credentials, "DELETE Method"')
def refuses_delete_before_registration(run: Run) -> None:
    """DELETE before the registration gets HTTP 405."""
    expect_http(_ask(run, "DELETE"), 405)


@part.requirement("S2", Level.MUST, "status_codes")
def refuses_what_is_no_json(run: Run) -> None:
    """A body that is not JSON gets HTTP 400."""
    expect_http(run.platform.ask("POST", run.credentials_url(), token=run.token, raw=b'{"token": '), 400)


@part.requirement("S3", Level.MUST, "status_codes")
def names_a_missing_field_in_the_envelope(run: Run) -> None:
    """Valid JSON with a required field missing gets HTTP 200 with OCPI 2001."""
    body = credentials(run, new_message_id())
    del body["roles"]
    expect_status(_ask(run, "POST", body), 2001)


@part.requirement("C17", Level.MUST, 'credentials, "Credentials object"')
def refuses_a_role_twice(run: Run) -> None:
    """The same role of the same party twice gets OCPI 2001."""
    body = credentials(run, new_message_id())
    body["roles"] = [body["roles"][0]] * 2
    expect_status(_ask(run, "POST", body), 2001)


@part.requirement("C12", Level.SHOULD, ERRORS)
def says_that_we_can_not_be_called(run: Run) -> None:
    """A registration whose versions can't be read gets OCPI 3001."""
    run.partner.is_broken = True
    try:
        expect_status(_ask(run, "POST", credentials(run, new_message_id())), 3001)
    finally:
        run.partner.is_broken = False


@part.requirement("C13", Level.MUST, "status_codes")
def says_that_no_version_is_common(run: Run) -> None:
    """A registration without a common version gets OCPI 3002."""
    run.partner.versions = ["2.1.1"]
    try:
        expect_status(_ask(run, "POST", credentials(run, new_message_id())), 3002)
    finally:
        run.partner.versions = [VERSION]


@part.requirement("C14", Level.SHOULD, 'credentials, "Required endpoints not available"')
def says_that_endpoints_are_missing(run: Run) -> None:
    """A registration without a credentials endpoint gets OCPI 3003."""
    run.partner.endpoints = [("sessions", "RECEIVER")]
    try:
        expect_status(_ask(run, "POST", credentials(run, new_message_id())), 3003)
    finally:
        run.partner.endpoints = list(ENDPOINTS)


@part.requirement("C3", Level.MUST, POST)
def registers(run: Run) -> None:
    """POST with token A registers: the answer holds the platform's credentials with token C."""
    run.partner.calls.clear()
    run.token_b = new_message_id()
    data = expect_success(_ask(run, "POST", credentials(run, run.token_b)))
    token = data.get("token") if isinstance(data, dict) else None
    is_good = isinstance(token, str) and 0 < len(token) <= 64 and token not in (run.token_a, run.token_b)
    expect(is_good, "a token of 1 to 64 characters that is neither A nor B", "another")
    run.token_c = str(token)
    expect(bool(data.get("roles")) and bool(data.get("url")), "its url and roles", sorted(data))


@part.requirement("C2", Level.MUST, POST)
def reads_our_versions_before_it_answers(run: Run) -> None:
    """Before it answers the POST, the platform reads our versions and details with token B."""
    run.needs_registration()
    for path in ("/versions", f"/{VERSION}"):
        calls = run.partner.got("GET", path)
        expect(bool(calls), f"GET {path}", "no such call")
        expect(run.token_b in calls[0].tokens, "token B in Base64", "another Authorization")


@part.requirement("M1", Level.MUST, 'transport_and_format, "Unique message IDs"')
def sends_message_ids(run: Run) -> None:
    """The platform's own requests carry X-Request-ID and X-Correlation-ID, each request another."""
    run.needs_registration()
    seen = [call.headers.get("X-Request-ID") for call in run.partner.calls]
    expect(all(seen) and len(set(seen)) == len(seen), "an id of its own on each request", seen)
    expect(
        all(call.headers.get("X-Correlation-ID") for call in run.partner.calls), "X-Correlation-ID", "none"
    )


@part.requirement("C4", Level.MUST, 'credentials, "Registration"')
def opens_with_token_c(run: Run) -> None:
    """After the registration token C opens the platform, and token A does not."""
    run.needs_registration()
    expect_success(run.platform.ask("GET", run.versions_url, token=run.token_c))
    expect_http(run.platform.ask("GET", run.versions_url, token=run.token_a), 401)


@part.requirement("C5", Level.MUST, POST)
def refuses_to_register_twice(run: Run) -> None:
    """POST when registered already gets HTTP 405."""
    run.needs_registration()
    expect_http(_ask(run, "POST", credentials(run, new_message_id())), 405)


@part.requirement("C10", Level.MUST, 'credentials, "GET Method"')
def tells_our_credentials(run: Run) -> None:
    """GET credentials tells the token that opens the platform to us, its url and its roles."""
    run.needs_registration()
    data = expect_success(_ask(run, "GET"))
    expect(isinstance(data, dict) and data.get("token") == run.token_c, "token C", "another token")
    names = [role.get("business_details", {}).get("name") for role in data.get("roles", [])]
    expect(bool(names) and all(names), "roles with business_details", data.get("roles"))


@part.requirement("C11", Level.MUST, 'credentials, "Interfaces and endpoints"')
def refuses_patch(run: Run) -> None:
    """PATCH credentials gets HTTP 405."""
    run.needs_registration()
    expect_http(_ask(run, "PATCH", {"url": "x"}), 405)


@part.requirement("C21", Level.MUST, ERRORS)
def keeps_the_registration_when_a_put_fails(run: Run) -> None:
    """A PUT that can't be followed up gets OCPI 3001 and leaves token C open."""
    run.needs_registration()
    run.partner.is_broken = True
    try:
        expect_status(_ask(run, "PUT", credentials(run, new_message_id())), 3001)
    finally:
        run.partner.is_broken = False
    expect_success(run.platform.ask("GET", run.versions_url, token=run.token_c), "token C still opens")


@part.requirement("C6", Level.MUST, PUT)
def changes_the_tokens(run: Run) -> None:
    """PUT reads our details again and answers with another token; the old one is dead."""
    old = run.needs_registration()
    run.partner.calls.clear()
    token_b = new_message_id()
    data = expect_success(_ask(run, "PUT", credentials(run, token_b)))
    run.token_b, run.token_c = token_b, str(data.get("token"))
    expect(run.token_c != old, "another token", "the same")
    read = [call for call in run.partner.got("GET", f"/{VERSION}") if token_b in call.tokens]
    expect(bool(read), "our details read with the new token", "not read")
    expect_success(run.platform.ask("GET", run.versions_url, token=run.token_c))
    expect_http(run.platform.ask("GET", run.versions_url, token=old), 401)


@ending.requirement("C8", Level.MUST, 'credentials, "DELETE Method"')
def ends(run: Run) -> None:
    """DELETE ends the registration: token C opens nothing any more."""
    run.needs_registration()
    expect_success(_ask(run, "DELETE"))
    expect_http(run.platform.ask("GET", run.versions_url, token=run.token_c), 401)
