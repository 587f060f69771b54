"""How each kind of push is built: the module that owns the object registers it, delivery only calls it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ocpi.partners.models import Partner
from ocpi.partners.own import Party


@dataclass(frozen=True)
class Message:
    """One call to a partner's endpoint.

    `path` is appended to the endpoint of (module, role); `document` is what to remember as sent once the
    partner took it. `whole` belongs to a PATCH: the PUT of the whole object to fall back on, after a GET of
    the same path, when the PATCH fails (OCPI 2.2.1 transport_and_format, "PATCH").
    `from_party` is the party of ours whose object it is, `to_party` the partner's that it is meant for, each
    a (country_code, party_id), where the interface alone doesn't tell.
    `creates` says that the partner has not had the object from us: the answer should be HTTP 201.
    """

    method: str
    module: str
    role: str
    path: tuple[str, ...]
    body: Any
    document: Any = None
    whole: Message | None = None
    to_party: Party | None = None
    from_party: Party | None = None
    creates: bool = False


Render = Callable[[Partner, str, Any], Message | None]
NeededKeys = Callable[[], Any]


class UnknownKind(Exception):
    """No module registered this kind of push."""


_renders: dict[str, Render] = {}
_needed_keys: dict[str, NeededKeys] = {}


def register_push(kind: str, render: Render, needed_keys: NeededKeys | None = None) -> None:
    """Take `render` as the way to build pushes of `kind`; called in the owning module's AppConfig.ready.

    `render(partner, object_key, sent_document)` reads the object as it is now and returns the message, or
    None when there is nothing to send any more. It runs at each try, outside any transaction.
    `needed_keys()` returns the object keys, a list or a query, whose pushes must be kept although they were
    settled long ago.
    """
    _renders[kind] = render
    if needed_keys:
        _needed_keys[kind] = needed_keys


def needed_keys() -> dict[str, Any]:
    """Return the object keys whose pushes must be kept, by kind."""
    return {kind: keys() for kind, keys in _needed_keys.items()}


def render_of(kind: str) -> Render:
    """Return how pushes of `kind` are built. Raises UnknownKind."""
    try:
        return _renders[kind]
    except KeyError:
        raise UnknownKind(f"no module builds pushes of the kind {kind!r}") from None
