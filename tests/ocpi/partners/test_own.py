"""Which parties are ours, and which of them acts where nothing tells."""

import pytest

from ocpi.partners import own
from tests.factories import make_partner

MAIN, SECOND, THIRD = ("NL", "NOD"), ("NL", "TWO"), ("BE", "TRE")


@pytest.fixture(autouse=True)
def _three(settings):
    settings.ROLES = ["SCSP"]
    settings.OTHER_PARTIES = [(*SECOND, ("CPO",), "Second"), (*THIRD, ("CPO", "SCSP"), "Third")]


def test_lists_the_main_party_first():
    assert own.own_parties() == [
        own.OwnParty(MAIN, ("SCSP",), "Smart charging node"),
        own.OwnParty(SECOND, ("CPO",), "Second"),
        own.OwnParty(THIRD, ("CPO", "SCSP"), "Third"),
    ]
    assert own.all_parties() == [MAIN, SECOND, THIRD]
    assert own.own_roles() == {"CPO", "SCSP"}


@pytest.mark.parametrize(
    ("party", "is_ours"), [(MAIN, True), (("be", "tre"), True), (("BE", "TWO"), False), (("", ""), False)]
)
def test_knows_its_own(party, is_ours):
    assert own.is_ours(party) is is_ours


def test_takes_the_first_that_plays_the_role_else_the_main_one(settings):
    assert (own.party_for("CPO"), own.party_for("SCSP")) == (SECOND, MAIN)
    settings.OTHER_PARTIES = []
    assert own.party_for("CPO") == MAIN


def test_reads_a_cpo_as_people_write_it():
    assert own.own_cpo(" nl-two") == SECOND


@pytest.mark.parametrize("text", ["NL-NOD", "NL-XXX", "TWO", ""])
def test_names_the_cpos_where_none_is_meant(text):
    with pytest.raises(own.NoSuchParty) as caught:
        own.own_cpo(text)

    assert str(caught.value) == f"{text} is not one of our CPO parties: NL-TWO, BE-TRE."


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["CPO", "SCSP", "HUB"])
def test_nobody_else_speaks_for_any_of_ours(role):
    partner = make_partner(role=role, country_code="BE", party_id="TRE")

    assert not any(partner.speaks_for(party) for party in (MAIN, SECOND, THIRD, ("be", "tre")))
    assert partner.speaks_for(("BE", "OTH")) is (role == "HUB")
