"""What is borne from other platforms, and refused from one that should know."""

from typing import Any

import pytest

from chargingprofiles.objects import CHARGING_PROFILE, unwrapped
from chargingprofiles.query import response_url_and_duration
from locations.objects import LOCATION
from ocpi.protocol.errors import InvalidParameters
from ocpi.protocol.quirks import MEANINGS, Quirk, refuse, refusing, tolerate
from sessions.objects import SESSION
from tests.factories import location_document, session_document

WITH_OFFSET = session_document(start_date_time="2026-01-15T12:00:00+00:00")
IN_MICROSECONDS = session_document(start_date_time="2026-01-15T12:00:00.123456Z")
PROFILE = {"charging_rate_unit": "A", "charging_profile_period": [{"start_period": 0, "limit": 6}]}
CASES = [
    (Quirk.DATE_FORMS, SESSION, WITH_OFFSET, "start_date_time"),
    (Quirk.DATE_FORMS, SESSION, IN_MICROSECONDS, "start_date_time"),
    (Quirk.NUMBERS_AS_STRINGS, SESSION, session_document(kwh="1.5"), "kwh"),
    (Quirk.NUMBERS_AS_STRINGS, SESSION, session_document(meter_id=7), "meter_id"),
    (Quirk.NUMBERS_AS_STRINGS, CHARGING_PROFILE, PROFILE | {"duration": "60"}, "duration"),
    (Quirk.LONG_TEXTS, SESSION, session_document(meter_id="m" * 256), "meter_id"),
    (Quirk.NULLS, SESSION, session_document(total_cost=None), "total_cost"),
    (Quirk.UNKNOWN_FIELDS, SESSION, session_document(colour="red"), "colour"),
    (Quirk.UNKNOWN_FIELDS, LOCATION, location_document(operator={"name": "O", "vat": "1"}), "operator.vat"),
    (Quirk.RESERVED, SESSION, session_document(status="RESERVED"), "status"),
    (
        Quirk.UNKNOWN_VALUES,
        SESSION,
        session_document(cdr_token=session_document()["cdr_token"] | {"type": "EMAID"}),
        "cdr_token.type",
    ),
]  # fmt: skip


def test_each_has_a_meaning() -> None:
    assert list(MEANINGS) == list(Quirk)


@pytest.mark.parametrize(("quirk", "checker", "document", "field"), CASES)
def test_is_borne_until_it_is_refused(quirk: Quirk, checker: Any, document: Any, field: str) -> None:
    checker.check(document)

    with refusing(set(Quirk) - {quirk}):
        checker.check(document)
    with refusing({quirk}), pytest.raises(InvalidParameters, match=f"^{field}: "):
        checker.check(document)


@pytest.mark.parametrize(
    ("quirk", "read"),
    [
        (Quirk.WRAPPED_RESULTS, lambda: unwrapped({"data": {"result": "ACCEPTED"}})),
        (Quirk.UNENCODED_RESPONSE_URL, lambda: response_url_and_duration("response_url=https://a.b/c?d=e&f=g")),
    ],
)  # fmt: skip
def test_is_borne_in_results_and_queries_until_it_is_refused(quirk: Quirk, read: Any) -> None:
    read()

    with refusing(set(Quirk) - {quirk}):
        read()
    with refusing({quirk}), pytest.raises(InvalidParameters, match=r"^(result|response_url): must "):
        read()


def test_a_strict_document_passes_with_everything_refused() -> None:
    with refusing(Quirk):
        assert SESSION.check(session_document()) == session_document()
        assert LOCATION.check(location_document()) == location_document()
        assert CHARGING_PROFILE.check(PROFILE) == PROFILE
        assert response_url_and_duration("response_url=https%3A%2F%2Fa.b%2Fc%3Fd%3De") == (
            "https://a.b/c?d=e",
            "",
        )


def test_a_refusal_ends_with_its_block() -> None:
    with refusing(()):
        refuse({Quirk.NULLS})
        with refusing({Quirk.RESERVED}):
            tolerate(Quirk.NULLS, "x: must not be null")
        with pytest.raises(InvalidParameters, match="x: must not be null"):
            tolerate(Quirk.NULLS, "x: must not be null")
    tolerate(Quirk.NULLS, "x: must not be null")


def test_writes_the_name_of_an_unknown_field_so_that_it_fits_into_one_line() -> None:
    with refusing([Quirk.UNKNOWN_FIELDS]), pytest.raises(InvalidParameters) as caught:
        SESSION.check(session_document(**{"x\n2026 INFO": 1}))

    assert caught.value.message == "'x\\n2026 INFO': is no field of this object"
