"""What single columns of the reports count, and who may read those that are sensitive."""

import datetime as dt

from sqlalchemy import select

from enrollment.applications.application_rows import Application
from enrollment.chances.demand import Demand
from enrollment.eligibility import deadline_reminders, return_times
from enrollment.ground.accounts import Account
from enrollment.people.household_rows import HomeLikeness, Household
from enrollment.people.person_rows import Guardian, Guardianship
from enrollment.places import roll
from enrollment.places.roll_changes import classes, moves
from enrollment.places.staffing import counts as staff_counts
from enrollment.reports.tables import pairs, statistics, widths
from enrollment.reports.tables.catalogue import official_report_of
from enrollment.reports.tables.report import Question
from tests.support.prepared import prepared


def rows(town, code, by, *, decides=True, now=None, **where):
    """The rows of a report as an official reads it, by the codes of their columns."""
    question = Question(town.session, 2026, by, now or town.now, **where)
    table = widths.read_at(official_report_of(code), question, how="page", decides=decides)
    codes = [column.code for column in table.report.columns]
    assert table.unequal == ()
    return [dict(zip(codes, row, strict=True)) for row in table.rows]


@prepared
def waiting(town):
    """Two applications after registration: one of a disabled child."""
    town.here = town.kindergarten("锦官新城幼儿园", places=5)
    town.other = town.kindergarten("牡丹幼儿园", places=5)
    town.open_registration()
    town.ana = town.child("李沐晨", wishes=[town.here, town.other], grounds=["special_need"])
    town.ben = town.child("王小雨", wishes=[town.here])
    town.registration_is_over()
    return town


def test_the_demand_tells_yesterday_and_the_tiers(waiting):
    town = waiting
    programme = town.programme_of(town.here)
    counted = {"children": 34, "first": 20, "tiers": {"0": 22, "2": 12}}
    town.session.add(Demand(round_id=town.the_round.id, programme_id=programme.id, counted_at=town.now, **counted))
    town.session.get(Application, town.ben.id).submitted_at = town.now - dt.timedelta(minutes=1)
    town.session.flush()
    (line,) = rows(town, "demand", town.area_official(), kindergarten_id=town.here.id)
    assert (line["wish_1"], line["wish_1_yesterday"]) == (2, 1)
    assert line["by_tier"] == (("tier", {"tier": 1, "n": 22}), ("tier", {"tier": 3, "n": 12}))
    (city,) = rows(town, "demand", town.city_official())
    assert (city["wish_1"], city["wish_2"], "by_tier" in city) == (2, 1, False)


def test_returns_and_refusals_tell_what_followed(waiting):
    town = waiting
    town.clerk_sends_back(town.ben, "hukou_booklet")
    until = return_times.answer_until(town.session, town.ben, returned_at=town.ben.returned_at)
    assert deadline_reminders.remind_returned(town.session, now=until - dt.timedelta(hours=5)) == 1
    town.session.flush()
    official = town.area_official()
    (returned,) = rows(town, "returns", official, area="510104", now=until)
    assert returned["reminders"] == 1 and "child" not in returned and "note" not in returned
    town.clerk_proposes_refusal(town.ana)
    (refused,) = rows(town, "refusals", official, area="510104")
    assert (refused["clause"], refused["rests_on"], refused["outcome"]) == ("第四条", "home_place", "open")
    assert (refused["appeal"], refused["support_case"]) == (None, "yes"), "Article 17"
    (unnamed,) = rows(town, "refusals", official, area="510104", decides=False)
    assert not {"child", "rests_on", "support_case"} & unnamed.keys(), "nobody who only reads learns of it"
    claims = {row["code"]: row["claims"] for row in rows(town, "worklist", official, area="510104")}
    assert "special_need" in claims[town.ana.registration_code]
    assert "claims" not in rows(town, "worklist", official, area="510104", decides=False)[0]
    raw = rows(town, "applications", official, area="510104")
    assert sorted((row["kindergarten"].name, row["rank"]) for row in raw) == [
        ("牡丹幼儿园", 2), ("锦官新城幼儿园", 1), ("锦官新城幼儿园", 1),
    ]  # fmt: skip
    assert {row["stage"] for row in raw if row["code"] == town.ben.registration_code} == {"returned"}


