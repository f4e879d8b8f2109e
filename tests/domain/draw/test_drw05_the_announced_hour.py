"""DRW05: two people sign, and the result is opened at the announced hour, for everybody in the same second."""

import datetime as dt
import uuid

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from enrollment.draw import replay, requests, runs
from enrollment.draw.draws import Snapshot
from enrollment.draw.publication import calendar_dates, hours, opening
from enrollment.draw.publication.rows import PreparedNotice, PreparedOffer, Publication
from enrollment.draw.run_rows import RunState
from enrollment.ground.errors import Refused
from enrollment.ground.outbox import Notice
from enrollment.offers.offers import Offer
from enrollment.results import run_signing
from enrollment.season import calendar, seasons
from enrollment.season.facts import Fact
from enrollment.season.round_rows import Round, RoundKind, RoundStage
from portal.text.messages import notice_words
from tests.support.prepare_all import prepare_all
from tests.support.prepared import prepared
from tests.support.town_season import at

SECOND = dt.timedelta(seconds=1)
HOUR = at(6, 5, 9)


@prepared
def drawn_town(town):
    """4 June, 10:00: the run is checked; the calendar announces the result for 5 June, 9:00."""
    town.garden = town.kindergarten("金苹果", places=2)
    town.ana, town.ben, town.cui = (town.child(name, wishes=[town.garden]) for name in ("安娜", "本本", "翠翠"))
    town.everyone_is_reviewed()
    town.close_registration()
    town.at(at(6, 4, 10))
    town.freeze()
    town.seed_in_order(town.ana, town.ben, town.cui)
    town.checked = town.run()
    return town


def count(town, table) -> int:
    return town.session.scalar(select(func.count()).select_from(table))


def told(town, kind: str = "result_published") -> int:
    return town.session.scalar(select(func.count()).where(Notice.kind == kind))


def publication(town) -> Publication:
    return hours.publication_of(town.session, town.checked.id)


def test_drw05_signed_by_two_nothing_is_open_until_the_hour(drawn_town):
    town = drawn_town
    town.sign(town.checked)
    assert (town.checked.state, publication(town).hour, town.the_round.stage) == ("signed", HOUR, "drawn")
    assert (count(town, Offer), told(town), town.taken_at(town.garden)) == (0, 0, 0)
    assert (count(town, PreparedOffer), count(town, PreparedNotice)) == (2, 3)
    town.at(HOUR - SECOND)
    with pytest.raises(Refused, match="before_the_hour"):
        town.open(town.checked)
    assert count(town, Offer) == 0
    town.at(HOUR)
    codes = set(town.session.scalars(select(PreparedOffer.notice_code)))
    assert town.open(town.checked) == 2
    assert (publication(town).opened_at, town.checked.published_at, town.the_round.stage) == (HOUR, HOUR, "published")
    assert set(town.session.scalars(select(Offer.notice_code))) == codes
    assert (told(town), town.taken_at(town.garden)) == (3, 2)
    assert (count(town, PreparedOffer), count(town, PreparedNotice)) == (0, 0)


def test_drw05_the_database_opens_nothing_before_the_hour_and_no_run_without_its_row(drawn_town):
    town = drawn_town
    town.sign(town.checked)
    early = "UPDATE publication SET opened_at = hour - interval '1 second', offers = 0"
    with pytest.raises(IntegrityError, match="not_before_the_hour"), town.session.begin_nested():
        town.session.execute(text(early))
    with pytest.raises(IntegrityError, match="published by its publication"), town.session.begin_nested():
        town.session.execute(text("UPDATE run SET state = 'published', published_at = now()"))
    town.at(HOUR)
    town.open(town.checked)
    with pytest.raises(IntegrityError, match="never changes"), town.session.begin_nested():
        town.session.execute(text("UPDATE publication SET opened_at = opened_at + interval '1 hour'"))


def test_drw05_the_answers_are_due_from_the_hour(drawn_town):
    town = drawn_town
    town.the_round.confirm_by = at(6, 6)
    town.sign(town.checked)
    town.at(HOUR)
    town.open(town.checked)
    assert town.offer_for(town.ana).answer_by == at(6, 8, 17)


