"""Nobody agrees alone to what somebody proposed who has lost the role for it since; it is proposed anew, and then agreed to."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from allocation.coverage import Percent
from enrollment.announcements import announcements
from enrollment.announcements.announcements import Texts
from enrollment.coverage import target_decisions
from enrollment.coverage.target_decisions import Source
from enrollment.coverage.targets import Targets, TargetScope
from enrollment.draw.seed import witness_sessions
from enrollment.draw.seed.witness_rows import SeedPart, WitnessOffice
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.errors import Refused
from enrollment.people.person_rows import Guardian
from enrollment.places import roll
from enrollment.places.plans import class_loss
from enrollment.places.roll_changes import classes, counts
from enrollment.reports.tables import exports, signed_returns
from enrollment.results import full_files
from enrollment.review import guardian_requests, refusals
from enrollment.review.guardian_requests import Paper
from enrollment.staff_accounts import changes
from enrollment.staff_accounts.rows import Change
from tests.support.staff_leaving import loses_the_role
from tests.support.town_helping import photo_of_a_paper
from tests.support.town_season import at

SAID = {"reason": "已核对"}


@dataclasses.dataclass
class Proposed:
    """`agree(row, person)` as the second person, and `anew()` what an office does about a proposal that nobody can answer for."""

    first: Actor
    row: Any
    agree: Callable[[Any, Actor], object]
    anew: Callable[[], Any]
    others: Callable[[], Actor] | None = None


def a_target(town):
    source = Source("普及普惠工作计划", "", dt.date(2026, 1, 5))

    def propose(by):
        wanted = Targets(Percent(5_100), Percent(8_200))
        span = {"in_force_from": dt.date(2026, 1, 1), "by": by, "now": town.now}
        return target_decisions.propose(town.session, 2026, TargetScope.CITY, wanted, source, **span)

    first = town.city_official()
    made = propose(first)

    def anew():
        target_decisions.withdraw(town.session, made.id, by=town.city_official(), now=town.now)
        return propose(town.city_official())

    return Proposed(first, made, lambda row, by: target_decisions.sign(town.session, row.id, by=by, now=town.now), anew)


def a_removal(town):
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)])
    father = town.second_guardian(ana).account.id
    guardian = town.session.scalars(select(Guardian).where(Guardian.account_id == father)).one()
    paper, asks = Paper(photo_of_a_paper()), {"protected": False, "text": "离婚", "by": town.parent_of(ana)}
    case = guardian_requests.request_removal(town.session, ana.id, guardian.id, paper, now=town.now, **asks)

    def propose(by):
        guardian_requests.propose_removal(town.session, case.id, by=by, now=town.now, **SAID)
        return case

    def agree(row, by):
        guardian_requests.confirm_removal(town.session, row.id, by=by, now=town.now, **SAID)

    first = town.area_official()
    return Proposed(first, propose(first), agree, lambda: propose(town.area_official()), town.area_official)


def a_refusal(town):
    garden = town.kindergarten("金苹果", places=2)
    ana, first = town.child("安娜", wishes=[garden]), town.clerk_of(garden)
    proposal = town.clerk_proposes_refusal(ana, by=first)

    def agree(row, by):
        refusals.decide_refusal(town.session, row.id, upheld=True, by=by, now=town.now)

    def anew():
        back = {"upheld": False, "note": "请重新提出", "by": town.area_official()}
        refusals.decide_refusal(town.session, proposal.id, now=town.now, **back)
        town.at(town.now + dt.timedelta(days=1))
        return town.clerk_proposes_refusal(ana, by=town.clerk_of(garden))

    return Proposed(first, proposal, agree, anew, town.area_official)


def a_return(town):
    here = town.kindergarten("锦官新城幼儿园", places=5)
    born = {"born": dt.date(2022, 3, 15), "year": 2026, "level": "lower", "class_name": "小一班"}
    town.child_on_roll(here, "刘小果", **born)
    town.at(at(9, 3, 10))

    def hand_in(by):
        return signed_returns.hand_in(town.session, "510104", 2026, by=by, now=town.now)

    def agree(row, by):
        signed_returns.sign(town.session, row.id, seen=row.digest, by=by, now=town.now)

    first = town.area_official()
    return Proposed(first, hand_in(first), agree, lambda: hand_in(town.area_official()), town.area_official)


def a_file_with_names(town):
    garden = town.kindergarten("锦官园", places=1)

    def ask(by):
        return exports.ask(town.session, "class_list", garden.id, 2026, reason="家长会", by=by, now=town.now)

    def agree(row, by):
        exports.decide(town.session, row.id, agreed=True, by=by, now=town.now)

    first = town.clerk_of(garden)
    return Proposed(first, ask(first), agree, lambda: ask(town.clerk_of(garden)), lambda: town.head_of(garden))


def an_account(town):
    clerk = town.clerk_of(town.kindergarten("锦官园", places=1)).account_id

    def ask(by):
        return changes.ask(town.session, clerk, Change.RESET, reason="手机丢失", by=by, now=town.now)

    def agree(row, by):
        changes.decide(town.session, row.id, agreed=True, by=by, now=town.now)

    first = town.city_official()
    return Proposed(first, ask(first), agree, lambda: ask(town.area_official()))


def a_lost_class(town):
    garden = town.kindergarten("金苹果", places=50)

    def report(by):
        about = {"classes": 1, "from_day": dt.date(2026, 9, 1), "reason": "教室", "solution": "another_room", "by": by}
        return class_loss.report(town.session, garden.id, "lower", 2026, now=town.now, **about)

    first = town.head_of(garden)
    loss = report(first)

    def agree(row, by):
        class_loss.sign(town.session, row.id, until_day=dt.date(2027, 8, 31), by=by, now=town.now)

    def anew():
        class_loss.send_back(town.session, loss.id, remark="请重新报告", by=town.area_official(), now=town.now)
        return report(town.head_of(garden))

    return Proposed(first, loss, agree, anew, town.area_official)


def a_number_of_a_class(town):
    garden = town.kindergarten("金苹果")
    first = town.clerk_of(garden)
    told = {"name": "小一班", "level": "lower", "school_year": 2025, "kept_as": "count"}
    kept = classes.open_class(town.session, garden.id, by=first, now=town.now, **told)

    def enter(by):
        day = roll.day_within(2025, town.now)
        told = {"children": 60, "day": day, "reason": "并入", "by": by, "now": town.now}
        return counts.enter(town.session, kept.id, **told)

    waiting = enter(first)

    def agree(row, by):
        counts.decide(town.session, row.number, agree=True, by=by, now=town.now)

    def anew():
        counts.decide(town.session, waiting.number, agree=False, by=town.head_of(garden), now=town.now)
        return enter(town.clerk_of(garden))

    return Proposed(first, waiting, agree, anew, lambda: town.head_of(garden))


def a_full_file(town):
    town.child("安娜", wishes=[town.kindergarten("锦官园", places=1)])
    run = town.drawn()

    def ask(by):
        about = {"kind": "notary", "recipient": "王敏", "reason": "核验", "by": by}
        return full_files.ask(town.session, run.id, now=town.now, **about)

    def agree(row, by):
        full_files.approve(town.session, run.id, row.id, by=by, now=town.now)

    first = town.city_official()
    return Proposed(first, ask(first), agree, lambda: ask(town.city_official()))


def a_witness(town):
    town.child("安娜", wishes=[town.kindergarten("锦官园", places=1)])
    town.everyone_is_reviewed()
    town.freeze()

    def request(by):
        about = {"name": "公证员甲", "office": WitnessOffice.NOTARY, "by": by, "now": town.now}
        return witness_sessions.request(town.session, town.the_round.id, SeedPart.CEREMONY, **about)[0]

    first = town.city_official()
    made = request(first)

    def anew():
        witness_sessions.revoke(town.session, made.id, by=town.city_official(), now=town.now)
        return request(town.city_official())

    return Proposed(
        first, made, lambda row, by: witness_sessions.approve(town.session, row.id, by=by, now=town.now), anew
    )


def an_announcement(town):
    texts = Texts("提醒", "Reminder", "请尽早提交。", "Please submit early.")
    first = town.city_official()
    made = announcements.write(town.session, None, texts, town.now, by=first, now=town.now)

    def agree(number, by):
        announcements.approve(town.session, made, number, by=by, now=town.now)

    def anew():
        announcements.correct(town.session, made, 1, texts, town.now, by=town.city_official(), now=town.now)
        return 2

    return Proposed(first, 1, agree, anew)


@pytest.mark.parametrize(
    "propose",
    [
        a_target, a_removal, a_refusal, a_return, a_file_with_names, an_account, a_lost_class, a_number_of_a_class,
        a_full_file, a_witness, an_announcement,
    ],
)  # fmt: skip
@pytest.mark.parametrize("disabled", [False, True])
def test_whoever_has_lost_the_role_is_not_the_first_of_two(town, propose, disabled):
    proposed = propose(town)
    second = (proposed.others or town.city_official)()
    if disabled:
        town.session.get_one(Account, proposed.first.account_id).disabled_at = town.now
        town.session.flush()
    else:
        loses_the_role(town, proposed.first)
    with pytest.raises(Refused, match="first_person_left"):
        proposed.agree(proposed.row, second)
    proposed.agree(proposed.anew(), second)
