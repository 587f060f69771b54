"""Chargers: stations, their outlets, transactions, limits in force, and the commands we owe them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from locations.models import Evse, Location
from sessions.models import Session


class Gateway(models.Model):
    """A gateway process; alive while its heartbeat is fresh. Its id is new with every start."""

    id = models.CharField(primary_key=True, max_length=80)
    port = models.PositiveIntegerField(default=9000, help_text="Where it listens for chargers.")
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.id


class Charger(models.Model):
    """An OCPP station and what we know of it."""

    identity = models.CharField(
        max_length=48, unique=True, help_text="The name in its address; case matters."
    )
    password_hash = models.CharField(
        max_length=200, blank=True, editable=False, help_text="Empty: may connect without a password."
    )
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="chargers")
    # Learned from the charger.
    ocpp_version = models.CharField(max_length=10, blank=True)
    vendor = models.CharField(max_length=50, blank=True)
    model = models.CharField(max_length=50, blank=True)
    firmware = models.CharField(max_length=50, blank=True)
    configuration = models.JSONField(default=dict, blank=True, help_text="Key to value, as the charger said.")
    configuration_at = models.DateTimeField(null=True, blank=True)
    takes_profiles = models.BooleanField(
        null=True, blank=True, help_text="Empty: not known yet. No: it said that it can't."
    )
    reads_schedules = models.BooleanField(
        null=True, blank=True, help_text="Whether GetCompositeSchedule works."
    )
    reported_status = models.CharField(
        max_length=12,
        blank=True,
        help_text="EVSE status of all its outlets while it is out of order as a whole.",
    )
    # The connection, fenced: only the owner of the newest epoch may write.
    gateway = models.ForeignKey(
        Gateway, null=True, blank=True, on_delete=models.SET_NULL, related_name="chargers"
    )
    epoch = models.PositiveIntegerField(default=0)
    connected_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.identity


class Outlet(models.Model):
    """One EVSE of a charger: OCPP's connector or evse number tied to an OCPI EVSE."""

    charger = models.ForeignKey(Charger, on_delete=models.CASCADE, related_name="outlets")
    number = models.PositiveSmallIntegerField(help_text="OCPP connector id (1.6) or evse id (2.x).")
    evse = models.OneToOneField(Evse, on_delete=models.PROTECT, related_name="outlet")
    phases = models.PositiveSmallIntegerField(default=3)
    voltage_v = models.PositiveSmallIntegerField(default=230, help_text="Line to neutral.")
    max_current_a = models.PositiveSmallIntegerField(default=32, help_text="Per phase.")
    reported_status = models.CharField(
        max_length=12, blank=True, help_text="The EVSE status that the charger told last."
    )
    needs_restore = models.BooleanField(
        default=False, help_text="The charger may hold a profile that we reported as rejected."
    )

    class Meta:
        ordering = ["charger", "number"]
        constraints = [models.UniqueConstraint(fields=["charger", "number"], name="outlet_once")]

    def __str__(self) -> str:
        return f"{self.charger_id}#{self.number}"


