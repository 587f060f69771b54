"""What every OCPI answer has, whoever makes it."""

import json
import logging
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.test import Client, override_settings
from django.urls import path, re_path
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from ocpi.protocol import errors
from ocpi.protocol.envelope import success
from ocpi.protocol.headers import Routing
from ocpi.protocol.quirks import Quirk
from ocpi.protocol.times import is_strict
from ocpi.protocol.views import OcpiView

pytestmark = pytest.mark.urls(__name__)
IDS = {"X-Request-ID": "request-1", "X-Correlation-ID": "correlation-1"}
ROUTING = {
    "OCPI-to-country-code": "NL",
    "OCPI-to-party-id": "CPO",
    "OCPI-from-country-code": "DE",
    "OCPI-from-party-id": "SCS",
}
GOOD = {"Authorization": "Token Z29vZA=="}


class Caller:
    refused_quirks: frozenset[Quirk] = frozenset()

    def check_routing(self, routing: Routing) -> None:
        if routing.to_party_id != "CPO":
            raise errors.InvalidParameters("OCPI-to-party-id: No.")


class OnlyGood(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[None, Caller]:
        if request.headers.get("Authorization") != GOOD["Authorization"]:
            raise errors.Unauthorized("The credentials token is not known.")
        return None, Caller()


class ThingView(OcpiView):
    authentication_classes = [OnlyGood]

    def get(self, request: Request) -> Response:
        return success({"kwh": 1.5})

    def put(self, request: Request) -> Response:
        return success({"got": request.data}, http_status=201)

    def post(self, request: Request) -> Response:
        return success()


class ConfigurationView(ThingView):
    is_functional = False


class ListView(ThingView):
    def get(self, request: Request) -> Response:
        return success([])


FAILURES: dict[str, tuple[Exception, int, int, str]] = {
    "invalid": (errors.InvalidParameters("kwh: is missing"), 200, 2001, "kwh: is missing"),
    "json": (errors.BrokenJson("The body is empty."), 400, 2001, "The body is empty."),
    "location": (errors.UnknownLocation("No location X."), 404, 2003, "No location X."),
    "object": (errors.UnknownObject("No session X."), 404, 2001, "No session X."),
    "api": (errors.UnableToUseApi("x"), 200, 3001, "x"),
    "version": (errors.UnsupportedVersion("x"), 200, 3002, "x"),
    "endpoints": (errors.MissingEndpoints("x"), 200, 3003, "x"),
    "busy": (errors.TooManyRequests("Wait.", retry_after_s=9), 429, 2000, "Wait."),
    "registered": (errors.MethodNotAllowed("x", allowed=["GET"]), 405, 2000, "x"),
    "http404": (Http404(), 404, 2001, "Not found."),
    "denied": (PermissionDenied(), 403, 2000, "Not allowed."),
    "drf404": (exceptions.NotFound(), 404, 2001, "Not found."),
    "drf401": (exceptions.NotAuthenticated("No."), 401, 2000, "No."),
    "drf400": (exceptions.ParseError("No."), 400, 2001, "No."),
    "drf": (exceptions.ValidationError("no"), 200, 2001, "[ErrorDetail(string='no', code='invalid')]"),
    "database": (OperationalError(), 503, 3000, "The database does not answer, try again later."),
    "crash": (ZeroDivisionError("secret"), 500, 3000, "An internal error occurred."),
}


class FailingView(ThingView):
    def get(self, request: Request, name: str = "") -> Response:
        raise FAILURES[name][0]


def plain(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "unready"}, status=503)


def crashing(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("secret")


urlpatterns = [
    re_path(r"^ocpi/thing/?$", ThingView.as_view()),
    re_path(r"^ocpi/credentials/?$", ConfigurationView.as_view()),
    re_path(r"^ocpi/list/?$", ListView.as_view()),
    path("ocpi/fail/<str:name>", FailingView.as_view()),
    path("readyz", plain),
    path("crash", crashing),
    path("admin/crash", crashing),
]
handler400 = "ocpi.protocol.middleware.bad_request"
handler404 = "ocpi.protocol.middleware.not_found"
handler500 = "ocpi.protocol.middleware.server_error"


@pytest.fixture
def http() -> Client:
    return Client(raise_request_exception=False, headers=IDS | GOOD)


def envelope_of(response: Any) -> dict[str, Any]:
    """Return the envelope without its timestamp; both are checked, and the ids."""
    assert response["Content-Type"] == "application/json"
    assert (response["X-Request-ID"], response["X-Correlation-ID"]) == ("request-1", "correlation-1")
    envelope = json.loads(response.content)
    timestamp = envelope.pop("timestamp")
    assert is_strict(timestamp)
    assert timestamp.endswith("Z")
    return envelope


@pytest.mark.parametrize("address", ["/ocpi/thing", "/ocpi/thing/"])
def test_answers_in_an_envelope_with_and_without_a_slash(http: Client, address: str) -> None:
    data = {"kwh": 1.5}
    assert envelope_of(http.get(address)) == {"data": data, "status_code": 1000, "status_message": "Success"}


def test_keeps_an_empty_list_and_leaves_out_data_that_is_absent(http: Client) -> None:
    assert envelope_of(http.get("/ocpi/list"))["data"] == []
    assert "data" not in envelope_of(http.post("/ocpi/thing"))


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json;charset=utf-8",
        "text/plain",
        "",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ],
)
def test_reads_json_whatever_its_type_is_called(http: Client, content_type: str) -> None:
    response = http.put(
        "/ocpi/thing", b'{"a": 1}', content_type=content_type, headers={"Accept": "text/html"}
    )

    assert response.status_code == 201
    assert envelope_of(response)["data"] == {"got": {"a": 1}}


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b'{"id":', "not JSON: Expecting value (line 1, column 7)"), (b"", "empty"), (b" ", "empty")],
)
def test_refuses_a_broken_body(http: Client, body: bytes, reason: str) -> None:
    response = http.put("/ocpi/thing", body, content_type="application/json")
    assert response.status_code == 400
    assert envelope_of(response) == {"status_code": 2001, "status_message": f"The body is {reason}."}


