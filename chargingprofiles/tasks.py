"""What Celery's beat asks of this app."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from celery import shared_task
from django.utils import timezone

from chargingprofiles.models import IssuedRequest, ProfileRequest
from ocpi.delivery.tasks import KEPT
from sessions.models import Session


@shared_task(name="chargingprofiles.prune", ignore_result=True)
def prune(**_: Any) -> None:
    """Delete requests that ended more than 30 days ago."""
    delete_older_than(timezone.now() - KEPT)


def delete_older_than(moment: datetime) -> int:
    """Delete the requests made before `moment` whose session is over; return how many.

    While a session runs, its accepted requests say what its Senders were told.
    """
    over = {"asked_at__lt": moment, "session__status__in": Session.OVER}
    asked, _ = ProfileRequest.objects.filter(**over).exclude(decision="").delete()
    issued, _ = IssuedRequest.objects.filter(**over).delete()
    return asked + issued
