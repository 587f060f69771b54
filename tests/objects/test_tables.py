"""The checkers beside the specification's tables: every field, length, type, cardinality and enum value."""

from __future__ import annotations

from typing import Any

import pytest

from chargingprofiles import objects as profiles
from locations import objects as locations
from ocpi.partners import documents
from ocpi.protocol.errors import InvalidParameters
from ocpi.protocol.quirks import Quirk, refusing
from ocpi.protocol.types import Object
from sessions import objects as sessions
from tests.objects.tables import ENUMS, OBJECTS, Row, rows, values

CHECKERS = {
    "Image": documents.IMAGE,
    "BusinessDetails": documents.BUSINESS_DETAILS,
    "CredentialsRole": documents.CREDENTIALS_ROLE,
    "Credentials": documents.CREDENTIALS,
    "DisplayText": locations.DISPLAY_TEXT,
    "GeoLocation": locations.GEO_LOCATION,
    "AdditionalGeoLocation": locations.ADDITIONAL_GEO_LOCATION,
    "PublishTokenType": locations.PUBLISH_TOKEN_TYPE,
    "RegularHours": locations.REGULAR_HOURS,
    "ExceptionalPeriod": locations.EXCEPTIONAL_PERIOD,
    "Hours": locations.HOURS,
    "EnergySource": locations.ENERGY_SOURCE,
    "EnvironmentalImpact": locations.ENVIRONMENTAL_IMPACT,
    "EnergyMix": locations.ENERGY_MIX,
    "StatusSchedule": locations.STATUS_SCHEDULE,
    "Connector": locations.CONNECTOR,
    "EVSE": locations.EVSE,
    "Location": locations.LOCATION,
    "CdrToken": sessions.CDR_TOKEN,
    "CdrDimension": sessions.CDR_DIMENSION,
    "ChargingPeriod": sessions.CHARGING_PERIOD,
    "Price": sessions.PRICE,
    "Session": sessions.SESSION,
    "ChargingPreferences": sessions.CHARGING_PREFERENCES,
    "ChargingProfilePeriod": profiles.CHARGING_PROFILE_PERIOD,
    "ChargingProfile": profiles.CHARGING_PROFILE,
    "SetChargingProfile": profiles.SET_CHARGING_PROFILE,
    "ActiveChargingProfile": profiles.ACTIVE_CHARGING_PROFILE,
    "ActiveChargingProfileResult": profiles.RESULT_WITH_PROFILE,
    "ChargingProfileResult": profiles.RESULT,
}
# Texts that a rule of their object reads.
TEXTS = {
    "latitude": "51.047599",
    "longitude": "-123.729944",
    "period_begin": "08:00",
    "period_end": "23:59",
    "country_code": "BE",
    "party_id": "BEC",
}
# A profile to set must say something; one that a charger reports may be empty (docs/decisions.md).
STRICTER = {("ChargingProfile", "charging_profile_period")}
# A PublishTokenType is of use with one of three fields, so none of them stands alone in the table.
AT_LEAST = {"PublishTokenType": {"group_id": "FLEET"}}
# What we don't know here is kept, or becomes what is said (docs/decisions.md).
OPEN = {
    "Capability",
    "CdrDimensionType",
    "ConnectorType",
    "EnergySourceCategory",
    "EnvironmentalImpactCategory",
    "Facility",
    "ImageCategory",
    "ParkingRestriction",
    "ParkingType",
}
UNKNOWN = {("Status", "*"): "UNKNOWN", ("TokenType", "CdrToken"): "OTHER"}
FIELDS = [(name, row) for name in OBJECTS for row in rows(name)]
IDS = [f"{name}.{row.name}" for name, row in FIELDS]


def sample(row: Row) -> Any:
    """Return a value of the field's type, of full length where it has one, without the list around it."""
    longest = row.longest or 1
    plain = {
        "CiString": "A" * longest,
        "string": "ü" * longest if row.name not in ("token",) else "~" * longest,
        "URL": "https://example.com/".ljust(255, "x"),
        "DateTime": "2026-01-31T12:00:00.123Z",
        "number": 16.1234,
        "int": min(int("9" * longest), 7) if row.name == "weekday" else int("9" * longest),
        "boolean": False,
    }
    if row.type in ("string", "CiString") and row.name in TEXTS:
        return TEXTS[row.name]
    if row.type in ENUMS:
        return values(row.type)[-1]
    return plain[row.type] if row.type in plain else whole(row.type)


def held(row: Row) -> Any:
    """Return the value as the object has it."""
    return [sample(row)] if row.is_list else sample(row)


def whole(name: str) -> dict[str, Any]:
    """Return the object with every field of its table."""
    return {row.name: held(row) for row in rows(name)}


def least(name: str) -> dict[str, Any]:
    """Return the object with what it must have."""
    needed = {row.name: held(row) for row in rows(name) if row.is_required or (name, row.name) in STRICTER}
    return needed | AT_LEAST.get(name, {})


def checked(name: str, document: Any) -> dict[str, Any]:
    return CHECKERS[name].check(document)


