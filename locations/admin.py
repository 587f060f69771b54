"""Admin pages for locations and EVSEs, ours and those that partners told us of."""

from __future__ import annotations

from django.contrib import admin

from locations.models import Evse, Location


class EvseInline(admin.TabularInline):
    """The EVSEs of a location."""

    model = Evse
    extra = 0
    fields = ["uid", "status", "is_listed", "last_updated"]
    readonly_fields = fields
    can_delete = False
    show_change_link = True

    def has_add_permission(self, *args: object) -> bool:
        """EVSEs are added by commands and partners."""
        return False


@admin.register(Location)
class LocationAdmin(admin.ModelAdmin):
    """Locations; whose they are stands in the partner column, empty for ours."""

    list_display = ["location_id", "partner", "country_code", "party_id", "last_updated"]
    list_filter = ["partner", "country_code"]
    list_select_related = ["partner"]
    search_fields = ["location_id", "key"]
    readonly_fields = [
        "partner",
        "country_code",
        "party_id",
        "location_id",
        "key",
        "last_updated",
        "created_at",
    ]
    inlines = [EvseInline]


@admin.register(Evse)
class EvseAdmin(admin.ModelAdmin):
    """EVSEs of all locations."""

    list_display = ["uid", "location", "status", "is_listed", "last_updated"]
    list_filter = ["status", "is_listed"]
    list_select_related = ["location"]
    search_fields = ["uid", "location__location_id"]
    readonly_fields = [
        "location",
        "uid",
        "key",
        "status",
        "is_listed",
        "position",
        "document",
        "last_updated",
    ]
