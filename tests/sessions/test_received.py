"""What holds for any order in which a partner's updates arrive."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions.received import find_received, patch_session, put_session
from tests.factories import NOW, make_partner, session_document

PARTY = ("NL", "NOD")


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(5)), repeated=st.integers(0, 4))
def test_ends_with_the_newest_whole_in_any_order_and_however_often(db, order, repeated):
    partner = make_partner(role="CPO")
    session_id = str(uuid4())
    documents = [
        session_document(session_id, kwh=float(n), last_updated=f"2026-01-15T12:00:0{n}Z") for n in range(5)
    ]

    for n in [*order, repeated]:
        put_session(partner=partner, party=PARTY, session_id=session_id, body=documents[n], now=NOW)

    assert find_received(partner, PARTY, session_id).document == documents[4]


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(repetitions=st.lists(st.integers(1, 3), min_size=1, max_size=4))
def test_appends_each_charging_period_once_however_often_it_is_patched(db, repetitions):
    partner = make_partner(role="CPO")
    session_id = str(uuid4())
    put_session(
        partner=partner, party=PARTY, session_id=session_id, body=session_document(session_id), now=NOW
    )
    periods = [
        {
            "start_date_time": f"2026-01-15T1{n}:00:00Z",
            "dimensions": [{"type": "ENERGY", "volume": float(n)}],
        }
        for n, _ in enumerate(repetitions)
    ]

    for n, times in enumerate(repetitions):
        change = {"charging_periods": [periods[n]], "last_updated": f"2026-01-15T13:00:0{n}Z"}
        for _ in range(times):
            patch_session(partner=partner, party=PARTY, session_id=session_id, body=change, now=NOW)

    assert find_received(partner, PARTY, session_id).document["charging_periods"] == periods
