"""Periodic work with partners."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from ocpi.partners import pull_times
from ocpi.partners.models import Partner


@shared_task(name="partners.pull_due")
def pull_due() -> None:
    """Give each partner whose turn it is to a worker."""
    for partner_id in pull_times.claim_due(timezone.now()):
        pull_one.delay(partner_id)


@shared_task(name="partners.pull_one")
def pull_one(partner_id: int) -> None:
    """Pull what one partner changed."""
    partner = Partner.objects.filter(pk=partner_id, status=Partner.Status.REGISTERED).first()
    if partner is not None:
        pull_times.take_turn(partner, now=timezone.now())


@shared_task(name="partners.catch_up")
def catch_up() -> None:
    """After a start: what partners told meanwhile was lost."""
    pull_times.expect_gap(None, now=timezone.now())
