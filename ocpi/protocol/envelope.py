"""The envelope around every answer: data, status_code, status_message, timestamp.

OCPI 2.2.1 transport_and_format, "Response format".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response

from ocpi.protocol.errors import OcpiError
from ocpi.protocol.status import Status
from ocpi.protocol.strict_json import dumps
from ocpi.protocol.times import format_datetime

ABSENT: Any = object()


class Envelope(dict[str, Any]):
    """The JSON object that goes out."""


def envelope(data: Any = ABSENT, *, status: int = Status.SUCCESS, message: str = "Success") -> Envelope:
    """Return an envelope of this moment; ABSENT data leaves the key out."""
    body = Envelope() if data is ABSENT else Envelope(data=data)
    body["status_code"] = int(status)
    body["status_message"] = message
    body["timestamp"] = format_datetime(timezone.now())
    return body


def success(
    data: Any = ABSENT, *, http_status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer 1000; without `data` where the specification names none."""
    return Response(envelope(data), status=http_status, headers=dict(headers or {}))


def failure(error: OcpiError, *, data: Any = ABSENT) -> Response:
    """Answer an error with its two statuses and its headers."""
    body = envelope(data, status=error.status, message=error.message)
    return Response(body, status=error.http_status, headers=dict(error.headers))


def plain_failure(error: OcpiError) -> HttpResponse:
    """Answer an error outside DRF, e.g. for an address that nothing is routed to."""
    body = envelope(status=error.status, message=error.message)
    return HttpResponse(
        dumps(body),
        status=error.http_status,
        headers=dict(error.headers),
        content_type=EnvelopeRenderer.media_type,
    )


class EnvelopeRenderer(BaseRenderer):
    """Renders an Envelope as it is and wraps anything else in one."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the bytes of the answer."""
        return dumps(data if isinstance(data, Envelope) else envelope(data))
