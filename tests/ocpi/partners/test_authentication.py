import base64
from datetime import timedelta

import pytest
from django.utils import timezone

from ocpi.partners import tokens
from ocpi.partners.guesses import MOST_WRONG
from ocpi.partners.models import InboundToken, Partner
from tests.factories import make_partner

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.ocpi.partners.urls")]
FUNCTIONAL = "/ocpi/2.2.1/functional"
TOKEN = "the-token-that-we-issued"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def get(client, authorization: str | None, path: str = FUNCTIONAL):
    headers = {} if authorization is None else {"authorization": authorization}
    return client.get(path, headers=headers)


@pytest.mark.parametrize(
    "authorization",
    [
        f"Token {encoded(TOKEN)}",
        f"token   {encoded(TOKEN)}",
        f"Token {encoded(TOKEN).rstrip('=')}",
        f"Token {encoded(TOKEN + chr(10))}",
        f"Token {TOKEN}",
    ],
    ids=["base64", "scheme and spaces", "no padding", "trailing newline", "raw"],
)
def test_opens_to_a_known_token_in_every_form_seen_in_the_wild(client, authorization):
    make_partner(name="Jedlix", token=TOKEN)

    response = get(client, authorization)

    assert (response.status_code, response.json()["data"]) == (200, {"partner": "Jedlix"})


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Token",
        "Token ",
        f"Token {encoded('unknown')}",
        f"Bearer {encoded(TOKEN)}",
        f"Basic {encoded(TOKEN)}",
        "Token !!!===",
        "Token " + "A" * 10_000,
        "Token \xff\xfe",
        f"Token {encoded(TOKEN)}, Token {encoded(TOKEN)}",
    ],
)
def test_refuses_a_missing_unknown_or_garbled_token_with_an_envelope(client, authorization):
    make_partner(token=TOKEN)

    response = get(client, authorization)

    assert (response.status_code, response.json()["status_code"]) == (401, 2000)
    assert response["WWW-Authenticate"].startswith("Token")
    assert response["X-Request-ID"]


def test_opens_only_versions_and_credentials_to_a_token_a(client):
    partner = make_partner()
    Partner.objects.update(status=Partner.Status.INVITED)
    token = tokens.issue(partner, InboundToken.Kind.INVITATION, now=timezone.now())
    authorization = f"Token {encoded(token)}"

    assert get(client, authorization).status_code == 401
    assert client.patch(FUNCTIONAL, headers={"authorization": authorization}).status_code == 401
    for path in ("/ocpi/versions", "/ocpi/2.2.1", "/ocpi/2.2.1/credentials"):
        assert get(client, authorization, path).status_code == 200


def test_keeps_one_partner_from_the_token_of_another(client):
    make_partner(name="One", token="one")
    make_partner(name="Raw", token=encoded("one"))

    assert get(client, f"Token {encoded('one')}").json()["data"] == {"partner": "One"}
    assert get(client, f"Token {encoded(encoded('one'))}").json()["data"] == {"partner": "Raw"}


def test_slows_an_address_that_guesses_but_never_a_good_token(client):
    make_partner(token=TOKEN)
    answers = [get(client, f"Token {encoded(f'guess {number}')}") for number in range(MOST_WRONG + 1)]

    assert {answer.status_code for answer in answers[:-1]} == {401}
    assert answers[-1].status_code == 429
    assert answers[-1].json()["status_code"] == 2000
    assert 0 < int(answers[-1]["Retry-After"]) <= 60
    assert get(client, f"Token {encoded(TOKEN)}").status_code == 200
    assert get(client, None).status_code == 401


def test_counts_guesses_per_address_that_the_proxy_before_us_saw(client):
    authorization = f"Token {encoded('guess')}"

    def guess(address: str, **meta: str) -> int:
        headers = {"authorization": authorization, "x-forwarded-for": address}
        return client.get(FUNCTIONAL, headers=headers, **meta).status_code

    first = [guess("192.0.2.1") for _ in range(MOST_WRONG + 1)]
    forged = [guess(f"192.0.2.{number}", REMOTE_ADDR="203.0.113.9") for number in range(MOST_WRONG + 1)]

    assert first == forged == [401] * MOST_WRONG + [429]
    assert guess("192.0.2.2") == 401
    assert guess("192.0.2.99, 192.0.2.1") == 429


ROUTED = {
    "OCPI-to-country-code": "NL",
    "OCPI-to-party-id": "NOD",
    "OCPI-from-country-code": "DE",
    "OCPI-from-party-id": "ONE",
}


@pytest.mark.parametrize(
    ("role", "changes", "status_code"),
    [
        ("SCSP", {}, 1000),
        ("SCSP", {"OCPI-to-party-id": "nod", "OCPI-from-party-id": "one"}, 1000),
        ("SCSP", {"OCPI-to-party-id": "XXX"}, 2001),
        ("SCSP", {"OCPI-to-country-code": "BE"}, 2001),
        ("SCSP", {"OCPI-from-party-id": "TWO"}, 2001),
        ("SCSP", {"OCPI-from-party-id": ""}, 1000),
        ("HUB", {"OCPI-from-party-id": "TWO"}, 1000),
        ("HUB", {"OCPI-from-country-code": "NL", "OCPI-from-party-id": "NOD"}, 2001),
        ("SCSP", {"OCPI-to-party-id": "ABC"}, 1000),
        ("HUB", {"OCPI-from-country-code": "NL", "OCPI-from-party-id": "ABC"}, 2001),
    ],
)
def test_checks_between_which_parties_a_message_goes(client, settings, role, changes, status_code):
    settings.OTHER_PARTIES = [("NL", "ABC", ("SCSP",), "Second")]
    make_partner(token=TOKEN, role=role, party_id="ONE")
    make_partner(party_id="TWO")
    headers = {"authorization": f"Token {encoded(TOKEN)}"} | ROUTED | changes

    response = client.get(FUNCTIONAL, headers=headers)
    versions = client.get("/ocpi/versions", headers=headers)

    assert (response.status_code, response.json()["status_code"]) == (200, status_code)
    assert versions.json()["status_code"] == 1000


def test_asks_the_database_once_and_notes_the_last_request_once_a_second(client, django_assert_num_queries):
    partner = make_partner(token=TOKEN)
    InboundToken.objects.update(used_at=timezone.now())
    authorization = f"Token {encoded(TOKEN)}"

    with django_assert_num_queries(2):
        get(client, authorization)
    with django_assert_num_queries(1):
        get(client, authorization)

    partner.refresh_from_db()
    assert timezone.now() - partner.last_seen_at < timedelta(seconds=5)
