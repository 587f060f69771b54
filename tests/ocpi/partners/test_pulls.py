from datetime import datetime, timedelta

import pytest

from ocpi.partners import pulls
from ocpi.partners.models import Partner
from ocpi.partners.pulls import PullCount, Reading, UnableToPull, pull, register_puller
from ocpi.protocol.client import CallFailed
from ocpi.protocol.list_reading import Place
from tests.factories import NOW, make_partner

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(monkeypatch) -> list[tuple[str, str, datetime | None]]:
    """Both modules pull, and note who was asked for what since when."""
    calls: list[tuple[str, str, datetime | None]] = []
    monkeypatch.setattr(pulls, "_pullers", {})

    def puller(module: str, count: PullCount):
        def run(partner: Partner, reading: Reading) -> PullCount:
            calls.append((partner.name, module, reading.since))
            if partner.name == "Silent":
                raise CallFailed("timeout", "no answer within 8 s")
            return count

        return run

    register_puller("sessions", puller("sessions", PullCount(stored=3, refused=1)))
    register_puller("locations", puller("locations", PullCount(stored=2, refused=1)))
    return calls


def test_pulls_locations_before_sessions_and_moves_on(asked):
    partner = make_partner(name="CPO", role="CPO")

    assert pull(partner, None, NOW) == {"locations": 2, "sessions": 3, "refused": 2}
    assert asked == [("CPO", "locations", None), ("CPO", "sessions", None)]

    asked.clear()
    partner.refresh_from_db()
    assert pull(partner, "sessions", NOW + timedelta(hours=1)) == {
        "locations": 0,
        "sessions": 3,
        "refused": 1,
    }
    assert asked == [("CPO", "sessions", NOW - timedelta(minutes=5))]
    assert partner.pulled == {"locations": "2026-01-15T11:55:00Z", "sessions": "2026-01-15T12:55:00Z"}


def test_stays_where_it_was_after_a_failure(asked):
    partner = make_partner(name="Silent", role="CPO")

    with pytest.raises(UnableToPull, match="no answer"):
        pull(partner, None, NOW)

    partner.refresh_from_db()
    assert partner.pulled == {}
    assert "Pulling locations from Silent failed" in partner.last_error


def test_forgets_where_it_was_when_the_partner_registered_again_meanwhile(asked):
    partner = make_partner(name="CPO", role="CPO")

    def registers_meanwhile(partner: Partner, reading: Reading) -> PullCount:
        Partner.objects.update(registered_at=NOW + timedelta(seconds=1))
        return PullCount()

    register_puller("locations", registers_meanwhile)

    pull(partner, "locations", NOW)

    partner.refresh_from_db()
    assert partner.pulled == {}


@pytest.mark.parametrize(
    ("fields", "module", "reason"),
    [
        ({"endpoints": [("locations", "SENDER")]}, "sessions", "offers no sessions"),
        ({}, "tariffs", "only locations, sessions"),
    ],
)
def test_refuses_what_cannot_be_pulled(asked, fields, module, reason):
    with pytest.raises(UnableToPull, match=reason):
        pull(make_partner(role="CPO", **fields), module, NOW)


@pytest.mark.parametrize(("since_min", "is_free"), [(0, False), (29, False), (30, True)])
def test_pulls_from_a_partner_once_at_a_time(asked, since_min, is_free):
    partner = make_partner(name="CPO", role="CPO")
    answers = []

    def pulls_meanwhile(partner: Partner, reading: Reading) -> PullCount:
        if not answers:
            answers.append("begun")
            try:
                pull(partner, "locations", NOW + timedelta(minutes=since_min))
            except UnableToPull as error:
                answers.append(str(error))
        return PullCount()

    register_puller("locations", pulls_meanwhile)

    pull(partner, "locations", NOW)

    assert answers == (["begun"] if is_free else ["begun", "CPO is being pulled from already."])
    partner.refresh_from_db()
    assert partner.last_error == ""


def test_begins_again_where_it_was_after_the_end_of_a_process_that_pulled(asked):
    partner = make_partner(name="CPO", role="CPO")
    pull(partner, None, NOW)

    def dies(partner: Partner, reading: Reading) -> PullCount:
        Partner.objects.update(pulling_until=NOW + timedelta(hours=2))
        raise KeyboardInterrupt

    working = pulls._pullers["sessions"]
    register_puller("sessions", dies)
    with pytest.raises(KeyboardInterrupt):
        pull(partner, "sessions", NOW + timedelta(hours=1))
    register_puller("sessions", working)
    partner.refresh_from_db()
    with pytest.raises(UnableToPull, match="already"):
        pull(partner, "sessions", NOW + timedelta(hours=1))

    pulls.release_all()
    pull(partner, "sessions", NOW + timedelta(hours=1))

    assert asked[-1] == ("CPO", "sessions", NOW - timedelta(minutes=5))


