"""Charging profile requests in the admin, to look at; they are changed by what happens, not by hand."""

from __future__ import annotations

from django.contrib import admin

from chargingprofiles.models import ActiveProfile, ArmedSender, IssuedRequest, ProfileRequest
from ocpi.read_only import ReadOnly


@admin.register(ProfileRequest)
class ProfileRequestAdmin(ReadOnly, admin.ModelAdmin):
    """What Senders asked of us as CPO."""

    list_display = [
        "asked_at",
        "partner",
        "from_country_code",
        "from_party_id",
        "session",
        "kind",
        "decision",
        "reason",
        "decided_at",
    ]
    list_select_related = True
    list_filter = ["kind", "decision", "partner"]
    search_fields = ["id", "session__session_id", "partner__name", "response_url", "correlation_id"]
    date_hierarchy = "asked_at"


@admin.register(IssuedRequest)
class IssuedRequestAdmin(ReadOnly, admin.ModelAdmin):
    """What we asked of CPOs as SCSP."""

    list_display = ["asked_at", "partner", "session", "kind", "state", "response", "result", "is_late"]
    list_select_related = True
    list_filter = ["kind", "state", "result", "is_late", "partner"]
    search_fields = ["id", "session__session_id", "partner__name", "detail"]
    date_hierarchy = "asked_at"


@admin.register(ArmedSender)
class ArmedSenderAdmin(ReadOnly, admin.ModelAdmin):
    """Who is kept told of the active profile."""

    list_display = ["armed_at", "partner", "from_country_code", "from_party_id", "session"]
    list_select_related = True
    list_filter = ["partner"]
    search_fields = ["session__session_id", "partner__name"]


@admin.register(ActiveProfile)
class ActiveProfileAdmin(ReadOnly, admin.ModelAdmin):
    """What is active on a session."""

    list_display = ["reported_at", "session"]
    list_select_related = True
    list_filter = ["session__status"]
    search_fields = ["session__session_id"]
