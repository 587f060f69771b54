"""The node as SCSP: its operator steers sessions of raw CPOs, and looks at what came of it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.factories import session_document
from tests.journeys.nodes import Node
from tests.journeys.provider import Provider
from tests.peer import Recorded, enveloped
from tests.spec.endpoints import CREATED, Endpoint, Said, said
from tests.spec.operator import Operator

RECEIVER = "/2.2.1/receiver/chargingprofiles"
READONLY = r'<div class="readonly">(.*?)</div>'
Fate = tuple[str, str, bool]


@dataclass(frozen=True)
class Asked:
    """A request of the node: what its command printed, and what the CPO got."""

    printed: dict[str, Any]
    seen: Recorded
    response_url: str

    @property
    def id(self) -> str:
        """The request's id."""
        return str(self.printed["request"])


@dataclass(frozen=True)
class Steering:
    """The node's commands and admin, and the file with a profile to send."""

    node: Node
    operator: Operator
    file: Path

    def ask(self, cpo: Provider, verb: str, session: str, *options: str) -> Asked:
        """Set, get or clear a profile; return what came of it."""
        if verb == "set":
            options = ("--file", str(self.file), *options)
        printed = self.node.ask("profile", verb, session, *options)
        for one in cpo.peer.received("*", RECEIVER):
            url = (one.body or one.query)["response_url"]
            if url.endswith(printed["request"]):
                return Asked(printed, one, url)
        raise AssertionError(f"the CPO got nothing of {printed}")

    def fate(self, asked: Asked) -> Fate:
        """Return where a request stands in words, the charger's result, and whether that came late."""
        page = self._page(f"issuedrequest/{asked.id}")
        state, result, late = (
            re.findall(rf"field-{name}\b.*?{READONLY}", page, re.DOTALL)[0]
            for name in ("state", "result", "is_late")
        )
        return state, result, 'alt="True"' in late

    def active(self, session_id: str) -> list[Any]:
        """Return the active profiles that the node has of sessions with this id, oldest first."""
        address = f"{self.operator.url}/chargingprofiles/activeprofile/"
        listing = self.operator.browser.get(address, params={"q": session_id}, timeout=10).text
        rows = sorted(set(re.findall(r"/activeprofile/(\d+)/change/", listing)), key=int)
        return [
            json.loads(re.findall(rf"field-document\b.*?{READONLY}", page, re.DOTALL)[0])
            for page in (self._page(f"activeprofile/{row}") for row in rows)
        ]

    def _page(self, address: str) -> str:
        url = f"{self.operator.url}/chargingprofiles/{address}/change/"
        return html.unescape(self.operator.browser.get(url, timeout=10).text)


def tell_session(cpo: Provider, session_id: str) -> str:
    """Let a CPO tell the node of a session; return its id."""
    country_code, party_id = cpo.party
    document = session_document(session_id, country_code=country_code, party_id=party_id)
    path = f"/{country_code}/{party_id}/{quote(session_id, safe='')}"
    assert Endpoint(cpo, "sessions", "RECEIVER").put(path, document) == CREATED
    return session_id


def will_answer(
    cpo: Provider, session_id: str, data: Any, *, first: Callable[[str], Any] | None = None
) -> None:
    """Let a CPO answer profiles of a session; `first` gets the response_url before the answer leaves."""

    def answered(request: Recorded) -> Any:
        if first is not None:
            first(request.body["response_url"])
        return enveloped(data)

    cpo.peer.answer("*", f"{RECEIVER}/{quote(session_id, safe='')}", body=answered)


def bring(cpo: Provider, response_url: str, result: Any) -> Said:
    """Return what the node says to a result."""
    return said(cpo.ask("POST", response_url, json=result))
