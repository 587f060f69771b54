"""OCPI 2.2.1 transport_and_format, "Unique message IDs"."""

from __future__ import annotations

import uuid

import pytest

from tests.journeys.provider import Provider, Scene, profile
from tests.spec.answers import status

WRONG = {"Authorization": "Token eHh4"}
IDS = {"X-Request-ID": "spec request/1", "X-Correlation-ID": "spec:correlation"}


@pytest.mark.parametrize(
    ("asked", "body", "headers", "http_status"),
    [
        ("GET /ocpi/versions", None, {}, 200),
        ("GET /ocpi/2.2.1", None, {}, 200),
        ("GET /ocpi/2.2.1/credentials", None, {}, 200),
        ("GET /ocpi/2.2.1/sender/sessions", None, {}, 200),
        ("PUT /ocpi/2.2.1/receiver/chargingprofiles/M1", b"{}", {}, 200),
        ("PUT /ocpi/2.2.1/receiver/chargingprofiles/M1", b"{", {}, 400),
        ("GET /ocpi/2.2.1/sender/sessions", None, WRONG, 401),
        ("GET /ocpi/versions", None, WRONG, 401),
        ("GET /ocpi/2.2.1/sender/locations/NOWHERE", None, {}, 404),
        ("GET /ocpi/2.2.1/nothing", None, {}, 404),
        ("POST /ocpi/2.2.1/credentials", b"{}", {}, 405),
        ("DELETE /ocpi/2.2.1/sender/sessions", None, {}, 405),
    ],
)
def test_every_answer_has_the_ids_of_its_request(
    provider: Provider, asked: str, body: bytes | None, headers: dict[str, str], http_status: int
) -> None:
    method, path = asked.split()

    answer = provider.ask(method, f"{provider.node.url}{path}", data=body, headers=IDS | headers)

    assert answer.status_code == http_status
    assert {name: answer.headers[name] for name in IDS} == IDS


def test_a_request_without_ids_is_answered_with_new_ones(provider: Provider) -> None:
    none: dict[str, str | None] = dict.fromkeys(IDS)
    url = provider.endpoints["sessions", "SENDER"]

    answers = [provider.ask("GET", url, headers=none) for _ in range(2)]

    assert [status(answer) for answer in answers] == [(200, 1000)] * 2
    assert len({uuid.UUID(answer.headers[name]) for answer in answers for name in IDS}) == 4


def test_every_request_of_ours_has_an_id_of_its_own_and_a_result_its_requests_correlation(
    scene: Scene,
) -> None:
    session, _, _ = scene.session()
    url = scene.provider.new_response_url()
    path = url.removeprefix(scene.provider.peer.url)
    scene.provider.ask(
        "PUT",
        scene.provider.url(session),
        data=scene.provider.body(profile(12), url),
        headers={"X-Request-ID": "asked", "X-Correlation-ID": "correlation-of-m7"},
    )
    scene.provider.result(path)
    scene.provider.active(session)

    sent = list(scene.provider.peer.requests)
    assert len({uuid.UUID(one.headers["X-Request-ID"]) for one in sent}) == len(sent)
    result = scene.provider.peer.received("POST", path)[0]
    assert result.headers["X-Correlation-ID"] == "correlation-of-m7"
    told = [one for one in sent if one.path.startswith("/2.2.1/receiver")]
    assert len({uuid.UUID(one.headers["X-Correlation-ID"]) for one in told}) == len(told)