class Transaction(models.Model):
    """A charging transaction as the charger tells it; its id is the number that OCPP 1.6 wants."""

    outlet = models.ForeignKey(Outlet, on_delete=models.PROTECT, related_name="transactions")
    session = models.OneToOneField(Session, on_delete=models.PROTECT, related_name="transaction")
    ocpp_id = models.CharField(
        max_length=36, blank=True, help_text="The station's own transaction id (OCPP 2.x); empty for 1.6."
    )
    start_key = models.CharField(max_length=200, help_text="Tells a repeated start from a new one.")
    id_token = models.CharField(max_length=36)
    started_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)
    meter_start_wh = models.BigIntegerField(
        null=True, blank=True, help_text="Empty until the charger tells its meter (OCPP 2.x)."
    )
    meter_last_wh = models.BigIntegerField()
    was_limited = models.BooleanField(default=False, help_text="A profile was accepted in this transaction.")
    offered = models.CharField(
        max_length=40, blank=True, help_text="The last Current.Offered or Power.Offered: a sign of change."
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["outlet"], condition=Q(stopped_at=None), name="one_open_transaction_per_outlet"
            ),
        ]
        indexes = [
            models.Index(fields=["ocpp_id"], condition=~Q(ocpp_id=""), name="transaction_by_ocpp_id"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Limit(models.Model):
    """A limit that the charger accepted, by who asked for it; the lowest of all rules."""

    transaction = models.ForeignKey(Transaction, on_delete=models.CASCADE, related_name="limits")
    source = models.CharField(max_length=60, help_text="Who asked, e.g. partner:3.")
    schedule = models.JSONField(help_text="chargers.schedule.Schedule as a document.")
    accepted_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["transaction", "source"], name="one_limit_per_source")]

    def __str__(self) -> str:
        return f"{self.source} on {self.transaction_id}"


class Command(models.Model):
    """One OCPP call that we owe a charger, from the wish to the answer."""

    class Kind(models.TextChoices):
        """What the charger is asked to do."""

        SET_LIMIT = "SET_LIMIT", "take one source's limit"
        CLEAR_LIMIT = "CLEAR_LIMIT", "forget one source's limit"
        READ_SCHEDULE = "READ_SCHEDULE", "tell the schedule in force"
        RESTORE = "RESTORE", "go back to the limits that were accepted"

    class State(models.TextChoices):
        """Where the command stands."""

        QUEUED = "QUEUED", "waits for its turn"
        SENT = "SENT", "on the wire"
        ANSWERED = "ANSWERED", "the charger answered"
        NO_ANSWER = "NO_ANSWER", "its time ran out without an answer"
        CANCELLED = "CANCELLED", "not wanted any more; never sent"

    class Outcome(models.TextChoices):
        """What the charger said, in words of ours."""

        ACCEPTED = "ACCEPTED"
        REJECTED = "REJECTED"
        UNKNOWN = "UNKNOWN", "nothing there to clear or tell"
        NOT_SUPPORTED = "NOT_SUPPORTED", "the charger can't"

    charger = models.ForeignKey(Charger, on_delete=models.CASCADE, related_name="commands")
    outlet = models.ForeignKey(Outlet, on_delete=models.CASCADE, related_name="commands")
    transaction = models.ForeignKey(
        Transaction, null=True, blank=True, on_delete=models.CASCADE, related_name="commands"
    )
    kind = models.CharField(max_length=14, choices=Kind.choices)
    source = models.CharField(max_length=60, blank=True)
    schedule = models.JSONField(null=True, blank=True, help_text="SET_LIMIT: what was asked.")
    duration_s = models.PositiveIntegerField(
        null=True, blank=True, help_text="READ_SCHEDULE: how far to look."
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    created_at = models.DateTimeField()
    not_before = models.DateTimeField(help_text="Signs of change wait a little for more of them.")
    deadline_at = models.DateTimeField()
    # Written before the frame leaves, so that a late answer finds its command.
    message_id = models.CharField(max_length=36, null=True, blank=True, unique=True)
    epoch = models.PositiveIntegerField(null=True, blank=True)
    sends = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    sent_payload = models.JSONField(null=True, blank=True)
    renew_at = models.DateTimeField(
        null=True, blank=True, help_text="A window of a longer schedule went out: when to send the next."
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=14, choices=Outcome.choices, blank=True)
    answer = models.JSONField(null=True, blank=True, help_text="What came back, as it came.")
    told_schedule = models.JSONField(null=True, blank=True, help_text="READ_SCHEDULE: the schedule in force.")

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["charger", "state", "id"], name="command_queue"),
            models.Index(fields=["state", "deadline_at"], name="command_due"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["charger"], condition=Q(state="SENT"), name="one_unanswered_call_per_charger"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
