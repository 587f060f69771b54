"""What is deleted of requests, and when."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chargingprofiles.models import IssuedRequest, Kind, ProfileRequest
from chargingprofiles.tasks import prune
from sessions.models import Session
from tests.chargingprofiles import charger
from tests.chargingprofiles.calls import put
from tests.factories import make_partner, make_session


@pytest.mark.parametrize(
    ("age_days", "status", "is_kept"),
    [(31, "COMPLETED", False), (29, "COMPLETED", True), (31, "ACTIVE", True)],
)
def test_deletes_requests_of_sessions_that_ended_long_ago(sender, charging, age_days, status, is_kept):
    cpo = make_partner(role="CPO")
    asked_at = timezone.now() - timedelta(days=age_days)
    IssuedRequest.objects.create(
        partner=cpo, session=make_session(partner=cpo), kind=Kind.CLEAR, asked_at=asked_at
    )
    put(charging.session.session_id)
    charger.says("ACCEPTED", command=charger.pending("SET_LIMIT"))
    ProfileRequest.objects.update(asked_at=asked_at)
    Session.objects.update(status=status)

    prune()

    assert (ProfileRequest.objects.exists(), IssuedRequest.objects.exists()) == (is_kept, is_kept)
