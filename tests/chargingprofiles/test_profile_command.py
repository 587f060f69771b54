"""`manage.py profile`."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from chargingprofiles.models import IssuedRequest, Kind
from tests.chargingprofiles.calls import profile
from tests.factories import NOW, iso, make_partner, make_session
from tests.peer import Peer


@pytest.fixture
def peer():
    with Peer() as peer:
        peer.answer("*", "/2.2.1/receiver/chargingprofiles", data={"result": "ACCEPTED", "timeout": 30})
        yield peer


@pytest.fixture
def session(db, peer):
    return make_session(session_id="S1", partner=make_partner(role="CPO", url=peer.url))


def run(capsys, *words):
    """Run the command; returns (exit code, its standard output as JSON or text, the reason)."""
    try:
        call_command("profile", *words)
        code = 0
        error = ""
    except CommandError as stop:
        code, error = stop.returncode, str(stop)
    output = capsys.readouterr().out
    return code, json.loads(output) if "--json" in words and output else output, error


def test_sets_a_profile_from_a_file(capsys, peer, session, tmp_path):
    file = tmp_path / "profile.json"
    file.write_text(json.dumps(profile()))

    code, output, _ = run(capsys, "set", "S1", "--file", str(file), "--json")

    request = IssuedRequest.objects.get()
    assert (code, output) == (0, {"request": str(request.pk), "result": "ACCEPTED", "timeout": 30})
    assert peer.requests[0].body["charging_profile"] == profile() | {
        "start_date_time": request.document["start_date_time"]
    }


def test_sets_the_profile_of_a_whole_request_starting_now(capsys, peer, session, monkeypatch):
    charging_profile = profile()
    del charging_profile["start_date_time"]
    whole = {"charging_profile": charging_profile, "response_url": "https://www.example.com/ignored"}
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(whole).encode())))
    began_at = timezone.now().replace(microsecond=0)

    code, _, _ = run(capsys, "set", "S1", "--file", "-", "--json")

    sent = peer.requests[0].body
    start = sent["charging_profile"].pop("start_date_time")
    assert code == 0
    assert sent["charging_profile"] == charging_profile
    assert sent["response_url"].endswith(str(IssuedRequest.objects.get().pk))
    assert iso(began_at) <= start <= iso(began_at + timedelta(seconds=30))


def test_clears_and_gets(capsys, peer, session):
    assert run(capsys, "clear", "s1", "--json")[0] == 0
    assert run(capsys, "get", "S1", "--duration", "900", "--json")[1]["result"] == "ACCEPTED"

    assert [call.method for call in peer.requests] == ["DELETE", "GET"]


def test_speaks_in_sentences_to_people(capsys, session):
    code, output, _ = run(capsys, "clear", "S1")

    assert code == 0
    assert "ACCEPTED" in output
    assert f"profile show {IssuedRequest.objects.get().pk}" in output


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "JSON"),
        (b"[]", "must be a JSON object"),
        (b"{}", "charging_rate_unit"),
        (json.dumps(profile(charging_profile_period=[])).encode(), "charging_profile_period"),
        (json.dumps(profile(start_date_time="2020-01-01T00:00:00Z", duration=60)).encode(), "in the past"),
        (json.dumps({"charging_profile": 5}).encode(), "must be a JSON object"),
    ],
)
def test_refuses_a_file_that_holds_no_profile_to_send(capsys, session, tmp_path, content, reason):
    file = tmp_path / "profile.json"
    file.write_bytes(content)

    code, _, error = run(capsys, "set", "S1", "--file", str(file))

    assert code == 1
    assert reason in error
    assert not IssuedRequest.objects.exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["set", "S1", "--file", "/nowhere/at-all.json"], "No such file"),
        (["clear", "NOPE"], "No session NOPE was received."),
        (["clear", "S1", "--partner", "999999"], "No session S1 of partner 999999 was received."),
        (["get", "S1", "--duration", "0"], "--duration must be from 1"),
        (["get", "S1", "--duration", "86401"], "--duration must be from 1 to 86400 seconds."),
        (["show", "abc"], "abc is not a request id."),
        (["show", "00000000-0000-4000-8000-000000000000"], "There is no request"),
    ],
)
def test_says_what_makes_no_sense(capsys, session, words, reason):
    code, output, error = run(capsys, *words)

    assert (code, output) == (1, "")
    assert reason in error


def test_does_not_steer_a_session_of_ours(capsys, db):
    make_session(session_id="OURS")

    assert run(capsys, "clear", "OURS")[0] == 1


def test_asks_which_partner_is_meant(capsys, peer, session):
    other = make_partner(role="CPO", url=peer.url)
    make_session(session_id="S1", partner=other)

    code, _, error = run(capsys, "clear", "S1")
    assert code == 1
    assert "There are several sessions S1; name one: --partner " in error

    assert run(capsys, "clear", "S1", "--partner", str(other.pk))[0] == 0
    assert IssuedRequest.objects.get().partner == other


def test_asks_which_party_of_a_platform_is_meant(capsys, session):
    make_session(session_id="s1", partner=session.partner, party_id="TWO")

    code, _, error = run(capsys, "clear", "S1", "--partner", str(session.partner.pk))
    assert code == 1
    assert f"--partner {session.partner.pk} --party NL-TWO ({session.partner})" in error

    assert run(capsys, "clear", "S1", "--party", "nl-two")[0] == 0
    assert IssuedRequest.objects.get().session.party_id == "TWO"


def test_fails_with_the_reason_when_the_cpo_gives_no_answer(capsys, db):
    make_session(session_id="S1", partner=make_partner(role="CPO", url="http://127.0.0.1:9"))

    code, output, error = run(capsys, "clear", "S1", "--json")

    assert (code, output) == (1, "")
    assert "was not taken" in error


def test_shows_what_the_charger_said(capsys, session):
    active = {
        "start_date_time": iso(NOW),
        "charging_profile": {
            "charging_rate_unit": "A",
            "charging_profile_period": [{"start_period": 0, "limit": 16.0}],
        },
    }
    request = IssuedRequest.objects.create(
        partner=session.partner,
        session=session,
        kind=Kind.GET,
        duration_s=900,
        state=IssuedRequest.State.SETTLED,
        response="ACCEPTED",
        timeout_s=30,
        result="ACCEPTED",
        profile=active,
        asked_at=NOW,
        settled_at=NOW,
    )

    assert run(capsys, "show", str(request.pk), "--json")[1] == {
        "request": str(request.pk),
        "kind": "GET",
        "session_id": "S1",
        "partner": session.partner.pk,
        "state": "SETTLED",
        "response": "ACCEPTED",
        "timeout": 30,
        "result": "ACCEPTED",
        "profile": active,
        "late": False,
        "detail": "",
        "asked_at": iso(NOW),
        "settled_at": iso(NOW),
    }
    assert "16.0 A" in run(capsys, "show", str(request.pk))[1]
