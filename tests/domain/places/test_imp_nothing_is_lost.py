"""IMP01–IMP04, IMP08–IMP10: no row of a list is lost, and none counts twice, without a word."""

import json

import pytest
from sqlalchemy import select

from enrollment.ground.accounts import SYSTEM
from enrollment.places import ledger
from enrollment.places.imports.faults import ImportFaults
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.service_areas import ServiceArea
from portal.text import import_messages
from tests.domain.places.office_lists import BEN, CHILDREN, book, listed, of, with_cell
from tests.support.office_files import HEADINGS, ROWS, csv_file, xlsx


class TestImp01EverySheet:
    def test_imp01_every_sheet_with_the_header_is_read(self, three, session):
        assert three.counts["added"] == 3
        assert [name for name, _rows in three.reading.sheets] == ["锦江区", "青羊区", "武侯区"]
        assert {row.area_code for row in session.scalars(select(Kindergarten))} == {"510104", "510105", "510107"}

    def test_imp01_columns_may_stand_in_another_order_in_each_sheet(self, take_in, session):
        take_in("kindergartens", book(
            甲=[["标识码", "名称", "性质", "区县"], ["51010499001", "甲园", "公办", "锦江区"]],
            乙=[["说明"], ["区县", "性质", "名称", "标识码"], ["青羊区", "公办", "乙园", "51010499002"]],
        ))  # fmt: skip
        assert of(session, "51010499002").name == "乙园"

    def test_imp01_sheets_that_are_not_read_are_named_with_the_reason(self, take_in):
        difference = take_in("kindergartens", book(
            名册=[["标识码", "名称", "性质", "区县"], ["51010499001", "甲园", "公办", "锦江区"]],
            缺列=[["标识码", "名称", "性质"], ["51010499002", "乙园", "公办"]],
            填表说明=[["请如实填写"]],
            旧名册_hidden=[["标识码", "名称", "性质", "区县"], ["51010499003", "丙园", "公办", "锦江区"]],
        ))  # fmt: skip
        assert difference.counts["added"] == 1
        assert [(sheet.name, sheet.reason, sheet.column) for sheet in difference.reading.unread] == [
            ("缺列", "column_missing", "招生区域"), ("填表说明", "no_header", ""), ("旧名册", "hidden", "")
        ]  # fmt: skip

    def test_imp01_a_fault_names_its_sheet(self, faults_of):
        header, row = ["标识码", "名称", "性质", "区县"], ["51010499001", "甲园", "公办", "锦江区"]
        sheets = {"甲": [header, row], "乙": [header, ["51010499002", "乙园", "不知道", "锦江区"]]}
        assert faults_of("kindergartens", book(**sheets)) == [("乙!C2", "nature_unknown")]

    def test_imp01_the_same_code_in_two_sheets_is_told(self, faults_of):
        header, row = ["标识码", "名称", "性质", "区县"], ["51010499001", "甲园", "公办", "锦江区"]
        assert faults_of("kindergartens", book(甲=[header, row], 乙=[header, row])) == [("乙!A2", "twice_in_file")]

    def test_imp01_a_new_child_in_the_same_row_of_two_sheets_is_told(self, three, faults_of):
        sheets = {"甲": "小一班", "乙": "小二班"}
        numbered = {name: [CHILDREN, ["51010499001", each, "本本", BEN, ""]] for name, each in sheets.items()}
        assert faults_of("roll", book(**numbered)) == [("乙!D2", "twice_in_file")]
        unnumbered = {name: [CHILDREN, ["51010499001", "小一班", "本本", "", "2021-12-01"]] for name in sheets}
        assert faults_of("roll", book(**unnumbered)) == [("乙!C2", "twice_in_file")]

    def test_imp01_a_number_in_the_same_row_of_two_sheets_is_told(self, town, faults_of, take_in):
        town.kindergarten("锦官园", code="5151040001")
        twice = {
            "births": (["区县", "出生学年", "出生人数"], ["锦江区", 2023, 4410], "乙!C2", "number_told_twice"),
            "area-history": (
                ["区域", "学年", "年级段", "办园性质", "在园人数"],
                ["锦江区", 2024, "小班", "公办", 2310],
                "乙!E2",
                "number_told_twice",
            ),
            "estates": (
                ["区县", "小区名称", "首个9月", "套数", "每百套幼儿"],
                ["锦江区", "东湖苑", 2027, 1200, 12],
                "乙!B2",
                "estate_told_twice",
            ),
            "measures": (
                ["措施编号", "措施名称", "措施种类", "区域", "学位数", "一次性投入", "最早年份"],
                ["JJ-01", "新建园", "新建", "锦江区", 270, 2850, 2027],
                "乙!A2",
                "number_told_twice",
            ),
            "staff": (
                ["学校标识码", "统计日期", "专任教师"],
                ["5151040001", "2026-03-31", 20],
                "乙!C2",
                "number_told_twice",
            ),
        }
        for kind, (head, row, cell, code) in twice.items():
            other = [*row[:-1], row[-1] + 1]
            assert faults_of(kind, book(甲=[head, row], 乙=[head, other])) == [(cell, code)]

    def test_imp01_the_row_that_is_repeated_is_named_with_its_sheet(self, take_in):
        head, row = ["标识码", "名称", "性质", "区县"], ["51010499001", "甲园", "公办", "锦江区"]
        with pytest.raises(ImportFaults) as raised:
            take_in("kindergartens", book(甲=[head, row], 乙=[head, ["51010499002", *row[1:]], row, row]))
        assert [import_messages.fault_words(fault, "zh") for fault in raised.value.faults] == [
            "和工作表“甲”第 2 行重复。请只留一行。"
        ] * 2
        assert "row 2 of the sheet “甲”" in import_messages.fault_words(raised.value.faults[0], "en")
        with pytest.raises(ImportFaults) as raised:
            take_in("kindergartens", xlsx(head, [row, row], title=None))
        assert import_messages.fault_words(raised.value.faults[0], "zh") == "和第 2 行重复。请只留一行。"


