"""What chargers tell, in words that fit every version of OCPP, and who listens. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Booted:
    """The charger started."""

    vendor: str
    model: str
    firmware: str


@dataclass(frozen=True)
class StatusTold:
    """The state of an outlet, as OCPI's EVSE status; `is_sign`: its active profile may have changed.

    number 0 is the charger as a whole: out of order it makes every outlet so, until it works again.
    """

    number: int
    status: str
    is_sign: bool


@dataclass(frozen=True)
class Started:
    """A transaction began, or goes on; `key` tells a repeated message from a new transaction.

    `ocpp_id` is the station's own id of it (OCPP 2.x), which may begin before anybody is authorised.
    """

    number: int
    id_token: str
    meter_wh: int | None
    at: datetime
    key: str
    ocpp_id: str = ""
    is_authorized: bool = True


@dataclass(frozen=True)
class StartAnswer:
    """The number that we gave the transaction, 0 for none, and what the token may."""

    transaction_id: int
    token_status: str


@dataclass(frozen=True)
class Metered:
    """What a meter showed: the energy register, and what the charger offers the car as a text to compare.

    `transaction_id` (OCPP 1.6) or `ocpp_id` (2.x) say of which transaction; `is_sign`: the active profile may
    have changed.
    """

    number: int
    transaction_id: int | None
    energy_wh: int | None
    offered: str
    at: datetime
    ocpp_id: str = ""
    is_sign: bool = False


@dataclass(frozen=True)
class Stopped:
    """A transaction ended; the meter is None where the charger did not tell it."""

    transaction_id: int | None
    meter_wh: int | None
    at: datetime
    reason: str
    ocpp_id: str = ""


class Listener(Protocol):
    """Takes what one charger tells, at the moment `now`."""

    now: datetime

    def booted(self, event: Booted) -> int:
        """Take a start; return the seconds between heartbeats."""

    def status_told(self, event: StatusTold) -> None:
        """Take an outlet's state."""

    def token_status(self, id_token: str) -> str:
        """Return the AuthorizationStatus of a token; both answers are the same in every version."""

    def started(self, event: Started) -> StartAnswer:
        """Take the beginning of a transaction."""

    def metered(self, event: Metered) -> None:
        """Take a meter reading."""

    def stopped(self, event: Stopped) -> None:
        """Take the end of a transaction."""

    def limit_changed(self, number: int) -> None:
        """Take that something else limits an outlet now, or no longer; 0 is all of them."""
