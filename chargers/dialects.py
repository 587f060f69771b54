"""Which code speaks with a charger: each version of OCPP behind the same few functions. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from chargers.capabilities import Capabilities, Place
from chargers.events import Listener
from chargers.ocpp2 import calls as calls_2
from chargers.ocpp2 import incoming as incoming_2
from chargers.ocpp16 import calls as calls_16
from chargers.ocpp16 import incoming as incoming_16
from chargers.ocpp16 import profiles as profiles_16
from chargers.schedule import Schedule

# All versions call these by the same names.
SET, CLEAR, READ = "SetChargingProfile", "ClearChargingProfile", "GetCompositeSchedule"

OwnCall = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Dialect:
    """One version of OCPP.

    `answer(action, payload, listener)` takes a call of a charger and raises CallError; the others make our
    calls and read their answers. `error_codes` are the names of CALLERROR codes that differ from 1.6,
    `unread` the message types that want no answer and tell us nothing.
    """

    version: str
    answer: Callable[[str, dict[str, Any], Listener], dict[str, Any]]
    limit_call: Callable[..., OwnCall]
    clear_call: Callable[[Place], OwnCall]
    read_call: Callable[[Place, int], OwnCall]
    configuration_call: Callable[[], OwnCall]
    outcome_of: Callable[[str, Any], str]
    schedule_of: Callable[..., Schedule | None]
    configuration_of: Callable[[Any], dict[str, str]]
    capabilities_of: Callable[[Mapping[str, str]], Capabilities]
    error_codes: Mapping[str, str] = field(default_factory=dict)
    unread: frozenset[int] = frozenset()


def _of_2(version: str) -> Dialect:
    return Dialect(
        version=version,
        answer=partial(incoming_2.answer, version=version),
        limit_call=partial(calls_2.limit_call, version=version),
        clear_call=calls_2.clear_call,
        read_call=calls_2.read_call,
        configuration_call=calls_2.configuration_call,
        outcome_of=calls_2.outcome_of,
        schedule_of=calls_2.schedule_of,
        configuration_of=calls_2.configuration_of,
        capabilities_of=calls_2.capabilities_of,
        error_codes={"FormationViolation": "FormatViolation", "ProtocolError": "MessageTypeNotSupported"},
        # OCPP 2.1 part 4: CALLRESULTERROR and SEND.
        unread=frozenset({5, 6}) if version == "2.1" else frozenset(),
    )


OCPP_16 = Dialect(
    version="1.6",
    answer=incoming_16.answer,
    limit_call=calls_16.limit_call,
    clear_call=calls_16.clear_call,
    read_call=calls_16.read_call,
    configuration_call=calls_16.configuration_call,
    outcome_of=calls_16.outcome_of,
    schedule_of=calls_16.schedule_of,
    configuration_of=calls_16.configuration_of,
    capabilities_of=profiles_16.capabilities_of,
)
# The best first.
DIALECTS: Sequence[Dialect] = (_of_2("2.1"), _of_2("2.0.1"), OCPP_16)
_BY_VERSION = {dialect.version: dialect for dialect in DIALECTS}


def dialect_of(version: str) -> Dialect:
    """Return the dialect of a charger; 1.6 for one that never connected."""
    return _BY_VERSION.get(version, OCPP_16)


def outcome_of_error(code: str) -> str:
    """Return what a CALLERROR means, in any version."""
    return "NOT_SUPPORTED" if code.casefold() in ("notimplemented", "notsupported") else "REJECTED"
