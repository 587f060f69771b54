"""Charging sessions: ours (no partner) and those that partners told us of, kept whole as OCPI documents."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from ocpi.partners.models import Partner


class Session(models.Model):
    """An OCPI Session; `document` is the object whole, the columns are its index."""

    class Status(models.TextChoices):
        """OCPI 2.2.1 mod_sessions, SessionStatus."""

        ACTIVE = "ACTIVE"
        COMPLETED = "COMPLETED"
        INVALID = "INVALID"
        PENDING = "PENDING"
        RESERVATION = "RESERVATION"

    # Nothing charges in these any more.
    OVER = (Status.COMPLETED, Status.INVALID)

    partner = models.ForeignKey(
        Partner, null=True, blank=True, on_delete=models.CASCADE, help_text="Who told us; empty means ours."
    )
    country_code = models.CharField(max_length=2)
    party_id = models.CharField(max_length=3)
    session_id = models.CharField(max_length=36)
    key = models.CharField(max_length=36, help_text="The session id, folded: ids compare without case.")
    status = models.CharField(max_length=12, choices=Status.choices)
    location_id = models.CharField(max_length=36, help_text="Folded id of the location.")
    evse_uid = models.CharField(max_length=36)
    token_country_code = models.CharField(max_length=2)
    token_party_id = models.CharField(max_length=3)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    period_started_at = models.DateTimeField(
        null=True, blank=True, help_text="Ours: since when the charging period runs that is not reported yet."
    )
    document = models.JSONField()
    preferences = models.JSONField(null=True, blank=True, help_text="The driver's ChargingPreferences.")
    last_updated = models.DateTimeField()
    created_at = models.DateTimeField()
    unconfirmed_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when its owner's whole list lacks it."
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=Q(partner=None), name="own_session_once"),
            models.UniqueConstraint(
                fields=["partner", "country_code", "party_id", "key"], name="partner_session_once"
            ),
        ]
        indexes = [
            models.Index(fields=["partner", "status"], name="session_by_status"),
            # Our list in order of key, for each way of seeing it; the columns behind the key let the index
            # alone answer date_from, date_to and the party asked.
            models.Index(fields=["id", "last_updated"], condition=Q(partner=None), name="own_session_listed"),
            models.Index(
                fields=["country_code", "party_id", "id", "last_updated"],
                condition=Q(partner=None),
                name="own_session_by_party",
            ),
            models.Index(
                fields=["country_code", "party_id", "location_id", "id", "last_updated"],
                condition=Q(partner=None),
                name="own_session_by_location",
            ),
            models.Index(
                fields=[
                    "token_country_code",
                    "token_party_id",
                    "id",
                    "last_updated",
                    "country_code",
                    "party_id",
                ],
                condition=Q(partner=None),
                name="own_session_by_token_party",
            ),
            models.Index(
                fields=["last_updated", "id"], condition=Q(partner=None), name="own_session_changed"
            ),
        ]

    def __str__(self) -> str:
        return self.session_id

    @property
    def party(self) -> tuple[str, str]:
        """The party whose session it is."""
        return self.country_code, self.party_id

    @property
    def token_party(self) -> tuple[str, str]:
        """The party that issued the session's token."""
        return self.token_country_code, self.token_party_id
