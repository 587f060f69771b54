"""Charging transactions as chargers tell them, and the sessions that grow out of them."""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime
from decimal import Decimal
from uuid import uuid4

from django.db import transaction as database

from chargers.authorization import as_uid
from chargers.events import Metered, Started, Stopped
from chargers.models import Charger, Outlet, Transaction
from chargers.owing import restore
from chargers.settlement import cancel_queued
from chargers.signs import expect_change
from sessions.actions import end_session, start_session, update_energy

logger = logging.getLogger(__name__)


def start(charger: Charger, event: Started, *, now: datetime) -> Transaction | None:
    """Begin a transaction and its session; the one that stands when the charger repeats itself.

    A transaction that was still open on the outlet is over: its end got lost. None for an unknown outlet.
    """
    key = hashlib.sha256(event.key.encode()).hexdigest()
    with database.atomic():
        outlet = (
            Outlet.objects.select_for_update(of=("self",), no_key=True)
            .select_related("evse__location", "charger")
            .filter(charger=charger, number=event.number)
            .first()
        )
        if outlet is None:
            logger.warning("charger %s started a transaction on unknown outlet %s", charger, event.number)
            return None
        for forgotten in Transaction.objects.filter(outlet=outlet, stopped_at=None):
            if forgotten.start_key == key:
                # The charger repeats itself: our answer got lost.
                return forgotten
            logger.warning("charger %s never ended transaction %s; it ends now", charger, forgotten)
            _end(forgotten, meter_wh=forgotten.meter_last_wh, at=max(forgotten.started_at, event.at), now=now)
        id_token = as_uid(event.id_token)
        connectors = outlet.evse.document.get("connectors") or [{"id": "1"}]
        session = start_session(
            session_id=str(uuid4()),
            evse=outlet.evse,
            connector_id=connectors[0]["id"],
            id_token=id_token,
            started_at=event.at,
            now=now,
        )
        return Transaction.objects.create(
            outlet=outlet,
            session=session,
            start_key=key,
            id_token=id_token,
            started_at=event.at,
            meter_start_wh=event.meter_wh,
            meter_last_wh=event.meter_wh,
        )


def take_reading(charger: Charger, event: Metered, *, now: datetime) -> None:
    """Take what a meter shows during a transaction; energy never goes backwards."""
    charging = _open_transaction(charger, event)
    if charging is None:
        return
    with database.atomic():
        if event.energy_wh is not None:
            # A register that was restarted, or a message out of order: the last value stands.
            rose = Transaction.objects.filter(
                pk=charging.pk, stopped_at=None, meter_last_wh__lt=event.energy_wh
            ).update(meter_last_wh=event.energy_wh)
            if rose:
                kwh = _kwh(charging, event.energy_wh)
                update_energy(session=charging.session, kwh=kwh, at=event.at, now=now)
        if event.offered and event.offered != charging.offered:
            Transaction.objects.filter(pk=charging.pk).update(offered=event.offered)
            expect_change(charging, now=now)


def stop(charger: Charger, event: Stopped, *, now: datetime) -> bool:
    """End a transaction, its session and what waits to be sent for it; False when there is none to end."""
    with database.atomic():
        charging = (
            Transaction.objects.filter(pk=event.transaction_id, outlet__charger=charger)
            .select_related("session", "outlet")
            .first()
        )
        if charging is None:
            logger.warning("charger %s ended unknown transaction %s", charger, event.transaction_id)
            return False
        meter_wh = max(charging.meter_last_wh, event.meter_wh)
        # A driver who was not let in took nothing: there was no session.
        is_void = event.reason == "DeAuthorized" and meter_wh == charging.meter_start_wh
        return _end(
            charging, meter_wh=meter_wh, at=event.at, now=now, status="INVALID" if is_void else "COMPLETED"
        )


def _end(
    charging: Transaction, *, meter_wh: int, at: datetime, now: datetime, status: str = "COMPLETED"
) -> bool:
    ended_at = max(at, charging.started_at)
    ended = Transaction.objects.filter(pk=charging.pk, stopped_at=None).update(
        stopped_at=ended_at, meter_last_wh=meter_wh
    )
    if not ended:
        return False
    end_session(
        session=charging.session, kwh=_kwh(charging, meter_wh), ended_at=ended_at, now=now, status=status
    )
    cancel_queued(charging, now=now)
    if Outlet.objects.filter(pk=charging.outlet_id, needs_restore=True).exists():
        restore(charging.outlet, now=now)
    return True


def _open_transaction(charger: Charger, event: Metered) -> Transaction | None:
    """Return the transaction that a reading belongs to; many chargers leave its number out."""
    running = Transaction.objects.filter(outlet__charger=charger, stopped_at=None).select_related(
        "session", "outlet"
    )
    if event.transaction_id and event.transaction_id > 0:
        return running.filter(pk=event.transaction_id).first()
    return running.filter(outlet__number=event.number).first()


def _kwh(charging: Transaction, meter_wh: int) -> Decimal:
    return Decimal(meter_wh - charging.meter_start_wh) / 1000
