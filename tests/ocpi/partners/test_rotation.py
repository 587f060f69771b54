"""We renew credentials with a PUT: OCPI 2.2.1 credentials, as sender, over real HTTP in both directions."""

import pytest
from django.utils import timezone

from ocpi.partners import handshake
from ocpi.partners.handshake import Refused, invite
from ocpi.partners.models import InboundToken
from ocpi.partners.rotation import rotate
from ocpi.partners.secrets import decrypt
from tests.factories import make_partner
from tests.ocpi.partners.two_sides import ENDPOINTS, answered, authorization, registered, role

pytestmark = pytest.mark.django_db(transaction=True)


def test_exchanges_both_tokens_and_confirms_at_first_use(node, platform):
    partner = registered(platform)
    old = platform.received[-1]
    platform.issued = "token-c-2"
    platform.answers("PUT")

    rotate(partner, now=timezone.now())

    new = platform.received[-1]
    assert platform.peer.requests[-1].headers["Authorization"] == authorization("token-c")["Authorization"]
    partner.refresh_from_db()
    assert decrypt(partner.outbound_token_encrypted) == "token-c-2"
    assert node.opens(old)
    assert node.opens(new, "versions")
    assert (node.opens(old), node.opens(new)) == (False, True)


@pytest.mark.parametrize(
    ("answer", "takes_new"),
    [
        ({"body": answered(None, 3001)}, False),
        ({"body": answered(None, 3002)}, False),
        ({"body": answered(None, 3003)}, False),
        ({"status": 405, "body": ""}, False),
        ({"status": 502, "body": "<html>"}, True),
        ({"body": b"<html>"}, True),
        ({"body": answered({})}, True),
    ],
)
def test_keeps_what_may_have_been_taken_and_drops_what_was_refused(node, platform, answer, takes_new):
    partner = registered(platform)
    old = platform.received[-1]
    platform.peer.answer("PUT", "/2.2.1", **answer)

    with pytest.raises(Refused):
        rotate(partner, now=timezone.now())

    new = platform.peer.requests[-1].body["token"]
    assert node.opens(old)
    assert node.opens(new) is takes_new
    assert node.opens(old) is not takes_new
    partner.refresh_from_db()
    assert decrypt(partner.outbound_token_encrypted) == "token-c"
    assert {(one.identifier, one.role) for one in partner.endpoints.all()} == set(ENDPOINTS)
    assert partner.last_error.startswith("Rotating failed: Jedlix")


def test_keeps_both_tokens_when_the_answer_does_not_come(node, platform, monkeypatch):
    monkeypatch.setattr(handshake, "POST_DEADLINE_S", 0.3)
    partner = registered(platform)
    platform.peer.answer("PUT", "/2.2.1", delay=5)

    with pytest.raises(Refused, match="may or may not"):
        rotate(partner, now=timezone.now())

    assert node.opens(platform.received[-1])
    assert node.opens(platform.peer.requests[-1].body["token"])
    partner.refresh_from_db()
    assert "may or may not" in partner.last_error


def test_drops_the_new_token_when_nobody_listens():
    partner = make_partner(name="Gone")

    with pytest.raises(Refused, match="nothing changed"):
        rotate(partner, now=timezone.now())

    assert InboundToken.objects.count() == 1


def test_bounds_the_life_of_the_old_token(node, platform, settings):
    settings.OLD_TOKEN_GRACE_S = 60
    partner = registered(platform)
    platform.answers("PUT")
    now = timezone.now()

    rotate(partner, now=now)

    old, new = InboundToken.objects.all()
    assert (old.expires_at - now).total_seconds() == 60
    assert new.expires_at is None


def test_refuses_a_partner_that_is_not_registered():
    invited = invite(name="Jedlix", may_steer=False, response_hosts=[], now=timezone.now())

    with pytest.raises(Refused, match="not registered"):
        rotate(invited.partner, now=timezone.now())


