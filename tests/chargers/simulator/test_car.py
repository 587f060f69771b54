from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from chargers.simulator.car import Car, Meter, Supply

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("offered_w", "phases", "draws_w"),
    [
        pytest.param(22080, 3, 11000, id="no more than it takes"),
        pytest.param(6900, 3, 6900, id="no more than is offered"),
        pytest.param(4140, 3, 4140, id="6 A on three phases"),
        pytest.param(4139, 3, 0, id="below 6 A it pauses"),
        pytest.param(1380, 1, 1380, id="6 A on one phase"),
        pytest.param(0, 3, 0, id="nothing"),
    ],
)
def test_a_car_takes_what_it_may(offered_w, phases, draws_w):
    assert Car(power_w=11000).draws_w(Decimal(offered_w), Supply(phases=phases)) == draws_w


def test_a_meter_counts_what_flows():
    meter = Meter(now=NOON, energy_wh=100)

    meter.flow(6000, now=NOON + timedelta(minutes=5))
    meter.flow(3000, now=NOON + timedelta(minutes=15))

    assert meter.read_wh(now=NOON + timedelta(minutes=35)) == pytest.approx(100 + 1000 + 1000)
    assert meter.read_wh(now=NOON) == pytest.approx(2100)
