"""Admin pages to look at: what OCPI, OCPP and the node wrote is not for hands to change."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


class ReadOnly:
    """Goes before ModelAdmin or an inline: rows come, change and go by what happens."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: nothing is added by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: nothing is changed by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: nothing is deleted by hand; other rows refer to it."""
        return False
