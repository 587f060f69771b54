"""`manage.py partner add-static`: partners with fixed addresses, as people and scripts use it."""

import io
import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from ocpi.partners.models import InboundToken, OAuthClient, Partner
from ocpi.partners.secrets import decrypt
from ocpi.partners.sign_in import problem
from tests.factories import make_partner
from tests.ocpi.partners.two_sides import CREDENTIALS
from tests.token_endpoint import API_KEY, AUDIENCE, CLIENT_ID, CLIENT_SECRET, TokenEndpoint

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "http://127.0.0.1:19999/ocpi"
FIXED = ("--auth", "token", "--token", "fixed-token")
SECRETS = (CLIENT_SECRET, API_KEY, "fixed-token", "access-1")


@pytest.fixture
def endpoint():
    with TokenEndpoint() as endpoint:
        yield endpoint


def run(*arguments: str) -> Any:
    printed = StringIO()
    call_command("partner", *arguments, "--json", stdout=printed, stderr=StringIO())
    return json.loads(printed.getvalue())


def told(*arguments: str) -> str:
    printed = StringIO()
    call_command("partner", *arguments, stdout=printed, stderr=StringIO())
    return printed.getvalue()


def add(*arguments: str, name: str = "Jedlix", party: str = "nl-jdx", **options: Any) -> Any:
    return options.get("by", run)(
        "add-static", "--name", name, "--party", party, "--sessions-url", f"{BASE}/sessions", *arguments
    )


def by_oauth(endpoint: TokenEndpoint, *, secret: str = CLIENT_SECRET, key: str = API_KEY) -> list[str]:
    return [
        "--auth", "oauth2", "--token-url", endpoint.url, "--client-id", CLIENT_ID, "--client-secret", secret,
        "--audience", AUDIENCE, "--api-key", key,
    ]  # fmt: skip


def test_makes_a_registered_partner_with_a_token_for_us(node, endpoint):
    printed = add(
        *by_oauth(endpoint),
        "--locations-url", f"{BASE}/locations", "--profiles-url", f"{BASE}/profiles",
        "--may-steer", "--host", "www.example.com",
    )  # fmt: skip

    partner = Partner.objects.get()
    assert printed == {
        "partner": partner.pk,
        "token": printed["token"],
        "versions_url": f"{node.url}/ocpi/versions",
        "chargingprofiles_url": f"{node.url}/ocpi/2.2.1/receiver/chargingprofiles",
        "sign_in_problem": "",
    }
    assert node.opens(printed["token"])
    shown = run("show", "Jedlix")
    assert shown == {
        "partner": partner.pk,
        "name": "Jedlix",
        "status": "registered",
        "sign_in": "oauth2",
        "api_key_header": "ApiKey",
        "version": "2.2.1",
        "versions_url": "",
        "roles": [{"role": "SCSP", "country_code": "NL", "party_id": "JDX"}],
        "endpoints": [
            {"identifier": "sessions", "role": "RECEIVER", "url": f"{BASE}/sessions"},
            {"identifier": "locations", "role": "RECEIVER", "url": f"{BASE}/locations"},
            {"identifier": "chargingprofiles", "role": "SENDER", "url": f"{BASE}/profiles"},
        ],
        "grants": [{"country_code": None, "party_id": None, "location_id": None}],
        "response_hosts": ["www.example.com"],
        "refused_quirks": [],
        "registered_at": shown["registered_at"],
        "endpoints_changed_at": shown["registered_at"],
        "last_seen_at": shown["last_seen_at"],
        "last_error": "",
        "pulled": {},
        "pull_due_at": None,
    }
    people = told("show", "Jedlix")
    assert "sign-in    oauth2, and ApiKey; no credentials module" in people
    assert f"{partner.pk:>4}  registered  Jedlix  NL-JDX SCSP  (oauth2)\n" == told("list")
    kept = json.dumps(list(Partner.objects.values()) + list(OAuthClient.objects.values()), default=str)
    for secret in (*SECRETS, printed["token"]):
        assert secret not in people + told("list") + json.dumps(shown) + kept


