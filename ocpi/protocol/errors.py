"""What can be wrong with a request, each with its HTTP and OCPI status, and how DRF answers it.

HTTP errors are for what ends before the JSON is understood; a valid request to an existing resource gets
HTTP 200 and an OCPI status (OCPI 2.2.1 status_codes).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ocpi.protocol.status import Status

if TYPE_CHECKING:
    from rest_framework.response import Response

logger = logging.getLogger(__name__)


class OcpiError(Exception):
    """A reason to refuse a request; `message` becomes the status_message of the envelope."""

    status: Status = Status.CLIENT_ERROR
    http_status: int = 200
    # Commands show it as one line, not as a traceback.
    is_foreseen = True

    def __init__(self, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.headers: dict[str, str] = headers or {}


class InvalidParameters(OcpiError):
    """A field or a query parameter is missing or wrong; the message begins with its name."""

    status = Status.INVALID_PARAMETERS


class BrokenJson(OcpiError):
    """The body is not JSON as OCPI means it."""

    status = Status.INVALID_PARAMETERS
    http_status = 400


class Unauthorized(OcpiError):
    """No token, or one that does not open this door."""

    http_status = 401

    def __init__(self, message: str) -> None:
        super().__init__(message, headers={"WWW-Authenticate": "Token"})


class MethodNotAllowed(OcpiError):
    """The resource exists, but not for this method; `allowed` are those it has."""

    http_status = 405

    def __init__(self, message: str, *, allowed: Iterable[str] = ()) -> None:
        super().__init__(message, headers={"Allow": ", ".join(allowed)})


class TooManyRequests(OcpiError):
    """The caller must wait."""

    http_status = 429

    def __init__(self, message: str, *, retry_after_s: int = 60) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after_s)})


class BodyTooLarge(OcpiError):
    """The body is longer than we read."""

    http_status = 413


class UnknownLocation(OcpiError):
    """There is no such Location, EVSE or Connector, or it is not the caller's to see."""

    status = Status.UNKNOWN_LOCATION
    http_status = 404


class UnknownObject(OcpiError):
    """There is no such object, or it is not the caller's to see."""

    status = Status.INVALID_PARAMETERS
    http_status = 404


class UnableToUseApi(OcpiError):
    """The caller's own API could not be called."""

    status = Status.UNABLE_TO_USE_API


class UnsupportedVersion(OcpiError):
    """There is no version that both speak."""

    status = Status.UNSUPPORTED_VERSION


class MissingEndpoints(OcpiError):
    """The caller does not offer the endpoints that are needed."""

    status = Status.MISSING_ENDPOINTS


class Unavailable(OcpiError):
    """Our database does not answer: nothing was stored, the caller may try again."""

    status = Status.SERVER_ERROR
    http_status = 503

    def __init__(self, message: str) -> None:
        super().__init__(message, headers={"Retry-After": "5"})


class Crash(OcpiError):
    """An error of ours that nobody foresaw."""

    status = Status.SERVER_ERROR
    http_status = 500


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """Answer every exception of a DRF view with an envelope; unforeseen ones are logged."""
    # DRF's views are slow to import, and commands need only the exceptions above.
    from ocpi.protocol.envelope import failure

    view, request = context.get("view"), context.get("request")
    error = as_ocpi_error(exc, allowed=getattr(view, "allowed_methods", ()))
    if error.http_status >= 500:
        method, path = getattr(request, "method", ""), getattr(request, "path", "")
        logger.error("Unforeseen error at %s %s", method, path, exc_info=exc)
    return failure(error)


def as_ocpi_error(exc: Exception, *, allowed: Iterable[str] = ()) -> OcpiError:
    """Return the OcpiError that says what an exception of Django or DRF means; Crash for any other."""
    from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
    from django.db import InterfaceError, OperationalError
    from django.http import Http404
    from rest_framework import exceptions

    if isinstance(exc, OcpiError):
        return exc
    if isinstance(exc, exceptions.MethodNotAllowed):
        return MethodNotAllowed(f"{str(exc.detail)[:100]}", allowed=allowed)
    if isinstance(exc, exceptions.AuthenticationFailed | exceptions.NotAuthenticated):
        return Unauthorized(str(exc.detail))
    if isinstance(exc, Http404 | exceptions.NotFound):
        return UnknownObject("Not found.")
    if isinstance(exc, exceptions.ParseError):
        return BrokenJson(str(exc.detail))
    if isinstance(exc, exceptions.ValidationError):
        return InvalidParameters(str(exc.detail))
    if isinstance(exc, RequestDataTooBig):
        return BodyTooLarge("The body is too large.")
    if isinstance(exc, PermissionDenied | exceptions.PermissionDenied):
        return _with_http_status(OcpiError("Not allowed."), 403)
    if isinstance(exc, SuspiciousOperation):
        return _with_http_status(OcpiError("The request can't be read."), 400)
    if isinstance(exc, OperationalError | InterfaceError):
        return Unavailable("The database does not answer, try again later.")
    return Crash("An internal error occurred.")


def _with_http_status(error: OcpiError, http_status: int) -> OcpiError:
    error.http_status = http_status
    return error
