"""Whether two active profiles say the same, drawn as limits over minutes."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargingprofiles.comparison import says_the_same
from tests.factories import NOW, iso


def profile(drawing: str, *, start_s: int = 0, unit: str = "A", **fields):
    """Draw an ActiveChargingProfile: one word per minute, a number is a new limit, `.` goes on."""
    words = drawing.split()
    return {
        "start_date_time": iso(NOW + timedelta(seconds=start_s)),
        "charging_profile": {
            "start_date_time": iso(NOW + timedelta(seconds=start_s)),
            "duration": len(words) * 60,
            "charging_rate_unit": unit,
            "charging_profile_period": [
                {"start_period": 60 * minute, "limit": float(word)}
                for minute, word in enumerate(words)
                if word != "."
            ],
            **fields,
        },
    }


@pytest.mark.parametrize(
    ("told", "current", "is_same"),
    [
        (profile("16 . . ."), profile("16 . . ."), True),
        (profile("16 . . ."), profile("16 . . .", start_s=75), True),
        (profile("16 . 10 ."), profile("16 10 . 20", start_s=60), True),
        (profile("16 . 10 ."), profile("10 . .", start_s=120), True),
        (profile("16 16 . ."), profile("16 . . ."), True),
        (profile("16 . 10 ."), profile("16 . 10 .", start_s=2), True),
        (profile("16 . . ."), profile("10 . . ."), False),
        (profile("16 . 10 ."), profile("16 10 . ."), False),
        (profile("16 . . ."), profile("16 . . .", unit="W"), False),
        # They share no time: what was told has run out.
        (profile("16 ."), profile("16 .", start_s=120), False),
        (profile("16 ."), profile("", duration=60), False),
        # Without a duration the last limit goes on.
        (profile("16 .", duration=None), profile("16 .", start_s=600), True),
    ],
)
def test_compares_limits_over_the_time_both_speak_of(told, current, is_same):
    assert says_the_same(told, current) is is_same


@given(
    limits=st.lists(st.sampled_from([0, 6, 10.5, 16]), min_size=6, max_size=12),
    later=st.integers(0, 4),
)
def test_an_unchanged_plan_read_later_says_the_same(limits, later):
    words = [str(limit) for limit in limits]

    assert says_the_same(profile(" ".join(words)), profile(" ".join(words[later:]), start_s=60 * later))
