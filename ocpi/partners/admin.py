"""Partners in the admin: to read, to name and to grant. Registering and rotating are commands."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import BaseModelFormSet, CheckboxSelectMultiple, ModelForm, MultipleChoiceField
from django.http import HttpRequest
from django.utils import timezone

from ocpi.partners.hosts import plain_host
from ocpi.partners.models import Endpoint, Grant, InboundToken, OAuthClient, Partner, PartnerRole
from ocpi.partners.own import is_ours, party_for
from ocpi.protocol.addresses import ForbiddenAddress
from ocpi.protocol.quirks import MEANINGS
from ocpi.protocol.types import fold
from ocpi.read_only import ReadOnly


class RoleInline(ReadOnly, admin.TabularInline):
    """The parties on the partner's platform."""

    model = PartnerRole
    fields = ["role", "country_code", "party_id", "business_details"]


class EndpointInline(ReadOnly, admin.TabularInline):
    """The partner's addresses."""

    model = Endpoint
    fields = ["identifier", "role", "url"]


class TokenInline(ReadOnly, admin.TabularInline):
    """When the partner's tokens were made and used; the tokens themselves are not kept."""

    model = InboundToken
    fields = ["kind", "created_at", "expires_at", "used_at"]


class OAuthClientInline(ReadOnly, admin.StackedInline):
    """Where and as whom we get access tokens; secret and tokens are not shown."""

    model = OAuthClient
    fields = ["token_url", "client_id", "audience", "scope", "renew_at", "expires_at", "refused_at"]


class GrantForm(ModelForm):
    """A grant; its ids are folded, as ids compare without case, before duplicates are looked for."""

    def clean(self) -> dict[str, Any]:
        """Return the ids as grants keep them; a location without a party is one of our CPO's.

        Raises ValidationError for a party that is not ours.
        """
        super().clean()
        found = self.cleaned_data
        for name in ("country_code", "party_id", "location_id"):
            found[name] = fold(found.get(name, ""))
        party = (found["country_code"], found["party_id"])
        if party == ("", ""):
            found["country_code"], found["party_id"] = party_for("CPO") if found["location_id"] else party
        elif not is_ours(party):
            raise ValidationError(f"{'-'.join(party)} is not a party of ours.")
        return found


class GrantInline(admin.TabularInline):
    """Where the partner may see and steer sessions."""

    model = Grant
    form = GrantForm
    fields = ["country_code", "party_id", "location_id", "created_at"]
    readonly_fields = ["created_at"]
    extra = 0


class PartnerForm(ModelForm):
    """What an operator may change of a partner."""

    refused_quirks = MultipleChoiceField(
        choices=[(quirk.value, f"{quirk.value}: {meaning}") for quirk, meaning in MEANINGS.items()],
        widget=CheckboxSelectMultiple,
        required=False,
        help_text="What we don't bear from them: an error that names it is answered instead.",
    )

    def clean_response_hosts(self) -> list[str]:
        """Return the hosts in their one spelling. Raises ValidationError."""
        found = self.cleaned_data["response_hosts"]
        if found is None:
            return []
        if not isinstance(found, list) or not all(isinstance(host, str) for host in found):
            raise ValidationError('It must be a list of names, such as ["results.example.com"].')
        try:
            return sorted({plain_host(host) for host in found})
        except ForbiddenAddress as error:
            raise ValidationError(f"One is not a host that we can call: {error}.") from error


@admin.register(Partner)
class PartnerAdmin(admin.ModelAdmin):
    """Partners, with all that belongs to them; invited and registered by `manage.py partner`."""

    form = PartnerForm
    list_display = [
        "name",
        "status",
        "parties",
        "sign_in",
        "version",
        "may_steer_everywhere",
        "last_seen_at",
        "last_error",
    ]
    list_filter = ["status", "sign_in", "roles__role", "sends_raw_tokens"]
    search_fields = ["name", "versions_url", "roles__party_id", "roles__business_details"]
    fields = [
        "name",
        "status",
        "sign_in",
        "api_key_header",
        "version",
        "versions_url",
        "sends_raw_tokens",
        "response_hosts",
        "refused_quirks",
        "registered_at",
        "endpoints_changed_at",
        "last_seen_at",
        "last_error",
        "pulled",
        "pulled_whole",
        "pull_places",
        "pull_due_at",
        "created_at",
    ]
    readonly_fields = [
        "status",
        "sign_in",
        "api_key_header",
        "version",
        "versions_url",
        "registered_at",
        "endpoints_changed_at",
        "last_seen_at",
        "last_error",
        "pulled",
        "pulled_whole",
        "pull_places",
        "pull_due_at",
        "created_at",
    ]
    inlines = [GrantInline, RoleInline, EndpointInline, OAuthClientInline, TokenInline]
    list_per_page = 50

    def get_inlines(self, request: HttpRequest, obj: Partner | None) -> list[Any]:
        """Leave the OAuth client out where there is none."""
        has_client = obj is not None and obj.sign_in == Partner.SignIn.OAUTH2
        return [one for one in self.inlines if has_client or one is not OAuthClientInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: a new partner is invited by a command, which shows its token once."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: `partner unregister` tells the other side, and keeps the row for the record."""
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the partners with what the list shows of them."""
        return super().get_queryset(request).prefetch_related("roles", "grants")

    def save_formset(
        self, request: HttpRequest, form: ModelForm, formset: BaseModelFormSet, change: bool
    ) -> None:
        """Date new grants."""
        for row in formset.save(commit=False):
            if isinstance(row, Grant):
                row.created_at = row.created_at or timezone.now()
            row.save()
        for row in formset.deleted_objects:
            row.delete()
        formset.save_m2m()

    @admin.display(description="parties")
    def parties(self, partner: Partner) -> str:
        """Name the partner's parties and roles."""
        return ", ".join(str(role) for role in partner.roles.all())

    @admin.display(description="may steer everywhere", boolean=True)
    def may_steer_everywhere(self, partner: Partner) -> bool:
        """Tell whether the partner has a grant on all our locations."""
        return any(not grant.location_id and not grant.party for grant in partner.grants.all())


class RowAdmin(ReadOnly, admin.ModelAdmin):
    """Rows of a partner, to search across partners."""

    list_select_related = ["partner"]
    search_fields = ["partner__name"]


@admin.register(PartnerRole)
class PartnerRoleAdmin(RowAdmin):
    """Parties by role."""

    list_display = ["partner", "role", "country_code", "party_id"]
    list_filter = ["role", "country_code"]
    search_fields = ["partner__name", "country_code", "party_id"]


@admin.register(Endpoint)
class EndpointAdmin(RowAdmin):
    """Partners' addresses."""

    list_display = ["partner", "identifier", "role", "url"]
    list_filter = ["identifier", "role"]
    search_fields = ["partner__name", "url"]


@admin.register(InboundToken)
class InboundTokenAdmin(RowAdmin):
    """When tokens were made and used; they are not kept themselves."""

    list_display = ["partner", "kind", "created_at", "expires_at", "used_at"]
    list_filter = ["kind"]
    fields = ["partner", "kind", "created_at", "expires_at", "used_at"]


@admin.register(Grant)
class GrantAdmin(RowAdmin):
    """Who may steer where; grants are given and taken at the partner."""

    list_display = ["partner", "party", "location_id", "created_at"]
    search_fields = ["partner__name", "party_id", "location_id"]
