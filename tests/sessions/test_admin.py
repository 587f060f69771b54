"""The admin pages of sessions."""

from __future__ import annotations

import pytest

from tests.factories import make_session

pytestmark = pytest.mark.django_db


def test_lists_and_shows_sessions(admin_client):
    session = make_session(session_id="S1")

    for path in ("?q=S1", f"{session.pk}/change/"):
        assert admin_client.get(f"/admin/charging_sessions/session/{path}").status_code == 200
