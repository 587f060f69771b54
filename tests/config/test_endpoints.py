"""The published endpoints are the routed ones."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import resolve

from config.endpoints import ENDPOINTS
from tests.factories import make_partner

pytestmark = pytest.mark.django_db
AUTHORIZATION = {"HTTP_AUTHORIZATION": "Token c2VjcmV0LXRva2Vu"}


def test_version_details_list_every_endpoint_below_the_node_url() -> None:
    make_partner(token="secret-token")

    details = Client().get("/ocpi/2.2.1", **AUTHORIZATION).json()["data"]

    assert details == {
        "version": "2.2.1",
        "endpoints": [
            {
                "identifier": endpoint.identifier,
                "role": endpoint.role,
                "url": f"http://127.0.0.1:8000/ocpi/2.2.1/{endpoint.path}",
            }
            for endpoint in ENDPOINTS
        ],
    }


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.path)
@pytest.mark.parametrize("slash", ["", "/"])
def test_each_published_address_is_routed_with_and_without_a_slash(endpoint, slash: str) -> None:
    below = "/session-1" if endpoint.identifier == "chargingprofiles" else ""
    below = below or ("/NL/NOD/id-1" if endpoint.role == "RECEIVER" else "")

    assert resolve(f"/ocpi/2.2.1/{endpoint.path}{below}{slash}")


@pytest.mark.parametrize("address", ["/", "/ocpi", "/ocpi/2.1.1", "/ocpi/2.2.1/tariffs", "/nothing/here"])
def test_an_unrouted_address_answers_with_an_envelope_and_both_ids(address: str) -> None:
    response = Client().get(address, HTTP_X_REQUEST_ID="request-1", HTTP_X_CORRELATION_ID="correlation-1")

    assert response.status_code == 404
    assert response["X-Request-ID"] == "request-1"
    assert response["X-Correlation-ID"] == "correlation-1"
    body = response.json()
    assert (body["status_code"], sorted(body)) == (2001, ["status_code", "status_message", "timestamp"])