def moved(platform, *paths):
    """Publish endpoints below /moved: their identifiers, each as SENDER."""
    endpoints = [
        {"identifier": one, "role": "SENDER", "url": f"{platform.peer.url}/moved/{one}"} for one in paths
    ]
    details = answered({"version": "2.2.1", "endpoints": endpoints})
    platform.peer.answer("GET", "/details", body=details)
    versions = [
        {"version": "2.3.0", "url": f"{platform.peer.url}/2.3.0"},
        {"version": "2.2.1", "url": f"{platform.peer.url}/details"},
        {"version": "2.1.1", "url": f"{platform.peer.url}/2.1.1"},
    ]
    platform.peer.answer("GET", "/versions", body=answered(versions))
    return {(one["identifier"], one["role"], one["url"]) for one in endpoints}


def endpoints_of(partner):
    return set(partner.endpoints.values_list("identifier", "role", "url"))


def test_goes_where_their_credentials_are_now_and_takes_over_what_they_publish(node, platform):
    partner = registered(platform)
    before = partner.endpoints_changed_at
    published = moved(platform, "credentials", "sessions")
    platform.peer.answer("PUT", "/moved/credentials", body=platform.take_credentials)
    now = timezone.now()

    rotate(partner, now=now)

    assert [one.method for one in platform.peer.requests[-3:]] == ["GET", "GET", "PUT"]
    assert platform.peer.requests[-1].path == "/moved/credentials"
    partner.refresh_from_db()
    assert endpoints_of(partner) == published
    assert before is not None
    assert before < partner.endpoints_changed_at == now

    rotate(partner, now=timezone.now())
    partner.refresh_from_db()
    assert partner.endpoints_changed_at == now


def test_tells_them_where_we_are_now(node, platform, settings):
    partner = registered(platform)
    settings.NODE_URL = node.url.replace("localhost", "127.0.0.1")
    platform.answers("PUT")

    rotate(partner, now=timezone.now())

    assert platform.peer.requests[-1].body["url"] == f"{settings.NODE_URL}/ocpi/versions"


@pytest.mark.parametrize(
    ("path", "answer", "reason"),
    [
        ("/versions", [{"version": "2.1.1", "url": "http://127.0.0.1:8999/2.1.1"}], "offers 2.1.1"),
        ("/2.2.1", {"version": "2.2.1", "endpoints": []}, "no credentials"),
        ("/versions", None, "versions"),
    ],
)
def test_changes_nothing_when_they_can_not_be_read(node, platform, path, answer, reason):
    partner = registered(platform)
    before = endpoints_of(partner)
    platform.answers("PUT")
    platform.peer.answer("GET", path, body=answered(answer))

    with pytest.raises(Refused, match=f"nothing changed: .*{reason}"):
        rotate(partner, now=timezone.now())

    assert platform.peer.received("PUT") == []
    assert node.opens(platform.received[-1])
    assert InboundToken.objects.count() == 1
    partner.refresh_from_db()
    assert (partner.status, endpoints_of(partner)) == ("REGISTERED", before)
    assert reason in partner.last_error


@pytest.mark.parametrize(("party", "is_taken"), [("TWO", False), ("TKN", True)])
def test_takes_over_their_parties_unless_another_partner_has_them(node, platform, party, is_taken):
    make_partner(country_code="NL", party_id="TKN")
    partner = registered(platform)
    both = platform.credentials("token-c-2", roles=[role(), role(party)])
    platform.peer.answer("PUT", "/2.2.1", body=answered(both))

    rotate(partner, now=timezone.now())

    partner.refresh_from_db()
    assert decrypt(partner.outbound_token_encrypted) == "token-c-2"
    assert [one.party_id for one in partner.roles.all()] == (["JED"] if is_taken else ["JED", "TWO"])
    assert ("NL-TKN" in partner.last_error) is is_taken


def test_lets_them_call_us_with_the_new_token_before_they_answer(node, platform):
    partner = registered(platform)
    old, seen = platform.received[-1], []

    def looks_around(request):
        paths = ("versions", "2.2.1", "2.2.1/credentials", "2.2.1/functional")
        seen.extend(node.call("GET", path, request.body["token"]).status_code for path in paths)
        seen.append(node.call("GET", "2.2.1/functional", old).status_code)
        return platform.take_credentials(request)

    platform.peer.answer("PUT", "/2.2.1", body=looks_around)

    rotate(partner, now=timezone.now())

    assert seen == [200] * 5
