import pytest

from ocpi.partners.versions import endpoint_url
from tests.factories import make_partner
from tests.ocpi.partners.two_sides import authorization

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.ocpi.partners.urls")]
BASE = "https://node.example.com/ocpi/2.2.1"
CREDENTIALS = {"identifier": "credentials", "role": "SENDER", "url": f"{BASE}/credentials"}
CPO = [
    {"identifier": "locations", "role": "SENDER", "url": f"{BASE}/sender/locations"},
    {"identifier": "sessions", "role": "SENDER", "url": f"{BASE}/sender/sessions"},
    {"identifier": "chargingprofiles", "role": "RECEIVER", "url": f"{BASE}/receiver/chargingprofiles"},
]
SCSP = [
    {"identifier": "locations", "role": "RECEIVER", "url": f"{BASE}/receiver/locations"},
    {"identifier": "sessions", "role": "RECEIVER", "url": f"{BASE}/receiver/sessions"},
    {"identifier": "chargingprofiles", "role": "SENDER", "url": f"{BASE}/sender/chargingprofiles"},
]


@pytest.fixture(autouse=True)
def _public_address(settings):
    settings.NODE_URL = "https://node.example.com"


def get(client, path):
    make_partner(token="token")
    return client.get(path, headers={**authorization("token"), "host": "127.0.0.1"}).json()


@pytest.mark.parametrize("path", ["/ocpi/versions", "/ocpi/versions/"])
def test_lists_the_version_at_its_public_address(client, path):
    assert get(client, path)["data"] == [{"version": "2.2.1", "url": BASE}]


@pytest.mark.parametrize(
    ("our_roles", "other_roles", "endpoints"),
    [
        (["CPO", "SCSP"], [], [CREDENTIALS, *CPO, *SCSP]),
        (["CPO"], [], [CREDENTIALS, *CPO]),
        (["CPO"], ["CPO"], [CREDENTIALS, *CPO]),
        (["CPO"], ["SCSP"], [CREDENTIALS, *CPO, *SCSP]),
        (["SCSP"], [], [CREDENTIALS, *SCSP]),
    ],
)
def test_lists_the_endpoints_of_our_parties_roles(client, settings, our_roles, other_roles, endpoints):
    settings.ROLES = our_roles
    settings.OTHER_PARTIES = [("NL", "ABC", (role,), "Other") for role in other_roles]

    assert get(client, "/ocpi/2.2.1/")["data"] == {"version": "2.2.1", "endpoints": endpoints}


def test_answers_without_routing_headers(client):
    make_partner(token="token")

    response = client.get("/ocpi/versions", headers={**authorization("token"), "OCPI-to-party-id": "XXX"})

    assert response.status_code == 200
    assert not [name for name in response.headers if name.lower().startswith("ocpi-")]


def test_tells_the_address_of_one_endpoint():
    assert endpoint_url("sessions", "SENDER") == f"{BASE}/sender/sessions"
    with pytest.raises(KeyError):
        endpoint_url("tariffs", "SENDER")
