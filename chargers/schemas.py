"""The official JSON schemas of OCPP, as a check of what comes in and goes out. Pure."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from jsonschema.exceptions import ValidationError
from ocpp.messages import MessageType, get_validator

from chargers.frames import CallError

# In these a charger's mistakes beside the point are overlooked: refused, they would block its queue for good.
_LENIENT = {"StartTransaction", "StopTransaction", "MeterValues", "TransactionEvent"}
_VITAL = {
    "connectorId", "idTag", "meterStart", "meterStop", "transactionId", "timestamp", "eventType", "evseId",
    "transactionInfo",
}  # fmt: skip
_CODES = {
    "type": "TypeConstraintViolation",
    "maxLength": "TypeConstraintViolation",
    "enum": "PropertyConstraintViolation",
}


def check_call(action: str, payload: dict[str, Any], *, version: str) -> None:
    """Check what a charger of a version calls. Raises CallError, which names the field."""
    for error in get_validator(MessageType.Call, action, version).iter_errors(payload):
        if action in _LENIENT and not _is_vital(error):
            continue
        raise CallError(_CODES.get(error.validator, "FormationViolation"), _said(error))


def check_own_call(action: str, payload: dict[str, Any], *, version: str) -> None:
    """Check what we are about to call. Raises ValueError: a mistake of ours."""
    # Limits must be multiples of 0.1, which binary fractions are not.
    copy = json.loads(json.dumps(payload), parse_float=Decimal)
    validator = get_validator(MessageType.Call, action, version, parse_float=Decimal)
    error = next(validator.iter_errors(copy), None)
    if error is not None:
        raise ValueError(f"{action}: {_said(error)}")


def _is_vital(error: ValidationError) -> bool:
    if error.validator == "required" and not error.path:
        return any(f"'{name}'" in error.message for name in _VITAL)
    return error.validator == "type" and len(error.path) == 1 and error.path[0] in _VITAL


def _said(error: ValidationError) -> str:
    place = ".".join(str(step) for step in error.path)
    return f"{place}: {error.message}" if place else error.message
