"""Periodic work with partners."""

from __future__ import annotations

import logging
import random
import time

from celery import shared_task
from django.utils import timezone

from ocpi.partners.models import Partner
from ocpi.partners.pulls import UnableToPull, pull

logger = logging.getLogger(__name__)
MOST_S = 1800.0


@shared_task(name="partners.pull_all")
def pull_all() -> None:
    """Pull what every registered partner changed, in random order, for half an hour at most."""
    stop_at_s = time.monotonic() + MOST_S
    partners = list(Partner.objects.filter(status=Partner.Status.REGISTERED))
    # OCPI 2.2.1 transport, Pull and Push: spread the load over the partners that poll.
    random.shuffle(partners)
    for partner in partners:
        if time.monotonic() > stop_at_s:
            logger.warning("pulling took too long: some partners wait for the next round")
            return
        try:
            pull(partner, None, timezone.now())
        except UnableToPull as error:
            logger.warning("partner %s: %s", partner.pk, error)
