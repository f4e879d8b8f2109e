"""A district's list of kindergartens comes in as the office keeps it."""

import pytest
from sqlalchemy import func, select

from enrollment.places import kindergartens, programmes
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.ledger_rows import LICENCE, NO_LICENCE, REASON_IMPORTED, LedgerEntry
from tests.support.office_files import HEADINGS, ROWS, csv_file, xlsx


def snapshot(session):
    rows = session.scalars(select(Kindergarten).order_by(Kindergarten.code))
    return [{c.name: getattr(row, c.name) for c in Kindergarten.__table__.columns} for row in rows]


def with_cell(line, heading, value):
    rows = [list(row) for row in ROWS]
    rows[line][HEADINGS.index(heading)] = value
    return rows


def test_a_list_with_title_row_full_width_digits_and_units_comes_in(take_in, session):
    difference = take_in("kindergartens", xlsx())
    assert difference.counts["added"] == 3
    k = kindergartens.by_code(session, "5151040001")
    assert (k.name, k.nature, k.area_code, k.street) == ("锦官新城幼儿园", "public", "510104", "三圣街道")
    assert (k.licensed_classes, k.fee, float(k.longitude), float(k.latitude)) == (9, 600, 104.1325, 30.6012)
    assert k.sort_key == "jin guan xin cheng you er yuan"
    second, third = (kindergartens.by_code(session, code) for code in ("5151040002", "5151040003"))
    assert (second.nature, second.fee, second.licensed_classes, second.longitude) == ("inclusive", 1200, 12, None)
    assert (third.nature, third.phone) == ("private", "13800000000")
    assert difference.ignored == ["序号"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_csv_in_any_encoding_says_the_same_as_the_workbook(take_in, encoding):
    take_in("kindergartens", xlsx())
    assert take_in("kindergartens", csv_file(encoding=encoding)).is_empty


def test_a_second_import_changes_nothing(take_in, session):
    take_in("kindergartens", xlsx())
    before = snapshot(session)
    again = take_in("kindergartens", xlsx())
    assert (again.is_empty, again.unchanged) == (True, 3)
    assert snapshot(session) == before


def test_headers_come_in_any_order_and_in_english(take_in):
    take_in("kindergartens", xlsx())
    headings = ["Fee", "District", "School Code", "Type", "Kindergarten name"]
    rows = [[600, "Jinjiang", "5151040001", "Public", "锦官新城幼儿园"]]
    assert take_in("kindergartens", xlsx(headings, rows, title=None)).unchanged == 1


def test_merged_cells_speak_for_every_row_they_cover(take_in, session):
    rows = [[*row[:4], "", *row[5:]] for row in ROWS]
    area = HEADINGS.index("招生区域")
    take_in("kindergartens", xlsx(rows=rows, merged=[(2, area, 4, area, "锦江区")]))
    assert {row["area_code"] for row in snapshot(session)} == {"510104"}


def test_a_difference_names_each_field_before_and_after(take_in):
    take_in("kindergartens", xlsx())
    difference = take_in("kindergartens", xlsx(rows=with_cell(0, "班数", 12)))
    (change,) = difference.changed
    assert (change.title, change.fields, difference.unchanged) == ("锦官新城幼儿园", {"licensed_classes": (9, 12)}, 2)


def test_a_changed_licence_is_a_dated_entry_of_the_ledger(take_in, session):
    take_in("kindergartens", xlsx())
    here = kindergartens.by_code(session, "5151040001")
    programme = programmes.ensure(session, here.id, "lower", 2026)
    take_in("kindergartens", xlsx(rows=with_cell(0, "联系电话", "028-85550000")))
    assert session.scalars(select(LedgerEntry)).all() == [], "another field is none"
    for number in (12, ""):
        take_in("kindergartens", xlsx(rows=with_cell(0, "班数", number)))
    entries = session.scalars(select(LedgerEntry).order_by(LedgerEntry.number)).all()
    told = [(each.programme_id, each.field, each.before, each.after) for each in entries]
    assert told == [(programme.id, LICENCE, "9", "12"), (programme.id, LICENCE, "12", NO_LICENCE)]
    assert all(each.reason.startswith(REASON_IMPORTED) for each in entries)


def test_a_column_that_is_missing_leaves_what_was_there_and_an_empty_cell_clears_it(take_in, session):
    take_in("kindergartens", xlsx())
    without = [h for h in HEADINGS if h != "联系电话"]
    assert take_in("kindergartens", xlsx(without, [row[:-1] for row in ROWS])).is_empty
    take_in("kindergartens", xlsx(rows=with_cell(0, "联系电话", "")))
    assert kindergartens.by_code(session, "5151040001").phone is None


def test_sites_stand_under_their_parent_in_any_order_of_rows(take_in, session):
    headings = ["标识码", "名称", "性质", "区县", "主园标识码"]
    rows = [["5151040012", "锦官东园", "公办", "锦江", "5151040011"], ["5151040011", "锦官主园", "公办", "锦江", ""]]
    take_in("kindergartens", xlsx(headings, rows))
    site, main = (kindergartens.by_code(session, code) for code in ("5151040012", "5151040011"))
    assert site.parent_id == main.id
    assert take_in("kindergartens", xlsx(headings, rows)).is_empty


@pytest.mark.parametrize(
    ("written", "nature"),
    [
        ("公办", "public"), ("教办", "public"), ("教育部门办", "public"), ("部门办", "public"), ("集体办", "public"),
        ("村办", "public"), ("地方企业办", "public"), ("公办（教育部门）", None), ("普惠", "inclusive"),
        ("民办（普惠性）", "inclusive"), ("普惠性民办园", "inclusive"), ("非普惠", "private"), ("民办-非普惠", "private"),
        ("营利性民办", "private"), ("Public", "public"),
    ],
)  # fmt: skip
def test_the_office_words_of_natures(take_in, faults_of, session, written, nature):
    content = xlsx(rows=with_cell(0, "办园性质", written))
    if nature is None:
        assert faults_of("kindergartens", content) == [("C3", "nature_unknown")]
    else:
        take_in("kindergartens", content)
        assert kindergartens.by_code(session, "5151040001").nature == nature


@pytest.mark.parametrize(("said", "nature"), [("是", "inclusive"), ("否", "private"), ("非普惠", "private")])
def test_private_alone_is_settled_by_the_column_inclusive(take_in, faults_of, session, said, nature):
    rows = [[*row[:2], "民办", *row[3:], said] for row in ROWS[:1]]
    assert faults_of("kindergartens", xlsx(rows=[r[:-1] for r in rows])) == [("C3", "nature_unclear")]
    take_in("kindergartens", xlsx([*HEADINGS, "是否普惠"], rows))
    assert kindergartens.by_code(session, "5151040001").nature == nature


@pytest.mark.parametrize("written", ["高新区", "成都高新区", "GXQ", "高新", "Chengdu Hi-Tech Zone"])
def test_areas_by_code_or_name(take_in, session, written):
    take_in("kindergartens", xlsx(rows=with_cell(0, "招生区域", written)))
    assert kindergartens.by_code(session, "5151040001").area_code == "GXQ"


FAULTS = [
    ("学校标识码", "", "value_missing"),
    ("学校标识码", "51", "code_form"),
    ("学校标识码", "5.15104E+09", "number_lost_digits"),
    ("学校标识码", 5.15104000112345e17, "number_lost_digits"),
    ("学校标识码", "5151040002", "twice_in_file"),
    ("园所名称", "", "value_missing"),
    ("园所名称", "园" * 121, "text_too_long"),
    ("办园性质", "不知道", "nature_unknown"),
    ("办园性质", "", "value_missing"),
    ("招生区域", "绵阳市", "area_unknown"),
    ("班数", "九", "not_a_number"),
    ("班数", 9.5, "not_a_whole_number"),
    ("班数", 61, "number_out_of_range"),
    ("班数", -1, "number_out_of_range"),
    ("保教费（元/月）", "面议", "not_a_number"),
    ("经度", 30.6, "degrees_exchanged"),
    ("经度", 116.4, "degrees_outside"),
    ("纬度", "北", "not_a_number"),
    ("联系电话", "打电话", "phone_form"),
]


@pytest.mark.parametrize(("heading", "value", "code"), FAULTS)
def test_a_fault_is_told_by_its_cell_and_nothing_is_written(faults_of, session, heading, value, code):
    line = 2 if code == "twice_in_file" else 0
    cell = "ABCDEFGHIJK"[HEADINGS.index(heading)] + str(line + 3)
    assert faults_of("kindergartens", xlsx(rows=with_cell(line, heading, value))) == [(cell, code)]
    assert session.scalar(select(func.count(Kindergarten.id))) == 0


def test_all_faults_are_told_at_once(faults_of):
    rows = with_cell(0, "班数", "九")
    rows[1][HEADINGS.index("招生区域")] = "绵阳市"
    rows[2][HEADINGS.index("经度")] = 30.6
    rows[2][HEADINGS.index("联系电话")] = "无效电话"
    assert faults_of("kindergartens", xlsx(rows=rows)) == [
        ("G3", "not_a_number"),
        ("E4", "area_unknown"),
        ("I5", "degrees_exchanged"),
        ("K5", "phone_form"),
    ]


@pytest.mark.parametrize(
    ("parent", "code"),
    [("5151049999", "parent_unknown"), ("5151040001", "parent_is_itself"), ("5151040003", "parent_is_a_site")],
)
def test_a_parent_must_be_a_kindergarten_of_its_own(faults_of, parent, code):
    rows = [[*ROWS[0], parent], [*ROWS[1], ""], [*ROWS[2], "5151040002"]]
    assert faults_of("kindergartens", xlsx([*HEADINGS, "主园标识码"], rows)) == [("L3", code)]


def test_the_check_character_of_a_credit_code(take_in, faults_of, session):
    headings, rows = [*HEADINGS, "统一社会信用代码"], [[*ROWS[0], "12510104MB1234567T"]]
    first = faults_of("kindergartens", xlsx(headings, rows))
    assert first == [("L3", "credit_code_check")]
    rows[0][-1] = "91350100M000100Y43"
    take_in("kindergartens", xlsx(headings, rows))
    assert kindergartens.by_code(session, "5151040001").credit_code == "91350100M000100Y43"


def test_a_licence_does_not_shrink_below_the_plan(town, take_in, faults_of):
    take_in("kindergartens", xlsx())
    town.programme(kindergartens.by_code(town.session, "5151040001"), places=125)
    assert faults_of("kindergartens", xlsx(rows=with_cell(0, "班数", 4))) == [("G3", "fewer_classes_than_planned")]


def test_rows_that_add_up_are_no_kindergartens(take_in):
    rows = [*ROWS, ["", "", "", "", "", "", ""], ["合计", "3 所", "", "", "", "", 27]]
    assert take_in("kindergartens", xlsx(rows=rows)).counts["added"] == 3


def test_an_area_official_takes_in_the_own_area_only(town, take_in, faults_of):
    official = town.area_official("510104")
    assert faults_of("kindergartens", xlsx(rows=with_cell(1, "招生区域", "青羊区")), by=official) == [
        ("E4", "outside_your_area")
    ]
    assert take_in("kindergartens", xlsx(), by=official).counts["added"] == 3


def test_an_area_official_does_not_pull_a_kindergarten_over_from_elsewhere(town, take_in, faults_of):
    take_in("kindergartens", xlsx(rows=with_cell(0, "招生区域", "青羊区")))
    assert faults_of("kindergartens", xlsx(), by=town.area_official("510104")) == [("E3", "outside_your_area")]
