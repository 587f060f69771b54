"""The simulated station's configuration keys, as GetConfiguration and ChangeConfiguration see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chargers.ocpp16.profiles import capabilities_of
from chargers.schedule import Unit
from chargers.simulator.car import Supply
from chargers.simulator.profiles import ProfileStore

WRITABLE = {"HeartbeatInterval", "MeterValueSampleInterval"}


class Configuration:
    """Keys and values; `changes` overrides keys, a value of None takes a key away."""

    def __init__(
        self, *, connectors: int, meter_interval_s: float, changes: Mapping[str, str | None] | None = None
    ) -> None:
        keys: dict[str, str | None] = {
            "AuthorizeRemoteTxRequests": "false",
            "ChargeProfileMaxStackLevel": "8",
            "ChargingScheduleAllowedChargingRateUnit": "Current,Power",
            "ChargingScheduleMaxPeriods": "100",
            "ConnectorSwitch3to1PhaseSupported": "false",
            "GetConfigurationMaxKeys": "50",
            "HeartbeatInterval": "300",
            "MaxChargingProfilesInstalled": "10",
            "MeterValueSampleInterval": f"{meter_interval_s:g}",
            "MeterValuesSampledData": "Energy.Active.Import.Register,Power.Active.Import,Current.Offered",
            "NumberOfConnectors": str(connectors),
            "SupportedFeatureProfiles": "Core,SmartCharging,RemoteTrigger",
            **(changes or {}),
        }
        self.keys = {key: value for key, value in keys.items() if value is not None}

    def seconds(self, key: str) -> float:
        """Return the value of a key that counts seconds."""
        return float(self.keys[key])

    def read(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return GetConfiguration.conf; no keys asked means all."""
        asked = request.get("key") or list(self.keys)
        known = {key.casefold(): key for key in self.keys}
        told = [known[key.casefold()] for key in asked if key.casefold() in known]
        unknown = [key for key in asked if key.casefold() not in known]
        values = [{"key": key, "readonly": key not in WRITABLE, "value": self.keys[key]} for key in told]
        return {"configurationKey": values} | ({"unknownKey": unknown} if unknown else {})

    def change(self, key: str, value: str) -> str:
        """Change a key and return the ConfigurationStatus."""
        if key not in self.keys:
            return "NotSupported"
        try:
            is_fit = key in WRITABLE and float(value) > 0
        except ValueError:
            is_fit = False
        if not is_fit:
            return "Rejected"
        self.keys[key] = value
        return "Accepted"

    def profile_store(self, supply: Supply) -> ProfileStore:
        """Return an empty memory for profiles with the limits that the keys tell."""
        told = capabilities_of(self.keys)
        return ProfileStore(
            supply=supply,
            units=told.units or frozenset(Unit),
            max_periods=told.max_periods or 100,
            max_stack_level=8 if told.max_stack_level is None else told.max_stack_level,
            max_profiles=told.max_profiles or 10,
        )
