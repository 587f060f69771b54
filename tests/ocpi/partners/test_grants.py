import pytest

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
        Grant.objects.create(partner=partner, location_id=location_id, created_at=NOW)

    assert grants.may_steer(partner, location_id="LOC1", token_party=token_party) is may
    assert (partner in grants.partners_for(location_id="Loc1", token_party=token_party)) is may


def test_gives_a_cpo_no_right_to_the_tokens_of_its_party():
    partner = make_partner(role="CPO", country_code="DE", party_id="JED")

    assert not grants.may_steer(partner, location_id="LOC1", token_party=("DE", "JED"))
    assert grants.parties(partner) == []


@pytest.mark.parametrize("status", [Partner.Status.INVITED, Partner.Status.ENDED])
def test_lets_only_registered_partners_steer(status):
    partner = make_partner(may_steer=True)
    partner.status = status
    partner.save()

    assert not grants.may_steer(partner, location_id="LOC1", token_party=OURS)
    assert not grants.partners_for(location_id="LOC1", token_party=OURS)


def test_lists_each_partner_once():
    partner = make_partner(may_steer=True, country_code="DE", party_id="JED")
    grants.grant(partner, location_id="LOC1", now=NOW)

    assert list(grants.partners_for(location_id="LOC1", token_party=("DE", "JED"))) == [partner]


def test_tells_what_a_partner_may_see():
    partner = make_partner(country_code="DE", party_id="JED")
    PartnerRole.objects.create(partner=partner, role="EMSP", country_code="DE", party_id="JED")
    grants.grant(partner, location_id="loc1", now=NOW)
    grants.grant(partner, location_id="LOC1", now=NOW)

    assert grants.granted_everything(partner) is False
    assert grants.granted_locations(partner) == ["LOC1"]
    assert grants.parties(partner) == [("DE", "JED")]

    grants.grant(partner, now=NOW)

    assert grants.granted_everything(partner) is True
    assert grants.revoke(partner) == 2
    assert not grants.may_steer(partner, location_id="LOC1", token_party=OURS)
