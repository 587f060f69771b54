import base64
import uuid

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.request import Request

from ocpi.protocol.headers import Routing, authorization, message_ids, routing_of, token_candidates


def encoded(token: str) -> str:
    return base64.b64encode(token.encode()).decode()


@pytest.mark.parametrize(
    ("header", "candidates"),
    [
        ("Token ZXhhbXBsZS10b2tlbg==", ["example-token", "ZXhhbXBsZS10b2tlbg=="]),
        # The specification's own example ends in a line feed.
        ("Token ZXhhbXBsZS10b2tlbgo=", ["example-token", "ZXhhbXBsZS10b2tlbgo="]),
        ("Token ZXhhbXBsZS10b2tlbg", ["example-token", "ZXhhbXBsZS10b2tlbg"]),
        ("token   ZXhhbXBsZS10b2tlbg== ", ["example-token", "ZXhhbXBsZS10b2tlbg=="]),
        ("TOKEN\tZXhhbXBsZS10b2tlbg==", ["example-token", "ZXhhbXBsZS10b2tlbg=="]),
        # Base64 in its URL alphabet.
        ("Token w7_Dvz8_", ["ÿÿ??", "w7_Dvz8_"]),
        ("Token example-token-raw!", ["example-token-raw!"]),
        ("Token 00000000", ["00000000"]),
    ],
)
def test_reads_the_token_as_platforms_write_it(header: str, candidates: list[str]) -> None:
    assert token_candidates(header) == candidates


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Token",
        "Token ",
        "Bearer ZXhhbXBsZS10b2tlbg==",
        "ZXhhbXBsZS10b2tlbg==",
        "Token abc, Token def",
        "Token abc,Token def",
        "Token a b",
        "Token tök",
        "Token " + "a" * 10_000,
    ],
)
def test_finds_no_token_in(header: str | None) -> None:
    assert token_candidates(header) == []


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64))
def test_reads_the_token_that_it_wrote(token: str) -> None:
    assert token_candidates(authorization(token))[0] == token
    assert token in token_candidates(authorization(token, raw=True))


def test_never_writes_a_raw_token_that_would_break_the_header() -> None:
    assert authorization("a\r\nX: y", raw=True) == f"Token {encoded(chr(97) + chr(13) + chr(10) + 'X: y')}"


PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F))


@pytest.mark.parametrize(
    "value", ["1", "req:1.a_B-2", '{a b}/<x>="y"', f"!{PRINTABLE}", "c" * 255], ids=lambda value: value[:12]
)
def test_echoes_message_ids_as_they_came(value: str) -> None:
    request = RequestFactory().get("/", HTTP_X_REQUEST_ID=value, HTTP_X_CORRELATION_ID=f"~{value[1:]}")

    assert message_ids(request) == (value, f"~{value[1:]}")


@pytest.mark.parametrize(
    "value",
    ["", "a" * 256, "a\r\nb", "a\n", "a\tb", "a\0", "a\x7f", "é", "a\u2028b", " ", " a", "a "],
    ids=ascii,
)
def test_makes_new_message_ids_where_they_are_unusable_and_keeps_them(value: str) -> None:
    request = RequestFactory().get("/", HTTP_X_REQUEST_ID=value, HTTP_X_CORRELATION_ID=value)

    first = message_ids(request)

    assert message_ids(Request(request)) == first
    assert len({uuid.UUID(one) for one in first}) == 2


ROUTING = {
    "OCPI-to-country-code": "NL",
    "OCPI-to-party-id": "CPO",
    "OCPI-from-country-code": "DE",
    "OCPI-from-party-id": "SCS",
}


def test_reads_and_swaps_routing_headers_in_any_case() -> None:
    request = RequestFactory().get(
        "/", headers={name.upper(): value.lower() for name, value in ROUTING.items()}
    )

    routing = routing_of(request)

    assert routing == Routing("NL", "CPO", "DE", "SCS")
    assert routing.headers == ROUTING
    assert routing.swapped() == Routing("DE", "SCS", "NL", "CPO")


@pytest.mark.parametrize(
    "broken", [{"OCPI-to-party-id": ""}, {"OCPI-to-party-id": "CPOX"}, {"OCPI-from-country-code": "1"}]
)
def test_takes_partial_or_broken_routing_for_none(broken: dict[str, str]) -> None:
    request = RequestFactory().get("/", headers=ROUTING | broken)

    assert routing_of(request) is None
