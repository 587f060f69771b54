"""Meter values of OCPP 2.x."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chargers.ocpp2.readings import as_16
from chargers.readings import read_meter

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def values(*samples: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"timestamp": "2026-03-01T11:59:00Z", "sampledValue": list(samples)}]


@pytest.mark.parametrize(
    ("told", "energy_wh"),
    [
        (values({"value": 1234.5}), 1234),
        (values({"value": 1.5, "unitOfMeasure": {"unit": "kWh"}}), 1500),
        (values({"value": 15, "unitOfMeasure": {"unit": "Wh", "multiplier": 2}}), 1500),
        (values({"value": 1500, "unitOfMeasure": {"multiplier": -3, "unit": "kWh"}}), 1500),
        (values({"value": 9, "phase": "L1"}), None),
        (values({"value": 9, "measurand": "Voltage"}), None),
        (values({"value": 9, "unitOfMeasure": {"multiplier": 99}}), 9),
        ([{"timestamp": "2026-03-01T11:59:00Z"}, "nonsense"], None),
        ("nonsense", None),
    ],
)
def test_reads_the_energy_register(told: Any, energy_wh: int | None) -> None:
    assert read_meter(as_16(told), now=NOON).energy_wh == energy_wh


def test_reads_what_is_offered() -> None:
    sample = {"value": 16.0, "measurand": "Current.Offered", "unitOfMeasure": {"unit": "A"}}

    assert read_meter(as_16(values(sample)), now=NOON).offered == "Current.Offered 16.0 A"
