"""`manage.py partner`, as people and scripts use it."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from ocpi.partners import pulls
from ocpi.partners.models import Partner
from ocpi.partners.pulls import PullCount, register_puller
from ocpi.protocol.quirks import Quirk
from tests.factories import make_partner

pytestmark = pytest.mark.django_db(transaction=True)
EVERYWHERE = {"country_code": None, "party_id": None, "location_id": None}


def run(*arguments: str) -> Any:
    """Run the command with --json and return its one object."""
    printed = StringIO()
    call_command("partner", *arguments, "--json", stdout=printed, stderr=StringIO())
    return json.loads(printed.getvalue())


def told(*arguments: str) -> str:
    printed = StringIO()
    call_command("partner", *arguments, stdout=printed, stderr=StringIO())
    return printed.getvalue()


def summary_of(partner: Partner, **fields: Any) -> dict[str, Any]:
    return {
        "partner": partner.pk,
        "name": partner.name,
        "status": "registered",
        "sign_in": "credentials",
        "api_key_header": None,
        "version": "2.2.1",
        "versions_url": partner.versions_url,
        "roles": [{"role": "SCSP", "country_code": "DE", "party_id": "JED"}],
        "endpoints": [
            {"identifier": one.identifier, "role": one.role, "url": one.url}
            for one in partner.endpoints.all()
        ],
        "grants": [],
        "response_hosts": [],
        "refused_quirks": [],
        "registered_at": "2026-01-15T12:00:00Z",
        "endpoints_changed_at": None,
        "last_seen_at": None,
        "last_error": "",
        "pulled": {},
        "pull_due_at": None,
        **fields,
    }


def test_invites_and_shows_the_token_once(node):
    printed = run(
        "invite", "--name", "Jedlix", "--may-steer", "--host", "CB.example.com", "--host", "127.0.0.1"
    )

    partner = Partner.objects.get()
    assert printed == {
        "partner": partner.pk,
        "token": printed["token"],
        "versions_url": f"{node.url}/ocpi/versions",
    }
    assert node.opens(printed["token"], "versions")
    shown = run("show", str(partner.pk))
    assert shown["response_hosts"] == ["127.0.0.1", "cb.example.com"]
    assert shown["grants"] == [EVERYWHERE]
    assert printed["token"] not in json.dumps(shown) + told("show", str(partner.pk)) + told("list")
    assert printed["token"] != run("invite", "--name", "Jedlix")["token"]


def test_registers_rotates_and_unregisters(node, platform):
    platform.answers("POST")
    platform.answers("PUT")
    versions_url = f"{platform.peer.url}/versions"

    printed = run("register", "--name", "Jedlix", "--versions-url", versions_url, "--token", "a")

    partner = Partner.objects.get()
    assert printed == {
        "partner": partner.pk,
        "status": "registered",
        "version": "2.2.1",
        "roles": [{"role": "SCSP", "country_code": "NL", "party_id": "JED"}],
    }
    assert run("rotate", str(partner.pk))["status"] == "registered"
    assert len(platform.received) == 2
    ended = run("unregister", str(partner.pk))
    assert (ended["status"], ended["confirmed"], ended["endpoints"]) == ("ended", True, [])


def test_ends_a_partner_that_does_not_answer_and_says_so():
    partner = make_partner(name="Gone")

    assert "did not confirm" in told("unregister", "Gone")

    partner.refresh_from_db()
    assert partner.status == "ENDED"


def test_lists_and_shows_partners_without_secrets():
    partner = make_partner(country_code="DE", party_id="JED", token="token-c")

    assert run("list") == {"partners": [summary_of(partner)]}
    assert run("show", str(partner.pk)) == run("show", partner.name) == summary_of(partner)
    people = told("show", str(partner.pk))
    assert "DE-JED as SCSP" in people
    for secret in ("token-c", partner.outbound_token_encrypted, "outbound-"):
        assert secret not in people + told("list")


def test_lists_many_partners_with_few_queries(django_assert_max_num_queries):
    for _ in range(3):
        make_partner()

    with django_assert_max_num_queries(4):
        run("list")


def test_grants_and_revokes():
    partner = make_partner(country_code="DE", party_id="JED")

    there = {"country_code": "NL", "party_id": "NOD", "location_id": "LOC1"}
    assert run("grant", str(partner.pk), "--location", "loc1")["grants"] == [there]
    assert run("grant", str(partner.pk))["grants"] == [there, EVERYWHERE]
    assert run("revoke", str(partner.pk)) == summary_of(partner)


def test_grants_all_or_one_location_of_a_party_of_ours(settings):
    settings.OTHER_PARTIES = [("NL", "ABC", ("CPO",), "Second"), ("NL", "XYZ", ("SCSP",), "Third")]
    partner = str(make_partner().pk)
    of_party = {"country_code": "NL", "party_id": "ABC", "location_id": None}

    assert run("grant", partner, "--party", "nl-abc")["grants"] == [of_party]
    assert run("grant", partner, "--party", "NL-ABC", "--location", "LOC1")["grants"] == [
        of_party,
        of_party | {"location_id": "LOC1"},
    ]
    people = told("show", partner)
    assert "at all our locations of NL-ABC" in people
    assert "at LOC1 of NL-ABC" in people
    with pytest.raises(CommandError, match="NL-XYZ is not one of our CPO parties: NL-NOD, NL-ABC"):
        run("grant", partner, "--party", "NL-XYZ")


def test_pulls(monkeypatch):
    monkeypatch.setattr(pulls, "_pullers", {})
    register_puller("sessions", lambda partner, reading: PullCount(stored=3, refused=1))
    register_puller("locations", lambda partner, reading: PullCount(stored=2))
    partner = make_partner(role="CPO")

    assert run("pull", str(partner.pk)) == {"locations": 2, "sessions": 3, "refused": 1}
    assert run("pull", str(partner.pk), "--module", "sessions") == {
        "locations": 0,
        "sessions": 3,
        "refused": 1,
    }
    assert "3 sessions" in told("pull", str(partner.pk))


@pytest.mark.parametrize("verb", ["show", "rotate", "unregister", "grant", "revoke", "pull"])
@pytest.mark.parametrize("identifier", ["999", "nobody", "99999999999999999999999", "-"])
def test_says_that_there_is_no_such_partner(verb, identifier):
    with pytest.raises(CommandError, match=f"There is no partner {identifier}"):
        run(verb, identifier)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["invite", "--name", "Known"], "Known is registered"),
        (["invite", "--name", " "], "--name"),
        (["invite", "--name", "x" * 101], "--name"),
        (["invite", "--name", "New", "--host", "http://a/b"], "not a host"),
        (["invite", "--name", "New", "--host", "example.com:8443"], "without a port"),
        (["invite", "--name", "New", "--host", "169.254.169.254"], "not a host"),
        (["invite"], "--name"),
        (["register", "--name", "New", "--versions-url", "nonsense", "--token", "a"], "nonsense"),
        (
            ["register", "--name", "New", "--versions-url", "http://127.0.0.1:9/", "--token", "a"],
            "127.0.0.1:9",
        ),
        (
            ["register", "--name", "Known", "--versions-url", "http://127.0.0.1:9/", "--token", "a"],
            "registered",
        ),
        (["grant", "Known", "--location", "x" * 37], "--location"),
        (["grant", "Known", "--location", ""], "--location"),
        (["grant", "Known", "--location", " "], "--location"),
        (["grant", "Ended"], "has ended"),
        (["rotate", "Ended"], "not registered"),
        (["unregister", "Ended"], "has ended already"),
        (["pull", "Known", "--module", "tariffs"], "tariffs"),
        (["dance"], "dance"),
        ([], "VERB"),
    ],
)
def test_refuses_with_a_reason_in_one_line(arguments, reason):
    make_partner(name="Known")
    make_partner(name="Ended")
    Partner.objects.filter(name="Ended").update(status=Partner.Status.ENDED)

    with pytest.raises(CommandError) as refused:
        run(*arguments)

    assert reason in str(refused.value)
    assert "\n" not in str(refused.value).strip()
    assert Partner.objects.count() == 2


def test_refuses_and_bears_quirks_of_a_partner(node):
    partner = make_partner(party_id="JED")
    everything = sorted(Quirk)

    assert run("quirks", str(partner.pk)) == {"partner": partner.pk, "refused": [], "accepted": everything}
    assert run("quirks", str(partner.pk), "--refuse", "nulls", "--refuse", "raw-tokens")["refused"] == [
        "nulls",
        "raw-tokens",
    ]
    assert run("show", str(partner.pk))["refused_quirks"] == ["nulls", "raw-tokens"]
    assert "refused    nulls, raw-tokens" in told("show", str(partner.pk))
    assert "  refused  nulls" in told("quirks", str(partner.pk), "--accept", "raw-tokens")
    assert run("quirks", str(partner.pk), "--refuse", "all")["refused"] == everything
    assert run("quirks", str(partner.pk), "--accept", "all")["refused"] == []


def test_says_when_a_quirk_is_none(node):
    partner = make_partner(party_id="JED")

    with pytest.raises(CommandError, match="There is no quirk 'manners': `partner quirks ID` lists them"):
        run("quirks", str(partner.pk), "--refuse", "nulls", "--refuse", "manners")

    partner.refresh_from_db()
    assert partner.refused_quirks == []
