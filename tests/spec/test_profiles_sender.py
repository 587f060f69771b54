"""Charging profiles, the Sender: what we ask of CPOs and what they bring us (mod_charging_profiles)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from demo.processes import StepFailed
from tests.factories import CPO_ENDPOINTS
from tests.journeys.nodes import Node
from tests.journeys.provider import Provider, Scene, registered
from tests.peer import enveloped
from tests.spec.endpoints import DONE, NOTHING, REFUSED, Endpoint, Said
from tests.spec.operator import Operator
from tests.spec.steering import RECEIVER, Asked, Steering, bring, tell_session, will_answer
from tests.waiting import wait_for

# An id with all that an address has to encode.
SESSION = "Deal/42 a"
SESSION_PATH = f"{RECEIVER}/Deal%2F42%20a"
LATE = "CPSX-LATE"
REFUSALS = ["TOO_OFTEN", "UNKNOWN_SESSION", "REJECTED", "NOT_SUPPORTED"]
DAY_S = 86400
ACCEPTED = {"result": "ACCEPTED", "timeout": 30}
SETTLED, TIMED_OUT = "the result is in", "no result within the time announced"
PROFILE = {
    "start_date_time": "2030-01-15T12:00:00Z",
    "charging_rate_unit": "A",
    "charging_profile_period": [{"start_period": 0, "limit": 10}],
}
ACTIVE = {
    "start_date_time": "2030-01-15T12:00:00Z",
    "charging_profile": {
        "duration": 900,
        "charging_rate_unit": "A",
        "charging_profile_period": [{"start_period": 0, "limit": 16}],
    },
}


@pytest.fixture(scope="module")
def steering(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Steering:
    """The node's operator, who steers."""
    file = tmp_path_factory.mktemp("steering") / "profile.json"
    file.write_text(json.dumps(PROFILE))
    return Steering(node, Operator(node, "steering"), file)


@pytest.fixture(scope="module")
def another_cpo(node: Node) -> Iterator[Provider]:
    """One more CPO."""
    with registered(node, party=("NL", "PT2"), role="CPO", endpoints=CPO_ENDPOINTS) as partner:
        yield partner


@pytest.fixture(scope="module")
def active_profiles(cpo: Provider) -> Endpoint:
    """Where a CPO tells what is active."""
    return Endpoint(cpo, "chargingprofiles", "SENDER")


@pytest.fixture(scope="module")
def asked(steering: Steering, cpo: Provider) -> dict[str, Asked]:
    """All requests that are accepted or refused, by name; the commands write the id in other letters."""
    tell_session(cpo, SESSION)
    tell_session(cpo, LATE)
    will_answer(cpo, SESSION, ACCEPTED)
    will_answer(cpo, LATE, {"result": "ACCEPTED", "timeout": 1})
    for refusal in REFUSALS:
        will_answer(cpo, tell_session(cpo, f"CPSX-{refusal}"), {"result": refusal, "timeout": 0})
    wishes = {
        "late": ("set", LATE),
        "first": ("set", SESSION.swapcase()),
        "second": ("set", SESSION.swapcase()),
        "read": ("get", SESSION.swapcase(), "--duration", "900"),
        "clear": ("clear", SESSION.swapcase()),
        **{refusal: ("set", f"CPSX-{refusal}") for refusal in REFUSALS},
    }
    with ThreadPoolExecutor(2) as pool:
        running = {name: pool.submit(steering.ask, cpo, *words) for name, words in wishes.items()}
    return {name: one.result() for name, one in running.items()}


