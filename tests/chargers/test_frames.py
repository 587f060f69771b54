"""What a frame says, and what is answered to one that says nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargers.frames import (
    Allowance,
    Call,
    CallError,
    Error,
    Result,
    Unanswerable,
    pack_call,
    pack_error,
    pack_result,
    unpack,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ('[2,"1","Heartbeat",{}]', Call("1", "Heartbeat", {})),
        ('[3,"1",{"status":"Accepted"}]', Result("1", {"status": "Accepted"})),
        ('[3,"1"]', Result("1", None)),
        ('[3,"1","accepted"]', Result("1", "accepted")),
        ('[4,"1","NotSupported","no",{}]', Error("1", "NotSupported", "no")),
        ('[4,"1"]', Error("1", "GenericError", "")),
        ('[4,"1",5]', Error("1", "GenericError", "")),
    ],
)
def test_reads_a_frame(frame: str, expected: object) -> None:
    assert unpack(frame) == expected


@pytest.mark.parametrize(
    ("frame", "message_id", "code"),
    [
        ("hello", "-1", "FormationViolation"),
        ("", "-1", "FormationViolation"),
        ("[" * 100_000, "-1", "FormationViolation"),
        ('{"a":1}', "-1", "FormationViolation"),
        ("[]", "-1", "FormationViolation"),
        ("[2]", "-1", "FormationViolation"),
        ('[2,7,"Heartbeat",{}]', "-1", "FormationViolation"),
        ('[2,"","Heartbeat",{}]', "-1", "FormationViolation"),
        ('[2,"' + "x" * 37 + '","Heartbeat",{}]', "-1", "FormationViolation"),
        ('[2,"1","Heartbeat"]', "1", "FormationViolation"),
        ('[2,"1","Heartbeat",{},1]', "1", "FormationViolation"),
        ('[2,"1","Heartbeat",null]', "1", "FormationViolation"),
        ('[2,"1",5,{}]', "1", "FormationViolation"),
        ('[9,"1","Heartbeat",{}]', "1", "ProtocolError"),
        ('[true,"1","Heartbeat",{}]', "1", "ProtocolError"),
        ('[2,"1","Authorize",{"idTag":"\\u0000"}]', "-1", "FormationViolation"),
        ('[2,"1","Authorize",{"idTag":"\\ud800"}]', "-1", "FormationViolation"),
        ('[2,"1","A",{"n":NaN}]', "-1", "FormationViolation"),
        ('[2,"1","A",{"n":1e999}]', "-1", "FormationViolation"),
        ('[2,"1","A",{"n":16.' + "1" * 5000 + "}]", "-1", "FormationViolation"),
        ('[2,"1","A",{"n":' + "1" * 5000 + "}]", "-1", "FormationViolation"),
        (b'[2,"1","Heartbeat",{}]', "-1", "FormationViolation"),
    ],
)
def test_refuses_what_is_no_call(frame: str | bytes, message_id: str, code: str) -> None:
    with pytest.raises(CallError) as refused:
        unpack(frame)

    assert (refused.value.message_id, refused.value.code) == (message_id, code)


@pytest.mark.parametrize("frame", ["[3,7,{}]", '[4,null,"GenericError","",{}]'])
def test_answers_no_answer(frame: str) -> None:
    with pytest.raises(Unanswerable):
        unpack(frame)


@given(JSON)
def test_reads_or_refuses_whatever_comes(message: object) -> None:
    try:
        unpack(json.dumps(message))
    except (CallError, Unanswerable):
        return


def test_writes_frames() -> None:
    error = CallError("GenericError", "x" * 300, message_id="3")

    assert pack_call("1", "Reset", {"type": "Soft"}) == '[2,"1","Reset",{"type":"Soft"}]'
    assert pack_result("2", {}) == '[3,"2",{}]'
    assert pack_error(error) == f'[4,"3","GenericError","{"x" * 255}",{{}}]'


def test_lets_bursts_pass_and_slows_floods_down() -> None:
    allowance = Allowance(burst=100, per_s=10, now_s=0)

    assert [allowance.take(0) for _ in range(100)] == [0] * 100
    assert [allowance.take(0), allowance.take(0)] == [0.1, 0.2]
    # Who keeps to that speed does not wait, and a pause brings the burst back.
    assert [allowance.take(0.3 + n / 10) for n in range(4)] == pytest.approx([0] * 4)
    assert [allowance.take(60) for _ in range(100)] == [0] * 100
