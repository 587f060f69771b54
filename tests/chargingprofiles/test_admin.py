"""The admin pages of charging profiles: to look at, not to change."""

import pytest
from django.utils import timezone

from chargingprofiles.models import ActiveProfile, ArmedSender, IssuedRequest, Kind, ProfileRequest
from tests.chargingprofiles.calls import put


@pytest.fixture
def rows(sender, charging):
    put(charging.session.session_id)
    now, session = timezone.now(), charging.session
    return {
        "profilerequest": ProfileRequest.objects.get(),
        "issuedrequest": IssuedRequest.objects.create(
            partner=sender, session=session, kind=Kind.CLEAR, asked_at=now
        ),
        "armedsender": ArmedSender.objects.create(partner=sender, session=session, armed_at=now),
        "activeprofile": ActiveProfile.objects.create(session=session, document={}, reported_at=now),
    }


@pytest.mark.parametrize("model", ["profilerequest", "issuedrequest", "armedsender", "activeprofile"])
def test_lists_searches_and_shows(admin_client, rows, model):
    page = f"/admin/chargingprofiles/{model}/"

    assert admin_client.get(f"{page}?q=S").status_code == 200
    shown = admin_client.get(f"{page}{rows[model].pk}/change/")
    assert shown.status_code == 200
    assert b'name="_save"' not in shown.content
    assert admin_client.get(f"{page}add/").status_code == 403