def test_a_support_case_counts_earlier_ones_that_ended_elsewhere(waiting):
    town = waiting
    town.clerk_proposes_refusal(town.ana)
    (case,) = rows(town, "support_cases", town.area_official())
    assert (case["support_plan"], case["not_admitted_before"]) == ("no", 0)


@prepared
def placed(town):
    """Twins have both places of one kindergarten; of two single children one has the only place of another one."""
    here, other = town.kindergarten("锦官新城幼儿园", places=2), town.kindergarten("牡丹幼儿园", places=1)
    town.here, town.other = here, other
    town.open_registration()
    pair = town.twins("安娜", "安乐", wishes=[here])
    singles = [town.child(name, wishes=[other]) for name in ("李沐晨", "王小雨")]
    town.drawn(*pair, *singles)
    return town


def test_twins_and_single_children_by_their_first_wish(placed):
    town = placed
    found = {row["kindergarten"].name: row for row in rows(town, "by_wish", town.area_official(), area="510104")}
    twins, single = found["锦官新城幼儿园"], found["牡丹幼儿园"]
    assert [twins[code] for code in ("applicants", "unplaced", "bound", "bound_placed", "together")] == [2, 0, 2, 2, 2]
    assert (twins["bound_share"], twins["single_share"]) == ("100.00%", None)
    assert [single[code] for code in ("applicants", "unplaced", "single", "single_placed", "bound")] == [2, 1, 2, 1, 0]
    assert (single["single_share"], single["placed"]) == ("50.00%", 1)
    demand = {
        row["kindergarten"].name: row["wish_1"] for row in rows(town, "demand", town.area_official(), area="510104")
    }
    assert demand == {name: row["applicants"] for name, row in found.items()}


def test_a_child_of_two_rounds_counts_once_by_the_first_of_them(placed):
    """A supplementary round: one child wishes again, one comes new."""
    town = placed
    without = next(each for each in town.everybody() if town.offer_for(each) is None)
    town.silence_if_any()
    town.round(kind="supplementary")
    third = town.kindergarten("桂花幼儿园", places=3)
    town.open_registration()
    town.wish(without, third)
    town.child("晚晚", wishes=[third])
    first = {"锦官新城幼儿园": 2, "牡丹幼儿园": 2, "桂花幼儿园": 1}
    for code, column in (("demand", "wish_1"), ("by_wish", "applicants")):
        found = {row["kindergarten"].name: row[column] for row in rows(town, code, town.area_official(), area="510104")}
        assert found == first, code
        (city,) = rows(town, code, town.city_official())
        assert city[column] == len(town.everybody()) == 5


def test_a_place_above_the_classes_is_never_free_again(placed):
    """The reports say what a draw would give; a child that leaves its place above the classes leaves none behind."""
    town = placed
    programme = town.programme_of(town.here)
    programme.planned_classes, programme.staffed_classes, programme.places, programme.overhang = 0, 0, 0, 2
    programme.taken, programme.withheld = 1, 0
    town.session.flush()
    assert programme.places_for(0) == programme.free == 0
    where = {"kindergarten_id": town.here.id}
    official = town.area_official()
    assert rows(town, "ledger", official, **where)[0]["free"] == 0
    assert rows(town, "arrivals", official, **where)[0]["free"] == 0
    assert rows(town, "vacancies", official, **where) == []
    (limited,) = rows(town, "ledger", official, kindergarten_id=town.other.id)
    assert limited["limit"] == "plan", "the licence has room for more classes than are planned"


