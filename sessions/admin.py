"""Admin page for sessions, ours and those that partners told us of."""

from __future__ import annotations

from django.contrib import admin

from ocpi.read_only import ReadOnly
from sessions.models import Session


@admin.register(Session)
class SessionAdmin(ReadOnly, admin.ModelAdmin):
    """Sessions, to read: they change by what chargers and partners say."""

    list_display = [
        "session_id",
        "partner",
        "country_code",
        "party_id",
        "status",
        "location_id",
        "evse_uid",
        "started_at",
        "ended_at",
    ]
    list_filter = [
        "status",
        "partner",
        "country_code",
        "party_id",
        ("unconfirmed_at", admin.EmptyFieldListFilter),
    ]
    list_select_related = ["partner"]
    search_fields = ["session_id", "key", "location_id", "evse_uid"]
    date_hierarchy = "started_at"