def test_each_request_goes_out_once_under_the_cpos_id_with_a_response_url_of_its_own(
    cpo: Provider, asked: dict[str, Asked]
) -> None:
    requests = [asked[name] for name in ("first", "second", "read", "clear")]
    urls = [one.response_url for one in requests]

    assert len(set(urls)) == len(cpo.peer.received("*", SESSION_PATH)) == 4
    results = f"{cpo.endpoints['chargingprofiles', 'SENDER']}/result"
    assert urls == [f"{results}/{one.id}" for one in requests]
    assert [(one.seen.method, one.seen.path, one.seen.query, one.seen.body) for one in requests] == [
        ("PUT", SESSION_PATH, {}, {"charging_profile": PROFILE, "response_url": urls[0]}),
        ("PUT", SESSION_PATH, {}, {"charging_profile": PROFILE, "response_url": urls[1]}),
        ("GET", SESSION_PATH, {"duration": "900", "response_url": urls[2]}, None),
        ("DELETE", SESSION_PATH, {"response_url": urls[3]}, None),
    ]
    for one in requests:
        assert one.printed == {"request": one.id, **ACCEPTED}
        headers = {name.lower(): value for name, value in one.seen.headers.items()}
        assert {name: value for name, value in headers.items() if name.startswith("ocpi-")} == {
            "ocpi-from-country-code": "NL",
            "ocpi-from-party-id": "SPC",
            "ocpi-to-country-code": "NL",
            "ocpi-to-party-id": "PTN",
        }


def test_each_result_is_matched_by_its_url_and_answered_without_data(
    steering: Steering, cpo: Provider, asked: dict[str, Asked]
) -> None:
    assert bring(cpo, asked["second"].response_url, {"result": "REJECTED"}) == DONE
    assert bring(cpo, asked["first"].response_url, {"result": "ACCEPTED"}) == DONE
    # Once more: the first one stands.
    assert bring(cpo, asked["first"].response_url, {"result": "REJECTED"}) == DONE

    assert steering.fate(asked["first"]) == (SETTLED, "ACCEPTED", False)
    assert steering.fate(asked["second"]) == (SETTLED, "REJECTED", False)


def test_a_result_with_the_active_profile_is_stored(
    steering: Steering, cpo: Provider, asked: dict[str, Asked]
) -> None:
    request = asked["read"]

    assert bring(cpo, request.response_url, {"result": "ACCEPTED", "profile": ACTIVE}) == DONE

    shown = steering.node.ask("profile", "show", request.id)
    assert shown == {
        "request": request.id,
        "kind": "GET",
        "session_id": SESSION,
        "partner": cpo.partner_id,
        "state": "SETTLED",
        "response": "ACCEPTED",
        "timeout": 30,
        "result": "ACCEPTED",
        "profile": ACTIVE,
        "late": False,
        "detail": "",
        "asked_at": shown["asked_at"],
        "settled_at": shown["settled_at"],
    }
    assert steering.active(SESSION) == [ACTIVE]


def test_a_result_inside_an_envelope_is_taken_too(
    steering: Steering, cpo: Provider, asked: dict[str, Asked]
) -> None:
    assert bring(cpo, asked["clear"].response_url, {"result": "MAYBE"}) == REFUSED
    assert bring(cpo, asked["clear"].response_url, enveloped({"result": "UNKNOWN"})) == DONE

    assert steering.fate(asked["clear"]) == (SETTLED, "UNKNOWN", False)


def test_a_result_that_comes_before_the_cpos_answer_is_kept(steering: Steering, cpo: Provider) -> None:
    session = tell_session(cpo, "CPSX-EARLY")
    answers: list[Said] = []
    will_answer(
        cpo, session, ACCEPTED, first=lambda url: answers.append(bring(cpo, url, {"result": "ACCEPTED"}))
    )

    early = steering.ask(cpo, "set", session)

    assert (answers, early.printed["result"]) == ([DONE], "ACCEPTED")
    assert steering.fate(early) == (SETTLED, "ACCEPTED", False)


def test_a_refusal_is_told_and_never_asked_again_by_itself(
    steering: Steering, cpo: Provider, asked: dict[str, Asked]
) -> None:
    for refusal in REFUSALS:
        request = asked[refusal]
        assert request.printed == {"request": request.id, "result": refusal, "timeout": 0}
        assert steering.fate(request) == ("the CPO did not take it", "-", False)
        assert cpo.peer.received("*", f"{RECEIVER}/CPSX-{refusal}") == [request.seen]