@prepared
def on_roll(town):
    town.here = town.kindergarten("锦官新城幼儿园", places=5)
    town.clerk = town.clerk_of(town.here)
    girl, boy = "510104202203153426", "510104202112012011"
    born = {"刘小果": (girl, dt.date(2022, 3, 15)), "陈一": (boy, dt.date(2021, 12, 1))}
    town.entries = {
        name: town.child_on_roll(town.here, name, id_number=number, born=day) for name, (number, day) in born.items()
    }
    town.roll(town.here, "upper", 30)
    return town


def test_the_roll_by_sex_and_age_and_its_movements(on_roll):
    town, official = on_roll, on_roll.area_official()
    lines = {row["class"]: row for row in rows(town, "on_roll", official, kindergarten_id=town.here.id)}
    named, counted = lines["中二班"], lines["大一班"]
    assert [named[code] for code in ("children", "girls", "boys", "age_3", "nature")] == [2, 1, 1, 2, "public"]
    assert [counted[code] for code in ("children", "sex_unknown", "age_unknown")] == [30, 30, 30]
    (area,) = rows(town, "on_roll", official, area="510104")
    assert (area["children"], area["girls"]) == (32, 1)
    (city,) = rows(town, "on_roll", town.city_official())
    assert city["children"] == 32 and "girls" not in city, "no number is opened for the whole city"

    act = {"by": town.clerk, "now": town.now}
    told = {"name": "中三班", "level": "middle", "school_year": 2025, "kept_as": "rows"}
    new = classes.open_class(town.session, town.here.id, **told, **act)
    moves.change_class(town.session, town.entries["陈一"].id, new.id, day=town.now.date(), **act)
    moved = rows(town, "movements", official, kindergarten_id=town.here.id)
    assert [(row["child"], row["movement"], row["moved_from"], row["moved_to"]) for row in moved] == [
        ("刘小果", "in", None, "中二班"), ("陈一", "in", None, "中二班"), ("陈一", "class_change", "中二班", "中三班"),
    ]  # fmt: skip
    assert (moved[-1]["recorded_at"], moved[-1]["recorded_by"]) == (
        town.now,
        town.session.get_one(Account, town.clerk.account_id).name,
    )


def test_an_area_reads_its_kindergartens_line_by_line(on_roll):
    """What does not add up, a phone or a nature, stands in the area's rows; the city has its sums."""
    town, official = on_roll, on_roll.area_official()
    (unit,) = rows(town, "units", official, area="510104")
    assert {"nature", "phone", "fee", "address"} <= unit.keys() and unit["kindergarten"].name == "锦官新城幼儿园"
    (returned,) = rows(town, "statistics", official, area="510104")
    assert returned["nature"] == "public" and returned["within_share"] is not None
    (never,) = rows(town, "roll_comparisons", official, area="510104")
    assert (never["not_compared"], never["compared_at"]) == (1, None)
    (city,) = rows(town, "units", town.city_official())
    assert "phone" not in city


def test_pairs_have_points_for_what_they_have_in_common(town):
    """Same name and birth date 8; a common guardian 3 more; the undecided with most points stand first."""
    town.here = town.kindergarten("锦官新城幼儿园", places=5)
    town.open_registration()
    mother, born = town.family("陈"), dt.date(2022, 11, 1)
    twice = [
        town.child("陈一诺", family=mother, born=born, wishes=[town.here]),
        town.child("陈一诺", born=born, wishes=[town.here], id_kind="passport", number="E10000001"),
    ]
    homophones = [
        town.child("李涵", born=born, wishes=[town.here]),
        town.child("李晗", born=born, wishes=[town.here], id_kind="passport", number="E10000002"),
    ]
    official = town.area_official()
    found = [(set(row["pair_rule"]), row["points"]) for row in rows(town, "pairs", official, area="510104")]
    assert found == [({"name"}, 8), ({"sound"}, 6)]
    of_mother = town.session.scalar(select(Guardian.id).where(Guardian.account_id == mother.account.id))
    town.session.add(
        Guardianship(
            guardian_id=of_mother, child_id=twice[1].child_id, relation="mother", since=town.now,
            accepted_at=town.now,
        )
    )  # fmt: skip
    for each in homophones:
        town.session.merge(HomeLikeness(application_id=each.id, dwelling_index=b"one flat"))
    town.session.flush()
    found = {row["points"]: row for row in rows(town, "pairs", official, area="510104")}
    assert {points: row["pair_rule"] for points, row in found.items()} == {
        11: ("name", "guardian"), 9: ("sound", "dwelling"),
    }  # fmt: skip
    assert sum(pairs.POINTS[rule] for rule in ("name", "guardian")) == 11