def test_drw05_a_second_opening_makes_nothing(drawn_town):
    town = drawn_town
    town.sign(town.checked)
    prepare_all(town.session, town.checked.id, by=town.city_pair()[0], now=town.now)
    assert count(town, PreparedOffer) == 2, "a second preparation adds nothing"
    town.at(HOUR)
    town.open(town.checked)
    with pytest.raises(Refused, match="run_is_over"):
        town.open(town.checked)
    assert (count(town, Offer), told(town)) == (2, 3)


def test_drw05_an_hour_that_has_passed_is_opened_as_soon_as_it_is_prepared(drawn_town):
    town = drawn_town
    town.at(HOUR + dt.timedelta(hours=3))
    assert hours.announcement(town.session, town.the_round, now=town.now).state == "unannounced"
    town.sign(town.checked)
    assert hours.announcement(town.session, town.the_round, now=town.now).state == "opening"
    assert town.open(town.checked) == 2


def test_drw05_a_correction_between_the_signatures_and_the_hour_stops_the_opening(drawn_town):
    town = drawn_town
    town.sign(town.checked)
    request = town.requests_correction(town.ana, "facts", fact=Fact.HUKOU_AREA, hukou_area="510105")
    town.one_agrees(request)
    opening.refuse_early(town.session, town.checked.id, now=town.now)
    assert publication(town).refusal == "snapshot_outdated"
    assert told(town, "publication_refused") >= 2, "both officials of the city are told, hours before"
    notice = town.session.scalars(select(Notice).where(Notice.kind == "publication_refused")).first()
    for language, named in (("zh", "“主批次”的结果没有公布"), ("en", "The result of “Main round” was not published")):
        assert notice_words(notice.kind, notice.params, in_language=language).startswith(named)
    assert hours.announcement(town.session, town.the_round, now=town.now).state == "delayed"
    town.at(HOUR)
    with pytest.raises(Refused, match="snapshot_outdated"):
        town.open(town.checked)
    opening.refuse(town.session, town.checked.id, Refused("snapshot_outdated"), now=town.now)
    assert count(town, Offer) == 0

    # The run is revoked with its reason, the list is frozen again, and families are told of the new hour.
    by, new = town.city_pair()[0], at(6, 6, 9)
    runs.set_aside(town.session, town.checked.id, reason="户口更正", by=by, now=town.now)
    assert count(town, PreparedOffer) == 0
    hours.change(town.session, town.the_round.id, hour=new, reason="更正名单", by=by, now=town.now)
    assert told(town, "new_hour") == 3
    dates = calendar.spans(town.season())
    assert dates["result"][0] == dates["confirmation"][0] == new
    town.everyone_is_reviewed()
    town.freeze(reason="更正")
    town.checked = town.run()
    town.sign(town.checked)
    town.at(new)
    assert town.open(town.checked) == 2


def test_drw05_a_withdrawal_before_the_hour_gets_no_offer_and_the_list_stays(drawn_town):
    town = drawn_town
    town.sign(town.checked)
    town.withdraw_after_the_draw(town.ana)
    town.at(HOUR)
    assert town.open(town.checked) == 1
    assert (town.offer_for(town.ana), told(town)) == (None, 2)


def test_drw05_a_replay_waits_for_the_next_morning_and_changed_answers_stop_it(drawn_town):
    town = drawn_town
    town.publish(town.checked)
    town.confirm(town.ana)
    town.decline(town.ben)
    town.at(at(6, 9, 10))
    again = replay.start(town.session, town.the_round.id, by=town.city_pair()[0], now=town.now)
    assert hours.hour_of(town.session, town.the_round) == at(6, 10, 9), "the next morning"
    runs.set_aside(town.session, again.id, reason="再来一次", by=town.city_pair()[0], now=town.now)
    again = town.replay(sign=False)
    town.sign(again)
    assert told(town, "place_offered") == 0
    town.withdraw_after_the_draw(town.cui)
    town.at(at(6, 10, 9))
    with pytest.raises(Refused, match="answers_changed"), town.session.begin_nested():
        town.open(again)
    assert town.offer_for(town.cui) is None