class TestImp02UnknownLicence:
    def test_imp02_a_plan_without_a_licence_is_taken_with_a_remark(self, town, three, take_in, session):
        assert of(session, "51010499003").licensed_classes is None
        difference = take_in("programmes", listed("plan_without_licence"))
        assert difference.remarks["licence_unknown"].examples == ["天府三幼"]
        assert town.programme_of(of(session, "51010499003")).places == 50

    def test_imp02_a_clerks_proposal_without_a_licence_can_be_approved(self, town, three, session):
        k = of(session, "51010499003")
        programme = town.programme_of(town.kindergarten("别的园", code="51010499009"))
        programme.kindergarten_id = k.id
        session.flush()
        session.expire_all()
        ask = {"by": town.clerk_of(k), "now": town.now, "reason": "申请", "planned_classes": 3, "staffed_classes": 3}
        ledger.propose(session, programme.id, **ask)
        assert ledger.approve_kindergarten(session, k.id, programme.year, by=SYSTEM, now=town.now) == 1

    def test_imp02_an_empty_cell_is_unknown_and_a_number_is_a_licence(self, take_in, session):
        take_in("kindergartens", xlsx(rows=with_cell("班数", "")))
        assert of(session, "5151040001").licensed_classes is None
        assert of(session, "5151040002").licensed_classes == 12


