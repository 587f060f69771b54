import pytest

from chargers.simulator.sentences import sentence
from tests.chargers.simulator.scene import profile


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            {"event": "limit", "connector": 1, "limit": 10, "unit": "A", "power_w": 6900},
            "limit 10 A -> 6900 W",
        ),
        (
            {"event": "limit", "connector": 2, "limit": None, "unit": None, "power_w": 11000},
            "connector 2: no limit -> 11000 W",
        ),
        (
            {"event": "profile", "payload": profile(10, rest=[(60, 6)]), "status": "Accepted", "reason": ""},
            "charging profile: Accepted; from 2026-03-01T12:00:00Z: 10 A from +0 s, 6 A from +60 s",
        ),
        (
            {"event": "profile", "payload": {}, "status": "Rejected", "reason": "no room"},
            "charging profile: Rejected, no room; from the start of charging: ",
        ),
        (
            {"event": "cleared", "payload": {}, "status": None, "reason": ""},
            "clear charging profile: no answer",
        ),
        (
            {"event": "lost", "reason": "the socket was closed", "pause_s": 1},
            "not connected: the socket was closed; next try in 1 s",
        ),
        ({"event": "novelty"}, "novelty"),
    ],
)
def test_says_an_event_in_one_line(event, expected):
    assert sentence({"at": "2026-03-01T12:00:00Z", **event}) == f"12:00:00  {expected}"
