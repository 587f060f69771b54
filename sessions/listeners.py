"""Who wants to know that a partner's session was stored: the code that plans charging."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sessions.models import Session

Listener = Callable[[Session, datetime], None]
_listeners: list[Listener] = []


def register_session_listener(listener: Listener) -> None:
    """Have `listener(session, now)` called after each commit that stored a partner's session.

    It runs in the request or task that stored the session: it should write a row or hint a task, no more.
    """
    if listener not in _listeners:
        _listeners.append(listener)


def tell_listeners(session: Session, now: datetime) -> None:
    """Call every listener."""
    for listener in _listeners:
        listener(session, now)
