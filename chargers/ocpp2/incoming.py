"""What OCPP 2.0.1 and 2.1 chargers call, told on in words of ours, and our answers. Pure.

OCPP 2.0.1 edition 3, part 2; OCPP 2.1 edition 1, part 2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chargers.events import Booted, Listener, Metered, Started, StatusTold, Stopped
from chargers.frames import CallError
from chargers.ocpp2.readings import as_16
from chargers.payloads import timestamp, without_nulls
from chargers.readings import read_meter, read_time
from chargers.schemas import check_call

Payload = dict[str, Any]

# Occupied is told on as it is: whether a car charges there, the transactions know.
EVSE_STATUS = {
    "Available": "AVAILABLE",
    "Occupied": "BLOCKED",
    "Reserved": "RESERVED",
    "Unavailable": "INOPERATIVE",
    "Faulted": "OUTOFORDER",
}
# In these a charger shows that its limit changed.
_SIGNS = {"ChargingRateChanged", "LimitSet"}
_SIGN_STATES = {"Charging", "SuspendedEVSE"}
# What charging without a token is called, and what such a token may say of itself.
_NO_TOKEN = "NoAuthorization"
LONGEST_TRANSACTION_ID = 36


def answer(action: str, payload: Payload, listener: Listener, *, version: str) -> Payload:
    """Return the answer to a call of a charger, after `listener` took what it tells.

    Raises CallError for an action that we don't know and a payload that breaks the schema, never because a
    transaction is unknown or unwelcome: the charger would say it again and again.
    """
    handler = _HANDLERS.get(action) or (_HANDLERS_21.get(action) if version == "2.1" else None)
    if handler is None:
        raise CallError("NotImplemented", f"unknown action {action[:50]}")
    payload = without_nulls(payload)
    check_call(action, payload, version=version)
    return handler(payload, listener)


def _boot_notification(payload: Payload, listener: Listener) -> Payload:
    station = payload["chargingStation"]
    interval_s = listener.booted(
        Booted(
            vendor=station["vendorName"],
            model=station["model"],
            firmware=station.get("firmwareVersion", ""),
        )
    )
    return {"currentTime": timestamp(listener.now), "interval": interval_s, "status": "Accepted"}


def _heartbeat(payload: Payload, listener: Listener) -> Payload:
    return {"currentTime": timestamp(listener.now)}


def _status_notification(payload: Payload, listener: Listener) -> Payload:
    status = EVSE_STATUS[payload["connectorStatus"]]
    listener.status_told(StatusTold(payload["evseId"], status, is_sign=False))
    return {}


def _authorize(payload: Payload, listener: Listener) -> Payload:
    return {"idTokenInfo": {"status": listener.token_status(_token(payload))}}


def _transaction_event(payload: Payload, listener: Listener) -> Payload:
    """Take what a transaction tells: its messages may come late, twice and in any order."""
    kind, info = payload["eventType"], payload["transactionInfo"]
    ocpp_id, number = _transaction_id(info), _evse_id(payload)
    at = read_time(payload["timestamp"], now=listener.now)
    reading = read_meter(as_16(payload.get("meterValue")), now=at)
    if kind != "Ended" or reading.energy_wh is not None:
        # Only an end that tells what was charged can stand for a transaction that we never heard of.
        listener.started(
            Started(
                number=number,
                id_token=_token(payload),
                meter_wh=reading.energy_wh,
                at=at,
                key=ocpp_id,
                ocpp_id=ocpp_id,
                is_authorized="idToken" in payload or info.get("chargingState") == "Charging",
            )
        )
    if kind == "Ended":
        listener.stopped(
            Stopped(
                transaction_id=None,
                ocpp_id=ocpp_id,
                meter_wh=reading.energy_wh,
                at=at,
                reason=str(info.get("stoppedReason", "Local")),
            )
        )
    elif kind == "Updated" or reading.energy_wh is not None:
        trigger = payload.get("triggerReason")
        has_turned = trigger == "ChargingStateChanged" and info.get("chargingState") in _SIGN_STATES
        listener.metered(
            Metered(
                number=number,
                transaction_id=None,
                ocpp_id=ocpp_id,
                energy_wh=reading.energy_wh,
                offered=reading.offered,
                at=reading.at,
                is_sign=kind == "Updated" and (trigger in _SIGNS or has_turned),
            )
        )
    if "idToken" not in payload:
        return {}
    return {"idTokenInfo": {"status": listener.token_status(_token(payload))}}


def _meter_values(payload: Payload, listener: Listener) -> Payload:
    reading = read_meter(as_16(payload.get("meterValue")), now=listener.now)
    listener.metered(
        Metered(
            number=payload["evseId"],
            transaction_id=None,
            energy_wh=reading.energy_wh,
            offered=reading.offered,
            at=reading.at,
        )
    )
    return {}


def _limit_changed(payload: Payload, listener: Listener) -> Payload:
    """Take NotifyChargingLimit and ClearedChargingLimit: without an EVSE they are about all."""
    listener.limit_changed(payload.get("evseId", 0))
    return {}


def _transaction_id(info: Payload) -> str:
    """Return the station's id of a transaction. Raises CallError: without it nothing can be told on."""
    ocpp_id = info.get("transactionId")
    if not isinstance(ocpp_id, str) or not 0 < len(ocpp_id) <= LONGEST_TRANSACTION_ID:
        raise CallError(
            "FormationViolation", f"transactionId: must be a text of 1 to {LONGEST_TRANSACTION_ID} characters"
        )
    return ocpp_id


