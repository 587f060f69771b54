"""The profiles that the simulated station holds, which of them rules, and the composite schedule they make.

OCPP 1.6 edition 2, section 3.13: of each purpose the highest stack level rules, a TxProfile overrules the
TxDefaultProfile, and the ChargePointMaxProfile caps both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from chargers.schedule import Period, Schedule, Unit, as_number, floored, merged
from chargers.simulator.car import Supply
from chargers.simulator.installed import Installed, Unfit, read_profile


@dataclass(frozen=True)
class Ruling:
    """The limit that rules at a moment, in the unit it was given in."""

    limit: Decimal
    unit: Unit

    def watts(self, supply: Supply) -> Decimal:
        """Return it as watts in total."""
        return self.limit * (1 if self.unit == Unit.WATT else supply.watts_per_ampere)


class ProfileStore:
    """The station's memory of charging profiles."""

    def __init__(
        self,
        *,
        supply: Supply,
        units: frozenset[Unit],
        max_periods: int,
        max_stack_level: int,
        max_profiles: int,
    ) -> None:
        self.supply = supply
        self.units = units
        self.max_periods = max_periods
        self.max_stack_level = max_stack_level
        self.max_profiles = max_profiles
        self.installed: list[Installed] = []

    def check(self, connector: int, document: dict[str, Any]) -> Installed:
        """Return the profile when this station can take it. Raises Unfit."""
        profile = read_profile(connector, document)
        if profile.unit not in self.units:
            raise Unfit(f"this station does not take {profile.unit}")
        if len(profile.periods) > self.max_periods:
            raise Unfit(f"this station takes {self.max_periods} periods at most")
        if not 0 <= profile.stack_level <= self.max_stack_level:
            raise Unfit(f"stack levels go from 0 to {self.max_stack_level}")
        return profile

    def set(self, connector: int, document: dict[str, Any], *, running: Mapping[int, int]) -> Installed:
        """Take a profile; `running` is the transaction id by connector. Raises Unfit.

        It replaces the one with its id, and the one of its purpose and stack level on the connector.
        """
        profile = self.check(connector, document)
        if profile.purpose == "TxProfile":
            if connector not in running:
                raise Unfit("no transaction runs on the connector")
            if profile.transaction_id != running[connector]:
                raise Unfit(f"transaction {running[connector]} runs, not {profile.transaction_id}")
        self.install(profile)
        return profile

    def install(self, profile: Installed) -> None:
        """Keep a checked profile. Raises Unfit when the memory is full."""
        place = (profile.connector, profile.purpose, profile.stack_level)
        others = [
            other
            for other in self.installed
            if other.profile_id != profile.profile_id
            and (other.connector, other.purpose, other.stack_level) != place
        ]
        if len(others) >= self.max_profiles:
            raise Unfit(f"this station holds {self.max_profiles} profiles at most")
        self.installed = [*others, profile]

    def clear(self, request: dict[str, Any]) -> int:
        """Forget the profiles that a ClearChargingProfile.req names, and return how many they were."""
        before = len(self.installed)
        self.installed = [profile for profile in self.installed if not _is_meant(profile, request)]
        return before - len(self.installed)

    def end_transaction(self, connector: int) -> None:
        """Forget the TxProfiles of a transaction that ended."""
        self.clear({"connectorId": connector, "chargingProfilePurpose": "TxProfile"})

    def ruling(self, connector: int, moment: datetime, *, started_at: datetime) -> Ruling | None:
        """Return what limits a connector at a moment, None when nothing does."""

        def highest(purpose: str, place: int) -> Ruling | None:
            stack = [p for p in self.installed if (p.purpose, p.connector) == (purpose, place)]
            for profile in sorted(stack, key=lambda p: -p.stack_level):
                limit = profile.limit_at(moment, started_at=started_at)
                if limit is not None:
                    return Ruling(limit, profile.unit)
            return None

        transaction = (
            highest("TxProfile", connector)
            or highest("TxDefaultProfile", connector)
            or highest("TxDefaultProfile", 0)
        )
        found = [rule for rule in (transaction, highest("ChargePointMaxProfile", 0)) if rule is not None]
        return min(found, key=lambda rule: rule.watts(self.supply), default=None)

    def changes(self, connector: int, *, started_at: datetime) -> Iterator[datetime]:
        """Yield every moment at which the ruling limit of a connector may change, in any order."""
        for profile in self.installed:
            if profile.connector not in (0, connector):
                continue
            schedule = profile.schedule(started_at=started_at)
            for period in schedule.periods:
                yield schedule.starts_at + timedelta(seconds=period.start_s)
            yield from (
                moment for moment in (schedule.ends_at, profile.valid_from, profile.valid_to) if moment
            )

    def composite(
        self, connector: int, *, now: datetime, duration_s: int, unit: Unit | None, started_at: datetime
    ) -> dict[str, Any]:
        """Return the chargingSchedule over [now, now + duration_s) for GetCompositeSchedule.conf.

        Without a unit it is that of the ruling profile. Where nothing limits, the supply's maximum does.
        """
        begins_at = now.replace(microsecond=0)
        rule = self.ruling(connector, now, started_at=started_at)
        unit = unit or (rule.unit if rule else Unit.AMPERE)
        ends_at = begins_at + timedelta(seconds=duration_s)
        changes = {m for m in self.changes(connector, started_at=started_at) if begins_at < m < ends_at}
        periods = tuple(
            Period(
                int((moment - begins_at).total_seconds()), self._limit(connector, moment, unit, started_at)
            )
            for moment in sorted({begins_at} | changes)
        )
        schedule = merged(Schedule(begins_at, unit, periods))
        return {
            "duration": duration_s,
            "startSchedule": begins_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "chargingRateUnit": unit.value,
            "chargingSchedulePeriod": [
                {"startPeriod": period.start_s, "limit": as_number(period.limit)}
                for period in schedule.periods
            ],
        }

    def _limit(self, connector: int, moment: datetime, unit: Unit, started_at: datetime) -> Decimal:
        most_w = Decimal(self.supply.max_power_w)
        rule = self.ruling(connector, moment, started_at=started_at)
        limit_w = most_w if rule is None else min(most_w, rule.watts(self.supply))
        return floored(limit_w if unit == Unit.WATT else limit_w / self.supply.watts_per_ampere)


def _is_meant(profile: Installed, request: dict[str, Any]) -> bool:
    """OCPP 1.6, 6.8: an id alone decides; else every field given must match, and none means all."""
    if "id" in request:
        return bool(profile.profile_id == request["id"])
    asked = {
        "connectorId": profile.connector,
        "chargingProfilePurpose": profile.purpose,
        "stackLevel": profile.stack_level,
    }
    return all(request[field] == value for field, value in asked.items() if field in request)