def refusal(name: str, document: Any) -> str:
    with pytest.raises(InvalidParameters) as caught:
        checked(name, document)
    return caught.value.message


@pytest.mark.parametrize("name", OBJECTS)
def test_has_the_fields_of_the_table_and_no_others(name: str) -> None:
    checker: Object = CHECKERS[name]

    assert set(checker.fields) == {row.name for row in rows(name)}


@pytest.mark.parametrize("name", OBJECTS)
def test_takes_all_that_may_be_there_and_as_little_as_must_be(name: str) -> None:
    unknown = {"x_vendor": {"deep": [None, {"1": 2.5}]}}

    assert checked(name, whole(name) | unknown) == whole(name) | unknown
    assert checked(name, least(name)) == least(name)
    with refusing(Quirk):
        assert checked(name, whole(name)) == whole(name)
        assert checked(name, least(name)) == least(name)


@pytest.mark.parametrize(("name", "row"), FIELDS, ids=IDS)
def test_knows_what_must_be_there(name: str, row: Row) -> None:
    document = whole(name)
    without = {field: value for field, value in document.items() if field != row.name}

    if row.is_required or (name, row.name) in STRICTER:
        assert refusal(name, without) == f"{row.name}: is missing"
        assert refusal(name, document | {row.name: None}) == f"{row.name}: must not be null"
    elif (name, row.name) not in {("PublishTokenType", "type"), ("PublishTokenType", "issuer")}:
        assert checked(name, without) == without
        assert checked(name, document | {row.name: None}) == without
    if row.is_list:
        empty = document | {row.name: []}
        if row.cardinality == "+" or (name, row.name) in STRICTER:
            assert refusal(name, empty) == f"{row.name}: must list at least one"
        else:
            assert checked(name, empty) == empty


@pytest.mark.parametrize(("name", "row"), FIELDS, ids=IDS)
def test_knows_how_long_a_text_may_be(name: str, row: Row) -> None:
    if row.type not in ("string", "CiString", "URL") or row.name in TEXTS:
        return
    most = 255 if row.type == "URL" else row.longest
    # A string of twice its length is still taken: platforms disagree about lengths.
    taken = 2 * most if row.type == "string" else most
    over = str(sample(row)).ljust(taken + 1, "x")
    path = f"{row.name}[0]" if row.is_list else row.name

    message = refusal(name, whole(name) | {row.name: [over] if row.is_list else over})

    assert message.startswith(f"{path}: must ")
    if row.name != "token":
        assert message == f"{path}: must have at most {most} characters"
    else:
        assert len(over) > 64


WRONG: dict[str, list[Any]] = {
    "CiString": [True, {}, [], "ü", "a\n"],
    "string": [True, {}, ["a"], "\x07"],
    "URL": [1, True, {}, "https://example.com/a b"],
    "DateTime": [1769860800, True, {}, "soon", "2026-02-30T00:00:00Z"],
    "number": [True, {}, [1], "many", "NaN", 1e13],
    "int": [True, {}, [1], 1.5, "many", 10**13],
    "boolean": [0, "false", {}, []],
}


@pytest.mark.parametrize(("name", "row"), FIELDS, ids=IDS)
def test_names_a_field_that_has_another_type(name: str, row: Row) -> None:
    path = f"{row.name}[0]" if row.is_list else row.name
    for value in WRONG.get(row.type, [True, [], [{}]] if row.type in ENUMS else [1, True, "text", []]):
        message = refusal(name, whole(name) | {row.name: [value] if row.is_list else value})
        assert message.startswith(f"{path}: must ") or message == f"{path}: is out of any range", message
    if row.is_list:
        for value in ({}, "text", 1, True):
            assert refusal(name, whole(name) | {row.name: value}) == f"{row.name}: must be a list"


