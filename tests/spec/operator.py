"""Somebody who works in the node's admin, with a browser's requests."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import requests

from demo.processes import ROOT
from tests.journeys.nodes import Node

PASSWORD = "only for the specification"


class Operator:
    """A superuser of the node, logged in."""

    def __init__(self, node: Node, name: str = "operator") -> None:
        self.url = f"{node.url}/admin"
        subprocess.run(
            [sys.executable, "manage.py", "createsuperuser", "--noinput", "--username", name, "--email", ""],
            cwd=ROOT,
            env=node.environment | {"DJANGO_SUPERUSER_PASSWORD": PASSWORD},
            check=True,
            capture_output=True,
            timeout=60,
        )
        self.browser = requests.Session()
        self.browser.get(f"{self.url}/login/", timeout=10)
        page = self._send("/login/", username=name, password=PASSWORD)
        assert page.status_code == 302, page.text

    def change_location(self, location_id: str, document: dict[str, Any]) -> None:
        """Save a location with another document."""
        page = self.try_to_change_location(location_id, document)
        assert page.status_code == 302, page.text

    def try_to_change_location(self, location_id: str, document: dict[str, Any]) -> requests.Response:
        """Return the page that answers a change; it is a redirect when all went well."""
        address = f"/locations/location/{self._row('location', location_id)}/change/"
        inline = {"evses-TOTAL_FORMS": "0", "evses-INITIAL_FORMS": "0"}
        return self._send(address, document=json.dumps(document), **inline)

    def remove_evse(self, uid: str) -> None:
        """Remove an EVSE for good."""
        page = self._send("/locations/evse/", action="remove", _selected_action=self._row("evse", uid))
        assert page.status_code == 302, page.text

    def try_to_delete_location(self, location_id: str) -> int:
        """Return the HTTP status that answers a deletion."""
        address = f"/locations/location/{self._row('location', location_id)}/delete/"
        return self._send(address, post="yes").status_code

    def _row(self, model: str, name: str) -> str:
        listing = self.browser.get(f"{self.url}/locations/{model}/", params={"q": name}, timeout=10).text
        found = re.search(rf"/{model}/(\d+)/change/[^>]*>{re.escape(name)}<", listing)
        assert found, listing
        return found[1]

    def _send(self, address: str, **fields: str) -> requests.Response:
        fields["csrfmiddlewaretoken"] = self.browser.cookies["csrftoken"]
        return self.browser.post(self.url + address, data=fields, timeout=10, allow_redirects=False)
