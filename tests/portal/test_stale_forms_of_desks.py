"""A form of the staff or an official that another person has overtaken: it stands beside what is newer and can be sent."""

import datetime as dt

import pytest
from bs4 import BeautifulSoup
from wtforms import HiddenField

from enrollment.corrections import reinstatements
from enrollment.draw.publication import hours
from enrollment.draw.unserved import explanations
from enrollment.open_days import days
from enrollment.open_days.days import DayPlan, SlotPlan
from enrollment.places import ledger, pools
from enrollment.places.grades import code_list
from enrollment.places.grades.code_list import GradeNames
from enrollment.places.measures import library, ramps
from enrollment.places.measures.rows import MeasureKind
from enrollment.places.pools import PoolPlan
from enrollment.places.roll_changes import counts
from enrollment.review import case_reassignment, cases, refusals
from enrollment.season import calendar, deadline_extensions
from portal.web.forms import PageForm
from tests.portal.parents.desk import filled
from tests.support import planned_town
from tests.support.signing_in import hidden_fields, sign_in
from tests.support.town_season import at


class StaleForm:
    """A page `path` of the person `by` that posts to `action` what was `typed`; meanwhile `overtake()` saves something else.

    The page that comes back says `newer`, and `field` (a selector) keeps what was typed.
    """

    def __init__(self, by, path, typed, overtake, newer, field, action=None):
        self.by, self.path, self.action, self.typed = by, path, action or path, typed
        self.overtake, self.newer, self.field = overtake, newer, field

    def hidden(self, html: str) -> dict[str, str]:
        """The hidden fields of the form; of the first one where the page does not name where it posts to."""
        named = BeautifulSoup(html, "lxml").select(f'main form[action="{self.action}"]')
        return hidden_fields(html, self.action if named else None)


def place_plan(town) -> StaleForm:
    garden = town.kindergarten("锦官新城幼儿园", places=25)
    numbers = {"planned_classes": 2, "staffed_classes": 2, "class_norm": 25, "continuing": 0, "withheld": 0}

    def overtake():
        other = dict(numbers, continuing=3)
        ledger.propose_level(
            town.session, garden.id, "lower", 2026, by=town.head_of(garden), now=town.now, reason="另一位",
            version=None, **other,
        )  # fmt: skip
        town.session.flush()
        ledger.approve_kindergarten(town.session, garden.id, 2026, by=town.area_official(), now=town.now)

    path = "/staff/places/lower"
    action = f"{path}?at={garden.id}&year=2026"
    typed = {name: str(value) for name, value in numbers.items()} | {"reason": "旧页面"}
    return StaleForm(town.clerk_of(garden), path, typed, overtake, "升班在园人数|3", "#reason", action)


def first_place_plan(town) -> StaleForm:
    """The level has no programme on the page; the other person's proposal makes it."""
    garden = town.kindergarten("锦官新城幼儿园")
    numbers = {"planned_classes": 2, "staffed_classes": 2, "class_norm": 30, "continuing": 0, "withheld": 0}

    def overtake():
        ledger.propose_level(
            town.session, garden.id, "middle", 2026, by=town.head_of(garden), now=town.now, reason="另一位",
            version=ledger.NO_PROGRAMME, **dict(numbers, continuing=3),
        )  # fmt: skip

    path = "/staff/places/middle"
    action = f"{path}?at={garden.id}&year=2026"
    typed = {name: str(value) for name, value in numbers.items()} | {"reason": "旧页面"}
    return StaleForm(town.clerk_of(garden), path, typed, overtake, "升班在园人数|3", "#reason", action)


def plan_sent_back(town) -> StaleForm:
    garden = town.kindergarten("锦官新城幼儿园", places=25)
    clerk = town.clerk_of(garden)

    def propose(classes):
        ledger.propose(
            town.session, town.programme_of(garden).id, by=clerk, now=town.now, reason="新开小班",
            planned_classes=classes, staffed_classes=classes,
        )  # fmt: skip

    propose(2)
    path = f"/officials/2026/places/{garden.id}"
    typed = {"remark": "请补教师名单"}
    newer = "小班 · 计划班数|3"
    return StaleForm(town.area_official(), path, typed, lambda: propose(3), newer, "#remark", f"{path}/send-back")


