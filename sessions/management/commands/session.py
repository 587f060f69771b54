"""`manage.py session`: the sessions that the node knows, its own and its partners'."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from ocpi.console import ConsoleCommand, ConsoleError
from ocpi.protocol.types import fold
from sessions.models import Session

MOST_LISTED = 100


class Command(ConsoleCommand):
    """List sessions, newest first, or show one as its OCPI object."""

    help = "Shows charging sessions: list [--active], show SESSION_ID."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the two verbs."""
        listing = self.sub(parser, "list", self.list_sessions)
        listing.add_argument("--active", action="store_true", help="only those that are charging")
        showing = self.sub(parser, "show", self.show_session)
        showing.add_argument("session_id", metavar="SESSION_ID")

    def list_sessions(self, *, active: bool, **_: Any) -> None:
        """Print the newest sessions."""
        sessions = Session.objects.select_related("partner").order_by("-id")
        if active:
            sessions = sessions.filter(status=Session.Status.ACTIVE)
        rows = [summary(session) for session in sessions[:MOST_LISTED]]
        human = [
            f"{row['id']}  {row['status']:<9}  {row['kwh']:>8} kWh  {row['evse_uid']}  {row['owner']}"
            for row in rows
        ]
        self.emit({"sessions": rows}, human or ["No sessions yet."])

    def show_session(self, *, session_id: str, **_: Any) -> None:
        """Print one session. Raises ConsoleError when there is none of that id."""
        session = Session.objects.select_related("partner").filter(key=fold(session_id)).last()
        if session is None:
            raise ConsoleError(f"There is no session {session_id}.")
        row = summary(session) | {"document": session.document, "preferences": session.preferences}
        self.emit(row, [f"{name}: {value}" for name, value in row.items()])


def summary(session: Session) -> dict[str, Any]:
    """Return what a list tells of a session; `owner` is ours or the partner's name."""
    return {
        "id": session.session_id,
        "owner": session.partner.name if session.partner else "ours",
        "partner": session.partner_id,
        "status": session.status,
        "kwh": session.document.get("kwh"),
        "location_id": session.document.get("location_id"),
        "evse_uid": session.evse_uid,
        "started_at": session.document.get("start_date_time"),
        "last_updated": session.document.get("last_updated"),
    }
