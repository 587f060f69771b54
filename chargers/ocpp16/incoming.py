"""What OCPP 1.6 chargers call, told on in words of ours, and our answers. Pure.

OCPP 1.6 edition 2, section 4; "Improved security for OCPP 1.6-J" edition 4, section 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chargers.events import Booted, Listener, Metered, Started, StatusTold, Stopped
from chargers.frames import CallError
from chargers.payloads import timestamp, without_nulls
from chargers.readings import clamped_wh, read_meter, read_time
from chargers.schemas import check_call

Payload = dict[str, Any]

EVSE_STATUS = {
    "Available": "AVAILABLE",
    "Preparing": "CHARGING",
    "Charging": "CHARGING",
    "SuspendedEV": "CHARGING",
    "SuspendedEVSE": "CHARGING",
    "Finishing": "CHARGING",
    "Reserved": "RESERVED",
    "Unavailable": "INOPERATIVE",
    "Faulted": "OUTOFORDER",
}
# Going from one to the other, a charger shows that its limit went to 0 or came back.
_SIGNS = {"Charging", "SuspendedEVSE"}
# Calls that only we may make.
_OURS = {
    "CancelReservation", "CertificateSigned", "ChangeAvailability", "ChangeConfiguration", "ClearCache",
    "ClearChargingProfile", "DeleteCertificate", "ExtendedTriggerMessage", "GetCompositeSchedule",
    "GetConfiguration", "GetDiagnostics", "GetInstalledCertificateIds", "GetLocalListVersion", "GetLog",
    "InstallCertificate", "RemoteStartTransaction", "RemoteStopTransaction", "ReserveNow", "Reset",
    "SendLocalList", "SetChargingProfile", "SignedUpdateFirmware", "TriggerMessage", "UnlockConnector",
    "UpdateFirmware",
}  # fmt: skip


def answer(action: str, payload: Payload, listener: Listener) -> Payload:
    """Return the answer to a call of a charger, after `listener` took what it tells.

    Raises CallError for an action that we don't know and a payload that breaks the schema, never because a
    transaction is unknown or unwelcome: the charger would say it again and again.
    """
    handler = _HANDLERS.get(action)
    if handler is None:
        if action in _OURS:
            raise CallError("NotSupported", f"{action} is for charge points")
        raise CallError("NotImplemented", f"unknown action {action[:50]}")
    payload = without_nulls(payload)
    check_call(action, payload, version="1.6")
    return handler(payload, listener)


def _boot_notification(payload: Payload, listener: Listener) -> Payload:
    interval_s = listener.booted(
        Booted(
            vendor=payload["chargePointVendor"],
            model=payload["chargePointModel"],
            firmware=payload.get("firmwareVersion", ""),
        )
    )
    return {"currentTime": timestamp(listener.now), "interval": interval_s, "status": "Accepted"}


def _heartbeat(payload: Payload, listener: Listener) -> Payload:
    return {"currentTime": timestamp(listener.now)}


def _status_notification(payload: Payload, listener: Listener) -> Payload:
    number, status = payload["connectorId"], payload["status"]
    listener.status_told(StatusTold(number, EVSE_STATUS[status], is_sign=status in _SIGNS))
    return {}


def _authorize(payload: Payload, listener: Listener) -> Payload:
    return {"idTagInfo": {"status": listener.token_status(payload["idTag"])}}


def _start_transaction(payload: Payload, listener: Listener) -> Payload:
    id_token, meter_wh = payload["idTag"], int(payload["meterStart"])
    started = listener.started(
        Started(
            number=payload["connectorId"],
            id_token=id_token,
            meter_wh=clamped_wh(meter_wh),
            at=read_time(payload["timestamp"], now=listener.now),
            key=f"{id_token}|{payload['timestamp']}|{meter_wh}",
        )
    )
    return {"transactionId": started.transaction_id, "idTagInfo": {"status": started.token_status}}


def _meter_values(payload: Payload, listener: Listener) -> Payload:
    reading = read_meter(payload.get("meterValue"), now=listener.now)
    listener.metered(
        Metered(
            number=payload["connectorId"],
            transaction_id=payload.get("transactionId"),
            energy_wh=reading.energy_wh,
            offered=reading.offered,
            at=reading.at,
        )
    )
    return {}


def _stop_transaction(payload: Payload, listener: Listener) -> Payload:
    listener.stopped(
        Stopped(
            transaction_id=payload["transactionId"],
            meter_wh=clamped_wh(int(payload["meterStop"])),
            at=read_time(payload["timestamp"], now=listener.now),
            reason=str(payload.get("reason", "Local")),
        )
    )
    if "idTag" in payload:
        return {"idTagInfo": {"status": listener.token_status(str(payload["idTag"]))}}
    return {}


def _data_transfer(payload: Payload, listener: Listener) -> Payload:
    return {"status": "UnknownVendorId"}


def _sign_certificate(payload: Payload, listener: Listener) -> Payload:
    return {"status": "Rejected"}


def _nothing(payload: Payload, listener: Listener) -> Payload:
    return {}


_HANDLERS: dict[str, Callable[[Payload, Listener], Payload]] = {
    "Authorize": _authorize,
    "BootNotification": _boot_notification,
    "DataTransfer": _data_transfer,
    "DiagnosticsStatusNotification": _nothing,
    "FirmwareStatusNotification": _nothing,
    "Heartbeat": _heartbeat,
    "LogStatusNotification": _nothing,
    "MeterValues": _meter_values,
    "SecurityEventNotification": _nothing,
    "SignCertificate": _sign_certificate,
    "SignedFirmwareStatusNotification": _nothing,
    "StartTransaction": _start_transaction,
    "StatusNotification": _status_notification,
    "StopTransaction": _stop_transaction,
}