def test_silence_is_timed_out_without_asking_again_and_a_late_result_is_marked(
    steering: Steering, cpo: Provider, asked: dict[str, Asked]
) -> None:
    wait_for(lambda: steering.fate(asked["late"]) == (TIMED_OUT, "-", False), 10, every_s=0.1)

    assert cpo.peer.received("*", f"{RECEIVER}/{LATE}") == [asked["late"].seen]
    assert bring(cpo, asked["late"].response_url, {"result": "ACCEPTED"}) == DONE
    assert steering.fate(asked["late"]) == (SETTLED, "ACCEPTED", True)


def test_only_sessions_that_a_cpo_told_us_of_are_steered(node: Node, scene: Scene) -> None:
    own, _, _ = scene.session()

    with pytest.raises(StepFailed, match=f"No session {own} was received"):
        node.ask("profile", "clear", own)


def test_it_asks_for_a_day_ahead_at_most(node: Node, cpo: Provider) -> None:
    session = tell_session(cpo, "CPSX-LONG")

    with pytest.raises(StepFailed, match=f"--duration must be from 1 to {DAY_S} seconds"):
        node.ask("profile", "get", session, "--duration", str(DAY_S + 1))

    assert cpo.peer.received("*", f"{RECEIVER}/{session}") == []


def test_an_active_profile_is_stored_and_answered_without_data(
    steering: Steering, cpo: Provider, active_profiles: Endpoint
) -> None:
    session = tell_session(cpo, "CPSX-ACTIVE")
    newer = ACTIVE | {"start_date_time": "2030-01-15T12:10:00Z"}

    assert active_profiles.put(f"/{session}", ACTIVE) == DONE
    assert active_profiles.put(f"/{session.lower()}", newer) == DONE
    assert active_profiles.put(f"/{session}", {"start_date_time": "soon"}) == REFUSED
    assert active_profiles.put("/nobody-told", ACTIVE) == (404, 2001, NOTHING)

    assert steering.active(session) == [newer]


def test_the_sender_has_put_of_sessions_and_post_of_results_alone(
    cpo: Provider, asked: dict[str, Asked], active_profiles: Endpoint
) -> None:
    url = asked["first"].response_url

    active_profiles.refuses("/any", "GET", "POST", "PATCH", "DELETE")
    active_profiles.refuses(url.removeprefix(active_profiles.url), "GET", "PUT", "PATCH", "DELETE")
    assert bring(cpo, url[:-12] + "0" * 12, {"result": "ACCEPTED"}) == (404, 2001, NOTHING)


def test_the_same_session_id_at_two_cpos_is_two_sessions(
    steering: Steering, cpo: Provider, another_cpo: Provider, active_profiles: Endpoint
) -> None:
    session = tell_session(cpo, "CPSX-TWICE")
    tell_session(another_cpo, session)
    will_answer(another_cpo, session, ACCEPTED)
    theirs = ACTIVE | {"start_date_time": "2030-01-15T13:00:00Z"}

    with pytest.raises(StepFailed, match="There are several sessions CPSX-TWICE"):
        steering.node.ask("profile", "clear", session)
    cleared = steering.ask(another_cpo, "clear", session, "--partner", str(another_cpo.partner_id))
    assert active_profiles.put(f"/{session}", ACTIVE) == DONE
    assert Endpoint(another_cpo, "chargingprofiles", "SENDER").put(f"/{session}", theirs) == DONE

    assert steering.active(session) == [ACTIVE, theirs]
    assert cpo.peer.received("*", f"{RECEIVER}/{session}") == []
    assert bring(cpo, cleared.response_url, {"result": "ACCEPTED"}) == (404, 2001, NOTHING)
    assert bring(another_cpo, cleared.response_url, {"result": "ACCEPTED"}) == DONE
