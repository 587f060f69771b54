"""Charging profile requests in both directions, and who is kept told of what is active."""

from __future__ import annotations

import uuid

from django.db import models

from chargers.models import Command
from ocpi.partners.models import Partner
from ocpi.partners.own import Party
from sessions.models import Session


class Kind(models.TextChoices):
    """What a request wants; its OCPI method is in brackets."""

    SET = "SET", "set a profile (PUT)"
    GET = "GET", "tell the active profile (GET)"
    CLEAR = "CLEAR", "clear the profile (DELETE)"


class ProfileRequest(models.Model):
    """A request that a Sender made of us as CPO and that we answered ACCEPTED: we owe it one decision."""

    class Decision(models.TextChoices):
        """OCPI 2.2.1 mod_charging_profiles, ChargingProfileResultType."""

        ACCEPTED = "ACCEPTED"
        REJECTED = "REJECTED"
        UNKNOWN = "UNKNOWN"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="+")
    from_country_code = models.CharField(
        max_length=2, blank=True, help_text="Of the party that asks, where the partner speaks for several."
    )
    from_party_id = models.CharField(max_length=3, blank=True, help_text="The same party's id.")
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="profile_requests")
    kind = models.CharField(max_length=5, choices=Kind.choices)
    document = models.JSONField(null=True, blank=True, help_text="SET: the ChargingProfile as it came.")
    duration_s = models.PositiveIntegerField(null=True, blank=True, help_text="GET: how far to look.")
    response_url = models.CharField(max_length=255)
    correlation_id = models.CharField(max_length=255, blank=True)
    dedupe_key = models.CharField(max_length=64)
    command = models.OneToOneField(
        Command, null=True, blank=True, on_delete=models.SET_NULL, related_name="profile_request"
    )
    timeout_s = models.PositiveIntegerField()
    asked_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    decision = models.CharField(max_length=8, choices=Decision.choices, blank=True)
    reason = models.CharField(max_length=200, blank=True, help_text="Why, for the operator.")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-asked_at"]
        indexes = [
            models.Index(fields=["partner", "session", "asked_at"], name="request_rate"),
            models.Index(fields=["decision", "deadline_at"], name="request_due"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def asker(self) -> Party | None:
        """The party that asks; None where the partner speaks for one only, or names none."""
        return (self.from_country_code, self.from_party_id) if self.from_party_id else None


class ArmedSender(models.Model):
    """A Sender whose profile the charger accepted for this session: it is kept told of the active profile."""

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="+")
    from_country_code = models.CharField(
        max_length=2, blank=True, help_text="Of the party that asked, where the partner speaks for several."
    )
    from_party_id = models.CharField(max_length=3, blank=True, help_text="The same party's id.")
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="armed_senders")
    armed_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "from_country_code", "from_party_id", "session"], name="armed_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.partner_id} on {self.session_id}"


class ActiveProfile(models.Model):
    """The ActiveChargingProfile of a session: as the charger told us (CPO), or as the CPO told us (SCSP)."""

    session = models.OneToOneField(Session, on_delete=models.CASCADE, related_name="active_profile")
    document = models.JSONField()
    reported_at = models.DateTimeField()
    after = models.ForeignKey(
        ProfileRequest,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="CPO: the last accepted request that it reflects.",
    )

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"active profile of {self.session_id}"


class IssuedRequest(models.Model):
    """A request that we made of a CPO as SCSP, and what came of it."""

    class State(models.TextChoices):
        """Where it stands."""

        SENDING = "SENDING", "on its way"
        REFUSED = "REFUSED", "the CPO did not take it"
        WAITING = "WAITING", "taken; the charger's result is awaited"
        SETTLED = "SETTLED", "the result is in"
        TIMED_OUT = "TIMED_OUT", "no result within the time announced"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="+")
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="issued_requests")
    kind = models.CharField(max_length=5, choices=Kind.choices)
    document = models.JSONField(null=True, blank=True, help_text="SET: the ChargingProfile sent.")
    duration_s = models.PositiveIntegerField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.SENDING)
    response = models.CharField(max_length=20, blank=True, help_text="The CPO's own answer.")
    timeout_s = models.PositiveIntegerField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)
    result = models.CharField(max_length=10, blank=True, help_text="The charger's answer.")
    profile = models.JSONField(null=True, blank=True, help_text="GET: the ActiveChargingProfile.")
    is_late = models.BooleanField(default=False, help_text="The result came after its time.")
    detail = models.CharField(max_length=300, blank=True)
    asked_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-asked_at"]
        indexes = [models.Index(fields=["state", "deadline_at"], name="issued_due")]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
