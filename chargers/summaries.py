"""Chargers as `manage.py charger` shows them: connection, capabilities, open commands; never a secret."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings

from chargers.commands import is_connected
from chargers.models import Charger, Command, Gateway
from chargers.settlement import OPEN
from ocpi.protocol.times import format_datetime


def url_of(charger: Charger) -> str:
    """Return the address that the charger connects to: the node's host, at the newest gateway's port."""
    host = urlsplit(settings.NODE_URL).hostname or "127.0.0.1"
    newest = Gateway.objects.order_by("started_at").last() or Gateway()
    return f"ws://{f'[{host}]' if ':' in host else host}:{newest.port}/{quote(charger.identity, safe='')}"


def added(charger: Charger) -> dict[str, Any]:
    """Return what `charger add` tells."""
    return {
        "charger": charger.pk,
        "identity": charger.identity,
        "url": url_of(charger),
        "country_code": charger.location.country_code,
        "party_id": charger.location.party_id,
        "location_id": charger.location.location_id,
        "evses": [
            {"uid": outlet.evse.uid, "connector_id": outlet.evse.document["connectors"][0]["id"]}
            for outlet in charger.outlets.select_related("evse")
        ],
    }


def summary(charger: Charger, *, now: datetime) -> dict[str, Any]:
    """Return what `charger list` tells of one charger."""
    return {
        **added(charger),
        "connected": is_connected(charger, now=now),
        "last_seen_at": format_datetime(charger.last_seen_at) if charger.last_seen_at else None,
        "has_password": bool(charger.password_hash),
        "ocpp_version": charger.ocpp_version,
        "vendor": charger.vendor,
        "model": charger.model,
        "firmware": charger.firmware,
        "open_commands": charger.commands.filter(state__in=OPEN).count(),
    }


def details(charger: Charger, *, now: datetime) -> dict[str, Any]:
    """Return what `charger show` tells."""
    outlets = charger.outlets.select_related("evse")
    return {
        **summary(charger, now=now),
        "evses": [
            {
                "uid": outlet.evse.uid,
                "connector_id": outlet.evse.document["connectors"][0]["id"],
                "number": outlet.number,
                "status": outlet.evse.status,
                "phases": outlet.phases,
                "voltage_v": outlet.voltage_v,
                "max_current_a": outlet.max_current_a,
                "session": _open_session(outlet),
            }
            for outlet in outlets
        ],
        "takes_profiles": charger.takes_profiles,
        "reads_schedules": charger.reads_schedules,
        "configuration": charger.configuration,
        "commands": [_command(command) for command in charger.commands.filter(state__in=OPEN)],
    }


def _open_session(outlet: Any) -> str | None:
    charging = outlet.transactions.filter(stopped_at=None).select_related("session").first()
    return charging.session.session_id if charging else None


def _command(command: Command) -> dict[str, Any]:
    return {
        "command": command.pk,
        "kind": command.kind,
        "state": command.state,
        "source": command.source,
        "created_at": format_datetime(command.created_at),
        "deadline_at": format_datetime(command.deadline_at),
    }