def class_count(town) -> StaleForm:
    garden = town.kindergarten("锦官新城幼儿园")
    kept, clerk = town.roll(garden, "lower", 20), town.clerk_of(garden)

    def overtake():
        told = {"children": 22, "day": town.now.date(), "reason": "另一位"}
        counts.enter(town.session, kept.id, **told, by=town.head_of(garden), now=town.now)

    path = f"/staff/roll/classes/{kept.id}"
    typed = {"children": "21", "day": str(town.now.date()), "reason": "旧页面"}
    return StaleForm(clerk, path, typed, overtake, "在园人数|22", "#reason", f"{path}/count")


def reserved_places(town) -> StaleForm:
    garden = town.kindergarten("锦官新城幼儿园", places=25)
    official = town.area_official()
    row = {"name": "特需", "places": "1", "groups": ["special_need"], "unclaimed": "open"}
    typed = {f"pools-0-{name}": value for name, value in row.items()} | {"reason": "旧", "sure": "y", "act": "save"}

    def overtake():
        care = PoolPlan(code="policy_care", name="政策照顾", places=10, groups=["policy_care"], unclaimed="open")
        programme = town.programme_of(garden)
        pools.set_pools(town.session, programme.id, [care], by=official, now=town.now, reason="本区规定")

    path = f"/officials/2026/places/{garden.id}/lower/pools"
    return StaleForm(official, path, typed, overtake, "政策照顾|10 个学位", "[name=pools-0-name]")


def season_date(town) -> StaleForm:
    town.season()
    first, second = town.city_pair()

    def overtake():
        calendar.move_date(
            town.session, 2026, "result", begins_at=at(6, 5), ends_at=at(6, 13, 18), reason="一", by=second,
            now=town.now, accept_warnings=True,
        )  # fmt: skip

    typed = {"begins_at": "2026-06-05T09:00", "ends_at": "2026-06-14T18:00", "reason": "二", "accept_warnings": "y"}
    return StaleForm(first, "/officials/2026/season/result", typed, overtake, "结束|6月13日", "#reason")


def deadline(town) -> StaleForm:
    town.kindergarten("锦官新城幼儿园", places=25)
    town.open_registration()
    first, second = town.city_pair()

    def overtake():
        deadline_extensions.extend(
            town.session, town.the_round.id, closes_at=at(5, 30, 18), reason="系统维护", by=second, now=town.now
        )

    typed = {"closes_at": "2026-05-31T18:00", "reason": "二"}
    path = f"/officials/2026/rounds/{town.the_round.id}/extend"
    return StaleForm(first, path, typed, overtake, "登记截止|5月30日 18:00", "#reason")


def announced_hour(town) -> StaleForm:
    """Two tabs: the older one would announce its own hour, and tell every family again."""
    town.child("安娜", wishes=[town.kindergarten("锦官新城幼儿园", places=1)])
    town.close_registration()
    first, second = town.city_pair()

    def overtake():
        hours.change(town.session, town.the_round.id, hour=at(6, 5, 10), reason="公证处改期", by=second, now=town.now)

    typed = {"hour": "2026-06-06T09:00", "reason": "旧页"}
    path = f"/officials/2026/rounds/{town.the_round.id}/hour"
    return StaleForm(first, path, typed, overtake, "公布时间|6月5日 10:00", "#reason")


def correction(town) -> StaleForm:
    garden = town.kindergarten("锦官新城幼儿园", places=2)
    ana = town.child("安那", wishes=[garden])
    town.drawn(ana)
    request = town.requests_correction(ana, "name", name="安娜")
    clerk, head = town.desk_pair(ana)

    def overtake():
        town.agrees(request, clerk)

    typed = {"reason": "与原件相符", "act": "agree"}
    return StaleForm(head, f"/staff/corrections/{request.id}", typed, overtake, "第一人同意|", "#reason")


