"""IMP11–IMP14, IMP16: phones, units, dates, headers, kinds of files and slips of the hand, as offices have them."""

import datetime as dt
import io
import json
import zipfile

import openpyxl
import pytest
from sqlalchemy import select

from enrollment.places import contact_numbers
from enrollment.places.imports.faults import ImportFaults
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll import RollChild
from tests.domain.places.office_lists import CHILDREN, book, listed, of, with_cell
from tests.support.office_files import HEADINGS, ROWS, csv_file, xlsx

PHONES = [
    ("+86-28-85550001", "028-85550001"), ("028—85550001", "028-85550001"), ("（028）8555 0001", "028-85550001"),
    (2885550001.0, "028-85550001"), ("85550001", "028-85550001"), ("0086 28 85550001", "028-85550001"),
    ("１３８００００００００", "13800000000"), ("+86 138-0000-0000", "13800000000"), (13800000000.0, "13800000000"),
    ("028-85550001转8", "028-85550001转8"), ("028-85550001-801", "028-85550001转801"), ("4008208820", "400-820-8820"),
    ("028-85550001/13800000000", "028-85550001、13800000000"), ("010-65550001", "010-65550001"),
    ("电话：028-85550001", "028-85550001"),
]  # fmt: skip


class TestImp11Phones:
    @pytest.mark.parametrize(("written", "canonical"), PHONES)
    def test_imp11_one_canonical_form(self, take_in, session, written, canonical):
        take_in("kindergartens", xlsx(rows=with_cell("联系电话", written)))
        assert of(session, "5151040001").phone == canonical
        assert contact_numbers.canonical(canonical) == canonical

    def test_imp11_equal_numbers_are_no_difference_and_a_lost_zero_overwrites_nothing(self, take_in, session):
        take_in("kindergartens", xlsx())
        of(session, "5151040001").phone = "(028)85550001"
        session.flush()
        assert take_in("kindergartens", xlsx(rows=with_cell("联系电话", 2885550001))).is_empty
        assert of(session, "5151040001").phone == "(028)85550001"

    @pytest.mark.parametrize("written", ["打电话", "12345", "8555000", "1380000000", "028-855500012345678"])
    def test_imp11_what_is_no_number_is_told(self, faults_of, written):
        assert faults_of("kindergartens", xlsx(rows=with_cell("联系电话", written))) == [("K3", "phone_form")]


