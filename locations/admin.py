"""Admin pages for locations and EVSEs, ours and those that partners told us of."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from locations.actions import change_own_location, set_evse_status
from locations.models import Evse, Location
from locations.objects import OWN_LOCATION
from ocpi.protocol.errors import InvalidParameters
from ocpi.read_only import ReadOnly


class LocationForm(forms.ModelForm):
    """Edits the OCPI object of a location of ours."""

    class Meta:
        model = Location
        fields = ["document"]

    def clean_document(self) -> dict[str, Any]:
        """Refuse what is not an OCPI Location."""
        try:
            return OWN_LOCATION.check(self.cleaned_data["document"])
        except InvalidParameters as error:
            raise forms.ValidationError(error.message) from error


class EvseInline(ReadOnly, admin.TabularInline):
    """The EVSEs of a location."""

    model = Evse
    extra = 0
    fields = ["uid", "status", "is_listed", "last_updated"]
    show_change_link = True


@admin.register(Location)
class LocationAdmin(admin.ModelAdmin):
    """Locations; whose they are stands in the partner column, empty for ours."""

    form = LocationForm
    list_display = [
        "location_id",
        "partner",
        "country_code",
        "party_id",
        "last_updated",
        "unconfirmed_at",
    ]
    list_filter = ["partner", "country_code", "party_id", ("unconfirmed_at", admin.EmptyFieldListFilter)]
    list_select_related = ["partner"]
    search_fields = ["location_id", "key"]
    readonly_fields = [
        "location_id",
        "partner",
        "country_code",
        "party_id",
        "last_updated",
        "unconfirmed_at",
        "created_at",
    ]
    inlines = [EvseInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Locations are added by `charger add` and by partners."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is ever deleted: an EVSE is REMOVED (OCPI 2.2.1 mod_locations, "Flow and Lifecycle")."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Location | None = None) -> bool:
        """Partners' locations are theirs to change."""
        return super().has_change_permission(request, obj) and (obj is None or obj.partner_id is None)

    def save_model(self, request: HttpRequest, obj: Location, form: Any, change: bool) -> None:
        """Change the location as OCPI wants it: last_updated moves, partners hear of it."""
        change_own_location(location=obj, document=form.cleaned_data["document"], now=timezone.now())


@admin.register(Evse)
class EvseAdmin(ReadOnly, admin.ModelAdmin):
    """EVSEs of all locations, to read; ours can be removed."""

    list_display = ["uid", "location", "party", "status", "is_listed", "last_updated"]
    list_filter = ["status", "is_listed"]
    list_select_related = ["location"]
    search_fields = ["uid", "location__location_id"]
    actions = ["remove"]

    @admin.display(description="party", ordering="location__party_id")
    def party(self, evse: Evse) -> str:
        """Name the party whose EVSE it is."""
        return f"{evse.location.country_code}-{evse.location.party_id}"

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Whoever may change EVSEs may remove ours."""
        return request.user.has_perm("locations.change_evse")

    @admin.action(
        description="Remove for good (ours only): partners are told REMOVED", permissions=["remove"]
    )
    def remove(self, request: HttpRequest, evses: QuerySet[Evse]) -> None:
        """Tell the partners that the selected EVSEs of ours are gone; the rows stay."""
        for evse in evses.filter(location__partner=None):
            set_evse_status(evse=evse, status="REMOVED", now=timezone.now())