def measure(town) -> StaleForm:
    town.kindergarten("锦官新城幼儿园")
    kept = planned_town.measure(town, MeasureKind.BUILD, 90, 900)
    first, second = town.city_official(), town.city_official()

    def overtake():
        values = library.Values(
            name="另一位改的", kind=MeasureKind.BUILD, area="510104", kindergarten="", nature="public", places=120, cost=950,
            yearly=0, earliest_year=2027, lead_years=2,
        )  # fmt: skip
        library.change(town.session, kept.id, values, version=1, by=second, now=town.now)

    typed = {"name": "我改的", "kind": "build", "area": "510104", "places": "60", "cost": "700", "nature": "public"}
    return StaleForm(first, f"/officials/2026/planning/measures/{kept.id}", typed, overtake, "学位|120", "#name")


def measure_ramps(town) -> StaleForm:
    first, second = town.city_pair()

    def overtake():
        changed = {"build": (20, 50, 80)}
        ramps.change(town.session, changed, version=0, by=second, now=town.now)

    return StaleForm(
        first, "/officials/2026/planning/measures/ramps", {"build_first": "30"}, overtake, "新建|20% · 50% · 80%", "#build_first"
    )  # fmt: skip


def grade(town) -> StaleForm:
    first, second = town.city_pair()
    code_list.add(town.session, GradeNames("市一级", "City 1", False), by=first, now=town.now)

    def overtake():
        code_list.change(town.session, "g1", GradeNames("市一级园", "City 1", True), version=1, by=second, now=town.now)

    path = "/officials/2026/quality/grades/g1"
    typed = {"name": "成都市一级", "name_en": "City grade 1", "in_use": "y"}
    return StaleForm(first, path, typed, overtake, "中文名称|市一级园", "#name")


def open_day(town) -> StaleForm:
    garden = town.kindergarten("锦官新城幼儿园")
    clerk, times = town.clerk_of(garden), {"begins": dt.time(9), "ends": dt.time(10), "places": 5}

    def plan(id=None, where="大门"):
        return DayPlan(dt.date(2026, 5, 30), where, "", [SlotPlan(id, **times)])

    day = days.publish(town.session, garden.id, plan(), by=clerk, now=town.now)

    def overtake():
        other = plan(day.slots[0].id, "南门")
        days.change(town.session, day.id, other, version=1, by=town.head_of(garden), now=town.now)

    path = f"/staff/open-days/{day.id}/change"
    return StaleForm(clerk, path, {"meeting_point": "北门"}, overtake, "在哪里集合|南门", "#meeting_point")


def unserved_child(town) -> StaleForm:
    garden = town.kindergarten("锦官新城幼儿园", places=1)
    ana, ben = (town.child(name, wishes=[garden]) for name in ("安娜", "本本"))
    town.drawn(ana, ben)
    first, second = town.area_official(), town.area_official()

    def overtake():
        explanations.explain(town.session, 2026, ben.id, "elsewhere", seen=None, by=second, now=town.now)

    path = f"/officials/2026/unplaced/children/{ben.id}"
    typed = {"code": "waits", "text": "家庭说继续候补"}
    return StaleForm(first, path, typed, overtake, "为什么没有学位|去了别的幼儿园", "#text", f"{path}/explain")


def case_officer(town) -> StaleForm:
    garden = town.kindergarten("锦官新城幼儿园", places=1)
    ana = town.child("安娜", wishes=[garden])
    officials = {each.account_id: each for each in (town.area_official(), town.area_official(), town.area_official())}
    stranger = town.family("陌")
    case = cases.open_dispute(
        town.session, child_name="安娜", id_kind="resident", id_number=ana.child.id_number, text="我的", by=stranger.actor,
        now=town.now,
    )  # fmt: skip
    first, second = (each for each in officials if each != case.officer_id)

    def overtake():
        case_reassignment.reassign(
            town.session, case.id, first, seen=case.officer_id, by=officials[first], now=town.now
        )

    path = f"/officials/2026/cases/{case.id}"
    typed = {"officer": str(second)}
    field = "[name=officer][checked]"
    return StaleForm(officials[second], path, typed, overtake, "负责人|区教育局经办", field, f"{path}/officer")


