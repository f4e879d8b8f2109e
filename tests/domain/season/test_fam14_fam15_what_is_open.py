"""FAM14, FAM15: one answer to "what is open for this child, and what comes next"; rounds decide, the calendar announces."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications import applications, notifications, registration
from enrollment.applications.application_rows import Application
from enrollment.draw import round_opening
from enrollment.ground.errors import Refused
from enrollment.ground.jobs import Job
from enrollment.ground.outbox import Notice
from enrollment.offers import offers, round_notices, withdrawals
from enrollment.season import openings, rounds
from enrollment.season.openings import Opening
from portal.text.messages import notice_words
from tests.support.prepared import prepared
from tests.support.sender import send_notices
from tests.support.town_families import id_number
from tests.support.town_season import at

MIDDLE, LOWER, NURSERY, BABY, SCHOOL = (dt.date(year, 6, 1) for year in (2022, 2023, 2024, 2025, 2019))


def enter(town, born, year=2026, family=None):
    return registration.enter_child(
        town.session,
        year,
        name="孩子",
        id_kind="resident",
        id_number=id_number(born),
        relation="mother",
        by=(family or town.family("李")).actor,
        now=town.now,
    )


def refusal_of(town, born, year=2026):
    """The refusal of a child; no draft is left behind."""
    with pytest.raises(Refused) as refused, town.session.begin_nested():
        enter(town, born, year)
    assert town.session.scalars(select(Application)).all() == []
    return refused.value


@prepared
def open_town(town):
    town.kindergarten("金苹果", places=1)
    town.open_registration()
    return town


def test_fam14_each_age_has_its_own_true_refusal_and_no_draft(open_town):
    assert (refusal_of(open_town, MIDDLE).code, refusal_of(open_town, SCHOOL).code) == (
        "no_registration_for_level",
        "no_level_for_age",
    )
    assert refusal_of(open_town, MIDDLE).details["level"] == "middle"
    for born, first_year in ((NURSERY, 2027), (BABY, 2028)):
        young = refusal_of(open_town, born)
        assert (young.code, young.details["first_year"]) == ("too_young", first_year)
    assert enter(open_town, LOWER).level == "lower"


def test_fam14_a_child_too_young_is_told_the_date_when_that_year_is_announced(open_town):
    open_town.prepared_season(2027)
    assert refusal_of(open_town, NURSERY).code == "too_young"
    open_town.announce(2027)
    young = refusal_of(open_town, NURSERY)
    assert (young.code, young.details["opens"]) == ("too_young_until", at(5, 21, year=2027))


def test_fam14_no_level_has_a_registration_before_any_round_is_planned(town):
    town.season()
    assert refusal_of(town, LOWER).code == "no_registration_for_level"


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (at(6, 3), "registration_over_expected"),
        (at(6, 16), "registration_over_late"),
        (at(6, 20), "registration_over"),
    ],
)
def test_fam14_after_the_deadline_no_draft_begins_and_the_next_date_is_named(open_town, moment, code):
    open_town.close_registration()
    open_town.at(moment)
    assert refusal_of(open_town, LOWER).code == code


def test_fam14_a_planned_supplementary_round_takes_drafts_again(open_town):
    open_town.close_registration()
    open_town.round(kind="supplementary")
    assert enter(open_town, LOWER).stage == "draft"


def test_fam14_a_withdrawn_application_is_not_taken_up_again_after_the_deadline(open_town):
    """A stale page still shows the button."""
    draft = enter(open_town, LOWER)
    open_town.withdraw(draft)
    by = open_town.parent_of(draft)
    open_town.close_registration()
    with pytest.raises(Refused, match="registration_over"):
        applications.start(open_town.session, draft.child_id, 2026, by=by, now=open_town.now)
    assert draft.stage == "withdrawn"


def test_fam14_a_draft_does_not_change_to_a_level_without_registration(open_town):
    draft = enter(open_town, LOWER)
    with pytest.raises(Refused, match="no_registration_for_level"):
        registration.correct_child(
            open_town.session,
            draft.id,
            name="孩子",
            id_kind="resident",
            id_number=id_number(MIDDLE),
            relation="mother",
            by=open_town.parent_of(draft),
            now=open_town.now,
        )


def chance(town, year=2026, level="lower"):
    return openings.next_chance(town.session, year, level, now=town.now)


def test_fam15_the_next_chance_follows_the_rounds_and_then_the_calendar(open_town):
    town = open_town
    assert (chance(town).opening, chance(town).kind) == (Opening.OPEN, "main")
    assert chance(town, level="middle").opening == Opening.NONE
    town.close_registration()
    told = chance(town)
    assert (told.opening, told.round, told.begins_at) == (Opening.EXPECTED, None, at(6, 15))
    town.at(at(6, 16))
    assert chance(town).opening == Opening.LATE
    later = {"opens_at": at(6, 17), "closes_at": at(6, 19), "confirm_by": at(6, 25)}
    town.round(kind="supplementary", **later)
    told = chance(town)
    assert (told.opening, told.kind, told.begins_at) == (Opening.COMING, "supplementary", at(6, 17))
    town.at(at(6, 18))
    assert chance(town).opening == Opening.LATE, "planned, its time has come, and nobody opened it"
    town.open_registration()
    assert chance(town).opening == Opening.OPEN
    town.at(at(6, 20)).close_registration()
    assert chance(town).opening == Opening.NONE


def test_fam15_a_round_that_is_open_before_its_date_is_coming(town):
    """Opened by the officials on the day before: registration has not begun, and is not over either."""
    town.kindergarten("金苹果", places=1)
    planned = town.round(opens_at=town.now + dt.timedelta(days=1))
    town.policy("510104")
    round_opening.open_round(town.session, planned.id, by=town.city_pair()[0], now=town.now)
    times = openings.window(town.session, 2026, "lower", now=town.now)
    assert (times.open, times.coming, times.last) == (None, planned, None)


def test_fam15_two_seasons_overlap_and_a_child_has_one_application_in_each(open_town):
    """2026's supplementary round and arrivals go on while 2027's main round is open."""
    town = open_town
    lower_of_2027 = dt.date(2024, 3, 1)
    town.close_registration()
    supplementary = town.open_registration(
        kind="supplementary", opens_at=at(5, 20, year=2027), closes_at=at(6, 10, year=2027),
        confirm_by=at(6, 20, year=2027), levels=["lower", "middle"],
    )  # fmt: skip
    town.season(2027)
    town.kindergarten("银杏", places=1, year=2027)
    town.at(at(5, 22, year=2027))
    main = town.open_registration(levels=["lower", "middle"])
    assert [(season.year, one.id) for season, one in openings.open_rounds(town.session, now=town.now)] == [
        (2027, main.id),
        (2026, supplementary.id),
    ]
    assert [season.year for season in openings.years_to_register(town.session, now=town.now)] == [2027, 2026]
    family = town.family("李")
    elder = enter(town, LOWER, 2026, family)
    again = applications.start(town.session, elder.child_id, 2027, by=family.actor, now=town.now)
    assert (elder.year, elder.level, again.year, again.level) == (2026, "lower", 2027, "middle")
    assert applications.start(town.session, elder.child_id, 2027, by=family.actor, now=town.now).id == again.id
    younger = enter(town, lower_of_2027, 2027, family)
    assert (younger.year, younger.level) == (2027, "lower")
    with pytest.raises(Refused, match="too_young"):
        applications.start(town.session, younger.child_id, 2026, by=family.actor, now=town.now)
    of_one_year = enter(town, lower_of_2027, 2027, town.family("张"))
    about = [elder.id, younger.id, of_one_year.id]
    notifications.notify_guardians(town.session, "result_published", about, now=town.now)
    texts = {
        each.season: notice_words(each.code, each.params, in_language="zh", season=each.season)
        for each in send_notices(town.session, town.now)
        if each.code == "result_published"
    }
    assert texts.keys() == {2026, 2027, None}, "only a family with two years has to be told which one"
    assert texts[2026].startswith("2026 年秋季：派位结果") and texts[None].startswith("派位结果")


def told(town, round_) -> set:
    """Whose guardians the job of the opening tells."""
    round_notices.tell_round_open(town.session, round_.id, now=town.now)
    rows = town.session.scalars(select(Notice).where(Notice.kind == "round_open")).all()
    return {row.application_id for row in rows}


def test_fam15_those_without_a_place_are_told_once_when_a_supplementary_round_opens(town):
    """Not placed, declined, missed; not those who hold a place."""
    garden = town.kindergarten("一园", places=2)
    placed, declines, unplaced = (town.child(name, wishes=[garden]) for name in ("安娜", "本", "科林"))
    missed = town.child("丹", submit=False)
    town.drawn(placed, declines, unplaced)
    town.decline(declines)
    town.at(at(6, 14))
    planned = town.round(kind="supplementary")
    opened = town.open_registration()
    assert opened.id == planned.id
    job = town.session.scalars(select(Job).where(Job.kind == "tell_round_open")).one()
    assert (job.due_at, job.args) == (opened.opens_at, {"round_id": str(opened.id)})
    wanted = {declines.id, unplaced.id, missed.id}
    assert told(town, opened) == wanted
    first = town.session.scalars(select(Notice).where(Notice.kind == "round_open")).first()
    for language, named in (("zh", "“补录”现在开放登记"), ("en", "“Supplementary round” is open until")):
        assert notice_words(first.kind, first.params, in_language=language).startswith(named)
    count = len(town.session.scalars(select(Notice).where(Notice.kind == "round_open")).all())
    assert told(town, opened) == wanted
    assert len(town.session.scalars(select(Notice).where(Notice.kind == "round_open")).all()) == count == 3
    town.at(opened.closes_at)
    assert round_notices.tell_round_open(town.session, opened.id, now=town.now) is None
    assert rounds.rounds_of_year(town.session, 2026)[-1].kind == "supplementary"


def test_who_has_no_place_and_no_wish_is_reminded_once_before_the_supplementary_round_ends(town):
    garden = town.kindergarten("一园", places=2)
    placed, declines, wishes, silent = (town.child(name, wishes=[garden]) for name in ("安娜", "本", "科林", "多拉"))
    draft = town.child("丹", submit=False)
    town.drawn(placed, declines, wishes, silent)
    town.decline(declines)
    town.at(at(6, 14))
    town.round(kind="supplementary")
    opened = town.open_registration()
    town.wish(wishes, garden, round_=opened)
    for _twice in range(2):
        assert round_notices.remind_without_wishes(town.session, opened.id, now=town.now) is None
        rows = town.session.scalars(select(Notice).where(Notice.kind == "wishes_missing")).all()
        assert {row.application_id for row in rows} == {declines.id, silent.id}, "a draft has a reminder of its own"
        assert len(rows) == 2
    assert draft.id not in {row.application_id for row in rows}
    first = round_notices.remind_without_wishes(town.session, opened.id, now=town.now, limit=1)
    assert first == min(declines.id, silent.id), "one batch after the other"
    words = notice_words("wishes_missing", rows[0].params, in_language="zh")
    assert words.startswith("“补录” 6月19日 18:00 截止") and "还没有填志愿" in words
    for params in (rows[0].params, {"name": "补录", "until": rows[0].params["until"]}):  # and one of an earlier release
        english = notice_words("wishes_missing", params, in_language="en")
        assert english.startswith("“Supplementary round” closes on 19 June, 18:00")
    town.at(opened.closes_at)
    assert round_notices.remind_without_wishes(town.session, opened.id, now=town.now) is None


def test_a_main_round_reminds_nobody_of_missing_wishes(town):
    """Who has handed in has wishes there; a later main round of the year is not theirs."""
    town.child("安娜", wishes=[town.kindergarten("一园", places=2)])
    assert round_notices.remind_without_wishes(town.session, town.the_round.id, now=town.now) is None
    assert town.session.scalars(select(Notice.kind).where(Notice.kind == "wishes_missing")).all() == []


def test_fam15_who_withdrew_is_told_that_it_can_apply_again_and_nothing_once_the_consent_is_withdrawn(town):
    """A family that withdrew its consent cannot apply again, and its data are used for no further message.

    Nor does a family hear of the round that withdrew after it had confirmed a place: it left, or lost the child.
    """
    garden = town.kindergarten("一园", places=1)
    placed, waits, withdraws, leaves = (town.child(name, wishes=[garden]) for name in ("安娜", "本", "科林", "丹"))
    town.drawn(placed, waits, withdraws, leaves)
    town.withdraw_after_the_draw(withdraws)
    withdrawals.withdraw_consent(town.session, by=town.parent_of(leaves), now=town.now)
    offers.confirm(town.session, town.offer_for(placed).id, wait=False, by=town.parent_of(placed), now=town.now)
    town.withdraw_after_the_draw(placed)
    assert {each.stage for each in (placed, withdraws, leaves)} == {"withdrawn"}
    town.at(at(6, 14))
    town.round(kind="supplementary")
    opened = town.open_registration()
    assert told(town, opened) == {waits.id}
    again = town.session.scalars(select(Notice).where(Notice.kind == "round_open_again")).all()
    assert {row.application_id for row in again} == {withdraws.id}
    assert told(town, opened) == {waits.id}
    assert len(town.session.scalars(select(Notice).where(Notice.kind == "round_open_again")).all()) == len(again)
    assert town.apply_again(withdraws).stage == "draft"
    assert openings.window(town.session, 2026, withdraws.level, now=town.now).open == opened