def test_drw05_a_signed_run_is_revoked_before_any_other_act(drawn_town):
    town, by = drawn_town, drawn_town.city_pair()[0]
    second = town.run()
    town.sign(town.checked)
    for act in (
        lambda: town.run(),
        lambda: town.freeze(reason="更正"),
        lambda: runs.sign(town.session, second.id, by=by, now=town.now),
    ):
        with pytest.raises(Refused, match="run_waits_for_its_hour"):
            act()
    with pytest.raises(Refused, match="say_why"):
        runs.set_aside(town.session, town.checked.id, reason=" ", by=by, now=town.now)
    runs.set_aside(town.session, town.checked.id, reason="见证人没有到场", by=by, now=town.now)
    town.at(HOUR)
    with pytest.raises(Refused, match="run_is_over"):
        town.open(town.checked)
    town.sign(second)
    assert town.open(second) == 2


def test_drw05_the_hour_changes_while_it_has_not_passed(drawn_town):
    town, by = drawn_town, drawn_town.city_pair()[0]
    change = {"by": by, "now": town.now}
    with pytest.raises(Refused, match="reason_needed"):
        hours.change(town.session, town.the_round.id, hour=at(6, 6), reason="", **change)
    with pytest.raises(Refused, match="hour_not_ahead"):
        hours.change(town.session, town.the_round.id, hour=at(6, 3), reason="公证处", **change)
    with pytest.raises(Refused, match="only_the_city"):
        hours.change(town.session, town.the_round.id, hour=at(6, 6), reason="x", by=town.area_official(), now=town.now)
    town.sign(town.checked)
    hours.change(town.session, town.the_round.id, hour=at(6, 6), reason="公证处", **change)
    assert publication(town).hour == at(6, 6)
    town.at(at(6, 6))
    with pytest.raises(Refused, match="hour_has_passed"):
        hours.change(town.session, town.the_round.id, hour=at(6, 7), reason="公证处", by=by, now=town.now)
    assert town.open(town.checked) == 2


@pytest.mark.parametrize(("hour", "step"), [(at(6, 16, 9), "supplementary"), (at(8, 30, 9), "supplementary")])
def test_drw05_an_hour_that_meets_another_step_of_the_calendar_is_refused_by_its_name(drawn_town, hour, step):
    """Families would read of a supplementary round before the result that it follows."""
    town, by = drawn_town, drawn_town.city_pair()[0]
    town.sign(town.checked)
    before = calendar.spans(seasons.of_year(town.session, 2026))
    with pytest.raises(Refused, match="hour_meets_step") as refused:
        hours.change(town.session, town.the_round.id, hour=hour, reason="公证处", by=by, now=town.now)
    assert refused.value.details["step"] == step
    town.session.expire_all()
    assert calendar.spans(seasons.of_year(town.session, 2026)) == before and publication(town).hour == HOUR
    latest = before["confirmation"][1] - dt.timedelta(hours=1)
    hours.change(town.session, town.the_round.id, hour=latest, reason="公证处", by=by, now=town.now)
    assert calendar.conflicts_of(calendar.spans(seasons.of_year(town.session, 2026))) == []


def test_drw05_no_official_alone_brings_a_result_forward_to_this_minute(drawn_town):
    """Everybody was told of another hour; both ways to change it keep an hour's notice."""
    town, by = drawn_town, drawn_town.city_pair()[0]
    town.sign(town.checked)
    soon = {"by": by, "now": town.now, "reason": "公证处"}
    with pytest.raises(Refused, match="hour_too_soon"):
        hours.change(town.session, town.the_round.id, hour=town.now + dt.timedelta(minutes=2), **soon)
    begins, ends = town.now + dt.timedelta(minutes=2), at(6, 12, 18)
    with pytest.raises(Refused, match="hour_too_soon"):
        calendar.move_date(town.session, 2026, "result", begins_at=begins, ends_at=ends, **soon)
    assert publication(town).hour == HOUR
    hours.change(town.session, town.the_round.id, hour=town.now + calendar.EARLIER_RESULT, **soon)
    assert publication(town).hour == town.now + calendar.EARLIER_RESULT