def refused_application(town) -> StaleForm:
    garden = town.kindergarten("锦官新城幼儿园", places=2)
    ana = town.child("安娜", wishes=[garden])
    proposal = town.clerk_proposes_refusal(ana)
    refusals.decide_refusal(town.session, proposal.id, upheld=True, by=town.head_of(garden), now=town.now)
    first, second = town.area_official(), town.area_official()

    def overtake():
        reinstatements.reinstate(town.session, ana.id, reason="户口簿属实", by=first, now=town.now)

    path = f"/officials/2026/cases/reinstatements/{ana.id}"
    typed = {"reason": "与原件相符", "sure": "y"}
    return StaleForm(second, path, typed, overtake, "第一个人的签署|", "#reason")


FORMS = {
    "ChildForm": unserved_child,
    "ReassignForm": case_officer,
    "MeasureForm": measure,
    "RampForm": measure_ramps,
    "OpenDayForm": open_day,
    "PlanForm": place_plan,
    "PlanForm of a level without a programme": first_place_plan,
    "CountForm": class_count,
    "SendBackForm": plan_sent_back,
    "PoolsForm": reserved_places,
    "DateForm": season_date,
    "ExtendForm": deadline,
    "HourForm": announced_hour,
    "GradeForm": grade,
    "DeskDecisionForm": correction,
    "ReinstateForm": refused_application,
}


@pytest.mark.parametrize("name", FORMS)
def test_p6_a_stale_form_of_a_desk_stands_beside_what_is_newer_and_can_be_sent(client, town, frozen_clock, name):
    case = FORMS[name](town)
    frozen_clock.set(town.now)
    town.session.commit()
    sign_in(client, case.by.account_id)
    old = filled(client.get(case.path)) | case.hidden(client.get(case.path).text) | case.typed
    case.overtake()
    town.session.commit()
    answer = client.post(case.action, data=old)
    assert answer.status_code == 409
    page = BeautifulSoup(answer.text, "lxml")
    assert case.newer in page.select_one("main [data-newer] dl").get_text("|", strip=True)
    kept = page.select_one(f"main {case.field}")
    assert (kept.get("value") or kept.text).strip() == str(old[kept["name"]])
    again = client.post(case.action, data=old | case.hidden(answer.text) | {"sure": "y"})
    assert again.status_code == 303, "the page that came back can be sent"


def test_p6_every_form_of_a_desk_with_a_version_is_among_them(whole_app):
    """A new form that carries what its page showed takes what is newer, and has a walk above."""
    desks = ("portal.staff", "portal.officials", "portal.web.shared_views")
    versioned = {
        each for each in _subclasses(PageForm) if each.__module__.startswith(desks) and _carries_what_it_saw(each)
    }
    lacking = {each.__name__ for each in versioned if each.take_newer is PageForm.take_newer}
    # the desks' decision is a subclass, and a family's goes back to the page of its request; a study is refused with its
    # form, which keeps what was typed, and its newer state is one link away (`test_laboratory_pages.py`, `test_planning_pages.py`);
    # in the word that a roll is complete, in the approval of plans and in an answer at the desk nothing is typed, and their pages
    # come back with what holds now (`test_coverage_desk.py`, `test_places.py`, `test_desk_pages.py`)
    approvals = {"RollForm", "ApprovalForm", "AreaForm", "AnswerForm"}
    assert lacking <= {"DecisionForm", "StudyActForm", "VariantForm", "PlanActForm", *approvals}
    assert {each.__name__ for each in versioned} - lacking == {name.partition(" ")[0] for name in FORMS}


def _carries_what_it_saw(form: type) -> bool:
    fields = (getattr(form, name, None) for name in ("version", "seen"))
    return any(getattr(field, "field_class", None) is HiddenField for field in fields)


def _subclasses(of: type) -> set[type]:
    return {each for one in of.__subclasses__() for each in (one, *_subclasses(one))}
