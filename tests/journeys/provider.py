"""A provider over raw HTTP, for journeys against one node."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from ocpi.protocol.headers import authorization
from tests.factories import SCSP_ENDPOINTS
from tests.journeys.nodes import Node
from tests.journeys.obedient import ObedientStation, at
from tests.peer import Peer, Recorded
from tests.waiting import wait_for


def limits_of(told: Any) -> list[Any]:
    """Return the limits of an ActiveChargingProfile, or of an OCPP profile, one after the other."""
    if "chargingSchedule" in told:
        return [period["limit"] for period in told["chargingSchedule"]["chargingSchedulePeriod"]]
    return [period["limit"] for period in told["charging_profile"]["charging_profile_period"]]


def profile(*limits: float, unit: str = "A", step_s: int = 600, **fields: Any) -> dict[str, Any]:
    """Return a ChargingProfile from now on, one limit after the other."""
    periods = [{"start_period": number * step_s, "limit": limit} for number, limit in enumerate(limits)]
    return {
        "start_date_time": at(),
        "duration": 3600,
        "charging_rate_unit": unit,
        "charging_profile_period": periods,
        **fields,
    }


class Provider:
    """A partner of the node: calls it with its token, and its `peer` is what the node calls."""

    def __init__(
        self,
        node: Node,
        peer: Peer,
        *,
        party: tuple[str, str],
        role: str = "SCSP",
        endpoints: Sequence[tuple[str, str]] = SCSP_ENDPOINTS,
    ) -> None:
        self.node = node
        self.peer = peer
        self.party = party
        self.role = role
        self.offered = endpoints
        self.partner_id = 0
        self.token = ""
        self.endpoints: dict[tuple[str, str], str] = {}
        self._names = itertools.count(1)

    def register(self, token_a: str) -> None:
        """Register by the invitation's token and learn where everything is."""
        self.peer.publish(endpoints=self.offered)
        self.token = token_a
        versions = self.ask("GET", f"{self.node.url}/ocpi/versions").json()["data"]
        details = self.ask("GET", versions[0]["url"]).json()["data"]
        self.endpoints = {(one["identifier"], one["role"]): one["url"] for one in details["endpoints"]}
        answer = self.ask("POST", self.credentials_url, json=self.credentials()).json()
        assert answer["status_code"] == 1000, answer
        self.token = answer["data"]["token"]

    @property
    def credentials_url(self) -> str:
        """Where the node's credentials are."""
        return next(url for (identifier, _), url in self.endpoints.items() if identifier == "credentials")

    def credentials(self, **fields: Any) -> dict[str, Any]:
        """Return the credentials that this partner gives the node."""
        return {
            "token": f"token-of-{self.party[1]}",
            "url": f"{self.peer.url}/versions",
            "roles": [
                {
                    "role": self.role,
                    "country_code": self.party[0],
                    "party_id": self.party[1],
                    "business_details": {"name": "Provider"},
                }
            ],
            **fields,
        }

    def ask(self, method: str, url: str, **fields: Any) -> requests.Response:
        """Call the node."""
        headers = {
            "Authorization": authorization(self.token),
            "X-Request-ID": "request-1",
            "X-Correlation-ID": "correlation-1",
            **fields.pop("headers", {}),
        }
        return requests.request(method, url, headers=headers, timeout=10, allow_redirects=False, **fields)

    def url(self, session_id: str) -> str:
        """Return the address of a session's profile."""
        return f"{self.endpoints['chargingprofiles', 'RECEIVER']}/{session_id}"

    def new_response_url(self) -> str:
        """Return an address of its own for one result."""
        return f"{self.peer.url}/results/{next(self._names):04}"

    def body(self, charging_profile: Any, response_url: str) -> str:
        """Return the body that sets a profile."""
        return json.dumps({"charging_profile": charging_profile, "response_url": response_url})

    def put(
        self, session_id: str, charging_profile: Any, response_url: str = ""
    ) -> tuple[dict[str, Any], str]:
        """Send a profile; return the ChargingProfileResponse and the path at which the result arrives."""
        url = response_url or self.new_response_url()
        answer = self.ask("PUT", self.url(session_id), data=self.body(charging_profile, url)).json()
        assert answer["status_code"] == 1000, answer
        return answer["data"], url.removeprefix(self.peer.url)

    def delete(self, session_id: str) -> tuple[dict[str, Any], str]:
        """Clear the profile; the same as `put`."""
        url = self.new_response_url()
        answer = self.ask("DELETE", self.url(session_id), params={"response_url": url}).json()
        return answer["data"], url.removeprefix(self.peer.url)

    def get(self, session_id: str, duration_s: int = 900) -> tuple[dict[str, Any], str]:
        """Ask for the active profile; the same as `put`."""
        url = self.new_response_url()
        params = {"response_url": url, "duration": str(duration_s)}
        answer = self.ask("GET", self.url(session_id), params=params).json()
        return answer["data"], url.removeprefix(self.peer.url)

    def result(self, path: str, *, within_s: float = 5) -> Any:
        """Return the body of the first POST that arrives at a response_url."""
        return self.peer.wait_for("POST", path, timeout_s=within_s)[0].body

    def told(self, tag: str, *, within_s: float = 2) -> dict[str, Any]:
        """Return the first Session PUT of a token."""

        def found() -> dict[str, Any] | None:
            return next((one.body for one in self.sessions(tag)), None)

        session: dict[str, Any] | None = wait_for(found, within_s)
        assert session is not None
        return session

    def sessions(self, tag: str) -> list[Recorded]:
        """Return the PUTs of sessions with a token."""
        puts = self.peer.received("PUT", "/2.2.1/receiver/sessions")
        return [one for one in puts if one.body["cdr_token"]["uid"] == tag]

    def updates(self, session_id: str, method: str = "*") -> list[Recorded]:
        """Return what the node told of a session."""
        found = self.peer.received(method, "/2.2.1/receiver/sessions")
        return [one for one in found if one.path.endswith(session_id)]

    def active(self, session_id: str, *, count: int = 1, within_s: float = 5) -> list[Recorded]:
        """Return the active profiles that the node told of a session, once there are so many."""
        path = f"/2.2.1/sender/chargingprofiles/{session_id}"
        return self.peer.wait_for("PUT", path, count=count, timeout_s=within_s)


@contextmanager
def registered(
    node: Node,
    *options: str,
    party: tuple[str, str],
    role: str = "SCSP",
    endpoints: Sequence[tuple[str, str]] = SCSP_ENDPOINTS,
) -> Iterator[Provider]:
    """Run a provider that the node invited with these options."""
    with Peer() as peer:
        provider = Provider(node, peer, party=party, role=role, endpoints=endpoints)
        invitation = node.ask("partner", "invite", "--name", party[1], *options)
        provider.partner_id = invitation["partner"]
        provider.register(invitation["token"])
        yield provider


@dataclass
class Scene:
    """The node, its partners, and a station with free outlets."""

    node: Node
    provider: Provider
    other: Provider
    stranger: Provider
    station: ObedientStation
    connectors: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    tag: str = "TAG"

    @property
    def ocpp_url(self) -> str:
        """Where stations connect."""
        return f"ws://127.0.0.1:{self.node.ocpp_port}"

    def session(self) -> tuple[str, int, int]:
        """Start charging at a free outlet; return the session, the connector and the transaction."""
        connector = next(self.connectors)
        tag = f"{self.tag}{connector}"
        transaction = self.station.start(connector=connector, tag=tag, at=at(-60))
        return self.provider.told(tag)["id"], connector, transaction
