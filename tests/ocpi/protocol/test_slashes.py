"""Ids with a slash in the address, as gunicorn and cheroot hand it over."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, JsonResponse
from django.test import Client
from django.urls import re_path

pytestmark = pytest.mark.urls(__name__)


def two(request: HttpRequest, **ids: str) -> JsonResponse:
    return JsonResponse(ids)


urlpatterns = [re_path(r"^ocpi/(?P<first>[^/\x00]+)(?:/(?P<second>[^/\x00]+))?/?$", two)]


@pytest.mark.parametrize("variable", ["RAW_URI", "REQUEST_URI"])
@pytest.mark.parametrize(
    ("raw", "ids"),
    [
        ("/ocpi/LOC%2F1", {"first": "LOC/1"}),
        ("/ocpi/LOC%2f1/?a=%2F", {"first": "LOC/1"}),
        ("/ocpi/%2F/A%2F", {"first": "/", "second": "A/"}),
        ("/ocpi/A%252F/%20%2A", {"first": "A%2F", "second": " *"}),
        ("/ocpi/A%252F%2F", {"first": "A%2F/"}),
        ("http://node.example/ocpi/A%2FB/C", {"first": "A/B", "second": "C"}),
    ],
)
def test_an_encoded_slash_is_part_of_the_id(variable: str, raw: str, ids: dict[str, str]) -> None:
    path = raw.removeprefix("http://node.example")

    answer = Client().get(path, **{variable: raw})

    assert answer.json() == ids


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("/ocpi/A%2FB%00", "/ocpi/A/B\0"),
        ("/ocpi/A%2FB/C/D", "/ocpi/A/B/C/D"),
        ("//x/ocpi/A%2FB", "//x/ocpi/A/B"),
        ("/nowhere/A%2FB", "/nowhere/A/B"),
    ],
)
def test_other_addresses_stay_unrouted(raw: str, path: str) -> None:
    assert Client().get("/", PATH_INFO=path, RAW_URI=raw).status_code == 404


def test_without_the_address_as_it_came_the_path_is_what_the_server_says() -> None:
    assert Client().get("/ocpi/A%2FB").json() == {"first": "A", "second": "B"}


@pytest.mark.parametrize("raw", ["http://[/ocpi/A%2FB", "HTTP://[::1/ocpi/A%2FB?c=%2F", "/ocpi/A%2FB#//["])
def test_an_address_with_a_broken_host_is_read_all_the_same(raw: str) -> None:
    assert Client().get("/ocpi/A%2FB", REQUEST_URI=raw).json() == {"first": "A/B"}
