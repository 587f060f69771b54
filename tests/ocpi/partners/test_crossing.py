"""Both sides register, or renew their credentials, at the same moment: one exchange stands, on both sides."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from ocpi.partners.handshake import Refused
from ocpi.partners.models import InboundToken, Partner
from ocpi.partners.rotation import rotate
from ocpi.partners.secrets import decrypt
from tests.ocpi.partners.two_sides import (
    CREDENTIALS,
    Node,
    Platform,
    answered,
    invited,
    outcome,
    registered,
    role,
)

pytestmark = pytest.mark.django_db(transaction=True)

# We are NL-NOD.
BEFORE_US, BEHIND_US = "JED", "ZED"


class Crossing(Platform):
    """A platform that sends its own credentials before it answers ours."""

    party = BEFORE_US

    def credentials(self, token: str = "token-b", **fields: Any) -> dict[str, Any]:
        return super().credentials(token, roles=[role(self.party)], **fields)

    def crosses(self, node: Node, method: str, token: Callable[[Any], str], *, refuses: bool) -> list[Any]:
        """Send credentials with `token(request)` while ours are unanswered; return the answers."""
        answers: list[Any] = []

        def take(request: Any) -> Any:
            answers.append(node.call(method, CREDENTIALS, token(request), self.credentials("token-x")))
            return answered(None, 2000) if refuses else self.take_credentials(request)

        self.peer.answer(method, "/2.2.1", body=take)
        return answers


@pytest.fixture
def crossing(platform: Platform) -> Crossing:
    return Crossing(platform.peer)


def outbound(name: str = "Jedlix") -> str:
    return decrypt(Partner.objects.get(name=name).outbound_token_encrypted)


def register(platform: Platform, name: str = "Jedlix") -> Partner:
    return registered(platform, answers=False, name=name)


class TestRegistering:
    @pytest.mark.parametrize("name", ["Jedlix", "Another name"])
    def test_refuses_theirs_when_we_come_first(self, node, crossing, name):
        crossing.party = BEHIND_US
        token_a = invited()
        answers = crossing.crosses(node, "POST", lambda request: token_a, refuses=False)

        partner = register(crossing, name)

        assert [outcome(one) for one in answers] == [(200, 2000)]
        assert "at this moment" in answers[0].json()["status_message"]
        assert [one.method for one in crossing.peer.requests] == ["GET", "GET", "POST"]
        assert (partner.status, outbound(name)) == ("REGISTERED", "token-c")
        assert node.opens(crossing.received[-1])
        assert node.opens(token_a, "versions") is (name != "Jedlix")

    def test_takes_theirs_when_they_come_first(self, node, crossing):
        token_a = invited()
        answers = crossing.crosses(node, "POST", lambda request: token_a, refuses=True)

        with pytest.raises(Refused, match="Jedlix registered here meanwhile; that registration stands"):
            register(crossing)

        assert [outcome(one) for one in answers] == [(200, 1000)]
        assert (Partner.objects.get().status, outbound()) == ("REGISTERED", "token-x")
        assert node.opens(answers[0].json()["data"]["token"])
        assert InboundToken.objects.count() == 1

    def test_what_they_answer_is_newer_than_what_they_sent_meanwhile(self, node, crossing):
        token_a = invited()
        answers = crossing.crosses(node, "POST", lambda request: token_a, refuses=False)

        register(crossing)

        assert [outcome(one) for one in answers] == [(200, 1000)]
        assert outbound() == "token-c"
        assert node.opens(crossing.received[-1])
        assert InboundToken.objects.get().offered_until is None

    def test_is_not_begun_twice_at_once(self, node, platform):
        refused = []

        def once_more(request: Any) -> Any:
            with closing(connection), pytest.raises(Refused) as caught:
                register(platform)
            refused.append(str(caught.value))
            return platform.take_credentials(request)

        platform.peer.answer("POST", "/2.2.1", body=once_more)

        assert register(platform).status == "REGISTERED"
        assert refused == ["Jedlix is being registered at: try again in a minute."]
        assert node.opens(platform.received[-1])

    def test_gives_it_back_when_the_name_was_given_to_another_meanwhile(self, node, platform):
        def invited_again(request: Any) -> Any:
            with closing(connection):
                invited()
            return platform.take_credentials(request)

        platform.peer.answer("POST", "/2.2.1", body=invited_again)
        token_a = invited()

        with pytest.raises(Refused, match="was invited or ended meanwhile"):
            register(platform)

        assert platform.peer.requests[-1].method == "DELETE"
        assert not node.opens(token_a, "versions")
        assert Partner.objects.get().status == "INVITED"


class TestRotating:
    def test_refuses_theirs_when_we_come_first(self, node, crossing):
        crossing.party = BEHIND_US
        partner = registered(crossing)
        old = crossing.received[-1]
        crossing.issued = "token-c-2"
        answers = crossing.crosses(node, "PUT", lambda request: old, refuses=False)

        rotate(partner, now=timezone.now())

        assert [outcome(one) for one in answers] == [(200, 2000)]
        assert outbound() == "token-c-2"
        assert node.opens(crossing.received[-1])

    def test_takes_theirs_when_they_come_first(self, node, crossing):
        partner = registered(crossing)
        old = crossing.received[-1]
        answers = crossing.crosses(node, "PUT", lambda request: old, refuses=True)

        with pytest.raises(Refused, match="refused our new credentials, nothing changed"):
            rotate(partner, now=timezone.now())

        assert [outcome(one) for one in answers] == [(200, 1000)]
        assert outbound() == "token-x"
        assert node.opens(answers[0].json()["data"]["token"])
        assert InboundToken.objects.count() == 1

    def test_what_they_answer_is_newer_than_what_they_sent_meanwhile(self, node, crossing):
        partner = registered(crossing)
        old = crossing.received[-1]
        crossing.issued = "token-c-2"
        answers = crossing.crosses(node, "PUT", lambda request: old, refuses=False)

        rotate(partner, now=timezone.now())

        assert [outcome(one) for one in answers] == [(200, 1000)]
        assert outbound() == "token-c-2"
        assert node.opens(crossing.received[-1])

    def test_who_shows_the_new_token_has_taken_ours_and_sends_what_is_newer(self, node, crossing):
        partner = registered(crossing)
        answers = crossing.crosses(node, "PUT", lambda request: request.body["token"], refuses=False)

        with pytest.raises(Refused, match="changed its credentials meanwhile; those stand"):
            rotate(partner, now=timezone.now())

        assert [outcome(one) for one in answers] == [(200, 1000)]
        assert outbound() == "token-x"
        assert node.opens(answers[0].json()["data"]["token"])
        assert InboundToken.objects.count() == 1

    def test_is_not_begun_twice_at_once(self, node, platform):
        partner = registered(platform)
        refused = []

        def once_more(request: Any) -> Any:
            with closing(connection), pytest.raises(Refused) as caught:
                rotate(Partner.objects.get(), now=timezone.now())
            refused.append(str(caught.value))
            return platform.take_credentials(request)

        platform.peer.answer("PUT", "/2.2.1", body=once_more)

        rotate(partner, now=timezone.now())

        assert refused == ["Jedlix is being sent new credentials: try again in a minute."]
        assert node.opens(platform.received[-1])