def test_drw05_a_page_from_before_the_hour_changed_signs_nothing(drawn_town):
    """An official signs what the page says: the result, and when everybody reads it."""
    town, (by, other) = drawn_town, drawn_town.city_pair()
    shown = hours.as_text(hours.hour_of(town.session, town.the_round))
    hours.change(town.session, town.the_round.id, hour=at(6, 6), reason="公证处", by=other, now=town.now)
    with pytest.raises(Refused, match="hour_changed_meanwhile"):
        run_signing.sign(town.session, town.checked.id, read=[run_signing.DIGEST], announced=shown, by=by, now=town.now)
    assert runs.signers(town.session, town.checked) == []


def test_drw05_a_date_moved_in_the_calendar_moves_the_hour_of_a_signed_run(drawn_town):
    town, by = drawn_town, drawn_town.city_pair()[0]
    town.sign(town.checked)
    later = (at(6, 5, 8), at(6, 12, 18))
    calendar.move_date(
        town.session, 2026, "result", begins_at=later[0], ends_at=later[1], reason="x", by=by, now=town.now
    )
    calendar_dates.follow(town.session, now=town.now)
    town.session.expire_all()
    assert publication(town).hour == later[0]


def moves_the_result(town, begins_at, **more):
    """First the confirmation, which does not begin before the result, then the result itself."""
    about = {"reason": "公证处", "by": town.city_pair()[0], "now": town.now, "accept_warnings": True}
    confirmation = calendar.spans(town.season())["confirmation"]
    if confirmation[0] < begins_at:
        span = {"begins_at": begins_at, "ends_at": confirmation[1]}
        calendar_dates.move_date(town.session, 2026, "confirmation", **span, **about)
    about = {"ends_at": at(6, 12, 18), **about, **more}
    return calendar_dates.move_date(town.session, 2026, "result", begins_at=begins_at, **about)


def test_drw05_a_date_moved_in_the_last_half_minute_is_the_hour(drawn_town):
    town = drawn_town
    town.sign(town.checked)
    town.at(HOUR - 30 * SECOND)
    moves_the_result(town, at(6, 6, 9))
    assert publication(town).hour == at(6, 6, 9)
    town.at(HOUR)
    with pytest.raises(Refused, match="before_the_hour"):
        town.open(town.checked)
    town.at(at(6, 6, 9))
    assert town.open(town.checked) == 2


def test_drw05_a_date_is_not_moved_while_the_result_is_being_opened(drawn_town):
    town = drawn_town
    town.sign(town.checked)
    for moment in (HOUR - SECOND, HOUR, HOUR + hours.OPENS_WITHIN - SECOND):
        town.at(moment)
        with pytest.raises(Refused, match="hour_has_passed"):
            moves_the_result(town, at(6, 6, 9))
    assert calendar.spans(town.season())["result"][0] == publication(town).hour == HOUR
    moves_the_result(town, HOUR, ends_at=at(6, 13, 18))  # another end is nobody's hour
    town.at(HOUR + hours.OPENS_WITHIN)  # nobody opened it: the worker does not run
    moves_the_result(town, at(6, 6, 9))
    assert publication(town).hour == at(6, 6, 9)


def test_drw05_a_result_that_was_not_opened_follows_the_date_when_it_is_prepared_again(drawn_town):
    town = drawn_town
    town.sign(town.checked)
    town.at(HOUR)
    opening.refuse(town.session, town.checked.id, Refused("places_changed"), now=town.now)
    moves_the_result(town, at(6, 6, 9))
    requests.prepare_again(town.session, town.checked.id, by=town.city_pair()[0], now=town.now)
    prepare_all(town.session, town.checked.id, by=town.city_pair()[0], now=town.now)
    assert (publication(town).hour, publication(town).refusal) == (at(6, 6, 9), None)
    with pytest.raises(Refused, match="before_the_hour"):
        town.open(town.checked)