class TestImp12Units:
    @pytest.mark.parametrize(
        ("written", "fee"),
        [("¥620", 620), ("￥1,200", 1200), ("960 元/生·月", 960), ("960元/月.生", 960), ("620元每生每月", 620)],
    )
    def test_imp12_units_of_money(self, take_in, session, written, fee):
        take_in("kindergartens", xlsx(rows=with_cell("保教费（元/月）", written)))
        assert of(session, "5151040001").fee == fee

    @pytest.mark.parametrize("written", ["3000元/学期", "7200元/年"])
    def test_imp12_a_fee_for_a_term_is_not_read_as_one_for_a_month(self, faults_of, written):
        assert faults_of("kindergartens", xlsx(rows=with_cell("保教费（元/月）", written))) == [("H3", "not_by_month")]

    @pytest.mark.parametrize(
        "heading",
        ["保教费（元/学期）", "收费标准（元/年）", "保教费（元／生·期）", "保教费【每学期】", "保教费（万元）", "收费标准（元/10个月）", "Fee (yuan per term)"],
    )  # fmt: skip
    def test_imp12_a_fee_whose_heading_is_not_by_month_is_told(self, faults_of, heading):
        head = [heading if each == "保教费（元/月）" else each for each in HEADINGS]
        rows = [[3000 if name == heading else cell for name, cell in zip(head, row, strict=True)] for row in ROWS]
        assert faults_of("kindergartens", xlsx(head, rows)) == [("H2", "heading_unit")]

    @pytest.mark.parametrize(
        "heading", ["保教费（元）", "收费标准(元/生.月)", "月收费（元，公办）", "Monthly fee (CNY/month)"]
    )
    def test_imp12_a_fee_whose_heading_is_by_month_is_read(self, take_in, session, heading):
        head = [heading if each == "保教费（元/月）" else each for each in HEADINGS]
        take_in("kindergartens", xlsx(head, ROWS))
        assert of(session, "5151040001").fee == 600

    def test_imp12_the_unit_below_a_heading_is_read(self, take_in, faults_of, session):
        head = ["标识码", "名称", "性质", "区县", "保教费"]
        row = ["51010499001", "甲园", "公办", "锦江区", 3000]
        by_term = book(名册=[head, ["", "", "", "", "（元/学期）"], row])
        assert faults_of("kindergartens", by_term) == [("E2", "heading_unit")]
        take_in("kindergartens", book(名册=[head, ["", "", "", "", "（元/月）"], row]))
        assert of(session, "51010499001").fee == 3000

    def test_imp12_a_second_header_in_another_unit_is_not_passed_over(self, faults_of):
        head = ["标识码", "名称", "性质", "区县", "保教费（元/月）"]
        row = ["51010499001", "甲园", "公办", "锦江区", 600]
        other = ["51010499002", "乙园", "公办", "锦江区", 3000]
        found = faults_of("kindergartens", book(名册=[head, row, [*head[:-1], "保教费（元/学期）"], other]))
        assert ("E3", "not_a_number") in found

    def test_imp12_yuan_are_not_read_as_ten_thousands(self, town, faults_of, take_in):
        head = ["编号", "项目名称", "种类", "区域", "学位数", "投入（万元）", "每年运行（元）", "最早年份"]
        row = ["JJ-01", "新建园", "新建", "锦江区", 270, 2850, 600000, 2027]
        assert faults_of("measures", xlsx(head, [row], title=None)) == [("G1", "heading_unit")]
        plain = [*head[:5], "投入", "每年运行", head[7]]
        for title in ("单位：元", "新增学位项目（单位：元、个）"):
            of_title = faults_of("measures", xlsx(plain, [row], title=title))
            assert of_title == [("F2", "heading_unit"), ("G2", "heading_unit")]
        assert faults_of("measures", xlsx(plain, [[*row[:6], "60万元", 2027], [*row[:6], "600000元", 2027]])) == [
            ("G4", "other_unit")
        ]
        assert take_in("measures", xlsx(plain, [[*row[:6], "60万元", 2027]], title="单位：万元")).counts["added"] == 1

    def test_imp12_people_are_no_classes_and_classes_no_people(self, three, faults_of):
        assert faults_of("kindergartens", xlsx(rows=with_cell("班数", "45人"))) == [("G3", "other_unit")]
        counted = ["学校标识码", "班级", "在园人数"]
        assert faults_of("roll", xlsx(counted, [["51010499001", "小班", "3个班"]], title=None)) == [
            ("C2", "other_unit")
        ]
        by_class = ["学校标识码", "班级", "在园人数（班）"]
        assert faults_of("roll", xlsx(by_class, [["51010499001", "小班", 3]], title=None)) == [("C1", "heading_unit")]

    @pytest.mark.parametrize(
        "written", ["成都市成华", "四川省成都市成华区", "510108000000", "成华区（主城）", "成华区教育局"]
    )
    def test_imp12_spellings_of_an_area(self, take_in, session, written):
        take_in("kindergartens", xlsx(rows=with_cell("招生区域", written)))
        assert of(session, "5151040001").area_code == "510108"

    @pytest.mark.parametrize(
        ("written", "born"),
        [
            (44470, dt.date(2021, 10, 1)), ("44470", dt.date(2021, 10, 1)), ("2021.10", dt.date(2021, 10, 1)),
            ("2021年10月", dt.date(2021, 10, 1)), ("202110", dt.date(2021, 10, 1)), (2021.11, dt.date(2021, 11, 1)),
            ("2021.10.05", dt.date(2021, 10, 5)),
        ],
    )  # fmt: skip
    def test_imp12_dates_as_offices_write_them(self, three, take_in, session, written, born):
        head = ["学校标识码", "班级", "姓名", "出生年月"]
        difference = take_in("roll", xlsx(head, [["51010499001", "小一班", "安娜", written]]))
        assert session.scalars(select(RollChild.born)).one() == born
        is_month = str(written) in ("2021.10", "2021年10月", "202110", "2021.11")
        assert ("born_month_only" in difference.remarks) == is_month

    def test_imp12_a_month_that_lost_its_zero_is_asked_for(self, three, faults_of):
        head = ["学校标识码", "班级", "姓名", "出生年月"]
        assert faults_of("roll", xlsx(head, [["51010499001", "小一班", "安娜", 2021.1]])) == [("D3", "month_lost_zero")]

    def test_imp12_a_month_does_not_replace_the_day_that_is_kept(self, three, take_in, session):
        take_in("roll", xlsx(CHILDREN, [["51010499001", "小一班", "安娜", "", "2021-10-05"]]))
        head = ["学校标识码", "班级", "姓名", "出生年月"]
        assert take_in("roll", xlsx(head, [["51010499001", "小一班", "安娜", "2021.10"]])).is_empty
        assert session.scalars(select(RollChild.born)).one() == dt.date(2021, 10, 5)

    @pytest.mark.parametrize("written", ["2024年9月", "202409", "2024-09", "2024.09", "二〇二四年九月", 2024.9])
    def test_imp12_a_month_of_entering_is_its_first_day(self, three, take_in, session, written):
        head = ["学校标识码", "班级", "姓名", "入学年月"]
        content = xlsx(head, [["51010499001", "中一班", "安娜", written]])
        assert take_in("roll", content).remarks["entered_month_only"].count == 1
        assert session.scalars(select(RollChild.entered_on)).one() == dt.date(2024, 9, 1)
        assert take_in("roll", content).is_empty

    def test_imp12_a_month_of_entering_does_not_replace_the_day_that_is_kept(self, three, take_in, session):
        head = ["学校标识码", "班级", "姓名", "入学年月"]
        for written, kept in (("2024-09-05", 5), ("2024年9月", 5), ("2024-09-06", 6)):
            take_in("roll", xlsx(head, [["51010499001", "中一班", "安娜", written]]))
            assert session.scalars(select(RollChild.entered_on)).one() == dt.date(2024, 9, kept)
        take_in("roll", xlsx(head, [["51010499001", "中一班", "安娜", "2024年10月"]]))
        assert session.scalars(select(RollChild.entered_on)).one() == dt.date(2024, 10, 1)

    def test_imp12_a_month_of_entering_that_lost_its_zero_is_asked_for(self, three, faults_of):
        head = ["学校标识码", "班级", "姓名", "入学年月"]
        assert faults_of("roll", xlsx(head, [["51010499001", "中一班", "安娜", 2024.1]])) == [("D3", "month_lost_zero")]


