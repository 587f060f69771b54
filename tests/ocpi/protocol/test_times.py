from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi.protocol.times import format_datetime, is_strict, parse_datetime


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("2026-01-02T03:04:05", 0),
        ("2026-01-02T03:04:05Z", 0),
        ("2026-01-02T03:04:05.1Z", 100),
        ("2026-01-02T03:04:05.12", 120),
        ("2026-01-02T03:04:05.123Z", 123),
        ("2026-01-02T03:04:05.123999Z", 123),
        ("2026-01-02T03:04:05.123456789Z", 123),
        ("2026-01-02T03:04:05+00:00", 0),
        ("2026-01-02T03:04:05 00:00", 0),
        ("2026-01-02T05:04:05+02:00", 0),
        ("2026-01-02T05:04:05 02:00", 0),
        ("2026-01-01T22:04:05-0500", 0),
        ("2026-01-02 03:04:05Z", 0),
        ("2026-01-02t03:04:05z", 0),
    ],
)
def test_reads_every_form_that_platforms_send(text: str, milliseconds: int) -> None:
    expected = datetime(2026, 1, 2, 3, 4, 5, milliseconds * 1000, tzinfo=UTC)

    assert parse_datetime(text) == expected


def test_reads_a_time_without_seconds_and_a_leap_second() -> None:
    assert parse_datetime("2026-01-02T03:04Z") == datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    assert parse_datetime("2016-12-31T23:59:60Z") == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "2026-01-02",
        "2026-13-02T03:04:05Z",
        "2026-02-30T03:04:05Z",
        "2026-01-02T25:04:05Z",
        "2026-01-02T03:04:61Z",
        "2026-01-02T03:04:05+25:00",
        "0001-01-01T00:00:00+02:00",
        "٢٠٢٦-01-02T03:04:05Z",
        "1767323045",
    ],
)
def test_refuses_what_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match="must be a date and time"):
        parse_datetime(text)


def test_writes_utc_with_z_and_a_fraction_only_when_there_is_one() -> None:
    moment = datetime(2026, 1, 2, 5, 4, 5, 123999, tzinfo=timezone(timedelta(hours=2)))

    assert format_datetime(moment) == "2026-01-02T03:04:05.123Z"
    assert format_datetime(moment.replace(microsecond=999)) == "2026-01-02T03:04:05Z"


def test_refuses_to_write_a_moment_without_a_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        format_datetime(datetime(2026, 1, 2))  # noqa: DTZ001


@given(st.datetimes(timezones=st.just(UTC)))
def test_reads_what_it_wrote(moment: datetime) -> None:
    text = format_datetime(moment)

    assert is_strict(text)
    assert len(text) <= 25
    assert parse_datetime(text) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)
