"""What payloads of every version of OCPP need. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any


def without_nulls(value: Any) -> Any:
    """Return a payload without the fields that are null: chargers write so what they mean to leave out."""
    if isinstance(value, dict):
        return {name: without_nulls(part) for name, part in value.items() if part is not None}
    return [without_nulls(part) for part in value] if isinstance(value, list) else value


def timestamp(moment: datetime) -> str:
    """Write a moment in whole seconds: some chargers can't read fractions."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