def test_every_party_has_every_role():
    add("--party", "NL-JD2", "--party", "NL-JDX", "--role", "SCSP", "--role", "EMSP", *FIXED)

    assert [str(role) for role in Partner.objects.get().roles.all()] == [
        "NL-JDX SCSP",
        "NL-JDX EMSP",
        "NL-JD2 SCSP",
        "NL-JD2 EMSP",
    ]


def test_keeps_a_fixed_token_of_theirs():
    add(*FIXED, "--raw-token", "--api-key", "k", "--api-key-header", "X-Key")

    partner = Partner.objects.get()
    assert decrypt(partner.outbound_token_encrypted) == "fixed-token"
    assert (partner.sign_in, partner.sends_raw_tokens) == ("TOKEN", True)
    assert (partner.api_key_header, decrypt(partner.api_key_encrypted)) == ("X-Key", "k")
    assert problem(partner) == ""


def test_reads_secrets_from_standard_input(monkeypatch, endpoint):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{CLIENT_SECRET}\n{API_KEY}\n"))

    assert add(*by_oauth(endpoint, secret="-", key="-"))["sign_in_problem"] == ""

    assert decrypt(OAuthClient.objects.get().client_secret_encrypted) == CLIENT_SECRET
    assert decrypt(Partner.objects.get().api_key_encrypted) == API_KEY


def test_says_that_signing_in_fails(endpoint):
    reason = f"no token from {endpoint.url}: HTTP 401, invalid_client"

    assert add(*by_oauth(endpoint, secret="wrong"))["sign_in_problem"] == reason
    assert f"We can't sign in there: {reason}" in add(*by_oauth(endpoint, secret="wrong"), by=told)
    assert run("show", "Jedlix")["last_error"] == f"Signing in failed: {reason}"


def test_added_again_has_the_new_settings_and_its_old_token(node, endpoint):
    token = add(*by_oauth(endpoint), "--may-steer", "--host", "a.example.com")["token"]

    again = add(*FIXED, party="NL-NEW")

    partner = Partner.objects.get()
    assert (again["partner"], again["token"]) == (partner.pk, None)
    assert "token              as before" in add(*FIXED, by=told)
    assert node.opens(token)
    assert not OAuthClient.objects.exists()
    shown = run("show", "Jedlix")
    assert (shown["sign_in"], shown["api_key_header"], shown["grants"]) == ("token", None, [])
    assert shown["response_hosts"] == []


def test_rotating_makes_a_new_token_and_the_old_one_opens_until_it_is_used(node):
    old = add(*FIXED)["token"]

    printed = run("rotate", "Jedlix")

    assert (printed["name"], printed["sign_in"]) == ("Jedlix", "token")
    assert node.opens(old)
    assert node.opens(printed["token"])
    assert not node.opens(old)
    assert "until the new one is used" in told("rotate", "Jedlix")


def test_unregistering_forgets_every_secret_and_the_name_is_free_for_an_invitation(node, endpoint):
    token = add(*by_oauth(endpoint))["token"]

    ended = run("unregister", "Jedlix")

    assert (ended["status"], ended["confirmed"]) == ("ended", False)
    assert ended["unconfirmed_because"] == "it has no credentials module; tell them yourself."
    assert (ended["endpoints"], ended["sign_in"], ended["api_key_header"]) == ([], "credentials", None)
    assert not node.opens(token)
    assert not OAuthClient.objects.exists()
    assert Partner.objects.get().api_key_encrypted == ""
    invited = run("invite", "--name", "Jedlix")
    assert invited["partner"] == ended["partner"]


def test_an_invitation_is_replaced(node):
    token_a = run("invite", "--name", "Jedlix")["token"]

    token = add(*FIXED)["token"]

    assert node.opens(token)
    assert not node.opens(token_a, "versions")
    assert Partner.objects.get().status == Partner.Status.REGISTERED


