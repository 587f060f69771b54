import pytest

from ocpi.partners.calls import NoEndpoint, call, call_url, joined
from ocpi.partners.hosts import check_response_url
from ocpi.partners.models import PartnerRole
from ocpi.partners.secrets import encrypt
from ocpi.protocol.client import CallFailed
from ocpi.protocol.errors import InvalidParameters
from tests.factories import make_partner
from tests.ocpi.partners.two_sides import authorization
from tests.peer import Peer

pytestmark = pytest.mark.django_db(transaction=True)
CHECKED = {"url": "https://scsp.example.com", "response_hosts": ["cb.example.com"]}


@pytest.fixture
def peer():
    with Peer() as peer:
        yield peer


def partner_at(peer, **fields):
    return make_partner(url=peer.url, country_code="DE", party_id="JED", **fields)


def routing(request) -> dict[str, str]:
    return {name: value for name, value in request.headers.items() if name.lower().startswith("ocpi-")}


def test_calls_a_module_with_token_and_routing(peer):
    partner = partner_at(peer, sends_raw_tokens=False)
    partner.outbound_token_encrypted = encrypt("their-token")

    reply = call(
        partner,
        method="PUT",
        module="sessions",
        role="RECEIVER",
        path=["NL", "NOD", "a/b c"],
        body={"id": "a/b c"},
        correlation_id="correlated",
    )

    assert reply.is_success
    sent = peer.requests[0]
    assert (sent.method, sent.body) == ("PUT", {"id": "a/b c"})
    assert sent.path.endswith("/sessions/NL/NOD/a%2Fb%20c")
    assert sent.headers["Authorization"] == authorization("their-token")["Authorization"]
    assert sent.headers["X-Correlation-ID"] == "correlated"
    assert routing(sent) == {
        "OCPI-to-country-code": "DE",
        "OCPI-to-party-id": "JED",
        "OCPI-from-country-code": "NL",
        "OCPI-from-party-id": "NOD",
    }


def test_sends_the_token_as_it_is_to_who_reads_it_so(peer):
    partner = partner_at(peer, sends_raw_tokens=True)
    partner.outbound_token_encrypted = encrypt("their-token")

    call(partner, method="GET", module="chargingprofiles", role="SENDER")

    assert peer.requests[0].headers["Authorization"] == "Token their-token"


def test_sends_no_routing_to_configuration_modules(peer):
    call(partner_at(peer), method="GET", module="credentials", role="")

    assert routing(peer.requests[0]) == {}


@pytest.mark.parametrize(
    ("module", "role", "party_id"),
    [("sessions", "SENDER", "CPO"), ("sessions", "RECEIVER", "JED"), ("locations", "RECEIVER", "JED")],
)
def test_addresses_the_party_that_fits_the_interface(peer, module, role, party_id):
    partner = partner_at(peer, endpoints=[(module, role)])
    PartnerRole.objects.create(partner=partner, role="CPO", country_code="DE", party_id="CPO")

    call(partner, method="GET", module=module, role=role)

    assert peer.requests[0].headers["OCPI-to-party-id"] == party_id


def test_addresses_the_party_that_it_is_told(peer):
    call(partner_at(peer), method="GET", module="sessions", role="RECEIVER", to_party=("FR", "ABC"))

    sent = peer.requests[0].headers
    assert (sent["OCPI-to-country-code"], sent["OCPI-to-party-id"]) == ("FR", "ABC")


@pytest.mark.parametrize(("method", "party_id"), [("GET", "CPO"), ("POST", "JED")])
def test_addresses_the_party_that_fits_what_it_does_at_an_address(peer, method, party_id):
    partner = partner_at(peer)
    PartnerRole.objects.create(partner=partner, role="CPO", country_code="DE", party_id="CPO")

    call_url(partner, method=method, url=f"{peer.url}/next")

    assert peer.requests[0].headers["OCPI-to-party-id"] == party_id


def test_asks_a_hub_for_the_lists_of_the_parties_behind_it(peer):
    partner = partner_at(peer)
    for role, party_id in (("CPO", "CPO"), ("HUB", "HUB")):
        PartnerRole.objects.create(partner=partner, role=role, country_code="DE", party_id=party_id)

    call_url(partner, method="GET", url=f"{peer.url}/next")

    assert peer.requests[0].headers["OCPI-to-party-id"] == "HUB"


