"""The parameters of GET and DELETE, as platforms really write them."""

from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargingprofiles.query import response_url_and_duration, seconds
from ocpi.protocol.errors import InvalidParameters

ENCODED = "https%3A%2F%2Fmsp.example%2Fanswer%3Frequest_id%3D5678%26x%3D1"
PLAIN = "https://msp.example/answer?request_id=5678&x=1"


@pytest.mark.parametrize(
    ("query", "url", "duration"),
    [
        (f"duration=900&response_url={ENCODED}", PLAIN, "900"),
        (f"response_url={ENCODED}&duration=900", PLAIN, "900"),
        (f"response_url={ENCODED.lower()}", PLAIN, ""),
        # Not encoded: what follows is part of it.
        (f"duration=900&response_url={PLAIN}", PLAIN, "900"),
        (f"duration=900&response_url={PLAIN}&duration=5", f"{PLAIN}&duration=5", "900"),
        (f"response_url={PLAIN}&duration=900", PLAIN, "900"),
        ("response_url=https://msp.example/answer&duration=900", "https://msp.example/answer", "900"),
        ("response_url=https://msp.example/answer", "https://msp.example/answer", ""),
        # Only the characters that would split it are encoded.
        (
            "response_url=https://msp.example/answer%3Fid%3D1&duration=9",
            "https://msp.example/answer?id=1",
            "9",
        ),
        ("response_url=https:%2F%2Fmsp.example%2Fanswer", "https://msp.example/answer", ""),
        # Written out, with encoded characters of its own.
        (
            "response_url=https://msp.example/a%2Fb?next=https%3A%2F%2Fx",
            "https://msp.example/a%2Fb?next=https%3A%2F%2Fx",
            "",
        ),
    ],
)
def test_reads_the_response_url_and_the_duration(query, url, duration):
    assert response_url_and_duration(query) == (url, duration)


@given(
    path=st.text("abc/%&=?#+ é", max_size=20),
    names=st.permutations(["response_url", "duration"]),
)
def test_reads_back_whatever_a_client_encoded(path, names):
    sent = {"response_url": f"https://msp.example/{path}", "duration": 900}
    query = urlencode({name: sent[name] for name in names}, quote_via=quote)

    assert response_url_and_duration(query) == (sent["response_url"], "900")


@pytest.mark.parametrize("query", ["", "duration=900", "response_url=", "my_response_url=https://x"])
def test_refuses_a_query_without_a_response_url(query):
    with pytest.raises(InvalidParameters, match="response_url"):
        response_url_and_duration(query)


@pytest.mark.parametrize("text", ["", "0", "-1", "abc", "900.5", "9e2", "1 0", "604801", "9" * 40, "٩"])
def test_refuses_an_odd_duration(text):
    with pytest.raises(InvalidParameters, match="duration"):
        seconds(text)


@pytest.mark.parametrize(("text", "duration_s"), [("1", 1), ("900", 900), ("604800", 604800)])
def test_takes_a_duration_in_whole_seconds(text, duration_s):
    assert seconds(text) == duration_s
