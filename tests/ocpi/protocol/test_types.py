from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi.protocol.errors import InvalidParameters
from ocpi.protocol.types import (
    Boolean,
    CiString,
    DateTime,
    Enum,
    Field,
    Integer,
    ListOf,
    Number,
    Object,
    String,
    Url,
    fold,
    optional,
)

STATUS = Enum("ACTIVE", "RESERVATION", aliases={"RESERVED": "RESERVATION"})


@pytest.mark.parametrize(
    ("field", "value", "cleaned"),
    [
        (String(3), "a" * 6, "a" * 6),
        (String(9), "", ""),
        (String(9), 3, "3"),
        (String(9), 51.5, "51.5"),
        (String(20), "Straße\n2\té", "Straße 2 é"),
        (CiString(3), "Abc", "Abc"),
        (CiString(3), 12, "12"),
        (Number(), 1, 1),
        (Number(), 1.25, 1.25),
        (Number(), 1.000049, 1.0),
        (Number(), "16", 16),
        (Number(), " -16.5 ", -16.5),
        (Number(), "1.6e1", 16.0),
        (Number(decimals=1), 16.05001, 16.1),
        (Number(least=0), 0, 0),
        (Integer(), 3, 3),
        (Integer(), 3.0, 3),
        (Integer(), "3", 3),
        (Integer(), "3.0", 3),
        (Boolean(), False, False),
        (STATUS, "ACTIVE", "ACTIVE"),
        (STATUS, "RESERVED", "RESERVATION"),
        (Enum("A", fallback="UNKNOWN"), "B", "UNKNOWN"),
        (Enum("A", open=True), "B", "B"),
        (Url(), "https://example.com/" + "a" * 235, "https://example.com/" + "a" * 235),
        (DateTime(), "2026-01-02T03:04:05", "2026-01-02T03:04:05"),
        (DateTime(), "2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05.1Z"),
        (DateTime(), "2026-01-02T05:04:05.123456+02:00", "2026-01-02T03:04:05.123Z"),
        (ListOf(Integer()), ["1", 2.0], [1, 2]),
        (ListOf(Integer()), [], []),
    ],
)
def test_takes(field: Field, value: Any, cleaned: Any) -> None:
    found = field.cleaned(value, "field")

    assert found == cleaned
    assert type(found) is type(cleaned)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (String(3), "a" * 7, "field: must have at most 3 characters"),
        (String(3), None, "field: must be a string"),
        (String(3), True, "field: must be a string"),
        (String(3), {}, "field: must be a string"),
        (String(3), "\x07", "field: must not have control characters"),
        (CiString(3), "abcd", "field: must have at most 3 characters"),
        (CiString(3), "", "field: must not be empty"),
        (CiString(3), "é", "field: must be printable ASCII"),
        (CiString(3), "a\n", "field: must be printable ASCII"),
        (Number(), True, "field: must be a number"),
        (Number(), "", "field: must be a number"),
        (Number(), "NaN", "field: must be a number"),
        (Number(), "1_000", "field: must be a number"),
        (Number(), "0x10", "field: must be a number"),
        (Number(), "\u0661", "field: must be a number"),
        (Number(), float("nan"), "field: must be a number"),
        (Number(), float("inf"), "field: must be a number"),
        (Number(), [1], "field: must be a number"),
        (Number(), 1e13, "field: is out of any range"),
        (Number(), "9" * 30, "field: is out of any range"),
        (Number(), "9" * 31, "field: must be a number"),
        (Number(), "1e99", "field: is out of any range"),
        (Number(), 10**400, "field: is out of any range"),
        (Integer(), -(10**400), "field: is out of any range"),
        (Number(least=0), -0.1, "field: must be at least 0"),
        (Integer(), 3.5, "field: must be a whole number"),
        (Integer(), False, "field: must be a whole number"),
        (Integer(least=1), "0", "field: must be at least 1"),
        (Boolean(), "true", "field: must be true or false"),
        (Boolean(), 1, "field: must be true or false"),
        (STATUS, "active", "field: must be one of ACTIVE, RESERVATION"),
        (STATUS, 1, "field: must be one of ACTIVE, RESERVATION"),
        (Url(), "https://example.com/" + "a" * 236, "field: must have at most 255 characters"),
        (Url(), "https://example.com/a b", "field: must be a URL without spaces and control characters"),
        (Url(), 1, "field: must be a URL"),
        (DateTime(), "yesterday", "field: must be a date and time like 2026-01-31T12:00:00Z"),
        (
            DateTime(),
            "2026-02-30T00:00:00Z",
            "field: must be a date and time that exists, like 2026-01-31T12:00:00Z",
        ),
        (DateTime(), 1767323045, "field: must be a date and time like 2026-01-31T12:00:00Z"),
        (ListOf(Integer()), {}, "field: must be a list"),
        (ListOf(Integer(), least=1), [], "field: must list at least one"),
        (ListOf(Integer()), [1, "x"], "field[1]: must be a whole number"),
    ],
)
def test_refuses(field: Field, value: Any, message: str) -> None:
    with pytest.raises(InvalidParameters) as caught:
        field.cleaned(value, "field")

    assert caught.value.message == message