def test_refuses_a_body_that_is_too_large(http: Client) -> None:
    body = b'"' + b"a" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b'"'

    response = http.put("/ocpi/thing", body, content_type="application/json")

    assert response.status_code == 413
    assert envelope_of(response) == {"status_code": 2000, "status_message": "The body is too large."}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Token eA=="}])
@pytest.mark.parametrize("method", ["get", "delete", "patch", "options"])
def test_refuses_strangers_before_it_looks_at_the_method(method: str, headers: dict[str, str]) -> None:
    response = getattr(Client(headers=IDS | ROUTING | headers), method)("/ocpi/thing")

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Token"
    assert not any(name.lower().startswith("ocpi-") for name in response.headers)
    assert envelope_of(response) == {
        "status_code": 2000,
        "status_message": "The credentials token is not known.",
    }


@pytest.mark.parametrize("method", ["delete", "patch", "options", "trace"])
def test_names_the_methods_of_an_address_that_has_not_this_one(http: Client, method: str) -> None:
    response = getattr(http, method)("/ocpi/thing")

    assert response.status_code == 405
    assert response["Allow"] == "GET, POST, PUT"
    assert envelope_of(response) == {
        "status_code": 2000,
        "status_message": f'Method "{method.upper()}" not allowed.',
    }


@pytest.mark.parametrize("name", FAILURES)
def test_answers_every_failure_in_an_envelope(http: Client, name: str) -> None:
    _, http_status, status_code, message = FAILURES[name]

    response = http.get(f"/ocpi/fail/{name}")

    assert response.status_code == http_status
    assert envelope_of(response) == {"status_code": status_code, "status_message": message}


def test_tells_how_long_to_wait_and_what_is_allowed(http: Client) -> None:
    assert http.get("/ocpi/fail/busy")["Retry-After"] == "9"
    assert http.get("/ocpi/fail/registered")["Allow"] == "GET"


def test_logs_what_nobody_foresaw_without_the_query(http: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="ocpi.protocol.errors"):
        http.get("/ocpi/fail/crash?response_url=https://secret.example/")
        http.get("/ocpi/fail/invalid")

    messages = [record.getMessage() for record in caplog.records if record.name == "ocpi.protocol.errors"]
    assert messages == ["Unforeseen error at GET /ocpi/fail/crash"]
    assert "secret.example" not in caplog.text


@pytest.mark.parametrize("is_debug", [False, True])
@pytest.mark.parametrize(
    ("address", "http_status", "envelope"),
    [
        ("/nowhere", 404, {"status_code": 2001, "status_message": "There is nothing at this address."}),
        (
            "/ocpi/2.2.1/no/",
            404,
            {"status_code": 2001, "status_message": "There is nothing at this address."},
        ),
        ("/crash", 500, {"status_code": 3000, "status_message": "An internal error occurred."}),
    ],
)
def test_answers_in_an_envelope_where_no_view_of_ours_does(
    http: Client, address: str, http_status: int, envelope: dict[str, Any], is_debug: bool
) -> None:
    with override_settings(DEBUG=is_debug):
        response = http.get(address)

    assert response.status_code == http_status
    assert envelope_of(response) == envelope


def test_leaves_other_json_as_it_is_and_echoes_its_ids(http: Client) -> None:
    response = http.get("/readyz")
    assert (response.status_code, response.json()) == (503, {"status": "unready"})
    assert response["X-Request-ID"] == "request-1"


def test_leaves_the_pages_of_the_admin_alone(http: Client) -> None:
    response = http.get("/admin/crash")

    assert (response.status_code, response["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert "X-Request-ID" not in response


def test_swaps_routing_headers_in_the_answers_of_functional_modules(http: Client) -> None:
    for address in ("/ocpi/thing", "/ocpi/fail/invalid"):
        response = http.get(address, headers=ROUTING)
        assert {name: response[name] for name in ROUTING} == {
            "OCPI-to-country-code": "DE",
            "OCPI-to-party-id": "SCS",
            "OCPI-from-country-code": "NL",
            "OCPI-from-party-id": "CPO",
        }


def test_refuses_what_is_routed_to_others_and_swaps_all_the_same(http: Client) -> None:
    response = http.get("/ocpi/thing", headers=ROUTING | {"OCPI-to-party-id": "XXX"})
    assert (response.status_code, response["OCPI-from-party-id"]) == (200, "XXX")
    assert envelope_of(response) == {"status_code": 2001, "status_message": "OCPI-to-party-id: No."}


def test_sends_no_routing_headers_from_configuration_modules_or_unasked(http: Client) -> None:
    partial = {"OCPI-to-party-id": "XXX"}
    for address, headers in (("/ocpi/credentials", ROUTING), ("/ocpi/thing", {}), ("/ocpi/thing", partial)):
        response = http.get(address, headers=headers)
        assert response.status_code == 200
        assert not any(name.lower().startswith("ocpi-") for name in response.headers)


def test_makes_ids_for_requests_without() -> None:
    response = Client().get("/ocpi/thing")

    assert len(response["X-Request-ID"]) == len(response["X-Correlation-ID"]) == 36
