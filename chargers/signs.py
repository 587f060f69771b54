"""Signs that a charger's active profile may have changed; OCPP 1.6 has no message that says so."""

from __future__ import annotations

from datetime import datetime, timedelta

from chargers.commands import read_schedule
from chargers.models import Charger, Outlet, Transaction

# Signs come in groups: a status, then a meter value.
DEBOUNCE_S = 2.0
# OCPP 2.x has messages that say it plainly.
SHORT_DEBOUNCE_S = 0.5
HORIZON_S = 3600
# While a charger stays silent on this, what Senders ask of it has to wait.
PATIENCE = timedelta(seconds=6)


def expect_change(
    source: Charger | Outlet | Transaction, *, now: datetime, delay_s: float = DEBOUNCE_S
) -> None:
    """Ask for the schedule in force where a profile was accepted: of a charger, an outlet, a transaction.

    It is asked in `delay_s` seconds, together with what else changes until then.
    """
    charging = Transaction.objects.filter(stopped_at=None, was_limited=True).select_related("outlet__charger")
    if isinstance(source, Charger):
        charging = charging.filter(outlet__charger=source)
    elif isinstance(source, Outlet):
        charging = charging.filter(outlet=source)
    else:
        charging = charging.filter(pk=source.pk)
    for transaction in charging:
        if transaction.outlet.charger.reads_schedules is not False:
            read_schedule(
                transaction=transaction,
                duration_s=HORIZON_S,
                deadline_at=now + timedelta(seconds=delay_s) + PATIENCE,
                now=now,
                delay_s=delay_s,
            )
