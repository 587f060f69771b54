import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargers.schedule import (
    Period,
    ProfileError,
    Schedule,
    Unit,
    ceiling,
    converted,
    from_charging_profile,
    lowest,
    maximum,
    merged,
    to_active_profile,
    trimmed,
    windowed,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AC = {"voltage_v": 230, "phases": 3}


def at(seconds):
    return NOON + timedelta(seconds=seconds)


def schedule(*periods, unit="A", starts=0, duration=None, min_rate=None):
    listed = tuple(Period(start_s, Decimal(str(limit))) for start_s, limit in periods)
    return Schedule(at(starts), Unit(unit), listed, duration, min_rate)


def profile(*periods, **fields):
    listed = [{"start_period": start_s, "limit": limit} for start_s, limit in periods]
    return {"charging_rate_unit": "A", "charging_profile_period": listed, **fields}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(profile((0, 16)), schedule((0, 16)), id="without start: from the start of charging"),
        pytest.param(
            profile((0, 16), start_date_time="2026-03-01T13:00:10+01:00"),
            schedule((0, 16), starts=10),
            id="its own start, any zone",
        ),
        pytest.param(
            profile((0, 16), start_date_time="2026-03-01T12:00:10"),
            schedule((0, 16), starts=10),
            id="without a zone: UTC",
        ),
        pytest.param(
            profile((0, 16), start_date_time="2026-03-01T12:00:10.999Z"),
            schedule((0, 16), starts=10),
            id="whole seconds",
        ),
        pytest.param(
            profile((60, 6), (0, 16), duration=100), schedule((0, 16), (60, 6), duration=100), id="sorted"
        ),
        pytest.param(
            profile((30, 16), (60, 6), duration=100),
            schedule((0, 16), (30, 6), starts=30, duration=70),
            id="a first period after 0 moves the start",
        ),
        pytest.param(
            profile((0, 16), (60, 6), (100, 8), duration=60),
            schedule((0, 16), duration=60),
            id="periods at or past the duration are left out",
        ),
        pytest.param(
            profile((0, 16.19), (60, 6.05), min_charging_rate=1.19),
            schedule((0, 16.1), (60, 6), min_rate=Decimal("1.1")),
            id="rounded down",
        ),
        pytest.param(profile((0, "16.5")), schedule((0, 16.5)), id="numbers as text"),
        pytest.param(profile((0.0, 16)), schedule((0, 16)), id="whole seconds as a fraction"),
    ],
)
def test_reads_a_charging_profile(document, expected):
    assert from_charging_profile(document, relative_to=NOON) == expected


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (profile(), "charging_profile_period"),
        ({"charging_rate_unit": "A"}, "charging_profile_period"),
        (profile((0, 16), (0, 8)), "charging_profile_period"),
        (profile(*((n, 16) for n in range(1025))), "charging_profile_period"),
        ({"charging_rate_unit": "A", "charging_profile_period": ["16"]}, "charging_profile_period[0]"),
        (profile((0, 16), (-1, 8)), "charging_profile_period[1].start_period"),
        (profile((0.5, 16)), "charging_profile_period[0].start_period"),
        (profile((True, 16)), "charging_profile_period[0].start_period"),
        (profile((4e8, 16)), "charging_profile_period[0].start_period"),
        (profile((0, -1)), "charging_profile_period[0].limit"),
        (profile((0, True)), "charging_profile_period[0].limit"),
        (profile((0, None)), "charging_profile_period[0].limit"),
        (profile((0, float("nan"))), "charging_profile_period[0].limit"),
        (profile((0, 10**30)), "charging_profile_period[0].limit"),
        (profile((0, 16), duration=0), "duration"),
        (profile((60, 16), duration=60), "duration"),
        (profile((0, 16), duration=-1), "duration"),
        (profile((0, 16), duration=400_000_000), "duration"),
        (profile((0, 16), min_charging_rate=-1), "min_charging_rate"),
        (profile((0, 16), charging_rate_unit="kW"), "charging_rate_unit"),
        (profile((0, 16), start_date_time="soon"), "start_date_time"),
        (profile((0, 16), start_date_time="0001-01-01T00:00:00+14:00"), "start_date_time"),
        (profile((0, 16), start_date_time="2126-01-01T00:00:00Z"), "start_date_time"),
    ],
)
def test_refuses_a_profile_that_makes_no_sense_and_names_the_field(document, field):
    with pytest.raises(ProfileError) as refused:
        from_charging_profile(document, relative_to=NOON)

    assert refused.value.field == field
    assert str(refused.value).startswith(field)