class TestImp03LevelsOfTheRoll:
    @pytest.mark.parametrize("heading", ["年级", "班级", "年级段"])
    @pytest.mark.parametrize("word", ["小班", "小班（3-4岁）", "小班(3—4周岁)", "3-4岁"])
    def test_imp03_a_level_with_several_classes_is_a_level(self, three, take_in, session, heading, word):
        content = xlsx(["学校标识码", heading, "班数", "在园"], [["51010499001", word, 3, 72]], title=None)
        take_in("roll", content)
        (row,) = session.scalars(select(RollClass))
        assert (row.level, row.counted, row.kept_as) == ("lower", 72, "count")
        assert take_in("roll", content).is_empty

    def test_imp03_a_level_beyond_its_classes_is_told(self, three, faults_of):
        content = xlsx(["学校标识码", "年级", "班数", "在园"], [["51010499001", "小班", 1, 72]], title=None)
        assert faults_of("roll", content) == [("D2", "number_out_of_range")]

    def test_imp03_a_level_and_its_classes_would_count_twice(self, three, faults_of):
        rows = [["51010499001", "小班", 72], ["51010499001", "小一班", 25]]
        assert faults_of("roll", xlsx(["学校标识码", "班级", "在园人数"], rows, title=None)) == [
            ("C2", "level_and_classes")
        ]

    def test_imp03_classes_take_the_place_of_their_levels_number(self, three, take_in, session):
        head = ["学校标识码", "班级", "在园人数"]
        take_in("roll", xlsx(head, [["51010499001", "小班", 72], ["51010499001", "中班", 60]], title=None))
        difference = take_in("roll", xlsx(head, [["51010499001", "小一班", 25]], title=None))
        assert (difference.counts["added"], difference.counts["removed"]) == (1, 1)
        assert sorted(session.scalars(select(RollClass.name))) == ["中班", "小一班"]

    def test_imp03_a_levels_number_beside_kept_classes_is_told(self, three, take_in, faults_of):
        head = ["学校标识码", "班级", "在园人数"]
        take_in("roll", xlsx(head, [["51010499001", "小一班", 25]], title=None))
        assert faults_of("roll", xlsx(head, [["51010499001", "小班", 72]], title=None)) == [
            ("C2", "level_kept_by_class")
        ]


class TestImp04OneChild:
    def test_imp04_padding_is_layout(self, three, take_in, session):
        take_in("roll", listed("padded_name_first"))
        assert take_in("roll", listed("padded_name")).is_empty
        assert sorted(session.scalars(select(RollChild.name))) == ["李四", "欧阳明"]

    @pytest.mark.parametrize("written", ["李 四", "李\u3000四", "李\u200b四", "\ufeff李四", " 李四 "])
    def test_imp04_every_padding_is_the_same_name(self, three, take_in, written):
        take_in("roll", listed("padded_name_first"))
        row = ["51010499001", "小一班", written, "", "2022-10-01"]
        assert take_in("roll", xlsx(CHILDREN, [row])).unchanged == 1

    def test_imp04_a_name_in_latin_letters_keeps_its_spaces(self, three, take_in, session):
        take_in("roll", xlsx(CHILDREN, [["51010499001", "小一班", "Anna  Lee", "", "2022-10-01"]]))
        assert session.scalars(select(RollChild.name)).one() == "Anna Lee"

    def test_imp04_the_same_name_and_birthday_in_two_kindergartens_is_a_remark(self, three, take_in):
        rows = [[code, "小一班", "李四", "", "2022-10-01"] for code in ("51010499001", "51010499002")]
        difference = take_in("roll", xlsx(CHILDREN, rows))
        assert difference.counts["added"] == 4
        assert difference.remarks["same_child_maybe"].examples == ["4 李* = 3"]

    def test_imp04_the_same_over_two_files_is_a_remark(self, three, take_in):
        take_in("roll", xlsx(CHILDREN, [["51010499001", "小一班", "李四", "", "2022-10-01"]]))
        again = xlsx(CHILDREN, [["51010499002", "小一班", "李 四", "", "2022-10-01"]])
        assert take_in("roll", again).remarks["same_child_maybe"].count == 1

    def test_imp04_children_with_numbers_are_no_remark(self, three, take_in):
        row = ["51010499001", "小一班", "本本", BEN, ""]
        other = ["51010499002", "小一班", "安安", "", "2021-12-02"]
        assert take_in("roll", xlsx(CHILDREN, [row, other])).remarks == {}

    def test_imp04_two_rows_never_become_one_child(self, three, take_in, session):
        numbered = ["51010499001", "小一班", "本本", BEN, ""]
        take_in("roll", xlsx(CHILDREN, [numbered]))
        difference = take_in("roll", xlsx(CHILDREN, [numbered, ["51010499001", "小一班", "本本", "", "2021-12-01"]]))
        assert (difference.unchanged, difference.counts["added"]) == (1, 1)
        assert difference.remarks["same_child_maybe"].count == 1

    def test_imp04_a_cell_that_is_empty_takes_nothing_away(self, three, take_in, session):
        take_in("roll", xlsx(CHILDREN, [["51010499001", "小一班", "本本", BEN, ""]]))
        assert take_in("roll", xlsx(CHILDREN, [["51010499001", "小一班", "本本", "", "2021-12-01"]])).unchanged == 1
        assert session.scalars(select(RollChild)).one().id_number == BEN


