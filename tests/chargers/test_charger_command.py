"""`manage.py charger`: add, list and show."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from chargers.models import Charger, Outlet
from chargers.ownership import open_gateway
from locations.models import Evse, Location
from ocpi.protocol.errors import InvalidParameters
from tests.factories import NOW, make_charger, make_transaction

pytestmark = pytest.mark.django_db


def charger_command(*words: str) -> Any:
    """Run the command with --json and return what it printed."""
    output = StringIO()
    call_command("charger", *words, "--json", stdout=output)
    return json.loads(output.getvalue())


def test_adds_a_charger_with_location_and_evses() -> None:
    printed = charger_command(
        "add", "CH1", "--location", "LOC1", "--evses", "2", "--phases", "1", "--voltage", "240",
        "--max-current", "16", "--password", "a good password",
    )  # fmt: skip

    assert printed == {
        "charger": Charger.objects.get().pk,
        "identity": "CH1",
        "url": "ws://127.0.0.1:9000/CH1",
        "country_code": "NL",
        "party_id": "NOD",
        "location_id": "LOC1",
        "evses": [{"uid": "CH1-1", "connector_id": "1"}, {"uid": "CH1-2", "connector_id": "1"}],
    }
    assert "a good password" not in Charger.objects.get().password_hash
    outlets = Outlet.objects.values_list("number", "evse__uid", "phases", "voltage_v", "max_current_a")
    assert list(outlets) == [(1, "CH1-1", 1, 240, 16), (2, "CH1-2", 1, 240, 16)]
    connector = Evse.objects.all()[0].document["connectors"][0]
    assert (connector["power_type"], connector["max_voltage"], connector["max_amperage"]) == (
        "AC_1_PHASE", 240, 16,
    )  # fmt: skip


def test_uses_a_location_that_is_there(settings: Any) -> None:
    settings.NODE_URL = "https://node.example"
    charger_command("add", "CH1", "--location", "LOC1")

    printed = charger_command("add", "ch1", "--location", "loc1")

    assert Location.objects.count() == 1
    assert (printed["location_id"], printed["url"]) == ("LOC1", "ws://node.example:9000/ch1")
    assert [evse["uid"] for evse in printed["evses"]] == ["ch1-1-2"]


def test_gives_no_uid_twice_on_the_whole_platform() -> None:
    charger_command("add", "CH1", "--location", "LOC1")

    printed = charger_command("add", "ch1", "--location", "LOC2")

    assert [evse["uid"] for evse in printed["evses"]] == ["ch1-1-2"]


def test_names_the_location_after_the_charger() -> None:
    assert charger_command("add", "NL*ABC*1")["location_id"] == "LOC-NL*ABC*1"
    assert charger_command("add", "NL*ABC*1B")["url"] == "ws://127.0.0.1:9000/NL%2AABC%2A1B"


def test_names_the_port_that_the_gateway_listens_on() -> None:
    open_gateway(port=9100, now=NOW)
    open_gateway(port=9200, now=NOW + timedelta(seconds=1))

    assert charger_command("add", "CH1")["url"] == "ws://127.0.0.1:9200/CH1"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["CH1"], "There is a charger CH1 already."),
        (["a/b"], "'a/b' is no name for a charger"),
        (["a:b"], "'a:b' is no name for a charger"),
        (["x" * 49], "is no name for a charger"),
        (["CH2", "--location", "a b"], "'a b' is no id for a location"),
        (["CH2", "--evses", "0"], "--evses must be 1 to 100, not 0."),
        (["CH2", "--evses", "two"], "invalid int value: 'two'"),
        (["CH2", "--phases", "2"], "invalid choice: 2"),
        (["CH2", "--voltage", "-230"], "--voltage must be 50 to 1000, not -230."),
        (["CH2", "--max-current", "0"], "--max-current must be 1 to 1000, not 0."),
        (["CH2", "--password", ""], "--password is empty; leave it out for a charger that needs none."),
        (["CH2", "--password", "x" * 65], "--password must be at most 64 printable characters."),
    ],
)
def test_refuses_what_makes_no_sense(words: list[str], reason: str) -> None:
    charger_command("add", "CH1")

    with pytest.raises((CommandError, InvalidParameters), match=reason.replace("(", r"\(")):
        charger_command("add", *words)

    assert (Charger.objects.count(), Location.objects.count()) == (1, 1)


def test_shows_what_a_charger_is_and_does() -> None:
    charger = make_charger(identity="CH1", configuration={"NumberOfConnectors": "1"}, password_hash="secret")
    charging = make_transaction(charger=charger)

    shown = charger_command("show", "CH1")

    assert shown == {
        "charger": charger.pk,
        "identity": "CH1",
        "url": "ws://127.0.0.1:9000/CH1",
        "country_code": "NL",
        "party_id": "NOD",
        "location_id": "LOC1",
        "evses": [
            {
                "uid": "LOC1-EVSE1",
                "connector_id": "1",
                "number": 1,
                "status": "AVAILABLE",
                "phases": 3,
                "voltage_v": 230,
                "max_current_a": 32,
                "session": charging.session.session_id,
            }
        ],
        "connected": False,
        "last_seen_at": None,
        "has_password": True,
        "ocpp_version": "1.6",
        "vendor": "",
        "model": "",
        "firmware": "",
        "open_commands": 0,
        "takes_profiles": None,
        "reads_schedules": None,
        "configuration": {"NumberOfConnectors": "1"},
        "commands": [],
    }


def test_lists_chargers_for_programs_and_people() -> None:
    empty = StringIO()
    call_command("charger", "list", stdout=empty)
    make_charger(identity="CH1", connected_at=NOW)
    table = StringIO()
    call_command("charger", "list", stdout=table)

    assert empty.getvalue() == "No charger yet: `charger add IDENTITY` adds one.\n"
    assert table.getvalue().splitlines()[1].split() == ["CH1", "LOC1", "1", "no", "0"]
    assert [row["identity"] for row in charger_command("list")["chargers"]] == ["CH1"]


def test_says_so_when_there_is_no_such_charger() -> None:
    with pytest.raises(CommandError, match="There is no charger NOBODY"):
        charger_command("show", "NOBODY")


def test_adds_a_charger_of_the_party_that_is_named(settings: Any) -> None:
    settings.OTHER_PARTIES = [("NL", "ABC", ("CPO",), "Second"), ("NL", "XYZ", ("SCSP",), "Third")]

    first = charger_command("add", "CH1", "--location", "LOC1")
    second = charger_command("add", "CH2", "--location", "LOC1", "--party", "nl-abc")

    assert [one["party_id"] for one in (first, second)] == ["NOD", "ABC"]
    assert sorted(Location.objects.values_list("key", flat=True)) == ["NL*ABC*LOC1", "NL*NOD*LOC1"]
    with pytest.raises(CommandError, match="NL-XYZ is not one of our CPO parties: NL-NOD, NL-ABC"):
        charger_command("add", "CH3", "--party", "NL-XYZ")
