"""Charging profile requests in the admin, to look at; they are changed by what happens, not by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from chargingprofiles.models import ActiveProfile, ArmedSender, IssuedRequest, ProfileRequest


class _ReadOnlyAdmin(admin.ModelAdmin):
    """Lists and shows, no more."""

    list_select_related = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nothing is added by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is changed by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted by hand."""
        return False


@admin.register(ProfileRequest)
class ProfileRequestAdmin(_ReadOnlyAdmin):
    """What Senders asked of us as CPO."""

    list_display = ["asked_at", "partner", "session", "kind", "decision", "reason", "decided_at"]
    list_filter = ["kind", "decision", "partner"]
    search_fields = ["id", "session__session_id", "partner__name", "response_url", "correlation_id"]
    date_hierarchy = "asked_at"


@admin.register(IssuedRequest)
class IssuedRequestAdmin(_ReadOnlyAdmin):
    """What we asked of CPOs as SCSP."""

    list_display = ["asked_at", "partner", "session", "kind", "state", "response", "result", "is_late"]
    list_filter = ["kind", "state", "result", "is_late", "partner"]
    search_fields = ["id", "session__session_id", "partner__name", "detail"]
    date_hierarchy = "asked_at"


@admin.register(ArmedSender)
class ArmedSenderAdmin(_ReadOnlyAdmin):
    """Who is kept told of the active profile."""

    list_display = ["armed_at", "partner", "session"]
    list_filter = ["partner"]
    search_fields = ["session__session_id", "partner__name"]


@admin.register(ActiveProfile)
class ActiveProfileAdmin(_ReadOnlyAdmin):
    """What is active on a session."""

    list_display = ["reported_at", "session"]
    list_filter = ["session__status"]
    search_fields = ["session__session_id"]
