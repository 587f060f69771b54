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
from chargers.outlets import show_occupied
from chargers.owing import restore
from chargers.settlement import cancel_queued
from chargers.signs import SHORT_DEBOUNCE_S, expect_change
from sessions.actions import activate, end_session, start_session, update_energy

logger = logging.getLogger(__name__)


def start(charger: Charger, event: Started, *, now: datetime) -> Transaction | None:
    """Begin a transaction and its session; the one that stands when the charger repeats or goes on with it.

    A transaction that was still open on the outlet is over: its end got lost. None for an unknown outlet, and
    for what a station tells late (OCPP 2.x) of a transaction before the one that runs.
    """
    if event.ocpp_id:
        known = Transaction.objects.filter(outlet__charger=charger, ocpp_id=event.ocpp_id)
        standing = known.select_related("session", "outlet").first()
        if standing is not None:
            _authorize(standing, event, now=now)
            return standing
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
            if event.ocpp_id and forgotten.started_at > event.at:
                logger.warning("charger %s told too late of transaction %s", charger, event.ocpp_id)
                return None
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
            status="ACTIVE" if event.is_authorized else "PENDING",
            now=now,
        )
        transaction = Transaction.objects.create(
            outlet=outlet,
            session=session,
            ocpp_id=event.ocpp_id,
            start_key=key,
            id_token=id_token,
            started_at=event.at,
            meter_start_wh=event.meter_wh,
            meter_last_wh=event.meter_wh or 0,
        )
        show_occupied(outlet, now=now)
    return transaction


def take_reading(charger: Charger, event: Metered, *, now: datetime) -> None:
    """Take what a meter shows during a transaction; energy never goes backwards."""
    charging = _open_transaction(charger, event)
    if charging is None:
        return
    with database.atomic():
        if event.energy_wh is not None:
            mine = Transaction.objects.filter(pk=charging.pk, stopped_at=None)
            if mine.filter(meter_start_wh=None).update(
                meter_start_wh=event.energy_wh, meter_last_wh=event.energy_wh
            ):
                charging.refresh_from_db(fields=["meter_start_wh", "meter_last_wh"])
            # A register that was restarted, or a message out of order: the last value stands.
            if mine.filter(meter_last_wh__lt=event.energy_wh).update(meter_last_wh=event.energy_wh):
                kwh = _kwh(charging, event.energy_wh)
                update_energy(session=charging.session, kwh=kwh, at=event.at, now=now)
        if event.offered and event.offered != charging.offered:
            Transaction.objects.filter(pk=charging.pk).update(offered=event.offered)
            expect_change(charging, now=now)
        elif event.is_sign:
            expect_change(charging, now=now, delay_s=SHORT_DEBOUNCE_S)


def stop(charger: Charger, event: Stopped, *, now: datetime) -> bool:
    """End a transaction, its session and what waits to be sent for it; False when there is none to end."""
    with database.atomic():
        which = {"ocpp_id": event.ocpp_id} if event.ocpp_id else {"pk": event.transaction_id}
        charging = (
            Transaction.objects.filter(outlet__charger=charger, **which)
            .select_related("session", "outlet")
            .first()
        )
        if charging is None:
            name = event.ocpp_id or event.transaction_id
            logger.warning("charger %s ended unknown transaction %s", charger, name)
            return False
        meter_wh = max(charging.meter_last_wh, event.meter_wh or 0)
        # A driver who was not let in took nothing: there was no session.
        is_void = event.reason == "DeAuthorized" and _kwh(charging, meter_wh) == 0
        # Nor was there one where nobody ever said who charges.
        is_void = is_void or charging.session.status == "PENDING"
        return _end(
            charging, meter_wh=meter_wh, at=event.at, now=now, status="INVALID" if is_void else "COMPLETED"
        )


def _authorize(charging: Transaction, event: Started, *, now: datetime) -> None:
    """Make a pending session active once the charger says who charges."""
    if not event.is_authorized or charging.session.status != "PENDING":
        return
    id_token = as_uid(event.id_token)
    with database.atomic():
        Transaction.objects.filter(pk=charging.pk).update(id_token=id_token)
        activate(session=charging.session, id_token=id_token or "#NA", started_at=event.at, now=now)


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
    show_occupied(charging.outlet, now=now)
    if Outlet.objects.filter(pk=charging.outlet_id, needs_restore=True).exists():
        restore(charging.outlet, now=now)
    return True


def _open_transaction(charger: Charger, event: Metered) -> Transaction | None:
    """Return the transaction that a reading belongs to; many chargers leave its number out."""
    running = Transaction.objects.filter(outlet__charger=charger, stopped_at=None).select_related(
        "session", "outlet"
    )
    if event.ocpp_id:
        return running.filter(ocpp_id=event.ocpp_id).first()
    if event.transaction_id and event.transaction_id > 0:
        return running.filter(pk=event.transaction_id).first()
    return running.filter(outlet__number=event.number).first()


def _kwh(charging: Transaction, meter_wh: int) -> Decimal:
    if charging.meter_start_wh is None:
        return Decimal(0)
    return Decimal(max(meter_wh - charging.meter_start_wh, 0)) / 1000
