"""What is often a slip of the pen is shown before a family hands in, and refuses nothing."""

import datetime as dt

from enrollment.eligibility import possible_slips
from enrollment.eligibility.possible_slips import PossibleSlip, Slip


def slips(town, application):
    return possible_slips.of_application(town.session, application, by=town.parent_of(application))


def test_letters_in_a_name_are_asked_about_where_the_document_has_characters(town):
    family = town.family("李")
    mixed = town.child("欧阳Zixuan", family=family)
    assert slips(town, mixed) == [PossibleSlip(Slip.CHILD_NAME, "欧阳Zixuan")]
    dotted = town.child("阿依古丽·买买提", family=family, born=mixed.child.born)
    passport = town.child("Zixuan Ouyang", family=family, born=mixed.child.born, id_kind="passport", number="E12345678")
    assert slips(town, dotted) == slips(town, passport) == []


def test_birth_dates_that_no_two_births_can_have_are_asked_about(town):
    family = town.family("赵")
    first = town.child("赵甲", family=family, born=dt.date(2022, 9, 2))
    cases = {
        dt.date(2022, 9, 2): None,
        dt.date(2022, 9, 3): None,
        dt.date(2021, 9, 2): Slip.YEAR_OF_BIRTH,
        dt.date(2022, 12, 2): Slip.DAYS_BETWEEN_BIRTHS,
        dt.date(2021, 10, 20): None,
    }
    for born, expected in cases.items():
        level = "lower" if born >= dt.date(2022, 9, 1) else "middle"
        other = town.child("赵乙", family=family, born=born, level=level)
        wanted = [PossibleSlip(expected, "赵乙", "赵甲")] if expected else []
        assert slips(town, other) == wanted, born
        other.stage = "withdrawn"
    assert slips(town, first) == [], "an application that is over is no sibling to compare with"
