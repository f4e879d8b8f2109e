"""FAM18: an elder sibling on a kindergarten's roll whom this portal has never seen is found by number, or name and birth date."""

import datetime as dt

import pytest

from enrollment.applications import elder_siblings, receipts, register_answers
from enrollment.applications.elder_siblings import Elder
from enrollment.eligibility import claims, register_questions
from enrollment.ground.errors import Refused
from enrollment.maintenance import family_retention
from enrollment.reports import personal_data
from enrollment.review.roll_register import answers_from_roll, elder_on_roll
from enrollment.season.facts import Fact, Ground
from tests.support.prepared import prepared
from tests.support.town_families import id_number

BORN = dt.date(2021, 3, 12)


@prepared
def here(town):
    return town.kindergarten("金苹果", places=5)


def named(town, garden, elder, **more):
    family = town.family("安")
    town.agree_to_registers(family)
    ana = town.child("安娜", family=family, wishes=[garden], **more)
    claims.set_claims(
        town.session, ana.id, {Ground.ELDER_SIBLING: garden.code}, elder=elder, by=family.actor, now=town.now
    )
    return ana


def said_by_roll(town, application):
    asked = register_questions.questions_about(town.session, [application.id])
    (said,) = answers_from_roll(town.session, [one for one in asked if one.register == "roll"])
    return said.answer, said.value


@pytest.mark.parametrize(("level", "answer"), [("middle", "matches"), ("upper", "unknown")])
def test_fam18_by_number_while_it_stays_for_another_year(town, here, level, answer):
    number = id_number(BORN)
    town.child_on_roll(here, "安大", level=level, id_number=number)
    ana = named(town, here, Elder("安大", f" {number[:6]} {number[6:].lower()} "))
    assert said_by_roll(town, ana)[0] == answer


def test_fam18_by_number_at_another_kindergarten_it_differs(town, here):
    number, there = id_number(BORN), town.kindergarten("小蜜蜂", places=5)
    town.child_on_roll(there, "安大", id_number=number)
    ana = named(town, here, Elder("安大", number))
    assert said_by_roll(town, ana) == ("differs", there.code)
    assert elder_on_roll(town.session, ana.id, here.code).hits == 0


@pytest.mark.parametrize(
    "kept", [{"born": BORN}, {"id_number": id_number(BORN)}], ids=["with the day", "in the number"]
)
def test_fam18_by_name_and_birth_date_at_that_kindergarten_alone(town, here, kept):
    there = town.kindergarten("小蜜蜂", places=5)
    town.child_on_roll(there, "安大", born=BORN)
    ana = named(town, here, Elder("安 大", born=BORN))
    assert said_by_roll(town, ana) == ("unknown", None), "another kindergarten is not searched by name"
    town.child_on_roll(here, "安大", **kept)
    assert said_by_roll(town, ana) == ("matches", here.code)
    assert elder_on_roll(town.session, ana.id, here.code).hits == 1


def test_fam18_two_of_one_name_and_day_are_for_the_clerk(town, here):
    town.child_on_roll(here, "安大", born=BORN)
    town.child_on_roll(here, "安大", born=BORN, class_name="中三班")
    ana = named(town, here, Elder("安大", born=BORN))
    assert said_by_roll(town, ana) == ("unknown", None)
    assert elder_on_roll(town.session, ana.id, here.code).hits == 2


def test_fam18_what_the_roll_says_is_never_told_to_the_family(town, here):
    """Anybody could name any child of the city and learn where it is."""
    number = id_number(BORN)
    town.child_on_roll(town.kindergarten("小蜜蜂", places=5), "安大", id_number=number)
    ana = named(town, here, Elder("安大", number))
    asked = [one for one in register_questions.questions_about(town.session, [ana.id]) if one.register == "roll"]
    register_answers.note(town.session, answers_from_roll(town.session, asked), now=town.now)
    assert register_answers.answers_of(town.session, ana.id)[Fact.SIBLING_AT].answer == "differs"
    assert Fact.SIBLING_AT not in register_answers.answers_for_family(town.session, ana.id)
    by = town.parent_of(ana)
    records = personal_data.export(town.session, by=by, now=town.now)
    assert Fact.SIBLING_AT not in {row["fact"] for row in records.tables["register_answer"]}
    assert [row["id_number"] for row in records.tables["elder_sibling"]] == [number]
    mine = personal_data.plain_values(town.session, records, by=by, now=town.now)["applications"][0]
    assert mine["answers"]["elder_sibling"] == {"name": "安大", "id_number": number}


@pytest.mark.parametrize(
    ("elder", "code", "field"),
    [
        (Elder("", id_number(BORN)), "elder_name_missing", "elder_name"),
        (Elder("安大"), "elder_number_or_birth", "elder_number"),
        (Elder("安大", "51010420210312000"), None, None),
        (Elder("安大", id_number(BORN)[:17] + "?"), "id_form", "elder_number"),
        (Elder("安大", "510104202103120000"), "id_checksum", "elder_number"),
        (Elder("安大", born=dt.date(1990, 1, 1)), "elder_born_odd", "elder_born"),
    ],
)
def test_fam18_what_is_missing_is_asked_next_to_its_field(town, here, elder, code, field):
    if code is None:
        assert elder_siblings.of(town.session, named(town, here, elder).id).id_index is not None
        return
    with pytest.raises(Refused) as refused:
        named(town, here, elder)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_fam18_the_child_itself_is_no_elder_sibling(town, here):
    number = id_number(dt.date(2023, 3, 1))
    with pytest.raises(Refused, match="elder_is_the_child"):
        named(town, here, Elder("安娜", number), number=number)


def test_fam18_it_goes_with_its_ground_stands_in_the_receipt_and_leaves_with_the_application(town, here):
    ana = named(town, here, Elder("安大", born=BORN))
    assert "elder_sibling" in receipts.latest(town.session, ana).changed
    claims.set_claims(town.session, ana.id, {}, by=town.parent_of(ana), now=town.now + dt.timedelta(minutes=1))
    assert elder_siblings.of(town.session, ana.id) is None
    assert elder_siblings.ElderSibling in family_retention.TABLES_OF_AN_APPLICATION
