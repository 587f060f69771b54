"""What chargers say that they can do: asked once, kept in the database, asked again after a restart."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from chargers.dialects import dialect_of
from chargers.frames import Error, Result
from chargers.models import Charger

logger = logging.getLogger(__name__)

# A charger that restarts over and over is not asked each time.
OUTDATED_AFTER = timedelta(hours=1)


def is_due(charger_id: int, *, now: datetime) -> bool:
    """Tell whether the charger should be asked what it can do."""
    asked_at = Charger.objects.values_list("configuration_at", flat=True).get(pk=charger_id)
    return asked_at is None or asked_at < now - OUTDATED_AFTER


def learn(charger_id: int, answer: Result | Error, *, now: datetime) -> bool:
    """Keep what the charger said of itself; a weak answer leaves the defaults. Always True."""
    charger = Charger.objects.filter(pk=charger_id)
    dialect = dialect_of(charger.values_list("ocpp_version", flat=True).get())
    configuration = dialect.configuration_of(answer.payload) if isinstance(answer, Result) else {}
    if not configuration:
        logger.info("charger %s tells nothing of what it can do", charger.get())
        charger.update(configuration_at=now)
        return True
    charger.update(configuration=configuration, configuration_at=now)
    takes_profiles = dialect.capabilities_of(configuration).takes_profiles
    if takes_profiles is False:
        # A profile that it accepted proves more than its list.
        charger.filter(takes_profiles=None).update(takes_profiles=False)
    elif takes_profiles:
        # Smart charging was switched on meanwhile.
        charger.filter(takes_profiles=False).update(takes_profiles=None)
    return True
