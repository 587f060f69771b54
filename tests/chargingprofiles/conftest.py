"""A Sender that may steer, and a session that is charging."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from chargers.models import Transaction
from ocpi.partners.models import Partner
from tests.factories import make_charger, make_partner, make_transaction


@pytest.fixture
def sender(db: None) -> Partner:
    """A partner that may steer everything."""
    return make_partner(name="Steerer", url="https://scsp.example", token="steerer", may_steer=True)


@pytest.fixture
def charging(db: None) -> Transaction:
    """An open transaction at a connected charger; its session is active."""
    now = timezone.now()
    charger = make_charger(identity="CH1", connected_at=now)
    return make_transaction(charger=charger, started_at=now - timedelta(minutes=5))
