"""Before the registration: who is let in, with what, and how every answer looks."""

from __future__ import annotations

import base64

from ocpi.conformance.exchange import Exchange
from ocpi.conformance.requirements import (
    Failed,
    Level,
    Part,
    Run,
    expect,
    expect_http,
    expect_success,
)
from ocpi.protocol.headers import new_message_id
from ocpi.protocol.times import is_strict

part = Part("Door: authorization, envelope, message ids")
AUTHORIZATION = 'transport_and_format, "Authorization header"'
FORMAT = 'transport_and_format, "Response format"'
IDS = 'transport_and_format, "Unique message IDs"'
ROUTING = 'transport_and_format, "Message Routing Headers"'


def _versions(run: Run, **fields: object) -> Exchange:
    return run.platform.ask("GET", run.versions_url, token=run.token, **fields)  # type: ignore[arg-type]


@part.requirement("T5", Level.MUST, AUTHORIZATION)
def refuses_who_has_no_token(run: Run) -> None:
    """A request without a token gets HTTP 401."""
    expect_http(run.platform.ask("GET", run.versions_url, token=None), 401)


@part.requirement("T5", Level.MUST, AUTHORIZATION)
def refuses_a_wrong_token(run: Run) -> None:
    """A request with an unknown token gets HTTP 401, not 403."""
    expect_http(run.platform.ask("GET", run.versions_url, token=new_message_id()), 401)


@part.requirement("T5", Level.MUST, AUTHORIZATION)
def refuses_another_scheme(run: Run) -> None:
    """A token under another scheme than Token gets HTTP 401."""
    encoded = base64.b64encode(run.token.encode()).decode()
    headers = {"Authorization": f"Bearer {encoded}"}
    expect_http(run.platform.ask("GET", run.versions_url, token=None, headers=headers), 401)


@part.requirement("T2", Level.MUST, AUTHORIZATION)
def takes_the_token_in_base64(run: Run) -> None:
    """The token in Base64 opens the versions."""
    expect_success(_versions(run))


@part.requirement("E1", Level.MUST, FORMAT)
def wraps_answers(run: Run) -> None:
    """An answer is JSON with status_code, a timestamp in UTC, and data."""
    answer = _versions(run)
    expect("json" in answer.headers.get("Content-Type", ""), "Content-Type: application/json", answer.headers)
    body = answer.body
    expect(isinstance(body, dict) and "data" in body, "an object with data", answer)
    stamp = str(body.get("timestamp"))
    expect(is_strict(stamp), "a timestamp like 2026-01-31T12:00:00Z", stamp)


@part.requirement("M1", Level.MUST, IDS)
def echoes_the_request_id(run: Run) -> None:
    """X-Request-ID comes back in the answer."""
    answer = _versions(run)
    expect(
        answer.headers.get("X-Request-ID") == answer.request_id,
        answer.request_id,
        answer.headers.get("X-Request-ID"),
    )


@part.requirement("M2", Level.MUST, IDS)
def echoes_the_correlation_id(run: Run) -> None:
    """X-Correlation-ID comes back in the answer."""
    answer = _versions(run)
    got = answer.headers.get("X-Correlation-ID")
    expect(got == answer.correlation_id, answer.correlation_id, got)


@part.requirement("M1", Level.MUST, IDS)
def echoes_the_ids_with_a_refusal(run: Run) -> None:
    """Both message ids come back with HTTP 401, too."""
    answer = run.platform.ask("GET", run.versions_url, token=None)
    got = (answer.headers.get("X-Request-ID"), answer.headers.get("X-Correlation-ID"))
    expect(got == (answer.request_id, answer.correlation_id), "the ids of the request", got)


@part.requirement("R3", Level.MUST, ROUTING)
def sends_no_routing_headers_here(run: Run) -> None:
    """Versions and credentials carry no routing headers."""
    answer = _versions(run)
    got = [name for name in answer.headers if name.lower().startswith("ocpi-")]
    expect(not got, "no OCPI-to/from headers", got)


@part.requirement("V1", Level.MUST, 'version_information_endpoint, "Version information endpoint"')
def lists_its_versions(run: Run) -> None:
    """GET versions lists 2.2.1 with an absolute address."""
    data = expect_success(_versions(run))
    for one in data if isinstance(data, list) else []:
        if isinstance(one, dict) and one.get("version") == "2.2.1":
            url = str(one.get("url"))
            expect(url.startswith(("http://", "https://")), "an absolute url", url)
            run.details_url = url
            return
    raise Failed("version 2.2.1 in the list", data)


@part.requirement("V2", Level.MUST, 'version_information_endpoint, "Version details endpoint"')
def tells_its_endpoints(run: Run) -> None:
    """The version's details name identifier, role and absolute url of each endpoint."""
    expect(bool(run.details_url), "the details' address from GET versions", "none")
    data = expect_success(run.platform.ask("GET", run.details_url, token=run.token))
    listed = data.get("endpoints") if isinstance(data, dict) else None
    expect(isinstance(listed, list) and bool(listed), "a list of endpoints", data)
    for one in listed or []:
        url, role = str(one.get("url")), one.get("role")
        expect(url.startswith(("http://", "https://")), "an absolute url", one)
        expect(role in ("SENDER", "RECEIVER"), "role SENDER or RECEIVER", one)
        run.endpoints[str(one.get("identifier")), role] = url


@part.requirement("V4", Level.SHOULD, 'version_information_endpoint, "Endpoint class"')
def lists_credentials_once(run: Run) -> None:
    """The credentials endpoint is listed once, as SENDER."""
    got = [role for module, role in run.endpoints if module == "credentials"]
    expect(got == ["SENDER"], "one entry with role SENDER", got)


@part.requirement("T6", Level.MUST, AUTHORIZATION)
def keeps_token_a_out_of_the_modules(run: Run) -> None:
    """Token A opens versions and credentials only: HTTP 401 elsewhere."""
    if run.token_c:
        return
    for (module, role), url in run.endpoints.items():
        if module in ("sessions", "locations") and role == "SENDER":
            expect_http(run.platform.ask("GET", url, token=run.token_a), 401)
