"""What Celery's beat asks of this app."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from celery import shared_task
from django.utils import timezone

from chargers.models import Command
from ocpi.delivery.tasks import KEPT


@shared_task(name="chargers.prune", ignore_result=True)
def prune(**_: Any) -> None:
    """Delete commands that ended more than 30 days ago."""
    delete_older_than(timezone.now() - KEPT)


def delete_older_than(moment: datetime) -> int:
    """Delete the commands that ended before `moment`; return how many."""
    return Command.objects.filter(settled_at__lt=moment).delete()[1].get("chargers.Command", 0)