class TestImp13StatisticsReturn:
    def test_imp13_the_headers_of_the_statistics_return(self, take_in, session):
        assert take_in("kindergartens", listed("statistics_return")).counts["added"] == 8
        natures = dict(session.execute(select(Kindergarten.name, Kindergarten.nature)).all())
        assert natures == {
            "甲幼儿园": "public", "乙幼儿园": "inclusive", "丙幼儿园": "public", "丁幼儿园": "private",
            "戊幼儿园": "public", "己幼儿园": "public", "庚幼儿园": "public", "辛幼儿园": "public",
        }  # fmt: skip
        assert of(session, "3151001234").phone == "028-85550000"

    def test_imp13_its_other_spellings(self, take_in, session):
        head = [
            "机构编码",
            "学校（机构）名称",
            "学校（机构）举办者类型",
            "是否普惠性民办幼儿园",
            "所在地区划（三级）",
            "备用",
        ]
        rows = [["3151001234", "甲", "831 教育部门", "否", "四川省成都市锦江区", ""],
                ["3151001235", "乙", "999-民办", "是", "510105", ""]]  # fmt: skip
        difference = take_in("kindergartens", xlsx(head, rows, title=None))
        assert difference.ignored == ["备用"]
        assert [of(session, code).nature for code in ("3151001234", "3151001235")] == ["public", "inclusive"]

    def test_imp13_a_missing_column_tells_which_headers_were_read(self, take_in):
        with pytest.raises(ImportFaults) as raised:
            take_in("kindergartens", xlsx(["机构编码", "机构名称", "楼层"], [["3151001234", "甲", 3]], title=None))
        (fault,) = raised.value.faults
        assert (fault.code, fault.details["column"]) == ("column_missing", "招生区域")
        assert fault.details["read"] == "机构编码、机构名称、楼层"


HTML = "<html><body><table><tr><td>学校标识码</td></tr></table></body></html>".encode()
GEOJSON = b'{"type": "FeatureCollection", "features": []}'
FOREIGN = {
    "file_is_pdf": b"%PDF-1.7\n1 0 obj",
    "file_is_html": HTML,
    "file_is_xml_spreadsheet": b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
    "file_is_xml": b'<?xml version="1.0"?><list/>',
    "file_is_geojson": GEOJSON,
    "file_is_json": b'[{"name": "x"}]',
    "file_is_picture": b"\x89PNG\r\n\x1a\n" + bytes(40),
    "file_is_archive": b"Rar!\x1a\x07" + bytes(40),
    "file_is_word": b"{\\rtf1 list}",
    "file_is_old_excel": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "file_is_locked": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
}


def mixed_encodings():
    lines = ["标识码,名称,性质,区县", *(f"510104990{n:02},幼儿园第{n}所,公办,锦江区" for n in range(20))]
    return b"\n".join(line.encode("gbk" if number == 7 else "utf-8") for number, line in enumerate(lines))


