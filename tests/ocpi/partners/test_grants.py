import pytest
from django.db import IntegrityError, connection
from django.db.migrations.executor import MigrationExecutor

from ocpi.partners import grants
from ocpi.partners.models import Grant, Partner, PartnerRole
from tests.factories import NOW, make_partner

pytestmark = pytest.mark.django_db
OURS = ("NL", "NOD")


@pytest.mark.parametrize(
    ("granted", "token_party", "may"),
    [
        ([], OURS, False),
        ([""], OURS, True),
        (["LOC1"], OURS, True),
        (["loc1"], OURS, True),
        (["LOC2"], OURS, False),
        (["LOC2", ""], OURS, True),
        ([], ("DE", "JED"), True),
        ([], ("de", "jed"), True),
        ([], ("DE", "OTH"), False),
        ([], ("NL", "JED"), False),
    ],
)
def test_lets_a_partner_steer_by_grant_or_as_owner_of_the_token(granted, token_party, may):
    partner = make_partner(country_code="DE", party_id="JED")
    for location_id in granted:
        grants.grant(partner, location_id=location_id, now=NOW)

    assert grants.may_steer(partner, party=OURS, location_id="LOC1", token_party=token_party) is may
    assert (partner in grants.partners_for(party=OURS, location_id="Loc1", token_party=token_party)) is may


def test_gives_a_cpo_no_right_to_the_tokens_of_its_party():
    partner = make_partner(role="CPO", country_code="DE", party_id="JED")

    assert not grants.may_steer(partner, party=OURS, location_id="LOC1", token_party=("DE", "JED"))
    assert grants.parties(partner) == []


@pytest.mark.parametrize("status", [Partner.Status.INVITED, Partner.Status.ENDED])
def test_lets_only_registered_partners_steer(status):
    partner = make_partner(may_steer=True)
    partner.status = status
    partner.save()

    assert not grants.may_steer(partner, party=OURS, location_id="LOC1", token_party=OURS)
    assert not grants.partners_for(party=OURS, location_id="LOC1", token_party=OURS)


def test_lists_each_partner_once():
    partner = make_partner(may_steer=True, country_code="DE", party_id="JED")
    grants.grant(partner, location_id="LOC1", now=NOW)

    assert list(grants.partners_for(party=OURS, location_id="LOC1", token_party=("DE", "JED"))) == [partner]


def test_tells_what_a_partner_may_see():
    partner = make_partner(country_code="DE", party_id="JED")
    PartnerRole.objects.create(partner=partner, role="EMSP", country_code="DE", party_id="JED")
    grants.grant(partner, location_id="loc1", now=NOW)
    grants.grant(partner, location_id="LOC1", now=NOW)

    assert grants.granted_everything(partner) is False
    assert grants.granted_locations(partner) == {OURS: {"LOC1"}}
    assert grants.parties(partner) == [("DE", "JED")]

    grants.grant(partner, now=NOW)

    assert grants.granted_everything(partner) is True
    assert grants.revoke(partner) == 2
    assert not grants.may_steer(partner, party=OURS, location_id="LOC1", token_party=OURS)


OTHER = ("NL", "ABC")


@pytest.mark.parametrize(
    ("party", "location_id", "covered"),
    [
        (None, "", {(OURS, "LOC1"), (OURS, "LOC2"), (OTHER, "LOC1"), (OTHER, "LOC2")}),
        (OTHER, "", {(OTHER, "LOC1"), (OTHER, "LOC2")}),
        (("nl", "abc"), "loc1", {(OTHER, "LOC1")}),
        (None, "LOC1", {(OURS, "LOC1")}),
    ],
)
def test_covers_everything_or_one_party_or_one_location_of_it(settings, party, location_id, covered):
    settings.OTHER_PARTIES = [(*OTHER, ("CPO",), "Second")]
    partner = make_partner()
    grants.grant(partner, location_id=location_id, party=party, now=NOW)
    places = [(owner, one) for owner in (OURS, OTHER) for one in ("LOC1", "LOC2")]

    def may(owner, one):
        return grants.may_steer(partner, party=owner, location_id=one, token_party=OURS)

    assert {place for place in places if may(*place)} == covered
    told = [
        place
        for place in places
        if grants.partners_for(party=place[0], location_id=place[1], token_party=OURS)
    ]
    assert set(told) == covered
    assert grants.granted_everything(partner) is (party is None and not location_id)


def test_tells_a_whole_party_apart_from_its_locations():
    partner = make_partner()
    for location_id in ("", "loc1"):
        grants.grant(partner, location_id=location_id, party=OTHER, now=NOW)
    grants.grant(partner, location_id="loc1", now=NOW)
    grants.grant(partner, now=NOW)
    grants.set_everywhere(partner, is_granted=False, now=NOW)

    assert grants.granted_locations(partner) == {OTHER: {"", "LOC1"}, OURS: {"LOC1"}}


def test_lets_nobody_own_the_tokens_of_a_party_that_became_ours(settings):
    partner = make_partner(country_code="NL", party_id="ABC")
    assert grants.parties(partner) == [OTHER]

    settings.OTHER_PARTIES = [(*OTHER, ("SCSP",), "Second")]

    assert grants.parties(partner) == []
    assert not grants.may_steer(partner, party=OURS, location_id="LOC1", token_party=OTHER)
    assert not grants.partners_for(party=OURS, location_id="LOC1", token_party=OTHER)


def test_has_no_location_without_its_party():
    with pytest.raises(IntegrityError, match="location_grant_has_a_party"):
        Grant.objects.create(partner=make_partner(), location_id="LOC1", created_at=NOW)


@pytest.mark.django_db(transaction=True)
def test_gives_the_grants_of_before_to_the_main_party():
    everywhere, somewhere = make_partner(may_steer=True), make_partner()
    MigrationExecutor(connection).migrate([("partners", "0004_static_partners")])
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO partners_grant (partner_id, location_id, created_at) VALUES (%s, 'LOC1', %s)",
                [somewhere.pk, NOW],
            )
    finally:
        MigrationExecutor(connection).migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())

    assert [str(one) for one in everywhere.grants.all()] == [f"{everywhere.pk} at all locations of ours"]
    assert [str(one) for one in somewhere.grants.all()] == [f"{somewhere.pk} at LOC1 of NL-NOD"]
