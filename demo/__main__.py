"""The story of `make demo`, step by step; exits 0 when every step happened."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from demo.narration import end, say, show, step
from demo.processes import ROOT, Node, Program, StepFailed, wait_for

CHARGER = "DEMO-1"
CAR_POWER_W = 22_000
PROFILE_FILE = Path(__file__).with_name("charging_profile.json")


class Story:
    """The demo's nodes and charger, and what happens between them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cpo = Node(
            name="Operator", folder=folder / "cpo", country_code="NL", party_id="CPO", role="CPO", port=8101
        )
        self.scsp = Node(
            name="Provider", folder=folder / "scsp", country_code="DE", party_id="SCS", role="SCSP", port=8201
        )
        self.charger: Program | None = None
        self.session_id = ""

    def start_nodes(self) -> None:
        """Start both nodes, each on its own embedded default."""
        step("Two nodes start, one as charge point operator, one as smart-charging provider")
        for node in (self.cpo, self.scsp):
            node.start()
        for node in (self.cpo, self.scsp):
            node.ready()
            say(f"{node.name} serves OCPI at {node.url}/ocpi/versions")

    def shake_hands(self) -> None:
        """Peer the two: invitation, registration, tokens A, B and C."""
        step("The operator invites the provider, the provider registers (OCPI credentials)")
        invitation = self.cpo.ask("partner", "invite", "--name", "Provider", "--may-steer")
        say(f"The invitation: {invitation['versions_url']} and a token that opens only the registration.")
        registered = self.scsp.ask(
            "partner", "register", "--name", "Operator",
            "--versions-url", invitation["versions_url"], "--token", invitation["token"],
        )  # fmt: skip
        show("The provider registered with", registered)

    def plug_in(self) -> None:
        """Add a charger, connect the simulated station and start a session."""
        step("A charger is added, connects over OCPP 1.6J, and a car plugs in")
        added = self.cpo.ask("charger", "add", CHARGER, "--phases", "3", "--max-current", "32")
        show("manage.py charger add", added)
        self.charger = Program(
            "The simulated charger",
            [
                "simulate_charger", CHARGER, "--url", f"ws://127.0.0.1:{self.cpo.ocpp_port}",
                "--power-w", str(CAR_POWER_W), "--meter-interval-s", "2", "--json",
            ],
            self.cpo.environment,
        )  # fmt: skip
        started = self.charger.event("started", within_s=20, what="StartTransaction")
        say(f"The charger's transaction {started['transaction_id']} runs: {self._power()} W.")

    def session_arrives(self) -> None:
        """Wait until the provider holds the session."""
        step("The session reaches the provider (OCPI PUT sessions)")
        sessions: list[dict[str, Any]] = wait_for(
            lambda: self.scsp.ask("session", "list", "--active")["sessions"],
            within_s=20,
            what="The session's arrival",
        )
        self.session_id = sessions[0]["id"]
        show("The session at the provider", self.scsp.ask("session", "show", self.session_id)["document"])

    def steer(self) -> None:
        """Send the profile, see the charger take it and the result come back."""
        step("The provider sends a charging profile that begins now (OCPI PUT chargingprofiles)")
        self._set_profile(begins_ago=timedelta(0))
        step("The same profile as if it had begun an hour ago: now its third period rules, 10 kW")
        self._set_profile(begins_ago=timedelta(hours=1))
        power_w = self._power()
        say(f"The car charges with {power_w} W.")
        if power_w > 10_000:
            raise StepFailed(f"The charger's power did not follow the limit of 10000 W: it is {power_w} W.")

    def ask_active(self) -> None:
        """Ask the charger what is in force."""
        step("The provider asks what is in force (OCPI GET chargingprofiles)")
        asked = self.scsp.ask("profile", "get", self.session_id, "--duration", "3600")
        settled = self._settled(asked["request"])
        show("The charger's ActiveChargingProfile", settled["profile"])

    def clear(self) -> None:
        """Take the profile away and see the power rise."""
        step("The provider takes the profile away (OCPI DELETE chargingprofiles)")
        asked = self.scsp.ask("profile", "clear", self.session_id)
        say(f"The operator's answer: {asked['result']}")
        assert self.charger is not None
        frame = self.charger.event("cleared", within_s=20, what="ClearChargingProfile at the charger")
        show("The charger got ClearChargingProfile", frame["payload"])
        settled = self._settled(asked["request"])
        say(f"The result at the provider's response_url: {settled['result']}")
        say(f"The car charges with {self._power()} W again.")

    def unplug(self) -> None:
        """End the session and see it completed at the provider."""
        step("The car leaves; the provider hears of it")
        assert self.charger is not None
        self.charger.stop()
        wait_for(
            lambda: self.scsp.ask("session", "show", self.session_id)["status"] == "COMPLETED",
            within_s=20,
            what="The end of the session at the provider",
        )
        document = self.scsp.ask("session", "show", self.session_id)["document"]
        show("The session now", {key: document[key] for key in ("id", "status", "kwh", "end_date_time")})

    def look_around(self) -> None:
        """Leave everything up until Ctrl-C."""
        import subprocess  # only here

        for node in (self.cpo, self.scsp):
            environment = node.environment | {
                "DJANGO_SUPERUSER_PASSWORD": "demo",
                "DJANGO_SUPERUSER_EMAIL": "demo@example.com",
            }
            command = [sys.executable, "manage.py", "createsuperuser", "--noinput", "--username", "demo"]
            subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
            say(f"{node.name}: {node.url}/admin/  user demo, password demo")
        end("Everything is still up. Ctrl-C stops it.", is_good=True)
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        signal.signal(signal.SIGINT, lambda *_: stop.set())
        stop.wait()

    def close(self) -> None:
        """Stop everything that was started."""
        for program in (self.charger, self.cpo, self.scsp):
            if program is not None:
                program.stop()

    def _set_profile(self, *, begins_ago: timedelta) -> None:
        assert self.charger is not None
        document = json.loads(PROFILE_FILE.read_text())
        begins_at = datetime.now(UTC).replace(microsecond=0) - begins_ago
        document["charging_profile"]["start_date_time"] = begins_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        file = self.folder / "profile.json"
        file.write_text(json.dumps(document))
        show("The profile", document["charging_profile"])
        asked = self.scsp.ask("profile", "set", self.session_id, "--file", str(file))
        show("The operator's answer", asked)
        frame = self.charger.event("profile", within_s=20, what="SetChargingProfile at the charger")
        show("The charger got SetChargingProfile", frame["payload"])
        settled = self._settled(asked["request"])
        say(f"The result at the provider's response_url: {settled['result']}")
        if settled["result"] != "ACCEPTED":
            raise StepFailed(f"The charger's result is {settled['result']}, not ACCEPTED.")

    def _settled(self, request: str) -> dict[str, Any]:
        def settled() -> dict[str, Any] | None:
            shown = self.scsp.ask("profile", "show", request)
            return shown if shown["state"] == "SETTLED" else None

        found: dict[str, Any] = wait_for(settled, within_s=20, what="The charger's result")
        return found

    def _power(self) -> int:
        assert self.charger is not None
        return int(self.charger.event("power", within_s=20, what="The charger's power")["power_w"])


def main() -> int:
    """Tell the story; 0 when it happened, 1 with the reason when it didn't."""
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument("--keep", action="store_true", help="leave everything up until Ctrl-C")
    keep = parser.parse_args().keep
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        try:
            story = Story(Path(folder))
            try:
                story.start_nodes()
                story.shake_hands()
                story.plug_in()
                story.session_arrives()
                story.steer()
                story.ask_active()
                story.clear()
                if keep:
                    story.look_around()
                else:
                    story.unplug()
            finally:
                story.close()
        except StepFailed as failure:
            end(str(failure), is_good=False)
            return 1
        except KeyboardInterrupt:
            end("Stopped before the end.", is_good=False)
            return 130
    end("The whole loop ran. Nothing is left running.", is_good=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
