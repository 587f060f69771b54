"""Reading the single fields of a charging profile; what makes no sense is refused by the field's name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal, InvalidOperation

TENTH = Decimal("0.1")
TEN_YEARS_S = 10 * 366 * 86400
# Beyond any charger: such a number is a mistake, or means "no limit".
ABSURD_LIMIT = Decimal(10**9)
# No profile was meant to begin before the clocks of computers did.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


class ProfileError(ValueError):
    """A charging profile makes no sense; `field` names the part at fault."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


def floored(value: object) -> Decimal:
    """Return a number rounded down to one decimal. Raises ValueError for what is no usable number."""
    number = None if isinstance(value, bool) else _decimal(value)
    if number is None:
        raise ValueError("must be a number")
    if abs(number) > ABSURD_LIMIT:
        raise ValueError(f"must not be above {ABSURD_LIMIT}")
    return number.quantize(TENTH, rounding=ROUND_FLOOR)


def read_limit(value: object, field: str) -> Decimal:
    """Return a limit or rate, rounded down to one decimal. Raises ProfileError."""
    try:
        limit = floored(value)
    except ValueError as error:
        raise ProfileError(field, str(error)) from None
    if limit < 0:
        raise ProfileError(field, "must not be negative")
    return limit


def read_seconds(value: object, field: str) -> int:
    """Return a whole number of seconds of at most ten years. Raises ProfileError."""
    number = _decimal(value) if isinstance(value, int | float | Decimal) else None
    if number is None or isinstance(value, bool):
        raise ProfileError(field, "must be a whole number of seconds")
    if number < 0:
        raise ProfileError(field, "must not be negative")
    if number > TEN_YEARS_S:
        raise ProfileError(field, "must not be more than ten years")
    if number != int(number):
        raise ProfileError(field, "must be a whole number of seconds")
    return int(number)


def read_start(value: object, field: str, *, relative_to: datetime) -> datetime:
    """Return the moment that a profile starts, `relative_to` when it names none. Raises ProfileError."""
    if value is None:
        return relative_to
    try:
        starts_at = datetime.fromisoformat(str(value))
        # OCPI 2.2.1 types.asciidoc, "DateTime Type": a time without a zone is UTC.
        starts_at = starts_at.replace(tzinfo=UTC) if starts_at.tzinfo is None else starts_at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ProfileError(field, "must be a date and time") from None
    if starts_at < EARLIEST or starts_at - relative_to > timedelta(seconds=TEN_YEARS_S):
        raise ProfileError(field, "must lie between 1970 and ten years ahead")
    return starts_at


def _decimal(value: object) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
