"""One endpoint of the node as a partner calls it, by what stands behind its URL."""

from __future__ import annotations

from typing import Any

import requests

from tests.journeys.provider import Provider

NOTHING = "nothing"
Said = tuple[int, int, Any]
DONE: Said = (200, 1000, NOTHING)
CREATED: Said = (201, 1000, NOTHING)
REFUSED: Said = (200, 2001, NOTHING)


def said(answer: requests.Response) -> Said:
    """Return the HTTP status, OCPI's status_code and the data of an answer; NOTHING when it has none."""
    envelope = answer.json()
    return answer.status_code, envelope["status_code"], envelope.get("data", NOTHING)


class Endpoint:
    """The node's interface of a module and role, for one partner."""

    def __init__(self, partner: Provider, module: str, role: str) -> None:
        self.partner = partner
        self.url = partner.endpoints[module, role]

    def ask(self, method: str, path: str = "", body: Any = None, **fields: Any) -> requests.Response:
        """Call an address below the endpoint; `path` goes out as it is."""
        if body is not None:
            fields["json"] = body
        return self.partner.ask(method, self.url + path, **fields)

    def get(self, path: str = "", **params: str) -> Said:
        """Return what a GET says."""
        return said(self.ask("GET", path, params=params))

    def put(self, path: str, body: Any) -> Said:
        """Return what a PUT says."""
        return said(self.ask("PUT", path, body))

    def patch(self, path: str, body: Any) -> Said:
        """Return what a PATCH says."""
        return said(self.ask("PATCH", path, body))

    def data(self, path: str = "", **params: str) -> Any:
        """Return the data of a GET that succeeds."""
        answer = self.get(path, **params)
        assert answer[:2] == (200, 1000), answer
        return answer[2]

    def refuses(self, path: str, *methods: str) -> None:
        """Check that an address has none of these methods."""
        for method in methods:
            answer = self.ask(method, path, {})
            assert said(answer) == (405, 2000, NOTHING), (method, path, answer.text)
            assert method not in answer.headers["Allow"]
