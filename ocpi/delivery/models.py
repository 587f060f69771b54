"""What we owe partners: results (one fixed body) and pushes (the latest state of an object), and each try."""

from __future__ import annotations

import uuid

from django.db import models

from ocpi.partners.models import Partner
from ocpi.partners.own import Party
from ocpi.protocol.headers import LONGEST_MESSAGE_ID


class Duty(models.Model):
    """Something owed, claimed by a conditional update and fenced against late writers."""

    class State(models.TextChoices):
        """Where the duty stands."""

        PENDING = "PENDING", "waits for its time"
        LEASED = "LEASED", "being delivered"
        DONE = "DONE", "delivered"
        DEAD = "DEAD", "refused; will not be tried again"
        EXPIRED = "EXPIRED", "its time ran out"

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(
        max_length=120,
        blank=True,
        help_text="What it is about; a push waits for open results on it, and for another push that is out.",
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()
    lease_owner = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(
        default=0, help_text="Rises with each claim; late writers are refused."
    )
    crashes = models.PositiveSmallIntegerField(
        default=0, help_text="Claims in a row that were never settled; at 5 the duty is parked."
    )
    tried_at = models.DateTimeField(null=True, blank=True, help_text="When the last try began.")
    last_outcome = models.CharField(max_length=20, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class Result(Duty):
    """The outcome of one request, owed to the response_url that came with it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request_key = models.CharField(max_length=100, unique=True, help_text="At most one result per request.")
    url = models.CharField(max_length=255)
    body = models.JSONField()
    correlation_id = models.CharField(max_length=LONGEST_MESSAGE_ID, blank=True)
    # Empty: whom the kind of call tells, as without routing headers.
    to_country_code = models.CharField(max_length=2, blank=True, help_text="Of the party that asked.")
    to_party_id = models.CharField(max_length=3, blank=True, help_text="The same party's id.")
    from_country_code = models.CharField(max_length=2, blank=True, help_text="Of the party of ours asked.")
    from_party_id = models.CharField(max_length=3, blank=True, help_text="The same party's id.")
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["created_at"]
        indexes = [
            models.Index(fields=["state", "next_at"], name="result_due"),
            models.Index(fields=["partner", "subject", "state"], name="result_by_subject"),
        ]

    def __str__(self) -> str:
        return f"result {self.id}"

    @property
    def to_party(self) -> Party | None:
        """The party that asked, where the partner speaks for several."""
        return (self.to_country_code, self.to_party_id) if self.to_party_id else None

    @property
    def from_party(self) -> Party | None:
        """The party of ours that was asked."""
        return (self.from_country_code, self.from_party_id) if self.from_party_id else None


class Push(Duty):
    """The state of one object, owed to one partner; rendered anew at each try."""

    kind = models.CharField(max_length=40)
    object_key = models.CharField(max_length=120)
    version = models.PositiveIntegerField(default=0)
    sent_document = models.JSONField(null=True, blank=True, help_text="What the partner last confirmed.")
    sent_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(help_text="A push that fails until then is given up.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["partner", "kind", "object_key"], name="one_push_per_object")
        ]
        indexes = [
            models.Index(fields=["state", "next_at"], name="push_due"),
            models.Index(fields=["partner", "subject", "state"], name="push_by_subject"),
        ]

    def __str__(self) -> str:
        return f"push {self.kind} {self.object_key}"


class Attempt(models.Model):
    """One try at a duty: what was sent where, and what came back."""

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="+")
    duty = models.CharField(max_length=60, help_text="result:ID or push:ID")
    number = models.PositiveIntegerField()
    method = models.CharField(max_length=8)
    url = models.CharField(max_length=255, help_text="Without its query string.")
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    ocpi_status = models.PositiveSmallIntegerField(null=True, blank=True)
    outcome = models.CharField(max_length=20)
    detail = models.CharField(max_length=300, blank=True)
    duration_ms = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["duty"], name="attempt_by_duty"),
            models.Index(fields=["at"], name="attempt_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.duty} #{self.number}: {self.outcome}"
