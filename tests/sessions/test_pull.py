"""Pulling a partner's sessions over HTTP."""

from __future__ import annotations

import pytest

from ocpi.partners.models import PartnerRole
from ocpi.partners.pulls import pull
from sessions.models import Session
from tests.factories import NOW, make_partner, session_document
from tests.peer import Peer

pytestmark = pytest.mark.django_db

PATH = "/2.2.1/sender/sessions"


def test_follows_the_pages_and_keeps_the_good_sessions(settings):
    # NL-NOD of the documents is theirs.
    settings.PARTY_ID = "OUR"

    def page(*documents):
        return {"data": list(documents), "status_code": 1000, "timestamp": "2026-01-15T12:00:00Z"}

    with Peer() as peer:
        cpo = make_partner(role="CPO", country_code="NL", party_id="NOD", url=peer.url)
        peer.answer("GET", "/more", body=page(session_document("S2")))
        peer.answer(
            "GET",
            PATH,
            body=page(session_document("S1"), session_document("BAD", kwh="lots")),
            headers={"Link": f'<{peer.url}/more?after=2>; rel="next"'},
        )

        counts = pull(cpo, "sessions", NOW)

        assert counts == {"locations": 0, "sessions": 2, "refused": 1}
        assert "date_from" in peer.requests[0].query
        assert peer.requests[1].query == {"after": "2"}
    assert list(Session.objects.values_list("session_id", flat=True)) == ["S1", "S2"]


def test_marks_running_sessions_that_a_whole_list_lacks(settings):
    settings.PARTY_ID = "OUR"
    with Peer() as peer:
        cpo = make_partner(role="CPO", country_code="NL", party_id="NOD", url=peer.url)
        PartnerRole.objects.create(partner=cpo, role="CPO", country_code="NL", party_id="TWO")
        whole = [
            session_document("S1"),
            session_document("S2"),
            session_document("S3", status="COMPLETED"),
            session_document("s1", party_id="TWO"),
        ]
        peer.answer("GET", PATH, data=whole)
        pull(cpo, "sessions", NOW)
        peer.answer("GET", PATH, data=whole[:1])

        pull(cpo, "sessions", NOW, is_whole=True)

    marked = Session.objects.exclude(unconfirmed_at=None).values_list("session_id", flat=True)
    assert sorted(marked) == ["S2", "s1"]
