"""Access tokens by client credentials: fetched, kept, renewed early, and never seen."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from ocpi.partners import oauth
from ocpi.partners.calls import call
from ocpi.partners.models import OAuthClient, Partner
from ocpi.partners.oauth import life_of, renewal_of
from ocpi.partners.secrets import decrypt, encrypt
from ocpi.protocol.client import CallFailed
from ocpi.protocol.quirks import Quirk
from tests.factories import make_partner
from tests.peer import Peer, enveloped
from tests.token_endpoint import API_KEY, AUDIENCE, CLIENT_ID, CLIENT_SECRET, FORM, TokenEndpoint

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def endpoint():
    with TokenEndpoint() as endpoint:
        yield endpoint


@pytest.fixture
def peer(endpoint):
    with Peer() as peer:
        endpoint.guard(peer)
        yield peer


@pytest.fixture
def partner(endpoint, peer):
    partner = make_partner(
        name="Jedlix",
        url=peer.url,
        sign_in=Partner.SignIn.OAUTH2,
        api_key_header="ApiKey",
        api_key_encrypted=encrypt(API_KEY),
    )
    OAuthClient.objects.create(
        partner=partner,
        token_url=endpoint.url,
        client_id=CLIENT_ID,
        client_secret_encrypted=encrypt(CLIENT_SECRET),
        audience=AUDIENCE,
    )
    return partner


def tell(partner):
    return call(partner, method="PUT", module="sessions", role="RECEIVER", path=["NL", "NOD", "S1"], body={})


def bearers(peer):
    return [one.headers["Authorization"] for one in peer.requests]


def change(partner, **fields):
    """Set times of the client, in seconds from now."""
    now = timezone.now()
    times = {name: now + timedelta(seconds=seconds) for name, seconds in fields.items()}
    OAuthClient.objects.filter(partner=partner).update(**times)


def test_fetches_one_token_for_many_calls_and_keeps_it_encrypted(partner, peer, endpoint):
    replies = [tell(partner) for _ in range(3)]

    assert [one.is_success for one in replies] == [True] * 3
    assert bearers(peer) == ["Bearer access-1"] * 3
    assert {one.headers["ApiKey"] for one in peer.requests} == {API_KEY}
    [asked] = endpoint.peer.requests
    assert "ApiKey" not in asked.headers
    assert "Authorization" not in asked.headers
    client = OAuthClient.objects.get()
    assert "access-1" not in client.access_token_encrypted
    assert decrypt(client.access_token_encrypted) == "access-1"
    assert client.fetching_until is None
    assert 3590 < (client.expires_at - timezone.now()).total_seconds() <= 3600
    assert 3050 < (client.renew_at - timezone.now()).total_seconds() <= 3060


def test_takes_the_scope_along(partner, endpoint):
    OAuthClient.objects.update(audience="", scope="sessions profiles")

    with pytest.raises(CallFailed):
        tell(partner)

    asked = endpoint.peer.requests[0].body
    assert asked.endswith(f"&client_secret={FORM['client_secret']}&scope=sessions+profiles")


def test_renews_before_the_end(partner, peer):
    tell(partner)
    change(partner, renew_at=-1)

    tell(partner)

    assert bearers(peer) == ["Bearer access-1", "Bearer access-2"]


@pytest.mark.parametrize("fields", [{"expires_at": -1}, {"expires_at": -1, "renew_at": 60}])
def test_never_uses_a_token_that_has_ended(partner, peer, fields):
    tell(partner)
    change(partner, **fields)

    tell(partner)

    assert bearers(peer) == ["Bearer access-1", "Bearer access-2"]


def test_goes_on_with_the_old_token_while_somebody_renews_it(partner, peer):
    tell(partner)
    change(partner, renew_at=-1, fetching_until=60)

    tell(partner)

    assert bearers(peer) == ["Bearer access-1"] * 2


def test_takes_the_turn_of_a_process_that_died(partner, peer):
    change(partner, fetching_until=0.3)

    assert tell(partner).is_success
    assert bearers(peer) == ["Bearer access-1"]


def test_says_that_nobody_got_a_token_in_time(partner, peer):
    change(partner, fetching_until=60)

    with pytest.raises(CallFailed, match="Another process") as failed:
        oauth.access_token(partner, deadline_s=0.2)

    assert failed.value.reason == "sign_in_failed"


def test_is_fetched_once_for_many_at_once(partner, peer, endpoint):
    def told(_):
        try:
            return tell(partner).is_success
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(told, range(6))) == [True] * 6

    assert list(endpoint.issued) == ["access-1"]
    assert bearers(peer) == ["Bearer access-1"] * 6


def test_goes_on_with_the_old_token_when_renewing_fails_and_leaves_the_endpoint_alone(
    partner, peer, endpoint
):
    tell(partner)
    change(partner, renew_at=-1)
    endpoint.peer.answer("POST", "/oauth/token", status=503, body={"error": "temporarily_unavailable"})

    assert [tell(partner).is_success for _ in range(3)] == [True] * 3

    assert len(endpoint.peer.requests) == 2
    partner.refresh_from_db()
    where = f"no token from {endpoint.url}"
    assert partner.last_error == f"Signing in failed: {where}: HTTP 503, temporarily_unavailable"


def test_replaces_a_token_once_that_the_partner_refuses(partner, peer, endpoint):
    tell(partner)
    endpoint.revoked.add("access-1")

    assert tell(partner).is_success

    assert bearers(peer) == ["Bearer access-1", "Bearer access-1", "Bearer access-2"]


def test_asks_again_for_a_new_token_when_the_first_try_got_none(partner, peer, endpoint):
    tell(partner)
    endpoint.revoked.add("access-1")
    endpoint.peer.answer("POST", "/oauth/token", status=503)
    with pytest.raises(CallFailed, match="sign_in_failed"):
        tell(partner)
    endpoint.mend()

    assert tell(partner).is_success

    assert bearers(peer)[-2:] == ["Bearer access-1", "Bearer access-2"]


def test_does_not_fetch_again_and_again_for_a_partner_that_refuses_every_token(partner, peer, endpoint):
    peer.answer("*", "/", status=401, status_code=2001)

    assert [tell(partner).http_status for _ in range(3)] == [401] * 3

    assert list(endpoint.issued) == ["access-1", "access-2"]
    assert bearers(peer) == [
        "Bearer access-1",
        "Bearer access-2",
        "Bearer access-2",
        "Bearer access-2",
    ]
    change(partner, refused_at=-31)
    tell(partner)
    assert list(endpoint.issued)[2:] == ["access-3"]


def test_fetches_anew_what_can_not_be_read_any_more(partner, peer):
    tell(partner)
    OAuthClient.objects.update(access_token_encrypted="nonsense")

    tell(partner)

    assert bearers(peer) == ["Bearer access-1", "Bearer access-2"]


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, {"error": "invalid_client", "error_description": CLIENT_SECRET}, "HTTP 401, invalid_client"),
        (403, {"error": "access_denied"}, "HTTP 403, access_denied"),
        (400, {"error": CLIENT_SECRET}, "HTTP 400"),
        (400, {"error": ["invalid_client"]}, "HTTP 400"),
        (401, b"<html>", "HTTP 401"),
        (302, {"access_token": "a"}, "HTTP 302"),
        (200, b"", "the answer has no access_token that fits into a header"),
        (200, [], "the answer has no access_token that fits into a header"),
        (200, {}, "the answer has no access_token that fits into a header"),
        (200, {"access_token": 7}, "the answer has no access_token that fits into a header"),
        (200, {"access_token": ""}, "the answer has no access_token that fits into a header"),
        (200, {"access_token": "a\r\nHost: b"}, "the answer has no access_token that fits into a header"),
        (200, {"access_token": "é"}, "the answer has no access_token that fits into a header"),
        (
            200,
            {"access_token": "a", "token_type": "mac"},
            "the answer has a token_type other than Bearer",
        ),
    ],
)
def test_says_without_secrets_why_no_token_came(partner, endpoint, status, body, reason):
    endpoint.peer.answer("POST", "/oauth/token", body=lambda _: (status, body))

    with pytest.raises(CallFailed) as failed:
        tell(partner)

    assert failed.value.reason == "sign_in_failed"
    assert failed.value.detail == f"no token from {endpoint.url}: {reason}"
    partner.refresh_from_db()
    assert partner.last_error == f"Signing in failed: {failed.value.detail}"
    assert CLIENT_SECRET not in partner.last_error
    assert OAuthClient.objects.get().fetching_until is None


@pytest.mark.parametrize(
    ("token_url", "reason"),
    [
        (
            "http://127.0.0.1:19999/token?tenant=1",
            "no token from http://127.0.0.1:19999/token (unreachable: No",
        ),
        ("http://10.0.0.1/token", "no token from http://10.0.0.1/token (forbidden_address: "),
    ],
)
def test_says_that_a_token_endpoint_can_not_be_called(partner, peer, token_url, reason):
    OAuthClient.objects.update(token_url=token_url)

    with pytest.raises(CallFailed) as failed:
        tell(partner)

    assert failed.value.reason == "sign_in_failed"
    assert failed.value.detail.startswith(reason)


def test_forgets_the_complaint_once_it_works_again_but_no_other(partner):
    for before, after in (("Signing in failed: x", ""), ("Pulling failed", "Pulling failed")):
        Partner.objects.update(last_error=before)
        OAuthClient.objects.update(access_token_encrypted="")
        tell(partner)
        partner.refresh_from_db()
        assert partner.last_error == after


def test_needs_no_envelope_of_a_token_endpoint_whatever_the_partner_is_held_to(partner):
    Partner.objects.update(refused_quirks=list(Quirk))
    partner.refresh_from_db()

    assert tell(partner).is_success


def test_says_that_the_secret_can_not_be_read(partner):
    OAuthClient.objects.update(client_secret_encrypted="nonsense")

    with pytest.raises(CallFailed, match="FIELD_KEYS"):
        tell(partner)


def test_calls_nobody_once_its_client_is_gone(partner, peer):
    OAuthClient.objects.all().delete()

    with pytest.raises(CallFailed, match="changed or ended"):
        tell(partner)

    assert peer.requests == []


def test_keeps_no_token_of_settings_that_were_replaced_meanwhile(partner, endpoint):
    def answer(_):
        OAuthClient.objects.update(access_token_encrypted="other", fetching_until=None)
        connections.close_all()
        return {"access_token": "late", "token_type": "bearer"}

    endpoint.peer.answer("POST", "/oauth/token", body=answer)

    assert oauth.access_token(partner, deadline_s=5) == "late"

    assert OAuthClient.objects.get().access_token_encrypted == "other"


def test_sends_an_api_key_beside_a_fixed_token(peer):
    peer.answer("*", "/", body=enveloped())
    partner = make_partner(
        url=peer.url,
        sign_in=Partner.SignIn.TOKEN,
        sends_raw_tokens=True,
        api_key_header="X-Key",
        api_key_encrypted=encrypt(API_KEY),
    )
    partner.outbound_token_encrypted = encrypt("fixed")

    tell(partner)

    sent = peer.requests[0].headers
    assert (sent["Authorization"], sent["X-Key"]) == ("Token fixed", API_KEY)


@pytest.mark.parametrize(
    ("expires_in", "life_s"),
    [
        (3600, 3600),
        (86400, 86400),
        (10**12, 86400),
        (1, 1),
        (0.5, 0.5),
        ("3600", 3600),
        *[(absurd, 300) for absurd in (None, 0, -1, True, "", "soon", "-5", "1e9", [], {}, float("nan"))],
    ],
)
def test_takes_no_absurd_life_for_true(expires_in, life_s):
    assert life_of(expires_in) == life_s


@pytest.mark.parametrize(
    ("life_s", "renew_after_s"), [(86400, 73440), (3600, 3060), (400, 340), (300, 240), (100, 50), (4, 2)]
)
def test_renews_in_the_second_half_of_the_life(life_s, renew_after_s):
    assert renewal_of(life_s) == renew_after_s
