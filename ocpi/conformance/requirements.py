"""What a requirement is, how one is checked, and what may come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ocpi.conformance.exchange import Exchange, Platform, Unanswered
from ocpi.conformance.partner import Partner


class Level(StrEnum):
    """How strongly the specification words it."""

    MUST = "MUST"
    SHOULD = "SHOULD"


class Verdict(StrEnum):
    """What came of a requirement."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_TRIED = "not tried"


class Failed(Exception):
    """The platform did something else than the specification asks."""

    def __init__(self, expected: str, got: object) -> None:
        super().__init__(f"expected {expected}, got {got}")
        self.expected = expected
        self.got = str(got)


class NotTried(Exception):
    """What the check needs is not there; the message says what."""


@dataclass
class Run:
    """A run against one platform: what was learned so far, for the checks that come after."""

    platform: Platform
    partner: Partner
    versions_url: str
    token_a: str
    party: tuple[str, str] = ("NL", "CNF")
    details_url: str = ""
    endpoints: dict[tuple[str, str], str] = field(default_factory=dict)
    token_b: str = ""
    token_c: str = ""
    session: dict[str, Any] = field(default_factory=dict)

    @property
    def token(self) -> str:
        """The token that opens the platform now."""
        return self.token_c or self.token_a

    def endpoint(self, module: str, role: str) -> str:
        """Return the address of an interface. Raises NotTried when the platform has none."""
        if (module, role) not in self.endpoints:
            raise NotTried(f"the platform has no {module} {role}")
        return self.endpoints[module, role].rstrip("/")

    def credentials_url(self) -> str:
        """Return the address of the credentials, whatever role the platform gives it."""
        for (module, _), url in self.endpoints.items():
            if module == "credentials":
                return url
        raise NotTried("the platform has no credentials endpoint")

    def needs_registration(self) -> str:
        """Return token C. Raises NotTried before the registration."""
        if not self.token_c:
            raise NotTried("the registration did not succeed")
        return self.token_c


@dataclass(frozen=True)
class Requirement:
    """One row: what is asked, how strongly, where, and the check, which raises Failed or NotTried."""

    id: str
    level: Level
    section: str
    text: str
    check: Callable[[Run], None]


@dataclass
class Finding:
    """What came of a requirement, and the exchanges that show it."""

    requirement: Requirement
    verdict: Verdict
    expected: str = ""
    got: str = ""
    exchanges: list[Exchange] = field(default_factory=list)


class Part:
    """Requirements that belong together, in the order in which they are checked."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.requirements: list[Requirement] = []

    def requirement(
        self, id: str, level: Level, section: str
    ) -> Callable[[Callable[[Run], None]], Callable[[Run], None]]:
        """Add the decorated check; the first line of its docstring says what is asked."""

        def add(check: Callable[[Run], None]) -> Callable[[Run], None]:
            text = (check.__doc__ or "").strip().partition("\n")[0]
            self.requirements.append(Requirement(id, level, section, text, check))
            return check

        return add


def try_out(requirement: Requirement, run: Run) -> Finding:
    """Check one requirement; whatever the platform does, there is a finding."""
    run.platform.take_log()
    finding = Finding(requirement, Verdict.PASSED)
    try:
        requirement.check(run)
    except Failed as failure:
        finding.verdict, finding.expected, finding.got = Verdict.FAILED, failure.expected, failure.got
    except Unanswered as failure:
        finding.verdict, finding.expected, finding.got = Verdict.FAILED, "an answer", str(failure)
    except NotTried as reason:
        finding.verdict, finding.got = Verdict.NOT_TRIED, str(reason)
    except (AttributeError, KeyError, TypeError, ValueError) as confusion:
        # The check read on in an answer that has another form.
        finding.verdict = Verdict.FAILED
        finding.expected = "an answer of the form that the section describes"
        finding.got = f"another form ({type(confusion).__name__}: {confusion})"
    finding.exchanges = run.platform.take_log()
    return finding


def expect(holds: bool, expected: str, got: object) -> None:
    """Raise Failed unless it holds."""
    if not holds:
        raise Failed(expected, got)


def expect_success(exchange: Exchange, expected: str = "HTTP 2xx and OCPI 1000") -> Any:
    """Return the data of a successful answer. Raises Failed."""
    expect(exchange.is_success, expected, exchange)
    return exchange.data


def expect_http(exchange: Exchange, *http_statuses: int) -> None:
    """Expect one of some HTTP statuses, with an envelope around."""
    wanted = " or ".join(f"HTTP {status}" for status in http_statuses)
    expect(exchange.http_status in http_statuses, wanted, exchange)
    expect(exchange.status_code is not None, f"{wanted} with an OCPI envelope", exchange)


def expect_status(exchange: Exchange, *codes: int) -> None:
    """Expect HTTP 200 with one of some OCPI statuses."""
    wanted = "HTTP 200 with OCPI " + " or ".join(map(str, codes))
    expect(exchange.http_status == 200 and exchange.status_code in codes, wanted, exchange)