def test_lets_the_next_pull_begin_after_a_failure(asked):
    partner = make_partner(name="Silent", role="CPO")

    for _ in range(2):
        with pytest.raises(UnableToPull, match="no answer"):
            pull(partner, None, NOW)


def test_skips_what_a_partner_does_not_offer(asked):
    assert pull(make_partner(role="SCSP"), None, NOW) == {"locations": 0, "sessions": 0, "refused": 0}


def test_refuses_to_pull_from_a_partner_that_ended(asked):
    partner = make_partner(role="CPO")
    partner.status = Partner.Status.ENDED

    with pytest.raises(UnableToPull, match="not registered"):
        pull(partner, None, NOW)


def test_reads_the_whole_list_of_locations_once_a_day_and_when_told_to(asked):
    partner = make_partner(name="CPO", role="CPO")
    hour, day = timedelta(hours=1), timedelta(days=1)
    five_minutes = timedelta(minutes=5)
    for now in (NOW, NOW + hour, NOW + day):
        pull(partner, None, now)
    pull(partner, None, NOW + day + hour, is_whole=True)

    assert [since for _, module, since in asked if module == "locations"] == [
        None,
        NOW - five_minutes,
        None,
        None,
    ]
    assert [since for _, module, since in asked if module == "sessions"] == [
        None,
        NOW - five_minutes,
        NOW + hour - five_minutes,
        None,
    ]
    partner.refresh_from_db()
    assert partner.pulled_whole == {
        "locations": "2026-01-16T13:00:00Z",
        "sessions": "2026-01-16T13:00:00Z",
    }


LEFT = Place("https://cpo.example/l?offset=200", None, 200, 900, has_links=True)


@pytest.fixture
def readings(monkeypatch) -> list[Reading]:
    """Readings of sessions that each come to LEFT and fail."""
    found: list[Reading] = []

    def fails(partner: Partner, reading: Reading) -> PullCount:
        found.append(reading)
        reading.keep(LEFT)
        raise CallFailed("timeout", "no answer within 8 s")

    monkeypatch.setattr(pulls, "_pullers", {"sessions": fails})
    return found


def test_goes_on_where_a_reading_was_left_off_and_counts_from_when_it_began(readings):
    partner = make_partner(name="CPO", role="CPO", pulled={"sessions": "2026-01-15T10:00:00Z"})
    hour = timedelta(hours=1)
    for now in (NOW, NOW + hour):
        with pytest.raises(UnableToPull):
            pull(Partner.objects.get(), "sessions", now)
    register_puller("sessions", lambda partner, reading: readings.append(reading) or PullCount())

    pull(Partner.objects.get(), "sessions", NOW + 2 * hour)

    assert [(one.since, one.began_at, one.place) for one in readings] == [
        (NOW - 2 * hour, NOW, None),
        (NOW - 2 * hour, NOW, LEFT),
        (NOW - 2 * hour, NOW, LEFT),
    ]
    partner.refresh_from_db()
    assert (partner.pulled, partner.pull_places) == ({"sessions": "2026-01-15T11:55:00Z"}, {})


@pytest.mark.parametrize(
    ("after", "is_whole"), [(timedelta(hours=6), False), (timedelta(hours=1), True)], ids=["late", "whole"]
)
def test_begins_anew_when_a_reading_was_left_off_long_ago_or_all_is_asked_for(readings, after, is_whole):
    make_partner(name="CPO", role="CPO")
    for now, whole in ((NOW, False), (NOW + after, is_whole)):
        with pytest.raises(UnableToPull):
            pull(Partner.objects.get(), "sessions", now, is_whole=whole)

    assert [(one.began_at, one.place) for one in readings] == [(NOW, None), (NOW + after, None)]


def test_keeps_no_place_of_a_registration_that_ended(readings):
    partner = make_partner(name="CPO", role="CPO")
    Partner.objects.update(registered_at=NOW + timedelta(seconds=1))

    with pytest.raises(UnableToPull):
        pull(partner, "sessions", NOW)

    partner.refresh_from_db()
    assert partner.pull_places == {}
