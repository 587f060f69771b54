"""What one charger tells, taken into the database; each version of OCPP tells it through `Listener`."""

from __future__ import annotations

import logging
import random
from datetime import datetime

from chargers import outlets, transactions
from chargers.authorization import token_status
from chargers.events import Booted, Metered, StartAnswer, Started, StatusTold, Stopped
from chargers.models import Charger, Outlet
from chargers.signs import SHORT_DEBOUNCE_S, expect_change

logger = logging.getLogger(__name__)

HEARTBEAT_S = 300
# Chargers that started together, after a power cut, must not speak together ever after.
SPREAD = 0.2
LONGEST_TEXT = 50


class ChargerListener:
    """Takes what the charger `charger_id` tells at `now`; `has_booted` afterwards tells of a start."""

    def __init__(self, charger_id: int, *, now: datetime) -> None:
        self.charger_id = charger_id
        self.now = now
        self.has_booted = False

    @property
    def charger(self) -> Charger:
        """The charger as it is now."""
        return Charger.objects.get(pk=self.charger_id)

    def booted(self, event: Booted) -> int:
        """Take a start; return the seconds between heartbeats."""
        charger = self.charger
        told = {
            "vendor": event.vendor[:LONGEST_TEXT],
            "model": event.model[:LONGEST_TEXT],
            "firmware": event.firmware[:LONGEST_TEXT],
        }
        if any(getattr(charger, name) != text for name, text in told.items()):
            # New firmware: what it could or couldn't do before says nothing.
            Charger.objects.filter(pk=charger.pk).update(
                **told, takes_profiles=None, reads_schedules=None, configuration_at=None
            )
            charger.reads_schedules = None
        self.has_booted = True
        expect_change(charger, now=self.now)
        return round(HEARTBEAT_S * random.uniform(1 - SPREAD, 1 + SPREAD))

    def status_told(self, event: StatusTold) -> None:
        """Take an outlet's state, or that of the charger as a whole."""
        if event.number == 0:
            outlets.report_charger_status(self.charger, event.status, now=self.now)
            return
        told = Outlet.objects.filter(charger_id=self.charger_id).select_related("evse", "charger")
        # Numbers come from outside: compared here, no database has to hold them.
        outlet = next((outlet for outlet in told if outlet.number == event.number), None)
        if outlet is None:
            logger.warning("charger %s has no outlet %s of ours", self.charger, event.number)
            return
        outlets.report_status(outlet, event.status, now=self.now)
        if event.is_sign:
            expect_change(outlet, now=self.now)

    def token_status(self, id_token: str) -> str:
        """Return OCPP's AuthorizationStatus of a token."""
        return token_status(id_token)

    def started(self, event: Started) -> StartAnswer:
        """Take the beginning of a transaction."""
        transaction = transactions.start(self.charger, event, now=self.now)
        if transaction is None:
            return StartAnswer(0, "Invalid")
        return StartAnswer(transaction.pk, token_status(event.id_token))

    def metered(self, event: Metered) -> None:
        """Take a meter reading."""
        transactions.take_reading(self.charger, event, now=self.now)

    def stopped(self, event: Stopped) -> None:
        """Take the end of a transaction."""
        transactions.stop(self.charger, event, now=self.now)

    def limit_changed(self, number: int) -> None:
        """Take that something else limits an outlet now, or no longer; 0 is all of them."""
        if number == 0:
            expect_change(self.charger, now=self.now, delay_s=SHORT_DEBOUNCE_S)
            return
        for outlet in Outlet.objects.filter(charger_id=self.charger_id).select_related("charger"):
            if outlet.number == number:
                expect_change(outlet, now=self.now, delay_s=SHORT_DEBOUNCE_S)