@pytest.mark.parametrize(("name", "row"), FIELDS, ids=IDS)
def test_knows_every_value_of_an_enum(name: str, row: Row) -> None:
    if row.type not in ENUMS:
        return

    def answered(value: str) -> Any:
        found = checked(name, whole(name) | {row.name: [value] if row.is_list else value})[row.name]
        return found[0] if row.is_list else found

    with refusing(Quirk):
        assert [answered(value) for value in values(row.type)] == values(row.type)
        with pytest.raises(InvalidParameters, match=f"^{row.name}.*: must be one of "):
            answered("NOT_KNOWN_YET")
    known = CHECKERS[name].fields[row.name]
    while not hasattr(known, "values"):
        known = known.field
    assert set(known.values) == set(values(row.type))

    fallback = UNKNOWN.get((row.type, "*")) or UNKNOWN.get((row.type, name))
    if fallback or row.type in OPEN or (row.type, name) == ("TokenType", "PublishTokenType"):
        assert answered("NOT_KNOWN_YET") == (fallback or "NOT_KNOWN_YET")
    else:
        with pytest.raises(InvalidParameters, match=f"^{row.name}: must be one of "):
            answered("NOT_KNOWN_YET")


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("Image", {"width": 100_000}, "width: must be at most 99999"),
        ("Image", {"height": -1}, "height: must be at least 0"),
        ("RegularHours", {"weekday": 0}, "weekday: must be at least 1"),
        ("RegularHours", {"weekday": 8}, "weekday: must be at most 7"),
        ("RegularHours", {"period_begin": "noon"}, "period_begin: must be a time of day like 08:00"),
        ("RegularHours", {"period_end": "24:01"}, "period_end: must be a time of day like 08:00"),
        ("RegularHours", {"period_end": "08.00"}, "period_end: must be a time of day like 08:00"),
        (
            "GeoLocation",
            {"latitude": "90.00001"},
            "latitude: must be decimal degrees like 51.04759, within 90",
        ),
        (
            "GeoLocation",
            {"longitude": "-180.1"},
            "longitude: must be decimal degrees like 51.04759, within 180",
        ),
        ("GeoLocation", {"latitude": "51,04"}, "latitude: must be decimal degrees like 51.04759, within 90"),
        ("PublishTokenType", {"issuer": None}, "issuer: is needed with visual_number"),
        ("PublishTokenType", {"type": None}, "type: is needed with uid"),
        (
            "PublishTokenType",
            {"uid": None, "visual_number": None, "group_id": None},
            "uid: one of uid, visual_number and group_id is needed",
        ),
        ("Credentials", {"token": "a b"}, "token: must be 1 to 64 printable ASCII characters without spaces"),
        ("Credentials", {"token": ""}, "token: must be 1 to 64 printable ASCII characters without spaces"),
        (
            "Credentials",
            {"roles": [whole("CredentialsRole")] * 2},
            "roles[1]: the same role and party are listed twice",
        ),
        ("EVSE", {"connectors": [whole("Connector")] * 2}, "connectors: id must differ"),
        ("Location", {"evses": [whole("EVSE")] * 2}, "evses: uid must differ"),
        ("Connector", {"max_voltage": -1}, "max_voltage: must be at least 0"),
        ("Connector", {"max_amperage": -1}, "max_amperage: must be at least 0"),
        ("ChargingPreferences", {"energy_need": -1}, "energy_need: must be at least 0"),
    ],
)
def test_knows_what_the_tables_say_in_words(name: str, fields: dict[str, Any], message: str) -> None:
    assert refusal(name, whole(name) | fields) == message


def test_bears_an_active_profile_without_periods() -> None:
    document = whole("ActiveChargingProfile")
    document["charging_profile"]["charging_profile_period"] = []

    assert checked("ActiveChargingProfile", document) == document


@pytest.mark.parametrize("moment", ["8:00", "08:00:00", "24:00", "00:00"])
def test_bears_other_ways_to_write_a_time_of_day(moment: str) -> None:
    document = whole("RegularHours") | {"period_end": moment}

    assert checked("RegularHours", document) == document
    if moment != "00:00":
        with refusing([Quirk.DATE_FORMS]):
            assert refusal("RegularHours", document) == "period_end: must be a time of day like 08:00"


@pytest.mark.parametrize("latitude", ["51.0475991", "51.04", "51", "-0.5"])
def test_bears_fewer_decimals_of_others(latitude: str) -> None:
    document = whole("GeoLocation") | {"latitude": latitude}

    assert checked("GeoLocation", document) == document


def test_bears_an_empty_address_where_there_may_be_none() -> None:
    document = whole("BusinessDetails") | {"website": ""}
    document["logo"] |= {"thumbnail": ""}

    assert checked("BusinessDetails", document) == document
    with refusing([Quirk.NULLS]):
        assert refusal("BusinessDetails", document) == "website: must not be empty"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"coordinates": {"latitude": "51.04", "longitude": "3.72994"}},
            "coordinates.latitude: must have five to seven decimals, like 51.04759",
        ),
        (
            {"coordinates": {"latitude": "51.04759", "longitude": "3"}},
            "coordinates.longitude: must have five to seven decimals, like 51.04759",
        ),
        (
            {"opening_times": {"twentyfourseven": False}},
            "opening_times.regular_hours: needed when not twentyfourseven, and only then",
        ),
        (
            {"opening_times": {"twentyfourseven": True, "regular_hours": [whole("RegularHours")]}},
            "opening_times.regular_hours: needed when not twentyfourseven, and only then",
        ),
        (
            {
                "opening_times": {
                    "twentyfourseven": False,
                    "regular_hours": [whole("RegularHours") | {"period_end": "24:00"}],
                }
            },
            "opening_times.regular_hours[0].period_end: must be a time of day like 08:00",
        ),
        ({"publish": True}, "publish_allowed_to: only when publish is false"),
    ],
)
def test_is_exact_about_locations_of_our_own(fields: dict[str, Any], message: str) -> None:
    own = whole("Location")
    assert locations.OWN_LOCATION.check(own) == own
    assert locations.LOCATION.check(own | fields) == own | fields

    with pytest.raises(InvalidParameters) as caught:
        locations.OWN_LOCATION.check(own | fields)

    assert caught.value.message == message
