"""Who we speak with: partners, their parties and endpoints, the tokens, and what each may steer."""

from __future__ import annotations

from django.db import models

from ocpi.partners.own import is_ours
from ocpi.protocol.quirks import Quirk
from ocpi.protocol.types import fold


class Partner(models.Model):
    """Another platform that we hold OCPI credentials with."""

    class Status(models.TextChoices):
        """How far the two platforms have come."""

        INVITED = "INVITED", "invited: a token A waits for them"
        REGISTERED = "REGISTERED", "registered"
        ENDED = "ENDED", "ended: credentials deleted"

    class SignIn(models.TextChoices):
        """What they want to see when we call them; all but the first have fixed addresses, too."""

        CREDENTIALS = "CREDENTIALS", "the token of their OCPI credentials"
        TOKEN = "TOKEN", "a fixed token"
        OAUTH2 = "OAUTH2", "OAuth 2.0 client credentials"

    name = models.CharField(max_length=100, unique=True)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.INVITED)
    versions_url = models.CharField(max_length=255, blank=True)
    version = models.CharField(max_length=10, blank=True)
    sign_in = models.CharField(max_length=12, choices=SignIn.choices, default=SignIn.CREDENTIALS)
    outbound_token_encrypted = models.TextField(blank=True, editable=False)
    api_key_header = models.CharField(
        max_length=64, blank=True, help_text="The header in which they want an API key as well."
    )
    api_key_encrypted = models.TextField(blank=True, editable=False)
    sends_raw_tokens = models.BooleanField(
        default=False, help_text="They read and write the token as it is, without Base64."
    )
    refused_quirks = models.JSONField(
        default=list, blank=True, help_text="What we don't bear from them: docs/quirks.md."
    )
    response_hosts = models.JSONField(
        default=list, blank=True, help_text="Hosts that response_url may name, beside their own."
    )
    created_at = models.DateTimeField()
    registered_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True, help_text="Their last authenticated request.")
    last_error = models.CharField(max_length=300, blank=True)
    endpoints_changed_at = models.DateTimeField(
        null=True, blank=True, help_text="When their addresses were last found to be other ones."
    )
    pulled = models.JSONField(
        default=dict, blank=True, help_text="Per module, the time up to which their objects were pulled."
    )
    pulled_whole = models.JSONField(
        default=dict, blank=True, help_text="Per module, when their whole list was read last."
    )
    pull_places = models.JSONField(
        default=dict, blank=True, help_text="Per module, where a reading of their list was left off."
    )
    pulling_until = models.DateTimeField(
        null=True, blank=True, help_text="Somebody pulls from them at this moment, until then at most."
    )
    pull_due_at = models.DateTimeField(
        null=True, blank=True, db_index=True, help_text="When they are pulled from next; empty: never."
    )
    pull_failures = models.PositiveSmallIntegerField(
        default=0, help_text="Pulls in a row that failed; the next waits the longer."
    )
    pull_unanswered_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When a pull got no answer; their next request says that they are back.",
    )

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_static(self) -> bool:
        """Tell whether an operator gave us their addresses, because they have no credentials module."""
        return self.sign_in != self.SignIn.CREDENTIALS

    @property
    def refuses(self) -> frozenset[Quirk]:
        """The quirks that are refused from this partner; names that we don't know (any more) are none."""
        return frozenset(quirk for quirk in Quirk if quirk in self.refused_quirks)

    def speaks_for(self, party: tuple[str, str]) -> bool:
        """Tell whether messages and objects of a (country_code, party_id) may come through this partner.

        Its own parties', and through a hub anybody's; never those of a party of ours (OCPI 2.2.1
        transport_and_format, "Message Routing").
        """
        if is_ours(party):
            return False
        theirs = models.Q(country_code=fold(party[0]), party_id=fold(party[1]))
        return self.roles.filter(theirs | models.Q(role="HUB")).exists()


class OAuthClient(models.Model):
    """How we get access tokens for a partner by OAuth 2.0 client credentials, and the one that we hold."""

    partner = models.OneToOneField(Partner, on_delete=models.CASCADE, related_name="oauth_client")
    token_url = models.CharField(max_length=255)
    client_id = models.CharField(max_length=255)
    client_secret_encrypted = models.TextField(editable=False)
    audience = models.CharField(max_length=255, blank=True)
    scope = models.CharField(max_length=255, blank=True)
    access_token_encrypted = models.TextField(blank=True, editable=False)
    renew_at = models.DateTimeField(null=True, blank=True, help_text="From then on a new token is fetched.")
    expires_at = models.DateTimeField(null=True, blank=True)
    refused_at = models.DateTimeField(
        null=True, blank=True, help_text="When a token was last replaced because the partner refused it."
    )
    fetching_until = models.DateTimeField(
        null=True, blank=True, help_text="Somebody fetches a token, or just failed; the others leave it."
    )

    class Meta:
        verbose_name = "OAuth client"

    def __str__(self) -> str:
        return f"{self.client_id} at {self.token_url}"


class InboundToken(models.Model):
    """A token that opens our doors to a partner; only its SHA-256 is kept."""

    class Kind(models.TextChoices):
        """What the token opens."""

        INVITATION = "INVITATION", "token A: versions and credentials only"
        CREDENTIALS = "CREDENTIALS", "every module"

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="inbound_tokens")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True, help_text="First use; confirms an exchange.")
    offered_until = models.DateTimeField(
        null=True, blank=True, help_text="We send it to them; until then its use confirms nothing."
    )
    offered_to = models.CharField(
        max_length=255, blank=True, help_text="The versions address of a platform that we register at."
    )

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} token of {self.partner_id}"


class PartnerRole(models.Model):
    """A party on the partner's platform, in one role."""

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="roles")
    role = models.CharField(max_length=10)
    country_code = models.CharField(max_length=2)
    party_id = models.CharField(max_length=3)
    business_details = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "role", "country_code", "party_id"], name="one_row_per_role_and_party"
            )
        ]
        indexes = [models.Index(fields=["country_code", "party_id"], name="role_by_party")]

    def __str__(self) -> str:
        return f"{self.country_code}-{self.party_id} {self.role}"


class Endpoint(models.Model):
    """An address from the partner's version details."""

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="endpoints")
    identifier = models.CharField(max_length=64)
    role = models.CharField(max_length=10)
    url = models.CharField(max_length=255)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "identifier", "role"], name="one_url_per_module_and_role"
            )
        ]

    def __str__(self) -> str:
        return f"{self.identifier} {self.role}"


class Grant(models.Model):
    """Leave to see and steer sessions at all our locations, at those of one party of ours, or at one."""

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="grants")
    country_code = models.CharField(
        max_length=2, blank=True, help_text="Of the party of ours whose locations they are; empty means all."
    )
    party_id = models.CharField(max_length=3, blank=True, help_text="The same party's id.")
    location_id = models.CharField(
        max_length=36, blank=True, help_text="OCPI id of one location of that party; empty means all."
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "country_code", "party_id", "location_id"], name="one_grant_per_location"
            ),
            # Two parties may have a location of the same id.
            models.CheckConstraint(
                condition=models.Q(location_id="") | ~models.Q(country_code="", party_id=""),
                name="location_grant_has_a_party",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partner_id} at {self.location_id or 'all locations'} of {self.party or 'ours'}"

    @property
    def party(self) -> str:
        """The party of ours that it is about, as people write it; "" for all."""
        return f"{self.country_code}-{self.party_id}" if self.party_id else ""
