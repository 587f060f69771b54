"""`manage.py partner`: invite, register, add, look at, rotate, grant, pull and end."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from ocpi.console import ConsoleCommand, ConsoleError
from ocpi.partners import grants, handshake, pulls, rotation, sign_in, static
from ocpi.partners.management.static_options import add_static_options, static_terms
from ocpi.partners.models import Partner
from ocpi.partners.own import own_cpo, own_roles
from ocpi.partners.summaries import roles, sentences, summary
from ocpi.partners.versions import endpoint_url, versions_url
from ocpi.protocol.quirks import MEANINGS, Quirk

LONGEST_NAME = 100
LONGEST_LOCATION = 36


class Command(ConsoleCommand):
    """Partners: the platforms that we hold OCPI credentials with."""

    help = "Invite, register, add, look at, rotate, grant, pull from and end partners."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the verbs."""
        invite = self.sub(parser, "invite", self.invite)
        register = self.sub(parser, "register", self.register)
        static = self.sub(parser, "add-static", self.add_static)
        for verb in (invite, register, static):
            verb.add_argument("--name", required=True, help="what you call the partner")
            verb.add_argument(
                "--may-steer", action="store_true", help="may send charging profiles for all our EVSEs"
            )
        register.add_argument("--versions-url", required=True, help="their versions address")
        register.add_argument("--token", required=True, help="the token A that they gave you")
        add_static_options(static)
        for verb in (invite, static):
            verb.add_argument(
                "--host",
                action="append",
                default=[],
                dest="hosts",
                metavar="HOST",
                help="a host that response_url may name, beside their own; repeatable",
            )
        self.sub(parser, "list", self.list_all)
        for name, handler in (
            ("show", self.show),
            ("rotate", self.rotate),
            ("unregister", self.unregister),
            ("grant", self.grant),
            ("revoke", self.revoke),
            ("quirks", self.quirks),
            ("pull", self.pull),
        ):
            verb = self.sub(parser, name, handler)
            verb.add_argument("partner", metavar="ID", help="the partner's id")
            if name == "grant":
                verb.add_argument("--location", metavar="LOC", help="only at this location of ours")
                verb.add_argument("--party", metavar="NL-ABC", help="only at locations of this party of ours")
            if name == "quirks":
                for option, change in (("--refuse", "bear it no longer"), ("--accept", "bear it again")):
                    verb.add_argument(
                        option, action="append", default=[], help=f"{change}; `all` for each; repeatable"
                    )
            if name == "pull":
                verb.add_argument("--module", help="locations or sessions; default both")
                verb.add_argument("--whole", action="store_true", help="the whole lists, not only changes")

    def invite(self, *, name: str, may_steer: bool, hosts: list[str], **_: Any) -> None:
        """Make a token A for a new partner; it is shown this once."""
        invitation = handshake.invite(
            name=_name(name), may_steer=may_steer, response_hosts=hosts, now=timezone.now()
        )
        data = {"partner": invitation.partner.pk, "token": invitation.token, "versions_url": versions_url()}
        human = [
            f"{name} is partner {invitation.partner.pk}. Give them, over a safe channel:",
            f"  versions url  {versions_url()}",
            f"  token A       {invitation.token}",
            "The token is not shown again. It opens versions and credentials, and dies when they register.",
        ]
        self.emit(data, human)

    def register(self, *, name: str, versions_url: str, token: str, may_steer: bool, **_: Any) -> None:
        """Register at a partner that gave us a token A."""
        partner = handshake.register(
            name=_name(name),
            versions_url=versions_url.strip(),
            token=token.strip(),
            may_steer=may_steer,
            now=timezone.now(),
        )
        data = {
            "partner": partner.pk,
            "status": partner.status.lower(),
            "version": partner.version,
            "roles": roles(partner),
        }
        self.emit(data, sentences(summary(partner)))

    def add_static(self, *, name: str, may_steer: bool, hosts: list[str], **options: Any) -> None:
        """Add a partner with fixed addresses and no credentials module, or change its settings."""
        if "CPO" not in own_roles():
            raise ConsoleError(
                "Fixed addresses are for providers that steer our chargers: no party of ours is a CPO."
            )
        terms = static_terms(options, hosts=hosts)
        partner, token = static.add_static(
            name=_name(name), terms=terms, may_steer=may_steer, now=timezone.now()
        )
        problem = sign_in.problem(partner)
        profiles_url = endpoint_url("chargingprofiles", "RECEIVER")
        data = {
            "partner": partner.pk,
            "token": token or None,
            "versions_url": versions_url(),
            "chargingprofiles_url": profiles_url,
            "sign_in_problem": problem,
        }
        self.emit(
            data,
            [
                f"{name} is partner {partner.pk}. Give them, over a safe channel:",
                f"  charging profiles  {profiles_url}",
                f"  versions url       {versions_url()}",
                f"  token              {token or 'as before'}",
                f"The token is not shown again: `partner rotate {partner.pk}` makes another.",
                *([f"We can't sign in there: {problem}"] if problem else []),
            ],
        )

    def list_all(self, **_: Any) -> None:
        """List the partners."""
        partners = [
            summary(partner) for partner in Partner.objects.prefetch_related("roles", "endpoints", "grants")
        ]
        human = [
            f"{one['partner']:>4}  {one['status']:<10}  {one['name']}  "
            + ", ".join(f"{role['country_code']}-{role['party_id']} {role['role']}" for role in one["roles"])
            + ("" if one["sign_in"] == "credentials" else f"  ({one['sign_in']})")
            for one in partners
        ]
        self.emit({"partners": partners}, human or "No partners yet: `partner invite` or `partner register`.")

    def show(self, *, partner: str, **_: Any) -> None:
        """Show one partner."""
        self._emit_partner(_find(partner))

    def rotate(self, *, partner: str, **_: Any) -> None:
        """Exchange the tokens of both directions; with fixed addresses, make them a new one."""
        found = _find(partner)
        if not found.is_static:
            rotation.rotate(found, now=timezone.now())
            self._emit_partner(found)
            return
        token = static.renew_token(found, now=timezone.now())
        human = [
            f"The new token of {found.name}, to give them over a safe channel: {token}",
            "It is not shown again. The old one opens until the new one is used.",
        ]
        self.emit(summary(found) | {"token": token}, human)

    def unregister(self, *, partner: str, **_: Any) -> None:
        """End the registration in both directions."""
        found = _find(partner)
        unconfirmed = handshake.unregister(found)
        found.refresh_from_db()
        human = [f"{found.name} has ended: its tokens open nothing any more."]
        if unconfirmed:
            human.append(f"They did not confirm it: {unconfirmed}")
        self.emit(summary(found) | {"confirmed": not unconfirmed, "unconfirmed_because": unconfirmed}, human)

    def grant(self, *, partner: str, location: str | None, party: str | None, **_: Any) -> None:
        """Let a partner see and steer sessions at all our locations, those of one party of ours, or one."""
        if location is not None and not _is_location_id(location):
            raise ConsoleError(
                f"--location: must be an id of 1 to {LONGEST_LOCATION} printable characters; "
                "leave it out to grant all locations."
            )
        found = _find(partner)
        if found.status == Partner.Status.ENDED:
            raise ConsoleError(f"{found.name} has ended: invite or register it again first.")
        grants.grant(
            found,
            location_id=location or grants.ALL_LOCATIONS,
            party=own_cpo(party) if party else None,
            now=timezone.now(),
        )
        self._emit_partner(found)

    def revoke(self, *, partner: str, **_: Any) -> None:
        """Take every grant of a partner away."""
        found = _find(partner)
        grants.revoke(found)
        self._emit_partner(found)

    def quirks(self, *, partner: str, refuse: list[str], accept: list[str], **_: Any) -> None:
        """Show what we bear from a partner, or change it."""
        wanted, unwanted = _quirks(accept), _quirks(refuse)
        found = _find(partner)
        if wanted or unwanted:
            refused = (found.refuses | unwanted) - wanted
            Partner.objects.filter(pk=found.pk).update(refused_quirks=sorted(refused))
            found.refresh_from_db()
        human = [
            f"  {'refused' if quirk in found.refuses else 'borne':<8} {quirk:<24}{meaning}"
            for quirk, meaning in MEANINGS.items()
        ]
        refused_names = sorted(found.refuses)
        borne_names = sorted(set(Quirk) - found.refuses)
        self.emit({"partner": found.pk, "refused": refused_names, "accepted": borne_names}, human)

    def pull(self, *, partner: str, module: str | None, whole: bool, **_: Any) -> None:
        """Pull what changed from a partner's Sender interfaces."""
        counts = pulls.pull(_find(partner), module, timezone.now(), is_whole=whole)
        human = f"{counts['locations']} locations, {counts['sessions']} sessions, {counts['refused']} refused"
        self.emit(dict(counts), human)

    def _emit_partner(self, partner: Partner) -> None:
        partner.refresh_from_db()
        data = summary(partner)
        self.emit(data, sentences(data))


def _find(identifier: str) -> Partner:
    """Return the partner with this id, or else of this name."""
    by = {"pk": int(identifier)} if identifier.isdecimal() and len(identifier) < 19 else {"name": identifier}
    partner = Partner.objects.filter(**by).first()
    if partner is None:
        raise ConsoleError(f"There is no partner {identifier}: `partner list` shows them.")
    return partner


def _quirks(names: list[str]) -> frozenset[Quirk]:
    """Return the quirks of these names. Raises ConsoleError for one that is none."""
    if "all" in names:
        return frozenset(Quirk)
    for name in names:
        if name not in set(Quirk):
            raise ConsoleError(f"There is no quirk {name!r}: `partner quirks ID` lists them.")
    return frozenset(Quirk(name) for name in names)


def _is_location_id(text: str) -> bool:
    is_printable = text.isascii() and text.isprintable() and bool(text.strip())
    return is_printable and len(text) <= LONGEST_LOCATION


def _name(name: str) -> str:
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise ConsoleError(f"--name: must be 1 to {LONGEST_NAME} printable characters.")
    return name.strip()
