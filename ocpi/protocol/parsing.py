"""How request bodies are read and answers are chosen: JSON always, whatever the headers say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import IO, Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from ocpi.protocol.errors import BrokenJson
from ocpi.protocol.strict_json import loads


class OcpiRequest(Request):
    """A request whose body, where a view reads it, must be there: DRF takes an empty one for {}."""

    @property
    def data(self) -> Any:
        """The document. Raises BrokenJson."""
        if self.stream is None:
            raise BrokenJson("The body is empty.")
        return super().data


class OcpiJsonParser(JSONParser):
    """Reads a body as strict JSON. DRF hands a JSONParser the body that Django has checked for its size."""

    media_type = "*/*"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the document. Raises BrokenJson."""
        return loads(stream.read())


class AlwaysJson(BaseContentNegotiation):
    """Ignores Content-Type and Accept: platforms leave them out or get them wrong."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        """Return the one parser."""
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the one renderer."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type
