"""What the conformance run makes of platforms that are no good, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ocpi.conformance.exchange import Platform
from ocpi.conformance.partner import Partner
from ocpi.conformance.requirements import Finding, Part, Run, Verdict, try_out
from ocpi.conformance.suite import PARTS, as_document, findings, is_conformant, sentences
from tests.peer import Peer
from tests.ports import free_port

TOKEN = "a-token-a"


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as platform:
        yield platform


@pytest.fixture
def run(peer: Peer) -> Iterator[Run]:
    with Partner(("127.0.0.1", free_port()), "") as partner:
        yield Run(Platform(), partner, f"{peer.url}/versions", TOKEN)


def quietly(part: Part, finding: Finding) -> None:
    """Tell nobody."""


def finding_of(run: Run, name: str) -> Finding:
    """Try the requirement whose check has this name."""
    found = [row for part in PARTS for row in part.requirements if row.check.__name__ == name]
    return try_out(found[0], run)


def test_fails_a_platform_that_lets_everybody_in(peer: Peer, run: Run) -> None:
    peer.publish()

    finding = finding_of(run, "refuses_who_has_no_token")

    assert list(sentences(finding)) == [
        "  FAIL T5    MUST   A request without a token gets HTTP 401.",
        "            expected: HTTP 401",
        "            got:      HTTP 200, OCPI 1000",
        f"            sent:     GET {peer.url}/versions",
        "            answer:   HTTP 200, OCPI 1000",
        '            see:      OCPI 2.2.1 transport_and_format, "Authorization header"',
    ]


@pytest.mark.parametrize(
    "answer", [{"body": b"<html>"}, {"body": b"[]"}, {"data": "text"}, {"data": [5]}, {"status": 500}]
)
def test_reports_nonsense_without_breaking_down(peer: Peer, run: Run, answer: dict[str, Any]) -> None:
    peer.answer("*", "/", **answer)

    found = findings(run, on_finding=quietly)

    assert len(found) == sum(len(part.requirements) for part in PARTS)
    assert not is_conformant(found)
    assert finding_of(run, "registers").verdict != Verdict.PASSED


def test_reports_a_platform_that_is_not_there(run: Run) -> None:
    run.versions_url = "http://127.0.0.1:1/versions"

    finding = finding_of(run, "takes_the_token_in_base64")

    assert (finding.verdict, finding.expected) == (Verdict.FAILED, "an answer")


def test_does_not_try_what_needs_a_registration(run: Run) -> None:
    finding = finding_of(run, "opens_with_token_c")

    assert (finding.verdict, finding.got) == (Verdict.NOT_TRIED, "the registration did not succeed")


def test_puts_no_token_into_its_report(peer: Peer, run: Run) -> None:
    peer.publish()
    peer.answer(
        "POST", "/2.2.1/sender/credentials", data={"token": "their-token-c", "url": "u", "roles": [{}]}
    )

    document = as_document(run.versions_url, findings(run, on_finding=quietly))

    assert document["conformant"] is False
    assert document["passed"] + document["failed"] + document["not_tried"] == len(document["requirements"])
    for secret in (TOKEN, run.token_b, "their-token-c"):
        assert secret not in str(document)
