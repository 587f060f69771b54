"""The gateway outlives its database's troubles; chargers keep their sockets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection

from chargers.models import Charger
from sessions.models import Session
from tests.chargers.owed import ACCEPTED, SET, owe_limit, settled
from tests.station import CallRefused, Station
from tests.waiting import wait_for

# PostgreSQL drops connections on request.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]


def drop_connections() -> None:
    """End every connection to the test's database but this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def starts(station: Station) -> int:
    """Start a transaction, 0 when the gateway asks for another try."""
    try:
        return station.start()
    except CallRefused as refused:
        return 0 if refused.code == "InternalError" else -1


def test_serves_again_after_its_connections_were_dropped(
    charger: Charger, connect: Callable[..., Station]
) -> None:
    station = connect(replies={SET: ACCEPTED})
    station.boot()

    drop_connections()
    number = wait_for(lambda: starts(station))
    drop_connections()

    assert settled(owe_limit(number, 10)) == ("ANSWERED", "ACCEPTED")
    assert Session.objects.count() == 1
    assert not station.is_closed()
