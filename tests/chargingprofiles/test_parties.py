"""Several parties on either side: who asks, who is asked, and to whom the answer goes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chargers.models import Command, Limit
from chargingprofiles.models import ArmedSender, ProfileRequest
from ocpi.delivery.models import Result
from ocpi.delivery.sweeper import sweep_once
from ocpi.protocol.headers import Routing
from tests.chargingprofiles import charger
from tests.chargingprofiles.calls import RECEIVER, call, profile, said
from tests.factories import make_charger, make_location, make_partner, make_session, make_transaction
from tests.peer import Peer
from tests.spec.answers import routing, routing_in

pytestmark = pytest.mark.django_db(transaction=True)

MAIN, SECOND, THIRD = ("NL", "NOD"), ("NL", "ABC"), ("NL", "XYZ")
HUB, ONE, TWO = ("BE", "HUB"), ("DE", "ONE"), ("DE", "TWO")
ACCEPTED = (200, 1000, {"result": "ACCEPTED", "timeout": 30})
UNKNOWN = (200, 1000, {"result": "UNKNOWN_SESSION", "timeout": 0})


@pytest.fixture
def peer():
    with Peer() as peer:
        yield peer


@pytest.fixture
def hub(peer, settings):
    settings.OTHER_PARTIES = [(*SECOND, ("CPO",), "Second"), (*THIRD, ("SCSP",), "Third")]
    return make_partner(
        url=peer.url,
        token="steerer",
        role="HUB",
        country_code=HUB[0],
        party_id=HUB[1],
        may_steer=True,
        endpoints=[("chargingprofiles", "SENDER")],
    )


@pytest.fixture
def charging(db):
    """A session of our second party; the main one has a location of the same id."""
    now = timezone.now()
    make_location(location_id="LOC1", evses=0)
    location = make_location(location_id="LOC1", party=SECOND)
    station = make_charger(identity="CH1", connected_at=now, location=location)
    session = make_session(party_id="ABC")
    return make_transaction(charger=station, session=session, started_at=now - timedelta(minutes=5))


def ask(method, charging, url, *, to_party=SECOND, from_party=ONE, limit_a=16):
    """Ask for the session's profile; without `to_party` no routing headers go with it."""
    headers = Routing(*to_party, *from_party).headers if to_party else {}
    path = f"{RECEIVER}/{charging.session.session_id}"
    if method == "PUT":
        wanted = profile(charging_profile_period=[{"start_period": 0, "limit": limit_a}])
        return said(call("PUT", path, {"charging_profile": wanted, "response_url": url}, **headers))
    return said(call(method, f"{path}?response_url={url}&duration=900", **headers))


def sweep():
    for seconds in (1, 2):
        sweep_once(timezone.now() + timedelta(seconds=seconds))


def sent(peer):
    """Return what left since the last look: method, path and routing headers."""
    found = [(one.method, one.path, routing_in(one.headers)) for one in peer.requests]
    peer.requests.clear()
    return found


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
@pytest.mark.parametrize(
    ("to_party", "answer"), [(MAIN, UNKNOWN), (THIRD, UNKNOWN), (SECOND, ACCEPTED), (None, ACCEPTED)]
)
def test_knows_a_session_only_at_the_party_whose_it_is(peer, charging, method, to_party, answer):
    assert ask(method, charging, f"{peer.url}/r", to_party=to_party) == answer
    assert ProfileRequest.objects.exists() is (answer == ACCEPTED)


def test_brings_result_and_active_profile_to_the_party_that_asked(peer, hub, charging):
    now = timezone.now().replace(microsecond=0)
    ask("PUT", charging, f"{peer.url}/r")
    charger.says("ACCEPTED", now=now)
    charger.says("ACCEPTED", told=charger.schedule(16, starts_at=now), now=now)
    sweep()

    session_path = f"/2.2.1/sender/chargingprofiles/{charging.session.session_id}"
    assert sent(peer) == [
        ("POST", "/r", routing(ONE, SECOND)),
        ("PUT", session_path, routing(ONE, SECOND)),
    ]
    assert str(ProfileRequest.objects.get().asker) == str(ONE)


