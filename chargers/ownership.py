"""Which gateway holds a charger's socket. Each connection gets a higher epoch; older ones can't write.

The newest authenticated socket wins; the end of an older one must not touch it.
"""

from __future__ import annotations

import logging
import os
import socket
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction
from django.db.models import F

from chargers import outlets, queue
from chargers.bus import bus_from_settings
from chargers.models import Charger, Gateway, Outlet
from chargers.owing import restore
from chargers.signs import expect_change

logger = logging.getLogger(__name__)

# A gateway that was only slow comes back before; then its chargers must connect again.
DEAD_AFTER = timedelta(seconds=10)
# A gateway that ends takes its chargers along for a moment; one that stays away is unknown.
UNKNOWN_AFTER = timedelta(seconds=30)
MOST_PER_SWEEP = 100


def open_gateway(*, port: int, now: datetime) -> str:
    """Register a gateway process and return its id, which is new with every start."""
    gateway_id = f"{socket.gethostname()[:30]}:{os.getpid()}:{uuid4().hex[:12]}"
    Gateway.objects.create(id=gateway_id, port=port, started_at=now, heartbeat_at=now)
    return gateway_id


def beat(gateway_id: str, *, port: int, now: datetime) -> bool:
    """Say that the gateway lives; False when it was taken for dead meanwhile and its chargers given up."""
    if Gateway.objects.filter(pk=gateway_id).update(heartbeat_at=now):
        return True
    Gateway.objects.create(id=gateway_id, port=port, started_at=now, heartbeat_at=now)
    return False


def close_gateway(gateway_id: str, *, now: datetime) -> None:
    """Give up all its chargers at once; they will connect to another gateway, or to the next start."""
    _give_up(gateway_id, now=now)


def take(charger: Charger, *, gateway_id: str, version: str, now: datetime) -> int:
    """Make a new connection the charger's owner and return its epoch.

    What an earlier connection left unanswered is queued again; signs of change and limits to restore are
    looked after.
    """
    with transaction.atomic():
        Charger.objects.filter(pk=charger.pk).update(
            epoch=F("epoch") + 1,
            gateway=gateway_id,
            connected_at=now,
            last_seen_at=now,
            ocpp_version=version,
        )
        # The row is locked until here: nobody else's epoch can be read.
        epoch = Charger.objects.values_list("epoch", flat=True).get(pk=charger.pk)
        queue.lose_all(charger.pk, epoch=epoch, now=now)
        for outlet in Outlet.objects.filter(charger=charger, needs_restore=True):
            restore(outlet, now=now)
        expect_change(charger, now=now)
        outlets.show_again(charger, now=now)
    bus_from_settings().wake(charger.pk)
    return epoch


def release(charger: Charger, *, epoch: int, now: datetime) -> bool:
    """Note that the socket of an epoch is gone; False when a newer one has taken the charger over."""
    mine = Charger.objects.filter(pk=charger.pk, epoch=epoch)
    if not mine.update(gateway=None, connected_at=None, last_seen_at=now):
        return False
    outlets.show_unknown(charger, now=now)
    return True


def seen(charger_id: int, *, epoch: int, now: datetime) -> None:
    """Note that the charger spoke."""
    Charger.objects.filter(pk=charger_id, epoch=epoch).update(last_seen_at=now)


def is_owner(charger_id: int, *, epoch: int) -> bool:
    """Tell whether a connection is the charger's newest."""
    return Charger.objects.filter(pk=charger_id, epoch=epoch).exists()


def owned(gateway_id: str) -> dict[int, int]:
    """Return the epochs of the chargers that a gateway owns, by charger id."""
    return dict(Charger.objects.filter(gateway_id=gateway_id).order_by().values_list("pk", "epoch"))


def sweep(now: datetime) -> int:
    """Give up the chargers of dead gateways, and show as unknown who stays away; returns how many."""
    moved = 0
    for gateway in list(Gateway.objects.filter(heartbeat_at__lte=now - DEAD_AFTER)):
        logger.warning("gateway %s died; its chargers are given up", gateway)
        moved += _give_up(gateway.pk, now=now)
    away = (
        Charger.objects.filter(gateway=None, epoch__gt=0, last_seen_at__lte=now - UNKNOWN_AFTER)
        .filter(
            outlets__evse__in=Outlet.objects.exclude(evse__status__in=["UNKNOWN", "REMOVED"]).values("evse")
        )
        .distinct()[:MOST_PER_SWEEP]
    )
    for charger in list(away):
        outlets.show_unknown(charger, now=now)
        moved += 1
    return moved


def _give_up(gateway_id: str, *, now: datetime) -> int:
    with transaction.atomic():
        count = Charger.objects.filter(gateway_id=gateway_id).update(
            gateway=None, connected_at=None, last_seen_at=now
        )
        Gateway.objects.filter(pk=gateway_id).delete()
    return count
