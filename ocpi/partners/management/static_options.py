"""The options of `manage.py partner add-static`, and what they mean."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from ocpi.console import ConsoleError
from ocpi.partners.documents import ROLES
from ocpi.partners.static import OAuthTerms, StaticTerms

_PARTY = re.compile(r"([A-Za-z]{2})-([A-Za-z0-9]{1,3})")
_READ = "-"
_NEEDED = {"token": ("token",), "oauth2": ("token_url", "client_id", "client_secret")}
_TAKEN = {
    "token": (*_NEEDED["token"], "raw_token"),
    "oauth2": (*_NEEDED["oauth2"], "audience", "scope"),
}
# In the order in which they are read.
_SECRETS = ("token", "client_secret", "api_key")
_ENDPOINTS = {
    "sessions_url": ("sessions", "RECEIVER"),
    "locations_url": ("locations", "RECEIVER"),
    "profiles_url": ("chargingprofiles", "SENDER"),
}


def add_static_options(parser: ArgumentParser) -> None:
    """Add the options, but for those that `partner invite` has too."""
    parser.description = (
        f"{parser.description} A secret given as - is asked for, or read as one line of standard input: "
        "token, client secret, API key, in this order."
    )
    parser.add_argument(
        "--party",
        action="append",
        required=True,
        dest="parties",
        metavar="CC-PID",
        help="a party of theirs, such as NL-JDX; repeatable",
    )
    parser.add_argument(
        "--role",
        action="append",
        dest="roles",
        choices=ROLES,
        metavar="ROLE",
        help="what their parties are, default SCSP; repeatable",
    )
    parser.add_argument(
        "--sessions-url", required=True, metavar="URL", help="their sessions receiver: gets our sessions"
    )
    parser.add_argument("--locations-url", metavar="URL", help="their locations receiver: gets our locations")
    parser.add_argument(
        "--profiles-url", metavar="URL", help="their chargingprofiles sender: gets active profiles"
    )
    parser.add_argument("--auth", required=True, choices=tuple(_NEEDED), help="what they want to see of us")
    parser.add_argument("--token", metavar="TOKEN|-", help="token: goes into Authorization: Token")
    parser.add_argument("--raw-token", action="store_true", help="token: they read it without Base64")
    parser.add_argument("--token-url", metavar="URL", help="oauth2: where access tokens come from")
    parser.add_argument("--client-id", metavar="ID", help="oauth2: who we are there")
    parser.add_argument("--client-secret", metavar="SECRET|-", help="oauth2: sent to the token URL only")
    parser.add_argument("--audience", help="oauth2: what the token is for, if they want to be told")
    parser.add_argument("--scope", help="oauth2: what the token may do, if they want to be told")
    parser.add_argument("--api-key", metavar="KEY|-", help="a key that they want in each request as well")
    parser.add_argument("--api-key-header", metavar="NAME", help="its header, default ApiKey")


def static_terms(options: dict[str, Any], *, hosts: list[str]) -> StaticTerms:
    """Return what the options say, with the secrets read. Raises ConsoleError."""
    auth = options["auth"]
    for name in {name for names in _TAKEN.values() for name in names}:
        if name in _NEEDED[auth] and not options[name]:
            raise ConsoleError(f"{_option(name)} is needed with --auth {auth}.")
        if name not in _TAKEN[auth] and options[name]:
            raise ConsoleError(f"{_option(name)} does not go with --auth {auth}.")
    if options["api_key_header"] and not options["api_key"]:
        raise ConsoleError("--api-key-header goes with --api-key.")
    parties = [_party(text) for text in options["parties"]]
    secrets = {name: _secret(name, options[name]) for name in _SECRETS}
    oauth = None
    if auth == "oauth2":
        oauth = OAuthTerms(
            token_url=options["token_url"],
            client_id=options["client_id"],
            client_secret=secrets["client_secret"],
            audience=options["audience"] or "",
            scope=options["scope"] or "",
        )
    return StaticTerms(
        parties=list(dict.fromkeys(parties)),
        roles=list(dict.fromkeys(options["roles"] or ["SCSP"])),
        endpoints={which: options[name] for name, which in _ENDPOINTS.items() if options[name]},
        response_hosts=hosts,
        token=secrets["token"],
        sends_raw_tokens=options["raw_token"],
        oauth=oauth,
        api_key=secrets["api_key"],
        api_key_header=(options["api_key_header"] or "ApiKey") if secrets["api_key"] else "",
    )


def _party(text: str) -> tuple[str, str]:
    match = _PARTY.fullmatch(text.strip())
    if match is None:
        raise ConsoleError("--party: must be a country code and a party id, such as NL-JDX.")
    return match[1].upper(), match[2].upper()


def _secret(name: str, given: str | None) -> str:
    """Return a secret; what was given as - is asked for, or the next line of standard input."""
    if given != _READ:
        return given or ""
    what = name.replace("_", " ")
    secret = (getpass(f"Their {what}: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
    if not secret:
        raise ConsoleError(f"{_option(name)} -: no {what} came in on standard input.")
    return secret


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
