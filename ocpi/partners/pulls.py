"""Pulling what changed from a partner; each module registers how its objects are pulled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from ocpi.partners.calls import NoEndpoint
from ocpi.partners.models import Partner
from ocpi.protocol.client import CallFailed
from ocpi.protocol.errors import OcpiError
from ocpi.protocol.list_reading import Place
from ocpi.protocol.times import format_datetime, parse_datetime

# Clocks differ, and objects that are written while we read must not be missed (OCPI 2.2.1 pagination).
OVERLAP = timedelta(minutes=5)
LONGEST_LIST_S = 600.0
# A process that died while it pulled holds others off no longer than this.
LONGEST_PULL = timedelta(minutes=30)
# A reading that was left off for longer begins again: places and lists don't last for ever.
PLACE_LASTS = timedelta(hours=6)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
# Nobody can rely on last_updated alone: once a day the whole list is read. Sessions are too many for that.
WHOLE_EVERY = {"locations": timedelta(days=1)}


@dataclass(frozen=True)
class PullCount:
    """How many objects of a pull were stored, and how many were broken or not theirs."""

    stored: int = 0
    refused: int = 0


@dataclass(frozen=True)
class Reading:
    """One reading of a partner's list: of what changed since then, or of all.

    It goes on at `place` where an earlier turn left it off; `keep(place)` notes where the next one would,
    None for the beginning.
    """

    since: datetime | None
    began_at: datetime
    place: Place | None
    keep: Callable[[Place | None], None]


class UnableToPull(Exception):
    """The partner's list could not be read to its end; the message says why."""

    # Commands show it as one line, not as a traceback.
    is_foreseen = True


class BeingPulled(UnableToPull):
    """Another pull from the partner is under way."""


Puller = Callable[[Partner, Reading], PullCount]
_pullers: dict[str, Puller] = {}


def register_puller(module: str, puller: Puller) -> None:
    """Let a module pull: `puller(partner, reading)` reads and stores everything changed since `since`.

    Without that it reads the whole list, which then is the truth: what it lacks is not confirmed any more
    (OCPI 2.2.1 mod_locations and mod_sessions, "GET Method").
    It raises UnableToPull, CallFailed or NoEndpoint when it can't read to the end.
    """
    _pullers[module] = puller


def pull(partner: Partner, module: str | None, now: datetime, *, is_whole: bool = False) -> dict[str, int]:
    """Pull one module, or every one that the partner offers: {"locations": n, "sessions": n, "refused": n}.

    What changed since the last success, or all of it; a reading that failed in the middle goes on there.
    After success the position of the module moves to when the reading began, less an overlap; a failure is
    kept in partner.last_error. Raises UnableToPull, also while another pull
    from the partner is under way.
    """
    wanted = _wanted(partner, module)
    until = now + LONGEST_PULL
    free = Partner.objects.filter(Q(pulling_until=None) | Q(pulling_until__lte=now), pk=partner.pk)
    if not free.update(pulling_until=until):
        raise BeingPulled(f"{partner.name} is being pulled from already.")
    try:
        return _pull(partner, wanted, now, is_whole=is_whole)
    finally:
        Partner.objects.filter(pk=partner.pk, pulling_until=until).update(pulling_until=None)


def release_all() -> None:
    """Let pulls begin although others are noted as under way: the process that made them has ended."""
    Partner.objects.exclude(pulling_until=None).update(pulling_until=None)


def _pull(partner: Partner, modules: list[str], now: datetime, *, is_whole: bool) -> dict[str, int]:
    counts = {"locations": 0, "sessions": 0, "refused": 0}
    for name in modules:
        reading = _begun(partner, name, now=now, is_whole=is_whole)
        try:
            count = _pullers[name](partner, reading)
        except (UnableToPull, CallFailed, NoEndpoint, OcpiError) as error:
            reason = f"Pulling {name} from {partner.name} failed: {error}"
            Partner.objects.filter(pk=partner.pk).update(last_error=reason[:300])
            raise UnableToPull(reason) from error
        _move(partner, name, reading.began_at, is_whole=reading.since is None)
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


def _begun(partner: Partner, module: str, *, now: datetime, is_whole: bool) -> Reading:
    """Return the reading that was left off, or a new one."""
    left = partner.pull_places.get(module)
    place, began_at = None, now
    if left and not is_whole and parse_datetime(left["began_at"]) > now - PLACE_LASTS:
        place, began_at = Place(**left["place"]), parse_datetime(left["began_at"])
        since = parse_datetime(left["since"]) if left["since"] else None
    elif is_whole or _is_whole_due(partner, module, now=now):
        since = None
    else:
        since = _position(partner, module)

    def keep(place: Place | None) -> None:
        places = {name: one for name, one in partner.pull_places.items() if name != module}
        if place is not None:
            places[module] = {
                "since": format_datetime(since) if since else None,
                "began_at": format_datetime(began_at),
                "place": asdict(place),
            }
        if places != partner.pull_places:
            same = Partner.objects.filter(pk=partner.pk, registered_at=partner.registered_at)
            same.update(pull_places=places)
            partner.pull_places = places

    return Reading(since, began_at, place, keep)


def _position(partner: Partner, module: str) -> datetime | None:
    text = partner.pulled.get(module)
    return parse_datetime(text) if text else None


def _is_whole_due(partner: Partner, module: str, *, now: datetime) -> bool:
    every, read_at = WHOLE_EVERY.get(module), partner.pulled_whole.get(module)
    return every is not None and (read_at is None or parse_datetime(read_at) <= now - every)


def _move(partner: Partner, module: str, now: datetime, *, is_whole: bool) -> None:
    with transaction.atomic():
        locked = Partner.objects.select_for_update().get(pk=partner.pk)
        if locked.registered_at != partner.registered_at:
            # It registered again meanwhile, perhaps as another platform.
            return
        locked.pulled = locked.pulled | {module: format_datetime(now - OVERLAP)}
        if is_whole:
            locked.pulled_whole = locked.pulled_whole | {module: format_datetime(now)}
        locked.pull_places = {name: one for name, one in locked.pull_places.items() if name != module}
        locked.last_error = ""
        locked.save(update_fields=["pulled", "pulled_whole", "pull_places", "last_error"])
    partner.pulled, partner.pulled_whole = locked.pulled, locked.pulled_whole
    partner.pull_places = locked.pull_places
