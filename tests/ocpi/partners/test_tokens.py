from datetime import timedelta

import pytest

from ocpi.partners import tokens
from ocpi.partners.models import InboundToken, Partner
from tests.factories import NOW, make_partner

pytestmark = pytest.mark.django_db
INVITATION, CREDENTIALS = InboundToken.Kind.INVITATION, InboundToken.Kind.CREDENTIALS


@pytest.fixture
def partner() -> Partner:
    partner = make_partner()
    tokens.drop_all(partner)
    return partner


def opens(token: str, now=NOW) -> bool:
    return tokens.match([token], now=now) is not None


def use(token: str, now=NOW) -> None:
    matched = tokens.match([token], now=now)
    assert matched
    tokens.confirm(matched[0], now=now)


def test_finds_the_partner_of_a_token_and_keeps_no_text(partner):
    token = tokens.issue(partner, CREDENTIALS, now=NOW)

    found, text = tokens.match(["something else", token], now=NOW)

    assert (found.partner, text) == (partner, token)
    assert token not in str(InboundToken.objects.values())


def test_matches_the_first_candidate_that_fits(partner):
    other = make_partner(name="Other", token="raw-of-other")
    token = tokens.issue(partner, CREDENTIALS, now=NOW)

    assert tokens.match([token, "raw-of-other"], now=NOW)[0].partner == partner
    assert tokens.match(["raw-of-other", token], now=NOW)[0].partner == other


def test_costs_one_query(partner, django_assert_num_queries):
    token = tokens.issue(partner, CREDENTIALS, now=NOW)

    with django_assert_num_queries(1):
        assert tokens.match(["decoded", token], now=NOW)[0].partner.name == partner.name
    with django_assert_num_queries(0):
        assert tokens.match([], now=NOW) is None


def test_expires_at_its_time(partner):
    token = tokens.issue(partner, INVITATION, now=NOW, expires_at=NOW + timedelta(seconds=60))

    assert opens(token, NOW + timedelta(seconds=59))
    assert not opens(token, NOW + timedelta(seconds=60))


def test_ends_the_older_tokens_at_first_use_of_a_new_one(partner):
    invitation = tokens.issue(partner, INVITATION, now=NOW)
    old, new = (tokens.issue(partner, CREDENTIALS, now=NOW) for _ in range(2))

    use(old)
    assert opens(old)
    use(new)

    assert (opens(old), opens(new), opens(invitation)) == (False, True, True)


def test_confirms_nothing_while_the_put_that_carries_it_is_open(partner):
    old = tokens.issue(partner, CREDENTIALS, now=NOW)
    new = tokens.issue(partner, CREDENTIALS, now=NOW, offered_until=NOW + timedelta(seconds=60))

    use(new)
    assert opens(old)
    tokens.settle_offer(partner, new)
    use(new)

    assert not opens(old)


def test_confirms_after_a_put_whose_end_was_never_noted(partner):
    old = tokens.issue(partner, CREDENTIALS, now=NOW)
    new = tokens.issue(partner, CREDENTIALS, now=NOW, offered_until=NOW + timedelta(seconds=60))

    use(new, NOW + timedelta(seconds=61))

    assert not opens(old)


@pytest.mark.parametrize(
    ("grace_s", "after_s", "still_opens"), [(0, 0, False), (30, 29, True), (30, 31, False)]
)
def test_lets_older_tokens_live_through_their_grace_only(partner, grace_s, after_s, still_opens):
    old, new = (tokens.issue(partner, CREDENTIALS, now=NOW) for _ in range(2))

    tokens.limit_others(partner, new, now=NOW, grace_s=grace_s)

    assert opens(old, NOW + timedelta(seconds=after_s)) is still_opens
    assert opens(new, NOW + timedelta(days=1000))


def test_keeps_a_refused_token_that_was_used_all_the_same(partner):
    unused, used = (tokens.issue(partner, CREDENTIALS, now=NOW) for _ in range(2))
    use(used)

    tokens.drop_unused(partner, unused)
    tokens.drop_unused(partner, used)

    assert (opens(unused), opens(used)) == (False, True)