def test_credentials_are_there_to_read_only(node):
    token = add(*FIXED)["token"]

    read = node.call("GET", CREDENTIALS, token)
    assert read.json()["data"]["token"] == token
    for method in ("POST", "PUT", "DELETE"):
        refused = node.call(method, CREDENTIALS, token, {"token": "x"})
        assert (refused.status_code, refused.headers["Allow"]) == (405, "GET")
        assert refused.json()["status_message"] == (
            "Your addresses and tokens are set by hand here: ask the operator to change or end them."
        )
    assert Partner.objects.get().status == Partner.Status.REGISTERED


def test_the_admin_shows_how_we_sign_in_but_no_secret(admin_client, settings, endpoint):
    settings.ROOT_URLCONF = "tests.ocpi.partners.test_admin"
    token = add(*by_oauth(endpoint))["token"]

    for page in ("", f"{Partner.objects.get().pk}/change/"):
        text = admin_client.get(f"/admin/partners/partner/{page}").content.decode()
        assert "OAuth 2.0 client credentials" in text
        for secret in (*SECRETS, token, "gAAAA"):
            assert secret not in text
    assert CLIENT_ID in text


OAUTH = ("--auth", "oauth2", "--token-url", f"{BASE}/token", "--client-id", "id", "--client-secret", "s3cr3t")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--auth", "token"], "--token is needed with --auth token"),
        (["--auth", "oauth2"], "is needed with --auth oauth2"),
        (["--auth", "basic"], "--auth"),
        ([], "--auth"),
        ([*OAUTH, "--raw-token"], "--raw-token does not go with --auth oauth2"),
        ([*FIXED, "--scope", "x"], "--scope does not go with --auth token"),
        ([*FIXED, "--api-key-header", "X-Key"], "goes with --api-key"),
        ([*FIXED, "--party", "NLJDX"], "--party"),
        ([*FIXED, "--party", "NL-NOD"], "our own party"),
        ([*FIXED, "--party", "DE-OTH"], "registered by another platform"),
        ([*FIXED, "--role", "BOSS"], "--role"),
        ([*FIXED, "--host", "http://a/b"], "not a host"),
        ([*FIXED, "--locations-url", "ftp://example.com"], "ftp://example.com is not an address"),
        ([*FIXED, "--profiles-url", "http://10.0.0.1/x"], "10.0.0.1"),
        ([*FIXED, "--profiles-url", "https://example.com/" + "x" * 250], "longer than 255"),
        ([*OAUTH, "--token-url", "http://169.254.169.254/token"], "169.254.169.254"),
        (["--auth", "token", "--token", "s3cr3t é"], "The token must be"),
        ([*OAUTH, "--client-secret", "s3cr3t\n"], "The client secret must be"),
        ([*FIXED, "--api-key", "s3cr3t x"], "The API key must be"),
        ([*FIXED, "--api-key", "s3cr3t" * 100], "The API key must be"),
        ([*FIXED, "--api-key", "k", "--api-key-header", "authorization"], "'authorization' is not a header"),
        ([*FIXED, "--api-key", "k", "--api-key-header", "OCPI-to-party-id"], "is not a header"),
        ([*FIXED, "--api-key", "k", "--api-key-header", "A: b"], "is not a header"),
        (["--auth", "token", "--token", "-"], "no token came in"),
    ],
)
def test_refuses_with_a_reason_in_one_line_and_keeps_nothing(monkeypatch, arguments, reason):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    make_partner(name="Known", country_code="DE", party_id="OTH")

    with pytest.raises(CommandError) as refused:
        add(*arguments)

    assert reason in str(refused.value)
    assert "\n" not in str(refused.value).strip()
    assert "s3cr3t" not in str(refused.value)
    assert Partner.objects.count() == 1
    assert InboundToken.objects.count() == 1


def test_refuses_a_partner_that_registered_by_credentials():
    make_partner(name="Jedlix")

    with pytest.raises(CommandError, match="registered by OCPI credentials"):
        add(*FIXED)


def test_refuses_on_a_node_without_chargers(settings):
    settings.ROLES = ["SCSP"]

    with pytest.raises(CommandError, match="no party of ours is a CPO"):
        add(*FIXED)