class TestImp08Polygons:
    def test_imp08_two_boundaries_without_a_name_are_both_kept(self, three, take_in, session):
        difference = take_in("service-areas", listed("two_polygons"))
        assert difference.counts["added"] == 2
        assert difference.remarks["boundaries_numbered"].count == 1
        assert sorted(session.scalars(select(ServiceArea.name))) == ["划片范围", "划片范围 2"]
        assert take_in("service-areas", listed("two_polygons")).is_empty

    def test_imp08_the_same_boundary_twice_is_one(self, three, take_in):
        ring = [[104.0, 30.6], [104.1, 30.6], [104.1, 30.7], [104.0, 30.6]]
        row = ["51010499001", "范围", "", json.dumps({"type": "Polygon", "coordinates": [ring]})]
        difference = take_in("service-areas", csv_file(["学校标识码", "类型", "范围名称", "边界"], [row, row]))
        assert (difference.counts["added"], difference.remarks["same_entry_twice"].count) == (1, 1)


def test_imp09_a_blank_level_is_asked_for(three, faults_of):
    assert faults_of("programmes", listed("blank_level")) == [("B2", "level_missing")]


class TestImp10LeftOut:
    def test_imp10_a_row_with_a_code_is_a_row(self, take_in, session):
        assert take_in("kindergartens", listed("total_kids")).counts["added"] == 2
        assert of(session, "51010499011").name == "说明天幼儿园"

    @pytest.mark.parametrize(
        ("first", "reason"),
        [
            ("合计", "sum"),
            ("合计：3所", "sum"),
            ("Total", "sum"),
            ("备注：按核定数", "remark"),
            ("填表人：某某", "remark"),
        ],
    )
    def test_imp10_what_is_left_out_is_counted_and_shown(self, take_in, first, reason):
        difference = take_in("kindergartens", xlsx(rows=[*ROWS, [first, "", "", "", "", "", 27]]))
        assert difference.counts["added"] == 3
        assert difference.reading.left_out_count == 1
        assert difference.reading.left_out[0][:2] == ("6", reason)

    def test_imp10_a_merged_remark_below_the_list_is_left_out(self, take_in):
        last = len(HEADINGS) - 1
        content = xlsx(rows=[*ROWS, [""] * (last + 1)], merged=[(5, 0, 5, last, "注：以上为模拟数据")])
        difference = take_in("kindergartens", content)
        assert (difference.counts["added"], difference.reading.left_out_count) == (3, 1)

    def test_imp10_a_list_of_names_alone_keeps_names_that_begin_like_sums(self, town, three, take_in):
        town.kindergarten("Total Kids 国际幼儿园", code="51010499020")
        content = xlsx(["园所名称", "班数"], [["Total Kids 国际幼儿园", 1], ["合计", 1]], title=None)
        difference = take_in("programmes", content)
        assert (difference.counts["added"], difference.reading.left_out_count) == (1, 1)