def test_says_what_a_partner_does_not_offer(peer):
    with pytest.raises(NoEndpoint, match="offers no tariffs SENDER"):
        call(partner_at(peer), method="GET", module="tariffs", role="SENDER")


def test_sends_the_token_to_hosts_of_the_partner_only(peer):
    reply = call_url(
        partner_at(peer), method="POST", url=f"{peer.url}/callback?id=1", body={"result": "ACCEPTED"}
    )
    assert reply.is_success
    assert peer.requests[0].body == {"result": "ACCEPTED"}

    with pytest.raises(CallFailed) as failed:
        call_url(
            make_partner(url="https://scsp.example.com"), method="POST", url=f"{peer.url}/callback", body={}
        )

    assert failed.value.reason == "forbidden_address"
    assert len(peer.requests) == 1


def test_calls_nobody_without_a_token_of_theirs(peer):
    partner = partner_at(peer)
    partner.outbound_token_encrypted = ""

    with pytest.raises(CallFailed, match="not registered"):
        call(partner, method="GET", module="sessions", role="RECEIVER")

    assert peer.requests == []


@pytest.mark.parametrize(
    ("url", "path", "expected"),
    [
        ("https://a.example/x/", ["y"], "https://a.example/x/y"),
        ("https://a.example/x", ["y", "z"], "https://a.example/x/y/z"),
        ("https://a.example/x/", [], "https://a.example/x/"),
        ("https://a.example/x", ["1*2/3"], "https://a.example/x/1%2A2%2F3"),
    ],
)
def test_joins_with_one_slash_and_encodes_each_segment(url, path, expected):
    assert joined(url, path) == expected


@pytest.mark.parametrize(
    "url",
    [
        "https://scsp.example.com/result/1",
        "https://SCSP.example.com/result/1?x=1&y=2",
        "https://cb.example.com/result/1",
    ],
)
def test_takes_a_response_url_on_a_host_of_the_partner(url):
    check_response_url(make_partner(**CHECKED), url)


def test_takes_a_response_url_over_http_into_allowed_networks_only(settings):
    partner = make_partner(url="http://localhost:8010")
    check_response_url(partner, "http://localhost:8011/result")
    settings.OUTBOUND_ALLOWED_NETWORKS = ["10.0.0.0/8"]

    with pytest.raises(InvalidParameters, match=r"^response_url"):
        check_response_url(partner, "http://localhost:8011/result")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nothing",
        "/relative",
        "//scsp.example.com/x",
        "http://scsp.example.com/result",
        "ftp://scsp.example.com/result",
        "javascript:alert(1)",
        "https://evil.example.com/result",
        "https://scsp.example.com.evil.example/result",
        "https://user:pw@scsp.example.com/result",
        "https://scsp.example.com@evil.example/result",
        "https://scsp.example.com\\@evil.example/result",
        "https://scsp.example.com/result#fragment",
        "https://scsp.example.com/a b",
        "https://scsp.example.com/a\r\nHost: x",
        "https://scsp.example.com:22/result",
        "https://scsp.example%2ecom/result",
        "https://scsp.example.com/" + "a" * 240,
        "https://127.0.0.1.evil.example/",
    ],
)
def test_refuses_any_other_response_url_by_name(url):
    with pytest.raises(InvalidParameters, match=r"^response_url"):
        check_response_url(make_partner(**CHECKED), url)


@pytest.mark.parametrize(
    ("module", "role", "from_party"),
    [
        ("locations", "RECEIVER", "CPO"),
        ("sessions", "RECEIVER", "CPO"),
        ("chargingprofiles", "SENDER", "CPO"),
        ("locations", "SENDER", "SCS"),
        ("sessions", "SENDER", "SCS"),
        ("chargingprofiles", "RECEIVER", "SCS"),
    ],
)
def test_speaks_as_our_party_that_stands_opposite(peer, settings, module, role, from_party):
    settings.ROLES = []
    settings.OTHER_PARTIES = [("NL", "CPO", ("CPO",), "Second"), ("NL", "SCS", ("SCSP",), "Third")]
    partner = partner_at(peer, endpoints=[(module, role)])

    call(partner, method="GET", module=module, role=role)
    call_url(partner, method="GET" if from_party == "SCS" else "POST", url=f"{peer.url}/next")
    call(partner, method="GET", module=module, role=role, from_party=("NL", "NOD"))

    assert [routing(one)["OCPI-from-party-id"] for one in peer.requests] == [from_party, from_party, "NOD"]