def test_takes_as_many_periods_as_the_specification_allows():
    assert (
        len(from_charging_profile(profile(*((n, 16) for n in range(1024))), relative_to=NOON).periods) == 1024
    )


@pytest.mark.parametrize(("second", "limit"), [(-1, None), (0, 16), (59, 16), (60, 6), (99, 6), (100, None)])
def test_limits_from_its_start_to_its_end(second, limit):
    assert schedule((0, 16), (60, 6), duration=100).limit_at(at(second)) == limit


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (-10, schedule((0, 16), (60, 6), duration=100)),
        (59, schedule((0, 16), (60, 6), duration=100)),
        (60, schedule((0, 6), starts=60, duration=40)),
        (100, None),
    ],
)
def test_drops_what_is_over(second, expected):
    assert trimmed(schedule((0, 16), (60, 6), duration=100), now=at(second)) == expected


def test_a_schedule_without_end_is_never_over():
    assert trimmed(schedule((0, 16)), now=at(10**7)) == schedule((0, 16))


@pytest.mark.parametrize(
    ("limit", "unit", "to", "phases", "expected"),
    [
        ("22000", "W", "A", 3, "31.8"),
        ("3680", "W", "A", 1, "16"),
        ("10", "A", "W", 3, "6900"),
        ("6.1", "A", "W", 1, "1403"),
        ("0", "W", "A", 3, "0"),
        ("16", "A", "A", 3, "16"),
    ],
)
def test_converts_rounding_down(limit, unit, to, phases, expected):
    result = converted(schedule((0, limit), unit=unit), Unit(to), voltage_v=230, phases=phases)

    assert result == schedule((0, expected), unit=to)


def test_merges_equal_neighbours():
    assert merged(schedule((0, 16), (10, 16), (20, 6), (30, 16))) == schedule((0, 16), (20, 6), (30, 16))


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (4, schedule((0, 16), (10, 6), (20, 8), (30, 7))),
        (3, schedule((0, 16), (10, 6), (20, 7))),
        (1, schedule((0, 6))),
    ],
)
def test_a_window_ends_with_the_lowest_limit_of_the_rest(most, expected):
    assert windowed(schedule((0, 16), (10, 6), (20, 8), (30, 7)), most) == expected


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        pytest.param([], None, id="nothing"),
        pytest.param([schedule((0, 16), duration=10)], None, id="over"),
        pytest.param(
            [schedule((0, 16), min_rate=Decimal(6))], schedule((0, 16), min_rate=Decimal(6)), id="one"
        ),
        pytest.param(
            [schedule((0, 16), (60, 8)), schedule((0, 10), duration=100)],
            schedule((0, 10), (60, 8)),
            id="lower of two",
        ),
        pytest.param(
            [schedule((0, 16)), schedule((0, 10), duration=100)],
            schedule((0, 10), (100, 16)),
            id="one ends",
        ),
        pytest.param(
            [schedule((0, 16)), schedule((0, 6900), unit="W", starts=50)],
            schedule((0, 16), (50, 10)),
            id="mixed units, one begins later",
        ),
        pytest.param(
            [schedule((0, 16), duration=40), schedule((0, 10), starts=60, duration=40)],
            schedule((0, 16), (40, 32), (60, 10), duration=100),
            id="the ceiling rules between them",
        ),
    ],
)
def test_the_lowest_limit_rules(sources, expected):
    assert lowest(sources, unit=Unit.AMPERE, now=at(30), ceiling=Decimal(32), **AC) == expected


def test_keeps_the_limit_before_a_gap_where_no_ceiling_is_known():
    sources = [schedule((0, 16), duration=40), schedule((0, 10), starts=60)]

    assert lowest(sources, unit=Unit.AMPERE, now=NOON, **AC) == schedule((0, 16), (60, 10))


def test_tells_the_active_profile_with_the_maximum_where_nothing_limits():
    told = to_active_profile(
        schedule((0, 16.5), (60, 6), starts=30, duration=100, min_rate=Decimal(6)),
        now=at(0) + timedelta(microseconds=500_000),
        horizon_s=300,
        ceiling=Decimal(32),
    )

    assert told == {
        "start_date_time": "2026-03-01T12:00:00Z",
        "charging_profile": {
            "start_date_time": "2026-03-01T12:00:00Z",
            "duration": 300,
            "charging_rate_unit": "A",
            "min_charging_rate": 6,
            "charging_profile_period": [
                {"start_period": 0, "limit": 32},
                {"start_period": 30, "limit": 16.5},
                {"start_period": 90, "limit": 6},
                {"start_period": 130, "limit": 32},
            ],
        },
    }


