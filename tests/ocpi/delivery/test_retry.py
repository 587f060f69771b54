"""What an answer means, and when to try again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpi.delivery.retry import (
    PUSH_WAITS_S,
    RESULT_WAITS_S,
    Outcome,
    Verdict,
    classify,
    next_try_at,
    push_wait_s,
    result_wait_s,
    retry_after_s,
)
from ocpi.protocol.client import CallFailed, Reply

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
FAILED = Outcome(Verdict.RETRY, "server_error")
DRAWS = st.floats(0, 1, exclude_max=True)


def reply(http_status: int = 200, status_code: int | None = None, **headers: str) -> Reply:
    fields: dict[str, Any] = {"data": None, "status_message": "", "elapsed_ms": 1}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(
        http_status=http_status,
        status_code=status_code,
        headers=names,
        is_envelope=status_code is not None,
        **fields,
    )


@pytest.mark.parametrize(
    ("answer", "verdict", "label"),
    [
        (reply(200, 1000), Verdict.DONE, "delivered"),
        (reply(201, 1999), Verdict.DONE, "delivered"),
        (reply(200), Verdict.DONE, "delivered"),
        (reply(204), Verdict.DONE, "delivered"),
        (reply(200, 2000), Verdict.DEAD, "refused"),
        (reply(200, 2003), Verdict.DEAD, "refused"),
        (reply(200, 3000), Verdict.RETRY, "ocpi_server_error"),
        (reply(200, 3001), Verdict.RETRY, "ocpi_server_error"),
        (reply(200, 4001), Verdict.DEAD, "refused"),
        (reply(200, 4002), Verdict.RETRY, "ocpi_server_error"),
        (reply(200, 17), Verdict.DEAD, "refused"),
        (reply(301), Verdict.DEAD, "redirect"),
        (reply(307, 1000), Verdict.DEAD, "redirect"),
        (reply(400, 2001), Verdict.DEAD, "refused"),
        (reply(401, 2000), Verdict.RETRY_ONCE, "unauthorized"),
        (reply(403), Verdict.RETRY_ONCE, "unauthorized"),
        (reply(404, 2003), Verdict.DEAD, "refused"),
        (reply(405), Verdict.DEAD, "refused"),
        (reply(408), Verdict.RETRY, "overloaded"),
        (reply(410), Verdict.DEAD, "refused"),
        (reply(413), Verdict.DEAD, "refused"),
        (reply(422), Verdict.DEAD, "refused"),
        (reply(425), Verdict.RETRY, "overloaded"),
        (reply(429), Verdict.RETRY, "overloaded"),
        (reply(500, 3000), Verdict.RETRY, "server_error"),
        (reply(503, 2000), Verdict.RETRY, "server_error"),
        (CallFailed("forbidden_address", "10.0.0.1"), Verdict.DEAD, "forbidden_address"),
        (CallFailed("unreachable", "refused"), Verdict.RETRY, "unreachable"),
        (CallFailed("timeout", "8 s"), Verdict.RETRY, "timeout"),
        (CallFailed("tls", "wrong name"), Verdict.RETRY, "tls"),
        (CallFailed("broken_answer", "cut"), Verdict.RETRY, "broken_answer"),
        (CallFailed("too_large", "64 KiB"), Verdict.RETRY, "too_large"),
        (CallFailed("sign_in_failed", "no token"), Verdict.RETRY, "sign_in_failed"),
    ],
)
def test_judges_an_answer(answer: Reply | CallFailed, verdict: Verdict, label: str) -> None:
    outcome = classify(answer, now=NOW)

    assert (outcome.verdict, outcome.label) == (verdict, label)


def test_tells_people_the_statuses_without_control_characters() -> None:
    answer = Reply(404, 2003, "no\r\nsuch \x1b[31mthing" + "x" * 400, None, {}, True, 1)

    detail = classify(answer, now=NOW).detail

    assert detail.startswith("HTTP 404, OCPI 2003: no  such  [31mthing")
    assert len(detail) == 250


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 120 ", 120.0),
        ("Thu, 15 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 15 Jan 2026 11:00:00 GMT", 0.0),
        ("Thu, 15 Jan 2026 12:00:30", None),
        ("", None),
        ("-3", None),
        ("soon", None),
        ("٣", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2026 00:00:00 +99999999999999", None),
    ],
)
def test_reads_retry_after(header: str, seconds: float | None) -> None:
    assert retry_after_s(header, now=NOW) == seconds


@pytest.mark.parametrize(
    ("answer", "shortest_s", "longest_s"),
    [
        (reply(500), 0.4, 0.6),
        (reply(429), 5.0, 5.0),
        (CallFailed("timeout", ""), 5.0, 5.0),
        (reply(429, Retry_After="1"), 5.0, 5.0),
        (reply(429, Retry_After="7"), 7.0, 7.0),
        (reply(429, Retry_After="3600"), 10.0, 10.0),
        (reply(503, Retry_After="3600"), 1.0, 1.0),
    ],
)
def test_honours_an_overloaded_partner(
    answer: Reply | CallFailed, shortest_s: float, longest_s: float
) -> None:
    outcome = classify(answer, now=NOW)

    waits = [result_wait_s(attempts=1, outcome=outcome, draw=draw) for draw in (0.0, 0.999999)]

    assert waits == pytest.approx([shortest_s, longest_s], abs=1e-4)


@given(attempts=st.integers(1, 1000), draw=DRAWS)
@settings(max_examples=50, deadline=None)
def test_spreads_the_waits_of_a_result_by_a_fifth(attempts: int, draw: float) -> None:
    step_s = RESULT_WAITS_S[min(attempts, len(RESULT_WAITS_S)) - 1]

    wait_s = result_wait_s(attempts=attempts, outcome=FAILED, draw=draw)

    assert 0.8 * step_s <= wait_s <= 1.2 * step_s


@given(attempts=st.integers(1, 1000), draw=DRAWS)
@settings(max_examples=50, deadline=None)
def test_spreads_the_waits_of_a_push_over_the_whole_step(attempts: int, draw: float) -> None:
    step_s = PUSH_WAITS_S[min(attempts, len(PUSH_WAITS_S)) - 1]

    assert 0 <= push_wait_s(attempts=attempts, outcome=FAILED, draw=draw) < step_s


@given(
    attempts=st.integers(1, 50),
    draw=DRAWS,
    asked_s=st.none() | st.floats(0, 1e6),
    least_wait_s=st.sampled_from([0.0, 5.0]),
    window_s=st.floats(0, 300),
)
@settings(max_examples=100, deadline=None)
def test_never_plans_a_try_before_now_or_after_the_window(
    attempts: int, draw: float, asked_s: float | None, least_wait_s: float, window_s: float
) -> None:
    outcome = Outcome(Verdict.RETRY, "overloaded", "", least_wait_s, asked_s)
    expires_at = NOW + timedelta(seconds=window_s)

    wait_s = result_wait_s(attempts=attempts, outcome=outcome, draw=draw)
    moment = next_try_at(now=NOW, wait_s=wait_s, expires_at=expires_at)

    assert least_wait_s <= wait_s <= 30
    assert moment is None or NOW <= moment < expires_at
    assert (moment is None) == (NOW + timedelta(seconds=wait_s) >= expires_at)
