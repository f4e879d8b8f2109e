"""DRW01: an admission year is prepared, announced by two, runs, and is closed; before it is announced nobody sees it."""

import datetime as dt

import pytest

from enrollment.ground.accounts import Account
from enrollment.ground.errors import NotFound, Refused
from enrollment.maintenance import season_end
from enrollment.offers import family_requests
from enrollment.review import cases
from enrollment.season import calendar, deadline_extensions, openings, rounds, season_lifecycle, seasons
from tests.support.staff_leaving import loses_the_role
from tests.support.town_season import at


def announce(town, year, by, digest=None):
    season = seasons.of_year(town.session, year)
    digest = digest or season_lifecycle.digest_of(season)
    return season_lifecycle.announce(town.session, year, digest=digest, accept_warnings=True, by=by, now=town.now)


def test_two_different_city_officials_announce_a_year(town):
    season = town.prepared_season()
    first, second = town.city_pair()
    assert announce(town, 2026, first) == 1
    with pytest.raises(Refused, match="signed_already"):
        announce(town, 2026, first)
    assert season.stage == "preparation"
    assert announce(town, 2026, second) == 2
    assert (season.stage, season.announced_at) == ("announced", town.now)
    with pytest.raises(Refused, match="season_move_not_possible"):
        announce(town, 2026, town.city_official())


def test_a_signature_of_somebody_who_lost_the_account_since_is_none_of_the_two(town):
    season = town.prepared_season()
    first, second = town.city_pair()
    assert announce(town, 2026, first) == 1
    town.session.get_one(Account, first.account_id).disabled_at = town.now
    town.session.flush()
    assert announce(town, 2026, second) == 1
    assert season.stage == "preparation"
    assert announce(town, 2026, town.city_official()) == 2
    assert season.stage == "announced"


def test_a_signature_of_somebody_who_lost_the_role_since_is_none_of_the_two(town):
    """An official of the city who stays as an auditor is still in the system, and decides nothing for the city."""
    season = town.prepared_season()
    first, second = town.city_pair()
    assert announce(town, 2026, first) == 1
    loses_the_role(town, first)
    assert season_lifecycle.signatures_of(town.session, season) == []
    assert announce(town, 2026, second) == 1
    assert season.stage == "preparation"
    assert announce(town, 2026, town.city_official()) == 2
    assert season.stage == "announced"
    loses_the_role(town, second)
    assert second.account_id in [each.account_id for each in season_lifecycle.signatures_of(town.session, season)]


def test_pages_name_no_signer_who_lost_the_account_until_two_in_office_have_signed(town):
    season = town.prepared_season()
    (first, second), third = town.city_pair(), town.city_official()

    def signers():
        return [each.account_id for each in season_lifecycle.signatures_of(town.session, season)]

    def leaves(official, at):
        town.session.get_one(Account, official.account_id).disabled_at = at
        town.session.flush()

    announce(town, 2026, first)
    assert signers() == [first.account_id]
    leaves(first, town.now)
    assert signers() == []
    announce(town, 2026, second)
    assert signers() == [second.account_id]
    announce(town, 2026, third)
    assert season.stage == "announced"
    assert set(signers()) == {second.account_id, third.account_id}
    leaves(second, town.now + dt.timedelta(hours=1))
    assert set(signers()) == {second.account_id, third.account_id}, "who has decided stays on record"


def test_only_the_city_announces_and_closes(town):
    town.prepared_season()
    with pytest.raises(Refused, match="only_the_city"):
        announce(town, 2026, town.area_official())
    town.announce()
    with pytest.raises(Refused, match="only_the_city"):
        season_end.close(town.session, 2026, by=town.area_official(), now=at(9, 30))
    with pytest.raises(NotFound):
        season_end.close(town.session, 2031, by=town.city_official(), now=at(9, 30))


def test_a_date_that_moves_after_the_first_signature_makes_it_void(town):
    """Both people sign the same calendar, and each signs the one that was on the page."""
    season = town.prepared_season()
    first, second = town.city_pair()
    seen = season_lifecycle.digest_of(season)
    announce(town, 2026, first)
    span = {"begins_at": at(6, 15), "ends_at": at(6, 22, 18), "reason": ""}
    calendar.move_date(town.session, 2026, "supplementary", by=first, now=town.now, **span)
    with pytest.raises(Refused, match="calendar_changed"):
        announce(town, 2026, second, digest=seen)
    assert announce(town, 2026, second) == 1
    assert season.stage == "preparation"
    assert announce(town, 2026, first) == 2


def test_the_dates_of_an_announced_year_need_a_reason(town):
    town.season()
    span = {"begins_at": at(6, 15), "ends_at": at(6, 22, 18), "reason": ""}
    with pytest.raises(Refused, match="reason_needed"):
        calendar.move_date(town.session, 2026, "supplementary", by=town.city_official(), now=town.now, **span)


