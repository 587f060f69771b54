"""Admin page for sessions, ours and those that partners told us of."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from sessions.models import Session


@admin.register(Session)
class SessionAdmin(admin.ModelAdmin):
    """Sessions, to read: they change by what chargers and partners say."""

    list_display = ["session_id", "partner", "status", "location_id", "evse_uid", "started_at", "ended_at"]
    list_filter = ["status", "partner"]
    list_select_related = ["partner"]
    search_fields = ["session_id", "key", "location_id", "evse_uid"]
    date_hierarchy = "started_at"
    readonly_fields = [field.name for field in Session._meta.fields]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Sessions come from chargers and partners."""
        return False
