"""Duties as people and scripts see them: one short form for results and pushes."""

from __future__ import annotations

from typing import Any

from ocpi.delivery.models import Duty, Push, Result
from ocpi.protocol.times import format_datetime


def listed(*, state: str = "", limit: int = 200) -> list[dict[str, Any]]:
    """Return the newest duties, at most `limit` results and `limit` pushes, of one state or of all."""
    duties: list[dict[str, Any]] = []
    for model in (Result, Push):
        rows = model.objects.select_related("partner").order_by("-created_at", "-pk")
        duties += [summary(row) for row in (rows.filter(state=state) if state else rows)[:limit]]
    return duties


def summary(duty: Duty) -> dict[str, Any]:
    """Return what matters about a duty; `next_at` is null once it is settled."""
    is_open = duty.state in (Duty.State.PENDING, Duty.State.LEASED)
    kind, subject = (duty.kind, duty.object_key) if isinstance(duty, Push) else ("result", duty.subject)
    return {
        "id": f"{duty._meta.model_name}:{duty.pk}",
        "partner": duty.partner_id,
        "partner_name": duty.partner.name,
        "kind": kind,
        "subject": subject,
        "state": duty.state,
        "attempts": duty.attempts,
        "next_at": format_datetime(duty.next_at) if is_open else None,
        "last_error": duty.last_error,
    }
