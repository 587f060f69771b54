"""Pulling what changed from a partner; each module registers how its objects are pulled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from ocpi.partners.calls import NoEndpoint
from ocpi.partners.models import Partner
from ocpi.protocol.client import CallFailed
from ocpi.protocol.errors import OcpiError
from ocpi.protocol.times import format_datetime, parse_datetime

# Clocks differ, and objects that are written while we read must not be missed (OCPI 2.2.1 pagination).
OVERLAP = timedelta(minutes=5)
# With half an hour for beginning them, all pulls of a round end before the next round.
LONGEST_LIST_S = 600.0
# A process that died while it pulled holds others off no longer than this.
LONGEST_PULL = timedelta(minutes=30)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class PullCount:
    """How many objects of a pull were stored, and how many were broken or not theirs."""

    stored: int = 0
    refused: int = 0


class UnableToPull(Exception):
    """The partner's list could not be read to its end; the message says why."""

    # Commands show it as one line, not as a traceback.
    is_foreseen = True


Puller = Callable[[Partner, datetime], PullCount]
_pullers: dict[str, Puller] = {}


def register_puller(module: str, puller: Puller) -> None:
    """Let a module pull: `puller(partner, since)` reads and stores everything changed since then.

    It raises UnableToPull, CallFailed or NoEndpoint when it can't read to the end.
    """
    _pullers[module] = puller


def pull(partner: Partner, module: str | None, now: datetime) -> dict[str, int]:
    """Pull one module, or every one that the partner offers: {"locations": n, "sessions": n, "refused": n}.

    After success the position of the module moves to `now` less an overlap; a failure is kept in
    partner.last_error. Raises UnableToPull, also while another pull from the partner is under way.
    """
    wanted = _wanted(partner, module)
    until = now + LONGEST_PULL
    free = Partner.objects.filter(Q(pulling_until=None) | Q(pulling_until__lte=now), pk=partner.pk)
    if not free.update(pulling_until=until):
        raise UnableToPull(f"{partner.name} is being pulled from already.")
    try:
        return _pull(partner, wanted, now)
    finally:
        Partner.objects.filter(pk=partner.pk, pulling_until=until).update(pulling_until=None)


def _pull(partner: Partner, modules: list[str], now: datetime) -> dict[str, int]:
    counts = {"locations": 0, "sessions": 0, "refused": 0}
    for name in modules:
        try:
            count = _pullers[name](partner, _position(partner, name))
        except (UnableToPull, CallFailed, NoEndpoint, OcpiError) as error:
            reason = f"Pulling {name} from {partner.name} failed: {error}"
            Partner.objects.filter(pk=partner.pk).update(last_error=reason[:300])
            raise UnableToPull(reason) from error
        _move(partner, name, now - OVERLAP)
        counts[name] = count.stored
        counts["refused"] += count.refused
    return counts


def _wanted(partner: Partner, module: str | None) -> list[str]:
    if partner.status != Partner.Status.REGISTERED:
        raise UnableToPull(f"{partner.name} is not registered.")
    offered = set(partner.endpoints.filter(role="SENDER").values_list("identifier", flat=True))
    if module is None:
        # Locations first: sessions refer to them.
        return [name for name in sorted(_pullers) if name in offered]
    if module not in _pullers:
        raise UnableToPull(f"{module} can't be pulled: only {', '.join(sorted(_pullers)) or 'nothing'}.")
    if module not in offered:
        raise UnableToPull(f"{partner.name} offers no {module} SENDER.")
    return [module]


def _position(partner: Partner, module: str) -> datetime:
    text = partner.pulled.get(module)
    return parse_datetime(text) if text else BEGINNING


def _move(partner: Partner, module: str, position: datetime) -> None:
    with transaction.atomic():
        locked = Partner.objects.select_for_update().get(pk=partner.pk)
        if locked.registered_at != partner.registered_at:
            # It registered again meanwhile, perhaps as another platform.
            return
        locked.pulled = locked.pulled | {module: format_datetime(position)}
        locked.last_error = ""
        locked.save(update_fields=["pulled", "last_error"])
    partner.pulled = locked.pulled