def test_gaps_of_the_roll_are_numbers_births_guardians_addresses_and_names(town):
    here = town.kindergarten("锦官新城幼儿园", places=5)
    clerk = town.clerk_of(here)
    town.child_on_roll(here, "无证", level="middle", class_name="中一班")
    town.child_on_roll(here, "齐全", level="middle", class_name="中一班", id_number="510104202112012011")
    town.open_registration()
    applied = town.child("刘小果", wishes=[here])
    told = {"id_number": applied.child.id_number, "born": applied.child.born}
    town.child_on_roll(here, "刘小果", level="nursery", class_name="托一班", **told)
    town.roll(here, "upper", 30)

    def missing():
        return sorted(
            (row["class"], row.get("child"), str(row["missing"]))
            for row in rows(town, "gaps", clerk, kindergarten_id=here.id)
        )

    first = missing()
    assert ("中一班", "无证", "id_number") in first and not [row for row in first if row[1] == "齐全"]
    assert ("大一班", None, "names") in first, "of a class that is kept as a number nobody is known"
    assert [row for row in first if row[1] == "刘小果"] == [], "its guardian and its address are known"
    household = town.session.get(Household, applied.id)
    household.home_street = None
    for guardian in town.session.scalars(select(Guardian)):
        guardian.id_kind = guardian.id_number = guardian.id_index = None
    town.session.flush()
    assert {row[2] for row in missing() if row[1] == "刘小果"} == {"guardian", "address"}
    household.home_area, household.home_outside = None, True
    town.session.flush()
    assert {row[2] for row in missing() if row[1] == "刘小果"} == {"guardian"}, "a home outside the city has no code"


def test_the_statistics_tell_who_came_and_left_by_sex_and_age_the_staff_and_the_year_before(on_roll):
    town = on_roll
    staff_counts.enter(town.session, town.here.id, town.now.date(), 4, 2, by=town.head_of(town.here), now=town.now)
    (line,) = rows(town, "statistics", town.area_official(), area="510104")
    assert (line["staff"], line["children"], line["children_per_staff"]) == (6, 32, 5.3)
    came = {code: line[code] for code in line if code.startswith("came_") and line[code]}
    assert line["came"] == 2 and came == {"came_girls": 1, "came_boys": 1, "came_age_3": 2}
    assert line["earlier_children"] == 0
    act = {"by": town.clerk, "now": town.now}
    roll.leave(town.session, town.entries["陈一"].id, on=town.now.date(), reason="moved", **act)
    new = classes.open_class(
        town.session, town.here.id, name="中三班", level="middle", school_year=2025, kept_as="rows", **act
    )
    moves.change_class(town.session, town.entries["刘小果"].id, new.id, day=town.now.date(), **act)
    (line,) = rows(town, "statistics", town.area_official(), area="510104")
    assert (line["came"], line["left"], line["left_boys"], line["left_age_3"]) == (2, 1, 1, 1)
    assert line["came_girls"] == 1, "a change of class is neither coming nor leaving"
    leap = dt.date(2028, 2, 29)
    assert statistics.a_year_before(leap) == dt.date(2027, 2, 28)
