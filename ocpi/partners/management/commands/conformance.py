"""`manage.py conformance`: plays a partner against any OCPI 2.2.1 platform and tells what it gets right."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from ocpi.conformance.exchange import Platform
from ocpi.conformance.partner import Partner
from ocpi.conformance.requirements import Finding, Part, Run, Verdict
from ocpi.conformance.suite import as_document, findings, is_conformant, sentences
from ocpi.console import ConsoleCommand, ConsoleError


class Command(ConsoleCommand):
    """Needs a token A of the platform under test, and an address at which that platform reaches us."""

    help = (
        "Plays a partner (SCSP and CPO) against an OCPI 2.2.1 platform: versions, credentials, lists, "
        "sessions and charging profiles. Needs a token A of that platform; sets and clears a profile on a "
        "running session that it shows. Exit code 1 when a MUST fails."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the platform's address, the token, and where we listen."""
        parser.add_argument("--versions-url", required=True, metavar="URL", help="the platform's versions")
        parser.add_argument("--token", required=True, metavar="A", help="the token A that it gave for this")
        parser.add_argument(
            "--listen",
            default="127.0.0.1:8090",
            metavar="HOST:PORT",
            help="where we take its calls (default 127.0.0.1:8090)",
        )
        parser.add_argument(
            "--url", default="", metavar="URL", help="how it reaches us there (default http://HOST:PORT)"
        )
        parser.add_argument(
            "--party", default="NL-CNF", metavar="CC-PID", help="the party that we are (default NL-CNF)"
        )

    def run(self, **options: Any) -> None:
        """Run every check and tell each as it comes."""
        versions_url, listen, party = options["versions_url"], options["listen"], options["party"]
        host, _colon, port = listen.rpartition(":")
        country_code, _dash, party_id = party.upper().partition("-")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ConsoleError(f"--listen: {listen!r} is not HOST:PORT, such as 127.0.0.1:8090.")
        if len(country_code) != 2 or len(party_id) != 3 or not (country_code + party_id).isalnum():
            raise ConsoleError(f"--party: {party!r} is not a country code and a party id, such as NL-CNF.")
        try:
            partner = Partner((host.strip("[]"), int(port)), options["url"])
        except OSError as error:
            raise ConsoleError(f"Can't listen on {listen}: {error.strerror or error}.") from error
        with partner:
            run = Run(Platform(), partner, versions_url, options["token"].strip(), (country_code, party_id))
            found = findings(run, on_finding=self._tell)
        document = as_document(versions_url, found)
        if options["report"]:
            Path(options["report"]).write_text(json.dumps(document, indent=2) + "\n")
        counts = (
            f"{document['passed']} passed, {document['failed']} failed, {document['not_tried']} not tried"
        )
        self.stdout.write(f"\n{versions_url}: {counts}.")
        if not is_conformant(found):
            must = sum(f.verdict == Verdict.FAILED and f.requirement.level == "MUST" for f in found)
            raise ConsoleError(f"{must} MUST {'requirement' if must == 1 else 'requirements'} failed.")

    def _add_json(self, parser: ArgumentParser, *, default: Any) -> None:
        parser.add_argument("--json", dest="report", metavar="FILE", help="also write the whole report there")

    def _tell(self, part: Part, finding: Finding) -> None:
        if finding.requirement is part.requirements[0]:
            self.stdout.write(f"\n{part.title}")
        for line in sentences(finding):
            self.stdout.write(line)