def test_tells_the_active_profile_only_as_far_as_the_horizon():
    told = to_active_profile(schedule((0, 16), (60, 6)), now=at(30), horizon_s=30, ceiling=Decimal(32))

    assert told["charging_profile"]["charging_profile_period"] == [{"start_period": 0, "limit": 16}]


def test_knows_the_maximum_of_an_evse():
    assert ceiling(Unit.AMPERE, max_current_a=32, **AC) == 32
    assert ceiling(Unit.WATT, max_current_a=32, **AC) == 22080
    most = maximum(max_current_a=16, voltage_v=230, phases=1, starts_at=NOON, duration_s=60)
    assert most == schedule((0, 3680), unit="W", duration=60)


def test_refuses_a_naive_start_and_a_first_period_after_0():
    with pytest.raises(ValueError, match="aware"):
        Schedule(datetime(2026, 3, 1), Unit.AMPERE, (Period(0, Decimal(1)),))  # noqa: DTZ001
    with pytest.raises(ValueError, match="start at 0"):
        schedule((1, 16))


@st.composite
def schedules(draw):
    starts = sorted({0} | draw(st.sets(st.integers(0, 300), max_size=8)))
    limits = st.integers(0, 400).map(lambda tenths: Decimal(tenths) / 10)
    unit = draw(st.sampled_from(Unit))
    factor = 690 if unit == Unit.WATT else 1
    periods = tuple(Period(start_s, draw(limits) * factor) for start_s in starts)
    duration_s = draw(st.none() | st.integers(starts[-1] + 1, 400))
    return Schedule(at(draw(st.integers(-200, 200))), unit, periods, duration_s)


# Everything that the strategies make happens within these seconds.
ALL_SECONDS = [*range(-200, 610, 3), 10_000]


@settings(max_examples=60, deadline=None)
@given(st.lists(schedules(), max_size=4), st.integers(-250, 700), st.sampled_from(Unit), st.booleans())
def test_the_lowest_is_never_above_any_source(sources, now, unit, has_ceiling):
    most = ceiling(unit, max_current_a=40, **AC) if has_ceiling else None
    result = lowest(sources, unit=unit, now=at(now), ceiling=most, **AC)

    left = [converted(source, unit, **AC) for source in sources if trimmed(source, now=at(now))]
    assert (result is None) == (not left)
    for moment in (at(second) for second in ALL_SECONDS if second >= now):
        limits = [limit for source in left if (limit := source.limit_at(moment)) is not None]
        if limits:
            assert result.limit_at(moment) == min(limits)


@settings(max_examples=60, deadline=None)
@given(schedules(), st.integers(1, 9))
def test_a_window_is_never_above_the_whole(whole, most):
    window = windowed(whole, most)

    assert len(window.periods) <= most
    for moment in map(at, ALL_SECONDS):
        assert (window.limit_at(moment) is None) == (whole.limit_at(moment) is None)
        assert (window.limit_at(moment) or 0) <= (whole.limit_at(moment) or 0)


@settings(max_examples=60, deadline=None)
@given(schedules(), st.sampled_from(Unit), st.integers(1, 3), st.integers(100, 500))
def test_conversion_never_rounds_up(original, unit, phases, voltage_v):
    result = converted(original, unit, voltage_v=voltage_v, phases=phases)

    watts = {Unit.WATT: 1, Unit.AMPERE: voltage_v * phases}
    for before, after in zip(original.periods, result.periods, strict=True):
        assert after.limit * watts[unit] <= before.limit * watts[original.unit]
        assert after.limit == round(after.limit, 1)


@settings(max_examples=60, deadline=None)
@given(schedules(), st.integers(-250, 700))
def test_trimming_changes_nothing_that_is_to_come(original, now):
    left = trimmed(original, now=at(now))

    for moment in (at(second) for second in ALL_SECONDS if second >= now):
        assert (left.limit_at(moment) if left else None) == original.limit_at(moment)


@settings(max_examples=60, deadline=None)
@given(schedules())
def test_comes_back_from_json_as_it_was(original):
    assert Schedule.from_document(json.loads(json.dumps(original.to_document()))) == original
