"""The whole run, in the order in which a partnership lives, and its report."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from ocpi.conformance import door, profiles, received, registration
from ocpi.conformance.exchange import LONGEST_TEXT, Exchange
from ocpi.conformance.lists import lists_of
from ocpi.conformance.requirements import Finding, Level, Part, Run, Verdict, try_out

PARTS = [
    door.part,
    registration.part,
    lists_of("locations"),
    lists_of("sessions"),
    received.part,
    profiles.part,
    registration.ending,
]


def findings(run: Run, *, on_finding: Callable[[Part, Finding], None]) -> list[Finding]:
    """Check every requirement, telling each finding as it comes."""
    found = []
    for part in PARTS:
        for requirement in part.requirements:
            finding = try_out(requirement, run)
            found.append(finding)
            on_finding(part, finding)
    return found


def is_conformant(found: list[Finding]) -> bool:
    """Tell whether no MUST failed."""
    return not any(
        finding.verdict == Verdict.FAILED and finding.requirement.level == Level.MUST for finding in found
    )


def as_document(versions_url: str, found: list[Finding]) -> dict[str, Any]:
    """Return the report for programs: counts, and per requirement what was sent, expected and got."""
    counts = Counter(finding.verdict for finding in found)
    return {
        "versions_url": versions_url,
        "conformant": is_conformant(found),
        **{verdict.replace(" ", "_"): counts[verdict] for verdict in Verdict},
        "requirements": [
            {
                "id": finding.requirement.id,
                "level": finding.requirement.level,
                "section": finding.requirement.section,
                "requirement": finding.requirement.text,
                "verdict": finding.verdict,
                "expected": finding.expected,
                "got": finding.got,
                "exchanges": [_exchange(exchange) for exchange in finding.exchanges],
            }
            for finding in found
        ],
    }


def sentences(finding: Finding) -> Iterator[str]:
    """Yield the lines that tell people of a finding; a failure with what was sent, expected and got."""
    row = finding.requirement
    mark = {Verdict.PASSED: "ok  ", Verdict.FAILED: "FAIL", Verdict.NOT_TRIED: "-   "}[finding.verdict]
    yield f"  {mark} {row.id:<5} {row.level:<6} {row.text}"
    if finding.verdict == Verdict.NOT_TRIED:
        yield f"            not tried: {finding.got}"
    if finding.verdict == Verdict.FAILED:
        yield f"            expected: {finding.expected}"
        yield f"            got:      {finding.got[:300]}"
        for exchange in finding.exchanges[-1:]:
            yield f"            sent:     {exchange.method} {exchange.url}"
            yield f"            answer:   {exchange}"
        yield f"            see:      OCPI 2.2.1 {row.section}"


def _exchange(exchange: Exchange) -> dict[str, Any]:
    answered = exchange.body
    return {
        "method": exchange.method,
        "url": exchange.url,
        "sent": _without_tokens(exchange.sent),
        "http_status": exchange.http_status,
        "answered": exchange.text[:LONGEST_TEXT] if answered is None else _cut(_without_tokens(answered)),
    }


def _without_tokens(document: Any) -> Any:
    if isinstance(document, dict):
        return {name: "..." if name == "token" else _without_tokens(part) for name, part in document.items()}
    return [_without_tokens(part) for part in document] if isinstance(document, list) else document


def _cut(document: Any) -> Any:
    text = json.dumps(document)
    return document if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + " ..."
