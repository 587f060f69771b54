"""Every checker with right and wrong documents: it takes, or it names the place that is wrong."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi.protocol.errors import BrokenJson, InvalidParameters
from ocpi.protocol.quirks import Quirk, refusing
from ocpi.protocol.strict_json import dumps, loads
from ocpi.protocol.types import Field, ListOf, Object, Optional
from tests.fuzz.settings import BOUNDED
from tests.fuzz.strategies import mutated, raw_bodies, valid
from tests.objects.test_tables import CHECKERS

WHOLE = ["Credentials", "Location", "EVSE", "Connector", "Session", "ChargingPreferences"]
WHOLE += ["SetChargingProfile", "ActiveChargingProfile", "ActiveChargingProfileResult"]
STEP = re.compile(r"([a-z_0-9]+)((?:\[\d+\])*)")


def leads_somewhere(checker: Object, path: str) -> bool:
    """Tell whether the object has a field at this path, like evses[0].connectors[1].id."""
    field: Field = checker
    for step in path.split("."):
        found = STEP.fullmatch(step)
        if not found or not isinstance(field, Object) or found[1] not in field.fields:
            return False
        field = field.fields[found[1]]
        if isinstance(field, Optional):
            field = field.field
        for _ in range(found[2].count("[")):
            if not isinstance(field, ListOf):
                return False
            field = field.field
    return True


def check(checker: Object, document: Any, *, partial: bool) -> dict[str, Any] | None:
    """Return what the checker makes of it, None when it refuses as it should."""
    try:
        return checker.check(document, partial=partial)
    except InvalidParameters as error:
        message = error.message
    path, _, wrong = message.partition(": ")
    is_named = wrong and (wrong == "is no field of this object" or leads_somewhere(checker, path))
    assert is_named or message == "The body must be a JSON object", message
    assert message.isprintable()
    return None


@pytest.mark.parametrize("name", WHOLE)
def test_a_valid_object_stays_as_it_is(name: str) -> None:
    checker = CHECKERS[name]

    @BOUNDED
    @given(valid(checker))
    def holds(document: dict[str, Any]) -> None:
        before = json.dumps(document)
        assert checker.check(document) == document
        assert json.dumps(document) == before
        assert loads(dumps(document)) == document

    holds()


# Of what is patched only a session is checked by itself; a location is once the change is in it.
@pytest.mark.parametrize(
    ("name", "partial"), [*((name, False) for name in WHOLE), ("Session", True)], ids=str
)
def test_a_spoiled_object_is_taken_for_good_or_refused_by_name(name: str, partial: bool) -> None:
    checker = CHECKERS[name]

    @BOUNDED
    @given(mutated(checker), st.booleans())
    def holds(document: Any, is_strict: bool) -> None:
        with refusing(Quirk if is_strict else ()):
            cleaned = check(checker, document, partial=partial)
        if cleaned is not None:
            # What was taken is in its one form: it can be stored, told, and taken again.
            assert checker.check(cleaned, partial=partial) == cleaned
            assert loads(dumps(cleaned)) == cleaned

    holds()


@pytest.mark.parametrize("name", ["Location", "Session", "Credentials"])
def test_any_bytes_are_refused_or_read(name: str) -> None:
    checker = CHECKERS[name]

    @BOUNDED
    @given(raw_bodies(checker))
    def holds(body: bytes) -> None:
        try:
            document = loads(body)
        except BrokenJson:
            return
        check(checker, document, partial=False)

    holds()
