"""`manage.py charger`: add chargers and look at them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from chargers.models import Charger
from chargers.registration import add_charger
from chargers.summaries import added, details, summary
from ocpi.console import ConsoleCommand, ConsoleError
from ocpi.partners.own import own_cpo


class Command(ConsoleCommand):
    """Chargers: the stations that connect to our gateway."""

    help = "Add chargers, list them and show one."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the verbs."""
        verb = self.sub(parser, "add", self.add)
        verb.add_argument("identity", metavar="IDENTITY", help="the name in its address; case matters")
        verb.add_argument(
            "--location", default="", metavar="LOC", help="OCPI id of its location; made if new"
        )
        verb.add_argument(
            "--party", metavar="NL-ABC", help="the CPO party of ours whose it is (default our first)"
        )
        verb.add_argument("--evses", type=int, default=1, metavar="N", help="outlets (default 1)")
        verb.add_argument("--phases", type=int, default=3, choices=[1, 3], help="phases (default 3)")
        verb.add_argument(
            "--voltage", type=int, default=230, metavar="V", help="line to neutral, in volts (default 230)"
        )
        verb.add_argument(
            "--max-current", type=int, default=32, metavar="A", help="per phase, in amperes (default 32)"
        )
        verb.add_argument("--password", metavar="P", help="for Basic auth; without it none is asked for")
        self.sub(parser, "list", self.list_all)
        verb = self.sub(parser, "show", self.show)
        verb.add_argument("identity", metavar="IDENTITY", help="the charger's name")

    def add(
        self,
        *,
        identity: str,
        location: str,
        party: str | None,
        evses: int,
        phases: int,
        voltage: int,
        max_current: int,
        password: str | None,
        **_: Any,
    ) -> None:
        """Add a charger, its EVSEs and, when it is new, its location."""
        if password == "":
            raise ConsoleError("--password is empty; leave it out for a charger that needs none.")
        charger = add_charger(
            identity=identity,
            location_id=location,
            party=own_cpo(party) if party else None,
            evses=evses,
            phases=phases,
            voltage_v=voltage,
            max_current_a=max_current,
            password=password or "",
            now=timezone.now(),
        )
        data = added(charger)
        uids = ", ".join(evse["uid"] for evse in data["evses"])
        self.emit(
            data,
            [
                f"Charger {identity} is added at location {data['location_id']} of "
                f"{data['country_code']}-{data['party_id']} (EVSE {uids}).",
                f"It connects to {data['url']} with subprotocol ocpp1.6, ocpp2.0.1 or ocpp2.1"
                + (" and its password." if password else ", without a password."),
            ],
        )

    def list_all(self, **_: Any) -> None:
        """List all chargers."""
        now = timezone.now()
        chargers = [summary(charger, now=now) for charger in Charger.objects.select_related("location")]
        self.emit({"chargers": chargers}, self._table(chargers))

    def show(self, *, identity: str, **_: Any) -> None:
        """Show a charger: connection, capabilities, outlets and open commands."""
        charger = Charger.objects.select_related("location").filter(identity=identity).first()
        if charger is None:
            raise ConsoleError(f"There is no charger {identity}; `charger list` shows what there is.")
        data = details(charger, now=timezone.now())
        self.emit(data, (f"{name}: {value}" for name, value in data.items()))

    def _table(self, chargers: list[dict[str, Any]]) -> Iterator[str]:
        if not chargers:
            yield "No charger yet: `charger add IDENTITY` adds one."
            return
        yield f"{'IDENTITY':<24}{'LOCATION':<24}{'EVSES':<7}{'CONNECTED':<11}COMMANDS"
        for row in chargers:
            connected = "yes" if row["connected"] else "no"
            yield (
                f"{row['identity']:<24}{row['location_id']:<24}{len(row['evses']):<7}{connected:<11}"
                f"{row['open_commands']}"
            )
