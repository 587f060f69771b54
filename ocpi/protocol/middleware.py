"""What every call needs: its message ids, JSON instead of Django's HTML, and the slashes in its ids.

OCPI 2.2.1 transport_and_format, "Unique message IDs" and "Response format".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views import defaults

from ocpi.protocol.envelope import plain_failure
from ocpi.protocol.errors import (
    BodyTooLarge,
    BrokenJson,
    Crash,
    MethodNotAllowed,
    OcpiError,
    UnknownObject,
)
from ocpi.protocol.headers import message_ids

# Pages for people: their HTML and their redirects stay.
_FOR_PEOPLE = ("/admin", "/static")
# Requests to proxies name the host, too; who parses it finds hosts that are none.
_RAW_PATH = re.compile(r"(?:[a-z]+://[^/?#]*)?([^?#]*).*", re.IGNORECASE | re.DOTALL)
_ENCODED_SLASH = re.compile("%2F", re.IGNORECASE)
# Stands for a slash inside an id while the address is routed. Ids are ASCII, so none has it.
_SLASH_IN_ID = "\ue02f"


class OcpiMiddleware:
    """Echoes X-Request-ID and X-Correlation-ID, and puts errors that are not JSON into an envelope."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request."""
        if _is_for_people(request):
            return self.get_response(request)
        request_id, correlation_id = message_ids(request)
        _keep_slashes_in_ids(request)
        try:
            _take_chunked_body(request)
        except (BodyTooLarge, BrokenJson) as error:
            response: HttpResponseBase = plain_failure(error)
        else:
            response = _as_envelope(self.get_response(request))
        response["X-Request-ID"] = request_id
        response["X-Correlation-ID"] = correlation_id
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> None:
        """Give the view its ids with their slashes."""
        if _SLASH_IN_ID in request.path_info:
            kwargs.update({name: value.replace(_SLASH_IN_ID, "/") for name, value in kwargs.items()})


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django refuses before any view, e.g. an unknown Host."""
    if _is_for_people(request):
        return defaults.bad_request(request, exception)
    if isinstance(exception, RequestDataTooBig):
        return plain_failure(BodyTooLarge("The body is too large."))
    return plain_failure(_plain(400))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that nothing is routed to."""
    if _is_for_people(request):
        return defaults.page_not_found(request, exception)
    return plain_failure(UnknownObject("There is nothing at this address."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer when a view that is not ours crashed."""
    if _is_for_people(request):
        return defaults.server_error(request)
    return plain_failure(Crash("An internal error occurred."))


def _is_for_people(request: HttpRequest) -> bool:
    return any(request.path == start or request.path.startswith(f"{start}/") for start in _FOR_PEOPLE)


def _as_envelope(response: HttpResponseBase) -> HttpResponseBase:
    """Return an error that is not JSON as an envelope with the same status; anything else as it is."""
    if response.status_code < 400 or "json" in response.get("Content-Type", ""):
        return response
    answer = plain_failure(_plain(response.status_code, allow=response.get("Allow", "")))
    for name in ("Retry-After", "WWW-Authenticate"):
        if response.has_header(name):
            answer[name] = response[name]
    return answer


def _plain(http_status: int, *, allow: str = "") -> OcpiError:
    if http_status == 404:
        return UnknownObject("There is nothing at this address.")
    if http_status == 405:
        return MethodNotAllowed("This method is not allowed here.", allowed=[allow])
    if http_status >= 500:
        error: OcpiError = Crash("An internal error occurred.")
    else:
        error = OcpiError("The request can't be read." if http_status == 400 else "The request was refused.")
    error.http_status = http_status
    return error


def _keep_slashes_in_ids(request: HttpRequest) -> None:
    """Let a %2F in the address be part of an id: WSGI has decoded the path, where it would part two segments.

    The address as it came is RAW_URI for gunicorn, REQUEST_URI for cheroot; without either the path stays.
    """
    raw = request.META.get("RAW_URI") or request.META.get("REQUEST_URI") or ""
    if request.path.startswith("/ocpi/") and _ENCODED_SLASH.search(raw):
        request.path_info = unquote(_ENCODED_SLASH.sub(_SLASH_IN_ID, _RAW_PATH.sub(r"\1", raw, count=1)))


def _take_chunked_body(request: HttpRequest) -> None:
    """Read a body of unknown length, which Django takes for none; .NET and Java send such by default.

    Only from servers that mark the end of their input (PEP 3333 extension wsgi.input_terminated).
    """
    meta: dict[str, Any] = request.META
    is_chunked = "chunked" in meta.get("HTTP_TRANSFER_ENCODING", "").lower()
    if not is_chunked or meta.get("CONTENT_LENGTH") or not meta.get("wsgi.input_terminated"):
        return
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
    try:
        body = meta["wsgi.input"].read(most + 1)
    except (ValueError, OSError) as error:
        raise BrokenJson("The body's chunks can't be read.") from error
    if len(body) > most:
        raise BodyTooLarge("The body is too large.")
    meta["CONTENT_LENGTH"] = str(len(body))
    request._stream = BytesIO(body)
