"""When each partner is pulled from: by turns, spread over PULL_EVERY_S, and soon after anything was missed.

OCPI 2.2.1 transport_and_format, "Pull and Push": who polls spreads it at random.
"""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q, QuerySet

from ocpi.partners.models import Endpoint, Partner
from ocpi.partners.pulls import LONGEST_PULL, BeingPulled, UnableToPull, pull
from ocpi.protocol.client import CallFailed

logger = logging.getLogger(__name__)

# Half of the time either way, so that partners that registered together don't stay together.
SPREAD = 0.5
SOON = timedelta(minutes=1)
SETTLING = timedelta(seconds=2)
AFTER_FAILURE = timedelta(minutes=2)
MOST_FAILURES = 10
SILENCE = ("unreachable", "timeout")
# A partner whose lists are long or slow must not take every thread of a worker.
MOST_AT_ONCE = 3


def claim_due(now: datetime) -> list[int]:
    """Return the partners whose turn it is, each claimed for as long as a pull may last.

    Also who gave no answer the last time and has called us since: it is back. A claim that is lost on its way
    to a worker is due again after LONGEST_PULL.
    """
    if not settings.PULL_EVERY_S:
        return []
    busy = Partner.objects.filter(pulling_until__gt=now).count()
    is_back = Q(pull_unanswered_at__lte=now - AFTER_FAILURE, last_seen_at__gt=F("pull_unanswered_at"))
    due = Partner.objects.filter(Q(pull_due_at__lte=now) | is_back, status=Partner.Status.REGISTERED)
    claimed: list[int] = []
    for partner_id, due_at in due.order_by("pull_due_at").values_list("pk", "pull_due_at"):
        if busy + len(claimed) >= MOST_AT_ONCE:
            break
        mine = Partner.objects.filter(pk=partner_id, pull_due_at=due_at)
        if mine.update(pull_due_at=now + LONGEST_PULL, pull_unanswered_at=None):
            claimed.append(partner_id)
    return claimed


def take_turn(partner: Partner, *, now: datetime) -> None:
    """Pull from a partner and set its next turn: in about PULL_EVERY_S, or sooner after a failure."""
    every = timedelta(seconds=settings.PULL_EVERY_S)
    unanswered_at, places = None, partner.pull_places
    try:
        pull(partner, None, now)
    except BeingPulled as error:
        logger.info("partner %s: %s", partner.pk, error)
        wait, failures = SOON, partner.pull_failures
    except UnableToPull as error:
        logger.warning("partner %s: %s", partner.pk, error)
        has_come_on = partner.pull_places not in ({}, places)
        failures = 1 if has_come_on else min(partner.pull_failures + 1, MOST_FAILURES)
        wait = min(AFTER_FAILURE * 2 ** (failures - 1), every)
        if isinstance(error.__cause__, CallFailed) and error.__cause__.reason in SILENCE:
            unanswered_at = now
    else:
        wait, failures = every, 0
    due_at = now + wait * random.uniform(1 - SPREAD, 1 + SPREAD)
    partners = Partner.objects.filter(pk=partner.pk)
    partners.update(pull_failures=failures, pull_unanswered_at=unanswered_at)
    # A turn that was made to come sooner while we pulled stays: it is about something we did not read.
    partners.filter(pull_due_at=partner.pull_due_at).update(pull_due_at=due_at)


def begin(partner: Partner, *, now: datetime) -> None:
    """Let a partner that has just registered be pulled from as soon as both sides know of it."""
    if not settings.PULL_EVERY_S:
        return
    _with_lists(Partner.objects.filter(pk=partner.pk)).update(
        pull_due_at=now + SETTLING, pull_failures=0, pull_unanswered_at=None
    )


def expect_gap(partner_id: int | None, *, now: datetime) -> None:
    """Make the turn of a partner, or of all, come soon: something that was told may not have come through.

    Not while its pulls fail: they are tried again by themselves.
    """
    later = _with_lists(Partner.objects.filter(status=Partner.Status.REGISTERED, pull_failures=0)).filter(
        Q(pull_due_at=None) | Q(pull_due_at__gt=now + SOON)
    )
    if partner_id is not None:
        later = later.filter(pk=partner_id)
    for key in later.values_list("pk", flat=True):
        Partner.objects.filter(pk=key).update(pull_due_at=now + SOON * random.random())


def _with_lists(partners: QuerySet[Partner]) -> QuerySet[Partner]:
    """Return those of the partners whose lists can be read."""
    lists = Endpoint.objects.filter(role="SENDER", identifier__in=["locations", "sessions"])
    return partners.filter(pk__in=lists.values("partner"))
