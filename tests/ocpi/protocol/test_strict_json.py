from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi.protocol.errors import BrokenJson
from ocpi.protocol.strict_json import dumps, loads


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b'{"id":', "not JSON"),
        (b"{'id': 1}", "not JSON"),
        (b'{"id": 1,}', "not JSON"),
        (b'{"a":"\x01"}', "not JSON"),
        (b'{"a":1}{"b":2}', "not JSON"),
        (b"\xff\xfe{", "not UTF-8"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b'{"kwh": NaN}', "NaN"),
        (b'{"kwh": Infinity}', "Infinity"),
        (b'{"kwh": -Infinity}', "-Infinity"),
        (b'{"kwh": 1e400}', "too large"),
        (b'{"kwh": ' + b"1" * 65 + b"}", "64 characters"),
        (b'{"kwh": ' + b"1" * 5000 + b"}", "64 characters"),
        (b'{"kwh": 16.' + b"1" * 62 + b"}", "64 characters"),
        (b'{"kwh": 16.' + b"0" * 5000 + b"}", "64 characters"),
        (b'{"kwh": 1e' + b"0" * 5000 + b"1}", "64 characters"),
        (b'{"a": {"id": 1, "x": 2, "id": 1}}', "'id' occurs twice"),
        (b"[" * 17 + b"]" * 17, "16 levels"),
        (b"[" * 100_000, "16 levels"),
        (rb'"\u0000"', "NUL"),
        (rb'{"\u0000": 1}', "NUL"),
        (rb'["\ud800"]', "surrogate"),
        (rb'{"a": ["\udc00\ud800"]}', "surrogate"),
    ],
)
def test_says_what_is_wrong_with(raw: bytes, reason: str) -> None:
    with pytest.raises(BrokenJson, match=reason) as caught:
        loads(raw)

    assert (caught.value.http_status, caught.value.status) == (400, 2001)


@pytest.mark.parametrize(
    ("raw", "document"),
    [
        (b'\xef\xbb\xbf{"id": 1}', {"id": 1}),
        (b"[" * 16 + b"]" * 16, [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]),
        ('["é", "\\ud83d\\ude00"]'.encode(), ["é", "😀"]),
        (b'["' + b"[" * 40 + b'\\"{"]', ["[" * 40 + '"{']),
        (b"[0.1, 3, -2.5e3, true, null]", [0.1, 3, -2500.0, True, None]),
        # What Java's BigDecimal makes of a double.
        (b"16.10000000000000142108547152020037174224853515625", 16.1),
    ],
)
def test_reads(raw: bytes, document: object) -> None:
    assert loads(raw) == document


def test_reads_a_megabyte_of_unclosed_quotes_at_once() -> None:
    raw = b"[" * 17 + b'"' + b'\\"' * 500_000

    with pytest.raises(BrokenJson):
        loads(raw)


def test_writes_numbers_as_numbers_and_moments_as_ocpi_does() -> None:
    document = {"kwh": Decimal("1.50"), "n": Decimal("3.0"), "at": datetime(2026, 1, 2, tzinfo=UTC), "é": "é"}

    assert dumps(document) == '{"kwh":1.5,"n":3,"at":"2026-01-02T00:00:00Z","é":"é"}'.encode()


def test_writes_half_a_surrogate_pair_as_its_escape() -> None:
    assert dumps("\ud800") == rb'"\ud800"'


@pytest.mark.parametrize("value", [float("nan"), {"x": float("inf")}])
def test_never_writes_nan(value: object) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        dumps(value)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcé \"'{[\\", max_size=4), inner),
    max_leaves=10,
)


@given(JSON)
def test_reads_what_it_wrote(document: object) -> None:
    assert loads(dumps(document)) == document
