"""The guarded HTTP client: every outgoing call of the node goes through `send`.

It looks a name up once, checks every address, and connects to a checked one under the true TLS name. No
redirects, no proxies, no .netrc, no cookies; a deadline for the whole call and a cap on the answer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import requests
from urllib3 import exceptions as broken

from ocpi.protocol.addresses import (
    CheckedUrl,
    ForbiddenAddress,
    Resolver,
    UnknownHost,
    check_address,
    check_url,
    resolve,
    system_resolver,
)
from ocpi.protocol.errors import BrokenJson
from ocpi.protocol.headers import Routing, authorization, new_message_id
from ocpi.protocol.pinned import PinnedAdapter, Watchdog
from ocpi.protocol.quirks import Quirk, is_tolerated
from ocpi.protocol.strict_json import dumps, loads
from ocpi.protocol.times import is_strict

DEADLINE_S = 8.0
LARGEST_LIST = 4 * 1024 * 1024
LARGEST_ANSWER = 64 * 1024
LONGEST_MESSAGE = 256
BROKE_OFF = "The connection broke off before a whole answer."
# It logs whole URLs, and the query of a response_url is nobody's to read.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Reply:
    """What a partner answered; `status_code` is None when there was no envelope."""

    http_status: int
    status_code: int | None
    status_message: str
    data: Any = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    is_envelope: bool
    elapsed_ms: int

    @property
    def is_success(self) -> bool:
        """Both layers say so: HTTP 2xx and OCPI 1000-1999, or a complete 2xx without an envelope."""
        if not 200 <= self.http_status < 300:
            return False
        return not self.is_envelope or (self.status_code is not None and 1000 <= self.status_code < 2000)


class CallFailed(Exception):
    """No answer came, or none that can be read.

    `reason` is forbidden_address, unreachable, timeout, tls, broken_answer, too_large, no_envelope, or
    sign_in_failed where the partner was not asked at all. After timeout, broken_answer and no_envelope the
    partner may have done what was asked.
    """

    is_foreseen = True

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def send(
    *,
    method: str,
    url: str,
    token: str | None,
    raw_token: bool = False,
    more_headers: Mapping[str, str] | None = None,
    body: Any = None,
    form: Mapping[str, str] | None = None,
    params: Mapping[str, Any] | None = None,
    routing: Routing | None = None,
    correlation_id: str | None = None,
    deadline_s: float = DEADLINE_S,
    allowed_networks: Sequence[str],
    resolver: Resolver = system_resolver,
    ca_file: str | None = None,
) -> Reply:
    """Make one call and return its answer, whatever it says.

    `body` goes out as JSON, `form` as a form. `more_headers` are for partners that want to see other things
    than a token. `allowed_networks` are the CIDRs beside the public internet. `ca_file` replaces the public
    certificate authorities. Raises CallFailed.
    """
    started = time.monotonic()
    if params:
        url = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}"
    headers = _headers(token, raw_token, routing, correlation_id) | dict(more_headers or {})
    content = None
    if body is not None:
        headers["Content-Type"] = "application/json"
        content = dumps(body)
    elif form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        content = urlencode(form).encode()
    target, addresses = _checked(url, allowed_networks, resolver, deadline_s)
    remaining_s = deadline_s - (time.monotonic() - started)
    with Watchdog(max(remaining_s, 0.001)) as watchdog:
        try:
            response, raw = _exchange(
                method=method,
                target=target,
                addresses=addresses,
                headers=headers,
                content=content,
                watchdog=watchdog,
                ca_file=ca_file,
            )
        except CallFailed as error:
            if watchdog.has_barked or error.reason == "timeout":
                raise CallFailed("timeout", f"No complete answer within {deadline_s:g} s.") from error
            raise
        # After the watchdog shut the socket, half an answer looks like a whole one.
        if watchdog.has_barked:
            raise CallFailed("timeout", f"No complete answer within {deadline_s:g} s.")
    document = _document(raw)
    if not is_tolerated(Quirk.ENVELOPE_VARIANTS) and response.ok and not _is_whole_envelope(document):
        raise CallFailed("no_envelope", "The answer is not an envelope with status_code and timestamp.")
    return _reply(response, document, elapsed_ms=round((time.monotonic() - started) * 1000))


def _headers(
    token: str | None, raw_token: bool, routing: Routing | None, correlation_id: str | None
) -> dict[str, str]:
    headers = {
        "X-Request-ID": new_message_id(),
        "X-Correlation-ID": correlation_id or new_message_id(),
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Connection": "close",
        "User-Agent": "ocpi-node",
    }
    if token is not None:
        headers["Authorization"] = authorization(token, raw=raw_token)
    return headers | (routing.headers if routing else {})


def _checked(
    url: str, allowed_networks: Sequence[str], resolver: Resolver, deadline_s: float
) -> tuple[CheckedUrl, list[str]]:
    try:
        target = check_url(url, allowed_networks=allowed_networks)
        addresses = resolve(target.host, resolver=resolver, timeout_s=min(2.0, deadline_s))
        for address in addresses:
            check_address(address, scheme=target.scheme, allowed_networks=allowed_networks)
    except ForbiddenAddress as error:
        raise CallFailed("forbidden_address", str(error)) from error
    except UnknownHost as error:
        raise CallFailed("unreachable", str(error)) from error
    except ValueError as error:
        raise CallFailed("forbidden_address", "the name leads to no IP address") from error
    return target, addresses


def _exchange(
    *,
    method: str,
    target: CheckedUrl,
    addresses: Sequence[str],
    headers: Mapping[str, str],
    content: bytes | None,
    watchdog: Watchdog,
    ca_file: str | None,
) -> tuple[requests.Response, bytes]:
    """Send the request and read the whole answer. Raises CallFailed."""
    with requests.Session() as session:
        session.trust_env = False
        adapter = PinnedAdapter(addresses, watchdog, ca_file=ca_file)
        session.mount(f"{target.scheme}://", adapter)
        try:
            request = requests.Request(method, target.url, headers=dict(headers), data=content)
            with session.send(
                session.prepare_request(request),
                allow_redirects=False,
                stream=True,
                timeout=watchdog.seconds,
            ) as response:
                return response, _read(response, LARGEST_LIST if method == "GET" else LARGEST_ANSWER)
        # `from None`: the texts of these errors hold whole URLs, whose queries are nobody's to log.
        except (requests.exceptions.SSLError, broken.SSLError) as error:
            raise CallFailed("tls", _tls_reason(error)) from None
        except (requests.exceptions.Timeout, broken.TimeoutError):
            raise CallFailed("timeout", "No answer in time.") from None
        except (requests.exceptions.RequestException, broken.HTTPError, OSError, ValueError):
            if adapter.is_connected:
                raise CallFailed("broken_answer", BROKE_OFF) from None
            raise CallFailed("unreachable", "No connection.") from None


def _read(response: requests.Response, most: int) -> bytes:
    """Return the body. Raises CallFailed when it is longer than `most` bytes or was cut off."""
    chunks, length = [], 0
    for chunk in response.raw.stream(16 * 1024, decode_content=False):
        length += len(chunk)
        if length > most:
            raise CallFailed("too_large", f"The answer is longer than {most} bytes.")
        chunks.append(chunk)
    raw = b"".join(chunks)
    is_framed = "Content-Length" in response.headers or "Transfer-Encoding" in response.headers
    if not is_framed and response.status_code != 204 and _document(raw) is None:
        # The end of the connection is the end of such an answer, also when the peer died in the middle.
        raise CallFailed("broken_answer", BROKE_OFF)
    return raw


def _document(raw: bytes) -> Any:
    """Return the JSON of an answer, None when it is none."""
    try:
        return loads(raw)
    except BrokenJson:
        return None


def _is_whole_envelope(document: Any) -> bool:
    """Tell whether a document is what transport_and_format, "Response format" describes."""
    if not isinstance(document, dict) or type(document.get("status_code")) is not int:
        return False
    timestamp = document.get("timestamp")
    return isinstance(timestamp, str) and is_strict(timestamp)


def _reply(response: requests.Response, document: Any, *, elapsed_ms: int) -> Reply:
    status_code = _status_code(document)
    is_envelope = isinstance(document, dict) and "status_code" in document
    message = document.get("status_message") if isinstance(document, dict) else None
    return Reply(
        http_status=response.status_code,
        status_code=status_code,
        status_message=_printable(message) if isinstance(message, str) else "",
        data=document.get("data") if is_envelope and isinstance(document, dict) else document,
        headers=response.headers,
        is_envelope=is_envelope,
        elapsed_ms=elapsed_ms,
    )


def _status_code(document: Any) -> int | None:
    code = document.get("status_code") if isinstance(document, dict) else None
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) <= 6:
        return int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _printable(text: str) -> str:
    kept = "".join(character if character.isprintable() else " " for character in text[:LONGEST_MESSAGE])
    return kept.strip()


def _tls_reason(error: Exception) -> str:
    text = str(error)
    if "Hostname mismatch" in text or "doesn't match" in text or "IP address mismatch" in text:
        return "The certificate is for another name."
    if "certificate verify failed" in text:
        return "The certificate is not trusted."
    return "No TLS connection."