def _ends_after_start(document: dict[str, Any]) -> None:
    if document.get("end") and document["end"] < document.get("start", ""):
        raise InvalidParameters("end: must not be before start")


PERIOD = Object(
    {
        "start": DateTime(),
        "end": optional(DateTime()),
        "dimensions": optional(ListOf(Object({"volume": Number()}), least=1)),
    },
    rules=[_ends_after_start],
)
SESSION = Object({"id": CiString(36), "tariff": optional(CiString(36)), "periods": optional(ListOf(PERIOD))})
START = "2026-01-02T00:00:00Z"


def test_keeps_unknown_fields_and_drops_null_optional_ones() -> None:
    sent = {
        "id": 7,
        "tariff": None,
        "x_vendor": {"deep": [None]},
        "periods": [{"start": START, "end": None, "x": 1, "dimensions": [{"volume": "1.5"}]}],
    }

    cleaned = SESSION.check(sent)

    assert cleaned == {
        "id": "7",
        "x_vendor": {"deep": [None]},
        "periods": [{"start": START, "x": 1, "dimensions": [{"volume": 1.5}]}],
    }
    assert sent["id"] == 7


def test_takes_an_empty_optional_id_as_it_is() -> None:
    assert SESSION.check({"id": "1", "tariff": ""}) == {"id": "1", "tariff": ""}


def test_takes_a_part_of_an_object_and_keeps_the_nulls_that_clear() -> None:
    assert SESSION.check({"tariff": None}, partial=True) == {"tariff": None}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "The body must be a JSON object"),
        (None, "The body must be a JSON object"),
        ({}, "id: is missing"),
        ({"id": None}, "id: must not be null"),
        ({"id": "1", "periods": [{"start": START}, {}]}, "periods[1].start: is missing"),
        ({"id": "1", "periods": [1]}, "periods[0]: must be an object"),
        (
            {"id": "1", "periods": [{"start": START, "dimensions": [{"volume": True}]}]},
            "periods[0].dimensions[0].volume: must be a number",
        ),
        (
            {"id": "1", "periods": [{"start": START, "dimensions": []}]},
            "periods[0].dimensions: must list at least one",
        ),
        (
            {"id": "1", "periods": [{"start": START, "end": "2026-01-01T00:00:00Z"}]},
            "periods[0].end: must not be before start",
        ),
    ],
)
def test_names_the_path_of_what_is_wrong(document: Any, message: str) -> None:
    with pytest.raises(InvalidParameters) as caught:
        SESSION.check(document)

    assert caught.value.message == message


@pytest.mark.parametrize(
    ("document", "message"),
    [({"id": None}, "id: must not be null"), ({"periods": [{}]}, "periods[0].start: is missing")],
)
def test_refuses_a_part_that_clears_what_is_required_or_has_incomplete_objects(
    document: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidParameters) as caught:
        SESSION.check(document, partial=True)

    assert caught.value.message == message


def test_runs_rules_on_a_part() -> None:
    with pytest.raises(InvalidParameters, match="end: must not be before start"):
        PERIOD.check({"start": START, "end": "2026-01-01T00:00:00Z"}, partial=True)


def test_compares_ids_without_case() -> None:
    assert fold("Loc-1a") == fold("lOC-1A")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(START),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "periods", "start", "end", "dimensions", "volume", "x"]), inner
        )
    ),
    max_leaves=12,
)


@given(ANYTHING)
def test_either_refuses_or_returns_what_it_takes_again_unchanged(document: Any) -> None:
    try:
        cleaned = SESSION.check(document)
    except InvalidParameters:
        return

    known = {name: value for name, value in cleaned.items() if name in SESSION.fields}
    assert {name: SESSION.check(cleaned)[name] for name in known} == known
