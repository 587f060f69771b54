"""What we owe, for people: to look at, and to send again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from ocpi.delivery import duties
from ocpi.delivery.models import Attempt, Push, Result
from ocpi.read_only import ReadOnly


class DutyAdmin(ReadOnly, admin.ModelAdmin):
    """Lists duties by state and sends settled ones again."""

    actions = ["replay"]
    date_hierarchy = "created_at"
    list_select_related = ["partner"]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Allow what `replay` needs; no field can be edited."""
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Return every field."""
        return [field.name for field in self.model._meta.fields]

    @admin.action(description="Send again (replay)", permissions=["change"])
    def replay(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Make the chosen duties due now; those that are not settled stay as they are."""
        replayed = 0
        for duty in queryset:
            try:
                duties.replay(f"{duty._meta.model_name}:{duty.pk}", now=timezone.now())
                replayed += 1
            except duties.UnableToReplay as error:
                self.message_user(request, str(error), messages.WARNING)
        self.message_user(request, f"Due again: {replayed}.")


@admin.register(Result)
class ResultAdmin(DutyAdmin):
    """Results owed to a response_url."""

    list_display = [
        "id",
        "partner",
        "to_country_code",
        "to_party_id",
        "from_country_code",
        "from_party_id",
        "subject",
        "state",
        "attempts",
        "next_at",
        "expires_at",
        "last_error",
    ]
    list_filter = ["state", "last_outcome", "partner"]
    search_fields = ["id", "request_key", "subject", "url", "correlation_id", "last_error"]


@admin.register(Push)
class PushAdmin(DutyAdmin):
    """The state of objects, owed to partners."""

    list_display = [
        "id",
        "partner",
        "kind",
        "object_key",
        "state",
        "attempts",
        "next_at",
        "sent_at",
        "last_error",
    ]
    list_filter = ["state", "kind", "last_outcome", "partner"]
    search_fields = ["object_key", "subject", "last_error"]


@admin.register(Attempt)
class AttemptAdmin(ReadOnly, admin.ModelAdmin):
    """Each call that was made for a duty."""

    list_display = [
        "at",
        "partner",
        "duty",
        "number",
        "method",
        "url",
        "http_status",
        "ocpi_status",
        "outcome",
        "duration_ms",
    ]
    list_filter = ["outcome", "method", "partner"]
    search_fields = ["duty", "url", "detail"]
    date_hierarchy = "at"
    list_select_related = ["partner"]
