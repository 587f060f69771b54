"""Locations and EVSEs: ours (no partner) and those that partners told us of, kept whole as OCPI documents."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from ocpi.partners.models import Partner


class Location(models.Model):
    """An OCPI Location; `document` is the object without its EVSEs, the columns are its index."""

    partner = models.ForeignKey(
        Partner, null=True, blank=True, on_delete=models.CASCADE, help_text="Who told us; empty means ours."
    )
    country_code = models.CharField(max_length=2)
    party_id = models.CharField(max_length=3)
    location_id = models.CharField(max_length=36)
    key = models.CharField(max_length=50, help_text="Folded COUNTRY*PARTY*ID: ids compare without case.")
    document = models.JSONField()
    last_updated = models.DateTimeField()
    created_at = models.DateTimeField()
    unconfirmed_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when its owner's whole list lacks it."
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=Q(partner=None), name="own_location_once"),
            models.UniqueConstraint(fields=["partner", "key"], name="partner_location_once"),
        ]
        indexes = [models.Index(fields=["partner", "last_updated"], name="location_changed")]

    def __str__(self) -> str:
        return self.location_id


class Evse(models.Model):
    """An EVSE of a location; `document` is the OCPI object whole, with its connectors."""

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="evses")
    uid = models.CharField(max_length=36)
    key = models.CharField(max_length=36, help_text="The uid, folded.")
    status = models.CharField(max_length=12)
    document = models.JSONField()
    is_listed = models.BooleanField(
        default=True, help_text="No: the owner's last whole Location left it out; kept as REMOVED."
    )
    position = models.PositiveIntegerField(default=0, help_text="Its place in the location's list.")
    last_updated = models.DateTimeField()

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["location", "key"], name="evse_once")]

    def __str__(self) -> str:
        return self.uid
