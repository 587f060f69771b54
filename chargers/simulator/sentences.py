"""The simulated station's events as sentences for people."""

from __future__ import annotations

from typing import Any


def sentence(event: dict[str, Any]) -> str:
    """Return one line for an event."""
    template = TEMPLATES.get(event["event"], "{event}")
    text = template if isinstance(template, str) else template(event)
    where = f"connector {event['connector']}: " if event.get("connector", 1) != 1 else ""
    return f"{event['at'][11:19]}  {where}{text.format_map(event)}"


def _limit(event: dict[str, Any]) -> str:
    limit = "no limit" if event["limit"] is None else f"limit {event['limit']} {event['unit']}"
    return f"{limit} -> {event['power_w']} W"


def _power(event: dict[str, Any]) -> str:
    return f"{event['power_w']} W, {event['energy_wh'] / 1000:.3f} kWh"


def _profile(event: dict[str, Any]) -> str:
    status = event["status"] or "no answer"
    return f"charging profile: {status}{_because(event)}; {_periods(event['payload'])}"


def _periods(payload: dict[str, Any]) -> str:
    schedule = payload.get("csChargingProfiles", {}).get("chargingSchedule", {})
    unit = schedule.get("chargingRateUnit", "")
    periods = schedule.get("chargingSchedulePeriod", [])
    steps = [f"{period.get('limit')} {unit} from +{period.get('startPeriod')} s" for period in periods[:6]]
    more = [f"and {len(periods) - 6} more"] if len(periods) > 6 else []
    return f"from {schedule.get('startSchedule', 'the start of charging')}: " + ", ".join(steps + more)


def _cleared(event: dict[str, Any]) -> str:
    return f"clear charging profile: {event['status'] or 'no answer'}"


def _because(event: dict[str, Any]) -> str:
    return f", {event['reason']}" if event["reason"] else ""


TEMPLATES: dict[str, Any] = {
    "connected": "connected to {url}",
    "lost": lambda event: f"not connected: {event['reason'].rstrip('.')}; next try in {{pause_s}} s",
    "booted": "boot: {status}",
    "authorized": "tag {id_tag}: {status}",
    "started": "transaction {transaction_id} started",
    "status": "{status}",
    "limit": _limit,
    "power": _power,
    "profile": _profile,
    "cleared": _cleared,
    "composite": "told its schedule",
    "stopped": lambda event: f"transaction {{transaction_id}} ended with {event['energy_wh'] / 1000:.3f} kWh",
    "refused": "did not start: {reason}",
    "unanswered": "{action}: {reason}",
    "unreadable": "got what is not OCPP: {frame}",
}
