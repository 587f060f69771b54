"""What is deleted of commands, and when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from chargers.models import Command
from chargers.tasks import prune
from tests.chargers.owed import owe_limit
from tests.factories import make_transaction

pytestmark = pytest.mark.django_db


def test_deletes_commands_that_ended_long_ago() -> None:
    number = make_transaction().pk
    old, recent, waiting = (owe_limit(number, 10, source=source) for source in ("a", "b", "c"))
    now = timezone.now()
    Command.objects.filter(pk=old.pk).update(settled_at=now - timedelta(days=31))
    Command.objects.filter(pk=recent.pk).update(settled_at=now - timedelta(days=29))

    prune()

    assert list(Command.objects.all()) == [recent, waiting]
