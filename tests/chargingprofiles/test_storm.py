"""Many requests and answers at once: each request that was accepted gets one decision and one result."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.utils import timezone

from chargers.models import Command, Limit
from chargers.settlement import settle
from chargingprofiles import due
from chargingprofiles.models import ProfileRequest
from ocpi.delivery.models import Push, Result
from tests.chargingprofiles.calls import ANSWER_URL, delete, get, put, said
from tests.waiting import wait_for

State = Command.State
OPEN = [State.QUEUED, State.SENT]


def answer_commands(stop):
    """Answer what is owed, one at a time, as a charger does."""
    try:
        while not stop.is_set() or Command.objects.filter(state__in=OPEN).exists():
            command = Command.objects.filter(state=State.QUEUED).first()
            if command and Command.objects.filter(pk=command.pk, state=State.QUEUED).update(state=State.SENT):
                command.refresh_from_db()
                settle(command, state=State.ANSWERED, outcome=Command.Outcome.ACCEPTED, now=timezone.now())
            due.sweep(timezone.now())
    finally:
        connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_decides_every_request_once_while_newer_ones_replace_them(sender, charging, settings):
    settings.PROFILE_RATE = (1000, 60)
    stop = threading.Event()
    session_id = charging.session.session_id

    def ask(number):
        how = (put, put, get, delete)[number % 4]
        try:
            return said(how(session_id, response_url=f"{ANSWER_URL}{number}"))[2]["result"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(5) as pool:
        charger = pool.submit(answer_commands, stop)
        answers = [ask(0)]
        wait_for(lambda: ProfileRequest.objects.filter(decision="ACCEPTED").exists())
        answers += pool.map(ask, range(1, 32))
        stop.set()
        charger.result(timeout=20)

    wait_for(lambda: not ProfileRequest.objects.filter(decision="").exists())
    assert answers == ["ACCEPTED"] * 32
    urls = sorted(f"{ANSWER_URL}{number}" for number in range(32))
    assert sorted(Result.objects.values_list("url", flat=True)) == urls
    decided = {request.response_url: request.decision for request in ProfileRequest.objects.all()}
    assert {result.url: result.body["result"] for result in Result.objects.all()} == decided
    # What the charger holds is what the last command that it accepted asked for.
    last = Command.objects.filter(kind__in=["SET_LIMIT", "CLEAR_LIMIT"], outcome="ACCEPTED").last()
    held = [limit.schedule for limit in Limit.objects.all()]
    assert held == ([last.schedule] if last.kind == "SET_LIMIT" else [])
    assert Push.objects.count() == 1
