"""The roll from a list: children or counts for a class, never both."""

import datetime as dt

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from enrollment.ground.identity import index_of
from enrollment.places import roll
from enrollment.places.imports import importer
from enrollment.places.imports.faults import ImportFaults
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_changes import classes as roll_classes
from portal.text.import_messages import fault_words
from tests.support.office_files import xlsx
from tests.support.prepared import prepared

CHILDREN = ["学校标识码", "班级", "姓名", "身份证号", "出生日期", "入园日期"]
COUNTS = ["学校标识码", "班级", "在园人数"]
ANA = ["5151040001", "小一班", "安娜", "", "2021-10-05", "2025-09-01"]
BEN = ["5151040001", "小一班", "本本", "510104202112012011", "", "2025/9/1"]


@prepared
def kindergarten(town):
    return town.kindergarten("锦官新城幼儿园", code="5151040001")


def children(*rows):
    return xlsx(CHILDREN, rows, title="在园幼儿名册（模拟数据）")


def counts(*rows):
    return xlsx(COUNTS, rows, title=None)


def on_roll(session):
    rows = session.execute(select(RollClass.name, RollChild.name).join(RollChild, RollChild.class_id == RollClass.id))
    return sorted(tuple(row) for row in rows)


def classes(session):
    found = session.scalars(select(RollClass).order_by(RollClass.name))
    return [(c.name, c.level, c.kept_as, c.counted, c.school_year) for c in found]


def test_children_come_in_by_class(kindergarten, take_in, session):
    difference = take_in("roll", children(ANA, BEN))
    assert difference.counts["added"] == 3
    assert classes(session) == [("小一班", "lower", "rows", None, 2025)]
    assert on_roll(session) == [("小一班", "安娜"), ("小一班", "本本")]
    ben = session.scalars(select(RollChild).where(RollChild.id_index == index_of(BEN[3]))).one()
    assert (ben.born, ben.entered_on) == (dt.date(2021, 12, 1), dt.date(2025, 9, 1))


def test_a_difference_never_shows_a_name_or_a_number(kindergarten, take_in):
    shown = str(take_in("roll", children(ANA, BEN)).as_plain())
    assert "安娜" not in shown
    assert BEN[3] not in shown
    assert "5101**********2011" in shown


def test_counts_come_in_by_class(kindergarten, take_in, session):
    take_in("roll", counts(["5151040001", "小1班", 25], ["5151040001", "大（2）班", "35人"]))
    assert classes(session) == [("大(2)班", "upper", "count", 35, 2025), ("小1班", "lower", "count", 25, 2025)]


def test_a_second_import_changes_nothing(kindergarten, take_in, session):
    for content in (children(ANA, BEN), counts(["5151040001", "小二班", 25])):
        take_in("roll", content)
        before = session.execute(text("SELECT * FROM roll_child ORDER BY id")).all(), classes(session)
        assert take_in("roll", content).is_empty
        assert (session.execute(text("SELECT * FROM roll_child ORDER BY id")).all(), classes(session)) == before


def test_one_class_is_never_kept_both_ways_in_a_file(kindergarten, faults_of):
    both = xlsx(
        ["学校标识码", "班级", "姓名", "在园人数"],
        [["5151040001", "小一班", "安娜", ""], ["5151040001", "小一班", "", 25]],
    )
    assert faults_of("roll", both) == [("B4", "class_both_ways")]


def test_one_class_is_never_kept_both_ways_over_two_files(kindergarten, take_in, faults_of):
    take_in("roll", children(ANA))
    assert faults_of("roll", counts(["5151040001", "小一班", 25])) == [("C2", "class_has_children")]


def test_the_table_refuses_it_too(kindergarten, take_in, session):
    take_in("roll", children(ANA))
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(text("UPDATE roll_class SET kept_as = 'count', counted = 25"))


def test_a_counted_class_may_become_one_with_names(kindergarten, take_in, session):
    take_in("roll", counts(["5151040001", "小一班", 25]))
    take_in("roll", children(ANA))
    assert classes(session) == [("小一班", "lower", "rows", None, 2025)]


def test_a_child_that_changed_class_moves_and_is_not_doubled(kindergarten, take_in, session):
    take_in("roll", children(ANA, BEN))
    difference = take_in("roll", children([BEN[0], "小二班", *BEN[2:]]))
    assert difference.counts["changed"] == 1
    assert on_roll(session) == [("小一班", "安娜"), ("小二班", "本本")]


def test_children_whom_the_file_does_not_name_stay_and_are_counted(kindergarten, take_in, session):
    take_in("roll", children(ANA, BEN))
    assert take_in("roll", children(BEN)).absent == 1
    assert len(on_roll(session)) == 2