class TestImp14WhatAFileIs:
    @pytest.mark.parametrize("code", FOREIGN)
    def test_imp14_what_the_file_really_is_is_said(self, faults_of, code):
        assert faults_of("kindergartens", FOREIGN[code]) == [("", code)]

    @pytest.mark.parametrize(
        ("part", "code"),
        [("word/document.xml", "file_is_word"), ("xl/workbook.bin", "file_is_xlsb"), ("list.xlsx", "file_is_archive")],
    )
    def test_imp14_archives_that_are_no_workbooks(self, faults_of, part, code):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr(part, "x")
        assert faults_of("kindergartens", content.getvalue()) == [("", code)]

    @pytest.mark.parametrize("above", [21, 60, 95])
    def test_imp14_a_header_far_below_the_top_is_found(self, take_in, above):
        rows = [[f"说明 {number}"] for number in range(above)] + [HEADINGS, ROWS[0]]
        assert take_in("kindergartens", book(名册=rows)).counts["added"] == 1

    def test_imp14_a_formula_without_a_value_is_told(self, faults_of):
        made = openpyxl.Workbook()
        for row in (HEADINGS, ROWS[0]):
            made.active.append(row)
        made.active["G2"] = "=4+5"
        content = io.BytesIO()
        made.save(content)
        assert faults_of("kindergartens", content.getvalue()) == [("G2", "formula_without_value")]

    def test_imp14_mixed_encodings_are_told_with_the_first_row(self, take_in):
        with pytest.raises(ImportFaults) as raised:
            take_in("kindergartens", mixed_encodings())
        (fault,) = raised.value.faults
        assert (fault.code, fault.details) == ("file_mixed_encodings", {"row": 8})


class TestImp16SlipsOfTheHand:
    @pytest.mark.parametrize(("written", "digits"), [("5151O40001", "5151040001"), ("51510400l2", "5151040012")])
    def test_imp16_a_letter_in_a_code_is_named(self, take_in, written, digits):
        with pytest.raises(ImportFaults) as raised:
            take_in("kindergartens", xlsx(rows=with_cell("学校标识码", written)))
        (fault,) = raised.value.faults
        assert (fault.code, fault.details["digits"]) == ("code_letter_for_digit", digits)

    @pytest.mark.parametrize("written", [dt.date(2026, 9, 1), "2026-09-01", "=A1", 44470, "44470"])
    def test_imp16_a_date_or_a_formula_is_no_name(self, faults_of, written):
        made = openpyxl.Workbook()
        for row in (HEADINGS, ROWS[0]):
            made.active.append(row)
        made.active["B2"].value = written
        if written == "=A1":
            made.active["B2"].data_type = "s"
        content = io.BytesIO()
        made.save(content)
        assert faults_of("kindergartens", content.getvalue()) == [("B2", "name_is_not_text")]

    def test_imp16_the_same_name_twice_in_one_area_is_a_remark(self, take_in):
        rows = with_cell("园所名称", "锦官新城幼儿园", line=1)
        difference = take_in("kindergartens", xlsx(rows=rows))
        assert difference.counts["added"] == 3
        assert difference.remarks["name_twice_in_area"].count == 2

    def test_imp16_a_header_in_the_middle_is_left_out_and_counted(self, take_in):
        difference = take_in("kindergartens", xlsx(rows=[ROWS[0], HEADINGS, ROWS[1]]))
        assert difference.counts["added"] == 2
        assert difference.reading.left_out[0][1] == "header"

    def test_imp16_marks_that_nobody_sees_are_no_part_of_a_cell(self, take_in, session):
        rows = with_cell("园所名称", "\ufeff锦官\u200b新城幼儿园\u200e")
        take_in("kindergartens", xlsx(["\ufeff序号", *HEADINGS[1:]], rows))
        assert of(session, "5151040001").name == "锦官新城幼儿园"

    @pytest.mark.parametrize(
        ("point", "code"), [((116.4, 39.9), "boundary_outside_city"), ((30.6, 104.1), "boundary_exchanged")]
    )
    def test_imp16_a_polygon_of_another_city_is_named(self, three, faults_of, point, code):
        x, y = point
        ring = [[x, y], [x + 0.01, y], [x + 0.01, y + 0.01], [x, y]]
        row = ["51010499001", "范围", "", json.dumps({"type": "Polygon", "coordinates": [ring]})]
        content = csv_file(["学校标识码", "类型", "范围名称", "边界"], [row])
        assert faults_of("service-areas", content) == [("D2", code)]