def test_a_round_of_a_year_in_preparation_does_not_open(town):
    town.kindergarten("金苹果", places=2)
    town.prepared_season()
    planned = town.round()
    with pytest.raises(Refused, match="season_not_announced"):
        rounds.open_planned_round(town.session, planned.id, [], by=town.city_official(), now=town.now)
    assert openings.window(town.session, 2026, "lower", now=town.now) == openings.NOTHING


def test_drw01_a_year_is_not_closed_while_a_round_is_under_way(town):
    """Open, closed with wishes, frozen, drawn: each names the round.  After the result the year can be closed."""
    garden = town.kindergarten("金苹果", places=2)
    town.child("安娜", wishes=[garden])
    by, late = town.city_pair()[0], at(9, 30)

    def refused() -> bool:
        with pytest.raises(Refused, match="round_under_way") as found, town.session.begin_nested():
            season_end.close(town.session, 2026, by=by, now=late)
        return found.value.details["name"] == town.the_round.name

    assert refused(), "open"
    town.everyone_is_reviewed()
    assert refused(), "closed, with a wish"
    town.freeze()
    town.seed()
    run = town.run()
    assert refused(), "drawn"
    town.publish(run)
    assert season_end.close(town.session, 2026, by=by, now=late).closed_at == late


def test_drw01_the_next_year_is_announced_while_appeals_run_and_this_one_is_not_closed_over_them(town):
    """An official who hurries on to next year ends no family's appeal, and takes no officer from it."""
    garden = town.kindergarten("金苹果", places=1)
    ana, ben = (town.child(name, wishes=[garden]) for name in ("安娜", "本本"))
    town.drawn(ana, ben)
    town.confirm(ana)
    appeal = family_requests.ask(town.session, ana.id, "appeal", text="请核实。", by=town.parent_of(ana), now=town.now)
    officer = appeal.officer_id
    town.season(2027)
    by, late = town.city_pair()[0], at(9, 30)
    with pytest.raises(Refused, match="cases_still_open") as found, town.session.begin_nested():
        season_end.close(town.session, 2026, by=by, now=late)
    assert found.value.details == {"n": 1} and (appeal.settled_at, appeal.officer_id) == (None, officer)
    said = {"outcome": "rejected", "reason": "核对无误。", "answer": "派位号在录取线以后。"}
    cases.settle(town.session, appeal.id, by=by, now=late, **said)
    with pytest.raises(Refused, match="children_without_a_word"):
        season_end.close(town.session, 2026, by=by, now=late)


def test_a_year_is_closed_after_its_last_step_and_stays_readable(town):
    """Nothing of it opens or moves any more; that it was once is still known."""
    town.kindergarten("金苹果", places=2)
    town.open_registration()
    by = town.city_official()
    with pytest.raises(Refused, match="season_not_over"):
        season_end.close(town.session, 2026, by=by, now=at(8, 31))
    town.close_registration()
    season = season_end.close(town.session, 2026, by=by, now=at(9, 30))
    assert (season.stage, season.closed_at) == ("closed", at(9, 30))
    assert seasons.visible(town.session) == [season]
    assert seasons.announced(town.session) == []
    assert openings.window(town.session, 2026, "lower", now=at(9, 30)).last.id == town.the_round.id
    span = {"begins_at": at(8, 20), "ends_at": at(10, 22, 18), "reason": "x"}
    with pytest.raises(Refused, match="season_is_closed"):
        calendar.move_date(town.session, 2026, "arrival", by=by, now=at(9, 30), **span)
    with pytest.raises(Refused, match="season_is_closed"):
        town.at(at(9, 30)).round()
    with pytest.raises(Refused, match="season_is_closed"):
        deadline_extensions.extend(
            town.session, town.the_round.id, closes_at=at(10, 1), reason="x", by=by, now=at(9, 30)
        )


@pytest.mark.parametrize(
    ("moment", "first"),
    [
        (at(3, 1, year=2026), 2026),
        (at(6, 1, year=2026), 2026),
        (at(10, 1, year=2026), 2027),
        (at(5, 10, year=2027), 2027),
    ],
)
def test_families_see_first_the_year_under_way_then_the_next(town, moment, first):
    town.season(2026)
    town.season(2027)
    assert seasons.main_season(town.session, moment).year == first


def test_the_officials_begin_with_a_year_in_preparation_only_where_there_is_no_other(town):
    assert seasons.officials_default(town.session, town.now) is None
    town.prepared_season(2027)
    assert seasons.officials_default(town.session, town.now).year == 2027
    assert seasons.main_season(town.session, town.now) is None
    town.season(2026)
    assert seasons.officials_default(town.session, town.now).year == 2026