def test_a_child_is_on_one_roll_of_the_city(town, kindergarten, take_in, faults_of):
    other = town.kindergarten("别处", area="510105", code="5151050001")
    town.child_on_roll(other, "本本", id_number=BEN[3])
    assert faults_of("roll", children(BEN)) == [("D3", "on_roll_elsewhere")]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ([*BEN[:3], "510104202112012018", "", ""], ("D3", "id_number_check")),
        ([*BEN[:3], "51010420211201201", "", ""], ("D3", "id_number_length")),
        ([*BEN[:3], 510104202112012011.0, "", ""], ("D3", "number_lost_digits")),
        ([*BEN[:4], "2021-12-02", ""], ("E3", "birthday_contradicts_number")),
        ([*ANA[:4], "2015-01-01", ""], ("E3", "age_does_not_fit")),
        ([*ANA[:4], "昨天", ""], ("E3", "not_a_date")),
        ([*ANA[:5], "2020-09-01"], ("F3", "entered_impossible")),
        (["5151040001", "小熊班", "安娜", "", "", ""], ("3", "level_of_class_unclear")),
        (["5151040001", "", "安娜", "", "", ""], ("B3", "value_missing")),
        (["5151040001", "小一班", "", "", "", ""], ("C3", "count_or_child")),
    ],
)
def test_faults_of_a_child(kindergarten, faults_of, row, fault):
    assert faults_of("roll", children(row)) == [fault]


def test_the_same_child_twice_is_told(kindergarten, faults_of):
    assert faults_of("roll", children(ANA, BEN, BEN, ANA)) == [("D5", "twice_in_file"), ("C6", "twice_in_file")]


def test_a_class_of_a_hundred_is_a_sum_of_classes(kindergarten, faults_of):
    assert faults_of("roll", counts(["5151040001", "小一班", 100])) == [("C2", "number_out_of_range")]


@pytest.mark.parametrize("written", ["小 一班", " 小一 班 ", "小　一班"])
def test_a_blank_in_the_name_makes_no_other_class(kindergarten, take_in, session, written):
    take_in("roll", children(ANA))
    take_in("roll", children(ANA, ["5151040001", written, *BEN[2:]]))
    assert classes(session) == [("小一班", "lower", "rows", None, 2025)]
    assert on_roll(session) == [("小一班", "安娜"), ("小一班", "本本")]


def test_two_spellings_of_a_class_in_one_file_are_one_class(kindergarten, take_in, session):
    rows = [["5151040001", "小 A班", *ANA[2:]], ["5151040001", "小a班", *BEN[2:]]]
    take_in("roll", xlsx([*CHILDREN, "年级段"], [[*row, "小班"] for row in rows]))
    assert [name for name, *_rest in classes(session)] == ["小A班"]


def test_a_list_from_before_a_merge_says_which_class_the_children_are_in(town, kindergarten, take_in, session):
    take_in("roll", children(ANA, ["5151040001", "小二班", *BEN[2:]]))
    by = {"by": town.clerk_of(kindergarten), "now": town.now}
    one, two = (roll.class_of_name(session, kindergarten.id, 2025, name) for name in ("小一班", "小二班"))
    roll_classes.merge(session, two.id, one.id, reason="教师不足", **by)
    with pytest.raises(ImportFaults) as raised:
        take_in("roll", children(ANA, ["5151040001", "小二班", *BEN[2:]]))
    (fault,) = raised.value.faults
    assert (fault.cell, fault.code, fault.details) == ("B4", "class_was_merged", {"name": "小二班", "into": "小一班"})
    assert "小一班" in fault_words(fault)


def test_a_list_does_not_open_a_closed_class_again(town, kindergarten, take_in, faults_of, session):
    take_in("roll", children(ANA))
    empty = roll_classes.open_class(
        session, kindergarten.id, name="小二班", level="lower", school_year=2025, kept_as="rows",
        by=town.clerk_of(kindergarten), now=town.now,
    )  # fmt: skip
    roll_classes.close(session, empty.id, reason="没有幼儿", by=town.clerk_of(kindergarten), now=town.now)
    assert faults_of("roll", children(ANA, ["5151040001", "小二班", *BEN[2:]])) == [("B4", "class_is_closed")]


def test_what_the_database_refuses_is_told_as_a_fault(kindergarten, take_in, session, monkeypatch):
    """Somebody opens the class between the comparison and the writing."""
    write = importer.MODULES["roll"].write

    def late(opened, prepared, **more):
        opened.execute(
            insert(RollClass).values(
                kindergarten_id=kindergarten.id, school_year=2025, level="lower", name="小 一班", kept_as="rows",
                as_of=dt.date(2025, 9, 1),
            )
        )  # fmt: skip
        write(opened, prepared, **more)

    monkeypatch.setattr(importer.MODULES["roll"], "write", late)
    with pytest.raises(ImportFaults) as raised, session.begin_nested():
        take_in("roll", children(ANA))
    (fault,) = raised.value.faults
    assert fault_words(fault)
    assert on_roll(session) == []
