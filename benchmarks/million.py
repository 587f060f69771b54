"""Many sessions in a node's database, written past the node, and what is written while they are read."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from tests.factories import session_document
from tests.journeys.nodes import SpreadNode

LOCATIONS = 1000
TOKEN_PARTY = ("DE", "TOK")
PAUSE_S = 0.005
_OWN = {"country_code": "NL", "party_id": "BNC"}
# One session in a minute, the oldest first, each changed last an hour after its start; every third is with a
# token of TOKEN_PARTY.
_INSERT = f"""INSERT INTO charging_sessions_session (country_code, party_id, session_id, key, status,
    location_id, evse_uid, token_country_code, token_party_id, started_at, ended_at, document, last_updated,
    created_at)
SELECT 'NL', 'BNC', 'S' || n, 'S' || n, 'COMPLETED', 'LOC' || n %% {LOCATIONS}, 'E1',
    CASE n %% 3 WHEN 0 THEN '{TOKEN_PARTY[0]}' ELSE 'NL' END,
    CASE n %% 3 WHEN 0 THEN '{TOKEN_PARTY[1]}' ELSE 'BNC' END,
    began, began + interval '1 hour',
    %(document)s::jsonb || jsonb_build_object('id', 'S' || n, 'location_id', 'LOC' || n %% {LOCATIONS}),
    began + interval '1 hour', began
FROM generate_series(%(first)s::int, %(last)s::int) AS n,
    LATERAL (SELECT %(origin)s + n * interval '1 minute' AS began) AS moment"""
_UPDATE = """UPDATE charging_sessions_session
SET last_updated = now(), document = document || jsonb_build_object('kwh', %(number)s::int)
WHERE partner_id IS NULL AND key = 'S' || %(number)s::text"""


@dataclass
class Written:
    """How many sessions were added, and as many changed, while others read."""

    sessions: int = 0


class Sessions:
    """The sessions of a node: S0, S1 and so on, the oldest first."""

    def __init__(self, node: SpreadNode, rows: int) -> None:
        self.url = node.environment["DATABASE_URL"]
        self.rows = rows
        self.next_number = rows
        self.origin = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=rows + 120)
        periods = [
            {
                "start_date_time": self.origin.isoformat(),
                "dimensions": [{"type": "ENERGY", "volume": 7.25}, {"type": "TIME", "volume": 1.0}],
            }
        ] * 2
        self.template = json.dumps(session_document(status="COMPLETED", charging_periods=periods, **_OWN))
        with self._connection() as connection:
            self._insert(connection, 0, rows - 1)
            connection.execute("VACUUM ANALYZE charging_sessions_session")

    def changed_at(self, part: float) -> datetime:
        """Return when the session at this part of the list, 0 to 1, was changed last."""
        return self.origin + timedelta(minutes=int(self.rows * part) + 60)

    def fitting(self, where: str) -> set[int]:
        """Return the numbers of the sessions that fit an SQL condition."""
        statement = f"SELECT substr(key, 2)::int FROM charging_sessions_session WHERE {where}"
        with self._connection() as connection:
            return {number for (number,) in connection.execute(statement.encode())}

    @contextmanager
    def changing(self) -> Iterator[Written]:
        """Add sessions and change old ones for as long as the block runs."""
        stop, written = threading.Event(), Written()

        def write() -> None:
            with self._connection() as connection:
                while not stop.wait(PAUSE_S):
                    self._insert(connection, self.next_number, self.next_number)
                    connection.execute(_UPDATE.encode(), {"number": self.next_number * 7919 % self.rows})
                    self.next_number += 1
                    written.sessions += 1

        writer = threading.Thread(target=write)
        writer.start()
        try:
            yield written
        finally:
            stop.set()
            writer.join()

    def _connection(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url, autocommit=True)

    def _insert(self, connection: psycopg.Connection[Any], first: int, last: int) -> None:
        values = {"document": self.template, "origin": self.origin, "first": first, "last": last}
        connection.execute(_INSERT.encode(), values)
