"""The admin pages of sessions."""

from __future__ import annotations

import pytest

from sessions.models import Session
from tests.factories import make_session

pytestmark = pytest.mark.django_db


def test_lists_and_shows_sessions(admin_client):
    session = make_session(session_id="S1")

    for path in ("?q=S1", f"{session.pk}/change/"):
        assert admin_client.get(f"/admin/charging_sessions/session/{path}").status_code == 200


def test_lets_nobody_delete_a_session(admin_client):
    session = make_session()

    response = admin_client.post(f"/admin/charging_sessions/session/{session.pk}/delete/", {"post": "yes"})

    assert response.status_code == 403
    assert Session.objects.get() == session