def test_drw05_the_clock_gives_a_row_that_was_left_behind_the_announced_hour(drawn_town):
    town = drawn_town
    town.sign(town.checked)
    town.at(HOUR)
    opening.refuse(town.session, town.checked.id, Refused("places_changed"), now=town.now)
    town.session.execute(text("UPDATE season_date SET begins_at = :at WHERE step = 'result'"), {"at": at(6, 6, 9)})
    town.session.expire_all()
    calendar_dates.follow(town.session, now=town.now)
    assert (publication(town).hour, publication(town).refusal) == (at(6, 6, 9), None)


def test_drw05_a_second_main_round_has_an_hour_of_its_own(drawn_town):
    """The calendar's date is that of the first; a second main round is announced for the next morning, and its hour moves alone."""
    town, by = drawn_town, drawn_town.city_pair()[0]
    town.publish(town.checked)
    town.the_round.results_at = None
    dates = calendar.spans(town.season())
    second = Round(
        year=2026, number=2, kind=RoundKind.MAIN, name="第二批", stage=RoundStage.DRAWN, opens_at=at(6, 6), closes_at=at(6, 7),
        confirm_by=at(6, 20),
    )  # fmt: skip
    town.session.add(second)
    town.session.flush()
    town.at(at(6, 8, 10))
    frozen = town.session.get_one(Snapshot, town.checked.snapshot_id)
    copied = {each: getattr(frozen, each) for each in ("commitment", "market", "children", "wishes", "made_by")}
    snapshot = Snapshot(id=uuid.uuid4(), round_id=second.id, number=1, made_at=town.now, **copied)
    town.session.add(snapshot)
    town.session.flush()
    run = runs.add(town.session, second.id, snapshot.id, by=by, now=town.now)
    run.state, run.digest = RunState.CHECKED, "d" * 64
    town.session.flush()
    assert [runs.sign(town.session, run.id, by=each, now=town.now) for each in town.city_pair()] == [1, 2]
    assert (run.state, hours.publication_of(town.session, run.id).hour) == (RunState.SIGNED, at(6, 9, 9))
    hours.change(town.session, second.id, hour=at(6, 9, 15), reason="公证处", by=by, now=town.now)
    assert hours.publication_of(town.session, run.id).hour == at(6, 9, 15)
    assert calendar.spans(town.season()) == dates


def test_drw05_the_second_signature_of_the_page_enqueues_the_preparation(drawn_town):
    town = drawn_town
    assert [requests.sign(town.session, town.checked.id, by=by, now=town.now) for by in town.city_pair()] == [1, 2]
    assert count(town, PreparedOffer) == 0
    town.at(HOUR)
    with pytest.raises(Refused, match="not_prepared_yet"):
        town.open(town.checked)


def test_drw05_a_round_whose_children_hold_places_is_opened_from_shortly_before_its_hour(town, monkeypatch):
    """Their offers are locked meanwhile, and a family waits ten seconds for a lock."""
    monkeypatch.setattr(hours, "CHILDREN_PER_SECOND", 0.01)  # a city's round
    garden, other = town.kindergarten("金苹果", places=1), town.kindergarten("海棠", places=2)
    ana, ben = (town.child(name, wishes=[garden]) for name in ("安娜", "本本"))
    town.everyone_is_reviewed()
    town.freeze()
    town.seed_in_order(ana, ben)
    assert hours.lead(town.session, town.run()) == hours.LONGEST_LEAD
    town.publish()
    town.silence_if_any()
    town.round(kind="supplementary")
    town.open_registration()
    for child in (ana, ben):
        town.wish(child, other)
    town.everyone_is_reviewed()
    town.freeze()
    run = town.run()
    assert run.replays is None
    assert hours.lead(town.session, run) == hours.LONGEST_LEAD_WITH_OFFERS < dt.timedelta(seconds=10)
