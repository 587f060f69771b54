"""The checker of OCPI objects: a clean document comes out, or an error that names the field.

Tolerant where platforms differ (`quirks` names how), strict where a guess could do harm (OCPI 2.2.1 types;
mod_* "Object description").
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ocpi.protocol.errors import InvalidParameters
from ocpi.protocol.quirks import Quirk, tolerate
from ocpi.protocol.times import format_datetime, is_strict, parse_datetime

LONGEST_URL = 255
LARGEST_NUMBER = 1_000_000_000_000
Rule = Callable[[dict[str, Any]], None]
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,2})?", re.ASCII)
_LINE_BREAKS = re.compile(r"[\r\n\t]+")


def fold(text: str) -> str:
    """Return the text by which CiStrings are compared: case makes no difference."""
    return text.upper()


def check_case(name: str, given: str, known: str) -> None:
    """Bear an id in another case than we know it. Raises InvalidParameters where that is refused."""
    if given != known:
        tolerate(Quirk.MIXED_CASE_IDS, f"{name}: must be {known}, in upper and lower case as here")


class Field:
    """One type of value."""

    def cleaned(self, value: Any, path: str) -> Any:
        """Return the value in its one form. Raises InvalidParameters beginning with `path`."""
        raise NotImplementedError


class String(Field):
    """Text of at most `longest` characters, printable; numbers become text.

    Up to twice the length is taken as it is, because platforms disagree about lengths (address: 45 or 255).
    """

    def __init__(self, longest: int) -> None:
        self.longest = longest

    def cleaned(self, value: Any, path: str) -> str:
        text = _text(value, path)
        if len(text) > self.longest:
            complaint = f"{path}: must have at most {self.longest} characters"
            if len(text) > 2 * self.longest:
                raise InvalidParameters(complaint)
            tolerate(Quirk.LONG_TEXTS, complaint)
        text = _LINE_BREAKS.sub(" ", text)
        if any(unicodedata.category(character) == "Cc" for character in text):
            raise InvalidParameters(f"{path}: must not have control characters")
        return text


class CiString(Field):
    """Printable ASCII of 1 to `longest` characters, compared by `fold`; numbers become text."""

    def __init__(self, longest: int) -> None:
        self.longest = longest

    def cleaned(self, value: Any, path: str) -> str:
        text = _text(value, path)
        if not text:
            raise InvalidParameters(f"{path}: must not be empty")
        if len(text) > self.longest:
            raise InvalidParameters(f"{path}: must have at most {self.longest} characters")
        if not (text.isascii() and text.isprintable()):
            raise InvalidParameters(f"{path}: must be printable ASCII")
        return text


class Url(Field):
    """An address of at most 255 characters; where it may lead is for the caller to check."""

    def cleaned(self, value: Any, path: str) -> str:
        if not isinstance(value, str) or not value:
            raise InvalidParameters(f"{path}: must be a URL")
        if len(value) > LONGEST_URL:
            raise InvalidParameters(f"{path}: must have at most {LONGEST_URL} characters")
        if not value.isprintable() or " " in value:
            raise InvalidParameters(f"{path}: must be a URL without spaces and control characters")
        return value


class DateTime(Field):
    """A moment; the forms that OCPI allows stay as they are, others are written as ….Z."""

    def cleaned(self, value: Any, path: str) -> str:
        if not isinstance(value, str):
            raise InvalidParameters(f"{path}: must be a date and time like 2026-01-31T12:00:00Z")
        try:
            moment = parse_datetime(value)
        except ValueError as error:
            raise InvalidParameters(f"{path}: {error}") from error
        if is_strict(value):
            return value
        tolerate(Quirk.DATE_FORMS, f"{path}: must be in UTC with milliseconds at most, 2026-01-31T12:00:00Z")
        return format_datetime(moment)


class Number(Field):
    """A number, rounded to `decimals`; numeric strings are taken."""

    def __init__(self, decimals: int = 4, *, least: float | None = None) -> None:
        self.decimals = decimals
        self.least = least

    def cleaned(self, value: Any, path: str) -> int | float:
        number = _number(value, path)
        if self.least is not None and number < self.least:
            raise InvalidParameters(f"{path}: must be at least {self.least}")
        return number if isinstance(number, int) else round(number, self.decimals)


class Integer(Field):
    """A whole number; 3.0 and "3" are taken."""

    def __init__(self, *, least: int | None = None, most: int | None = None) -> None:
        self.least = least
        self.most = most

    def cleaned(self, value: Any, path: str) -> int:
        number = _number(value, path, kind="a whole number")
        if number != int(number):
            raise InvalidParameters(f"{path}: must be a whole number")
        if self.least is not None and number < self.least:
            raise InvalidParameters(f"{path}: must be at least {self.least}")
        if self.most is not None and number > self.most:
            raise InvalidParameters(f"{path}: must be at most {self.most}")
        return int(number)


class Boolean(Field):
    """true or false, nothing else."""

    def cleaned(self, value: Any, path: str) -> bool:
        if not isinstance(value, bool):
            raise InvalidParameters(f"{path}: must be true or false")
        return value


class Enum(Field):
    """One of `values`, case-sensitive.

    `aliases` are other spellings of them. A value we don't know becomes `fallback`, or stays when `open`.
    """

    def __init__(
        self,
        *values: str,
        aliases: Mapping[str, str] | None = None,
        fallback: str | None = None,
        open: bool = False,
    ) -> None:
        self.values = frozenset(values)
        self.aliases = dict(aliases or {})
        self.fallback = fallback
        self.is_open = open

    def cleaned(self, value: Any, path: str) -> str:
        complaint = f"{path}: must be one of {', '.join(sorted(self.values))}"
        if isinstance(value, str):
            if value in self.values:
                return value
            if value in self.aliases:
                tolerate(Quirk.RESERVED, complaint)
                return self.aliases[value]
            if self.fallback is not None or self.is_open:
                tolerate(Quirk.UNKNOWN_VALUES, complaint)
                return self.fallback or String(64).cleaned(value, path)
        raise InvalidParameters(complaint)


class ListOf(Field):
    """A list of at least `least` values of one type."""

    def __init__(self, field: Field, *, least: int = 0) -> None:
        self.field = field
        self.least = least

    def cleaned(self, value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise InvalidParameters(f"{path}: must be a list")
        if len(value) < self.least:
            words = {1: "one"}
            raise InvalidParameters(f"{path}: must list at least {words.get(self.least, self.least)}")
        return [self.field.cleaned(member, f"{path}[{number}]") for number, member in enumerate(value)]


class Optional(Field):
    """A field that may be absent or null, which mean the same (OCPI 2.2.1 terminology, "Cardinality")."""

    def __init__(self, field: Field) -> None:
        self.field = field

    def cleaned(self, value: Any, path: str) -> Any:
        if value == "" and isinstance(self.field, CiString | Url):
            tolerate(Quirk.NULLS, f"{path}: must not be empty")
            return value
        return self.field.cleaned(value, path)


def optional(field: Field) -> Optional:
    """Return the field as one that may be absent or null."""
    return Optional(field)


class Object(Field):
    """An object with these fields, and any others: what we don't know is kept.

    `rules` get the cleaned object and raise InvalidParameters("field: what is wrong"); when partial they
    must bear absent fields.
    """

    def __init__(self, fields: Mapping[str, Field], *, rules: Sequence[Rule] = ()) -> None:
        self.fields = dict(fields)
        self.rules = tuple(rules)

    def check(self, document: Any, *, partial: bool = False) -> dict[str, Any]:
        """Return a clean copy of what a partner sent.

        Null optional fields are dropped. With `partial` (PATCH) any field of this object, not of those inside
        it, may be missing, and a null optional field stays: it clears. Raises InvalidParameters with the path
        of the field.
        """
        return self._cleaned(document, "", partial=partial)

    def cleaned(self, value: Any, path: str) -> dict[str, Any]:
        return self._cleaned(value, path, partial=False)

    def _cleaned(self, document: Any, path: str, *, partial: bool) -> dict[str, Any]:
        if not isinstance(document, dict):
            raise InvalidParameters(
                f"{path}: must be an object" if path else "The body must be a JSON object"
            )
        prefix = f"{path}." if path else ""
        result = dict(document)
        for name in document.keys() - self.fields.keys():
            shown = name[:50] if name.isprintable() else ascii(name[:50])
            tolerate(Quirk.UNKNOWN_FIELDS, f"{prefix}{shown}: is no field of this object")
        for name, field in self.fields.items():
            is_optional = isinstance(field, Optional)
            value = document.get(name)
            if value is not None:
                result[name] = field.cleaned(value, prefix + name)
            elif name not in document:
                if not (is_optional or partial):
                    raise InvalidParameters(f"{prefix}{name}: is missing")
            elif not is_optional:
                raise InvalidParameters(f"{prefix}{name}: must not be null")
            else:
                tolerate(Quirk.NULLS, f"{prefix}{name}: must not be null")
                if not partial:
                    del result[name]
        for rule in self.rules:
            try:
                rule(result)
            except InvalidParameters as error:
                raise InvalidParameters(prefix + error.message) from error
        return result


def _text(value: Any, path: str) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        tolerate(Quirk.NUMBERS_AS_STRINGS, f"{path}: must be a string")
        return str(value)
    if not isinstance(value, str):
        raise InvalidParameters(f"{path}: must be a string")
    return value


def _number(value: Any, path: str, *, kind: str = "a number") -> int | float:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        tolerate(Quirk.NUMBERS_AS_STRINGS, f"{path}: must be {kind}, not a string")
        exact = Decimal(value.strip())
        value = int(exact) if re.fullmatch(r"[+-]?\d+", value.strip()) else float(exact)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -math.inf < value < math.inf:
        raise InvalidParameters(f"{path}: must be {kind}")
    if abs(value) > LARGEST_NUMBER:
        raise InvalidParameters(f"{path}: is out of any range")
    return value
