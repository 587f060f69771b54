"""From the outcome of a try to the row's state, the same for results and pushes."""

from __future__ import annotations

from datetime import datetime

from ocpi.delivery.models import Push, Result
from ocpi.delivery.retry import Outcome, Verdict
from ocpi.delivery.tries import Try
from ocpi.partners import pull_times
from ocpi.partners.models import Partner
from ocpi.protocol.quirks import Quirk

NOT_REGISTERED = Outcome(Verdict.DEAD, "not_registered", "The partner is not registered.")
TOO_LATE = Outcome(Verdict.DEAD, "expired", "Its time ran out before it could be tried.")
TOKEN_REFUSED = (
    "They refuse our token (HTTP 401 or 403); rotate the credentials or register again, or add-static again."
)


def final_verdict(row: Result | Push, outcome: Outcome) -> Verdict:
    """Return DONE, RETRY or DEAD: a token that is refused a second time in a row is refused for good."""
    if outcome.verdict is not Verdict.RETRY_ONCE:
        return outcome.verdict
    return Verdict.DEAD if row.last_outcome == outcome.label else Verdict.RETRY


def tell_partner_row(row: Result | Push, outcome: Outcome, verdict: Verdict, *, now: datetime) -> None:
    """Show people on the partner that our token is refused there, until it works again.

    A partner that could not be reached may have told us something in vain, too: it is pulled from soon.
    """
    if outcome.is_silence:
        pull_times.expect_gap(row.partner_id, now=now)
    partners = Partner.objects.filter(pk=row.partner_id)
    if outcome.verdict is Verdict.RETRY_ONCE and verdict is Verdict.DEAD:
        partners.update(last_error=TOKEN_REFUSED)
    elif outcome.label == "delivered" and row.partner.last_error == TOKEN_REFUSED:
        partners.filter(last_error=TOKEN_REFUSED).update(last_error="")


def tell_created(partner: Partner, one: Try) -> None:
    """Show people that a partner answered a new object with another status than 201, if that counts."""
    if Quirk.OK_FOR_CREATED in partner.refuses and one.http_status != 201:
        reason = f"{one.method} {one.url} was answered HTTP {one.http_status}; a new object calls for 201."
        Partner.objects.filter(pk=partner.pk).update(last_error=reason[:300])