def test_addresses_the_hub_where_no_party_is_named(peer, hub, charging):
    now = timezone.now().replace(microsecond=0)
    ask("PUT", charging, f"{peer.url}/r", to_party=None)
    charger.says("ACCEPTED", now=now)
    charger.says("ACCEPTED", told=charger.schedule(16, starts_at=now), now=now)
    sweep()

    assert [headers for _, _, headers in sent(peer)] == [routing(HUB, SECOND)] * 2


def test_takes_the_parties_behind_a_hub_for_senders_of_their_own(peer, hub, charging):
    now = timezone.now().replace(microsecond=0)
    for party, limit_a in ((ONE, 16), (TWO, 10)):
        ask("PUT", charging, f"{peer.url}/{party[1]}", from_party=party, limit_a=limit_a)
        charger.says("ACCEPTED", command=charger.pending("SET_LIMIT"), now=now)
    sweep()

    results = sorted((one for one in sent(peer) if one[0] == "POST"), key=lambda one: one[1])
    assert results == [("POST", "/ONE", routing(ONE, SECOND)), ("POST", "/TWO", routing(TWO, SECOND))]
    sources = {f"partner:{hub.pk}:{'-'.join(party)}" for party in (ONE, TWO)}
    assert set(Limit.objects.values_list("source", flat=True)) == sources
    assert ArmedSender.objects.count() == 2
    assert ask("DELETE", charging, f"{peer.url}/HUB", from_party=HUB) == ACCEPTED
    assert Result.objects.get(url=f"{peer.url}/HUB").body == {"result": "UNKNOWN"}

    ask("DELETE", charging, f"{peer.url}/ONE2", from_party=ONE)
    clear = charger.pending("CLEAR_LIMIT")
    assert clear.source == f"partner:{hub.pk}:DE-ONE"


def test_tells_each_party_behind_a_hub_what_becomes_active(peer, hub, charging):
    now = timezone.now().replace(microsecond=0)
    for number, party in enumerate((ONE, TWO)):
        ask("PUT", charging, f"{peer.url}/{number}", from_party=party)
        charger.says("ACCEPTED", command=charger.pending("SET_LIMIT"), now=now)
        charger.says("ACCEPTED", told=charger.schedule(16 - number, starts_at=now), now=now)
        sweep()
        sweep()

    told = [headers for method, _, headers in sent(peer) if method == "PUT"]
    assert told[0] == routing(ONE, SECOND)
    assert sorted(one["OCPI-to-party-id"] for one in told) == ["ONE", "ONE", "TWO"]


@pytest.mark.parametrize("to_party", [SECOND, None])
def test_takes_a_partner_of_one_party_for_one_sender_with_headers_or_without(peer, hub, charging, to_party):
    hub.roles.update(role="SCSP", country_code=ONE[0], party_id=ONE[1])
    ask("PUT", charging, f"{peer.url}/r", to_party=to_party)
    charger.says("ACCEPTED")

    assert Limit.objects.get().source == f"partner:{hub.pk}"
    assert (
        ask("DELETE", charging, f"{peer.url}/r2", to_party=SECOND if to_party is None else None) == ACCEPTED
    )
    assert Command.objects.filter(kind="CLEAR_LIMIT").exists()


def test_counts_the_rate_of_each_party(peer, hub, charging, settings):
    settings.PROFILE_RATE = (1, 60)

    answers = [
        ask("GET", charging, f"{peer.url}/{number}", from_party=party)[2]["result"]
        for number, party in enumerate((ONE, ONE, TWO, TWO))
    ]

    assert answers == ["ACCEPTED", "TOO_OFTEN", "ACCEPTED", "TOO_OFTEN"]
