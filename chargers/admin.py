"""Chargers in the admin: what they are, what they do, and what is owed to them. Adding one is a command."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from chargers.commands import connected
from chargers.models import Charger, Command, Gateway, Limit, Outlet, Transaction
from ocpi.read_only import ReadOnly


class OutletInline(admin.TabularInline):
    """The charger's outlets; their electrical facts can be corrected."""

    model = Outlet
    fields = ["number", "evse", "phases", "voltage_v", "max_current_a", "reported_status", "needs_restore"]
    readonly_fields = ["number", "evse", "reported_status", "needs_restore"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: outlets are made with their charger."""
        return False


@admin.register(Charger)
class ChargerAdmin(admin.ModelAdmin):
    """Chargers; what they can do can be corrected where they tell it wrong."""

    list_display = [
        "identity",
        "location",
        "party",
        "connected",
        "vendor",
        "model",
        "firmware",
        "takes_profiles",
        "last_seen_at",
    ]
    list_filter = ["ocpp_version", "vendor", "takes_profiles", "reads_schedules"]
    list_select_related = ["location"]
    search_fields = ["identity", "location__location_id", "vendor", "model"]
    readonly_fields = [
        "identity",
        "location",
        "connected",
        "has_password",
        "ocpp_version",
        "vendor",
        "model",
        "firmware",
        "configuration_at",
        "gateway",
        "epoch",
        "connected_at",
        "last_seen_at",
        "created_at",
    ]
    fields = [
        *readonly_fields[:8],
        "takes_profiles",
        "reads_schedules",
        "configuration",
        *readonly_fields[8:],
    ]
    inlines = [OutletInline]

    def save_model(self, request: HttpRequest, obj: Charger, form: Any, change: bool) -> None:
        """Write what was edited only: connections and gateways write to the row meanwhile."""
        obj.save(update_fields=form.changed_data)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: `manage.py charger add` makes location, EVSEs and password along."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Charger]:
        """Ask for all connections at once."""
        held = connected(Charger.objects.filter(pk=OuterRef("pk")), now=timezone.now())
        return super().get_queryset(request).annotate(is_connected=Exists(held))

    @admin.display(ordering="location__party_id")
    def party(self, charger: Charger) -> str:
        """Name the party whose it is."""
        return f"{charger.location.country_code}-{charger.location.party_id}"

    @admin.display(boolean=True)
    def connected(self, charger: Any) -> bool:
        """Whether a living gateway holds its socket."""
        return bool(charger.is_connected)

    @admin.display(boolean=True)
    def has_password(self, charger: Charger) -> bool:
        """Whether it must show a password."""
        return bool(charger.password_hash)


class LimitInline(ReadOnly, admin.TabularInline):
    """The limits that the charger accepted."""

    model = Limit
    fields = ["source", "schedule", "accepted_at"]


@admin.register(Transaction)
class TransactionAdmin(ReadOnly, admin.ModelAdmin):
    """Charging transactions, as chargers told them."""

    list_display = ["id", "outlet", "session", "id_token", "started_at", "stopped_at", "was_limited"]
    list_filter = ["was_limited", ("stopped_at", admin.EmptyFieldListFilter)]
    list_select_related = ["outlet", "session"]
    search_fields = ["id_token", "session__session_id", "outlet__charger__identity"]
    date_hierarchy = "started_at"
    inlines = [LimitInline]


@admin.register(Command)
class CommandAdmin(ReadOnly, admin.ModelAdmin):
    """Commands, from the wish to the answer."""

    list_display = ["id", "kind", "charger", "source", "state", "outcome", "created_at", "settled_at"]
    list_filter = ["state", "kind", "outcome"]
    list_select_related = ["charger"]
    search_fields = ["charger__identity", "message_id", "source"]
    date_hierarchy = "created_at"


@admin.register(Gateway)
class GatewayAdmin(ReadOnly, admin.ModelAdmin):
    """Gateway processes that live, or died a moment ago."""

    list_display = ["id", "started_at", "heartbeat_at"]
    search_fields = ["id"]