def _evse_id(payload: Payload) -> int:
    """Return the EVSE of an event, 0 where it names none that could be."""
    evse = payload.get("evse")
    number = evse.get("id") if isinstance(evse, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else 0


def _token(payload: Payload) -> str:
    token = payload.get("idToken")
    if not isinstance(token, dict) or token.get("type") == _NO_TOKEN:
        return ""
    return str(token.get("idToken", ""))


def _says(**answer: Any) -> Callable[[Payload, Listener], Payload]:
    """Return a handler that always answers the same."""
    return lambda payload, listener: dict(answer)


_HANDLERS: dict[str, Callable[[Payload, Listener], Payload]] = {
    "Authorize": _authorize,
    "BootNotification": _boot_notification,
    "ClearedChargingLimit": _limit_changed,
    "DataTransfer": _says(status="UnknownVendorId"),
    "FirmwareStatusNotification": _says(),
    "Get15118EVCertificate": _says(status="Failed", exiResponse=""),
    "GetCertificateStatus": _says(status="Failed"),
    "Heartbeat": _heartbeat,
    "LogStatusNotification": _says(),
    "MeterValues": _meter_values,
    "NotifyChargingLimit": _limit_changed,
    "NotifyCustomerInformation": _says(),
    "NotifyDisplayMessages": _says(),
    "NotifyEVChargingNeeds": _says(status="Rejected"),
    "NotifyEVChargingSchedule": _says(status="Accepted"),
    "NotifyEvent": _says(),
    "NotifyMonitoringReport": _says(),
    "NotifyReport": _says(),
    "PublishFirmwareStatusNotification": _says(),
    "ReportChargingProfiles": _says(),
    "ReservationStatusUpdate": _says(),
    "SecurityEventNotification": _says(),
    "SignCertificate": _says(status="Rejected"),
    "StatusNotification": _status_notification,
    "TransactionEvent": _transaction_event,
}
_HANDLERS_21: dict[str, Callable[[Payload, Listener], Payload]] = {
    "BatterySwap": _says(),
    "GetCertificateChainStatus": _says(certificateStatus=[]),
    "NotifyDERAlarm": _says(),
    "NotifyDERStartStop": _says(),
    "NotifyPriorityCharging": _says(),
    "NotifySettlement": _says(),
    "NotifyWebPaymentStarted": _says(),
    "PullDynamicScheduleUpdate": _says(status="Rejected"),
    "ReportDERControl": _says(),
    "VatNumberValidation": lambda payload, listener: {
        "vatNumber": payload["vatNumber"],
        "status": "Rejected",
    },
}
