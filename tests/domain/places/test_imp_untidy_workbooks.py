"""IMP01–IMP16 once more, in workbooks as people leave them: no row and no child is lost or invented without a word."""

import datetime as dt
import io

import pytest
import xlsxwriter
from sqlalchemy import select

from enrollment.places.imports.faults import ImportFaults
from enrollment.places.roll import RollChild, RollClass
from portal.text import import_messages
from tests.domain.places.office_lists import CHILDREN
from tests.support.office_files import HEADINGS, csv_file, xlsx

HEAD = ["学校标识码", "园所名称", "班级", "在园人数"]
ONE = "51010499001"
BORN = dt.date(2022, 10, 1)


def workbook(fill, **options):
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False} | options) as book:
        fill(book.add_worksheet(), book)
    return content.getvalue()


def roll(rows, head=HEAD):
    return xlsx(head, rows, title=None)


@pytest.fixture
def counted(three, take_in, session):
    """The numbers by class after a roll was taken in, and what the import had to say."""

    def take(content):
        difference = take_in("roll", content)
        classes = {row.name: row.counted for row in session.scalars(select(RollClass))}
        return classes, difference.reading

    return take


@pytest.mark.parametrize("word", ["小计", "合计", "汇总", "全园合计", "总 计"])
def test_imp10_a_sum_below_its_classes_is_no_class_though_merged_cells_give_it_a_code(counted, word):
    def fill(sheet, _book):
        sheet.write_row(0, 0, HEAD)
        sheet.merge_range(1, 0, 3, 0, ONE)
        for line, row in enumerate((["小一班", 20], ["小二班", 22], [word, 42]), start=1):
            sheet.write_row(line, 2, row)

    classes, reading = counted(workbook(fill))
    assert classes == {"小一班": 20, "小二班": 22}
    assert reading.left_out == [("4", "sum", f"{ONE} {word} 42")]


def test_imp10_a_sum_behind_a_running_number_and_numbered_notes_are_left_out(take_in):
    row = [1, "甲园", "公办", ONE, "锦江区", "", 3]
    difference = take_in(
        "kindergartens", xlsx(rows=[row, [2, "合计", "", "", "", "", 3], ["2．本表由教育局汇总，每年一次"]])
    )
    assert difference.counts["added"] == 1
    assert [reason for _place, reason, _text in difference.reading.left_out] == ["sum", "remark"]


def test_imp16_a_number_in_merged_cells_is_not_counted_in_each_row(counted, faults_of):
    def fill(sheet, _book):
        sheet.write_row(0, 0, HEAD)
        for line, name in enumerate(("小一班", "小二班"), start=1):
            sheet.write_row(line, 0, [ONE, "", name])
        sheet.merge_range(1, 3, 2, 3, 42)

    assert faults_of("roll", workbook(fill)) == [("D3", "merged_number")]


def test_imp16_a_fee_in_merged_cells_holds_for_each_row(take_in):
    rows = [[n, f"{n}园", "公办", f"5101049900{n}", "锦江区", "", 3] for n in (1, 2)]
    content = xlsx(rows=rows, title=None, merged=[(1, HEADINGS.index("保教费（元/月）"), 2, 7, 600)])
    assert [change.fields["fee"] for change in take_in("kindergartens", content).added] == [(None, 600), (None, 600)]


def test_imp16_two_header_rows(counted, faults_of):
    def grouped(sheet, _book):
        sheet.merge_range(0, 0, 1, 0, "学校标识码")
        sheet.merge_range(0, 1, 1, 1, "园所名称")
        sheet.merge_range(0, 2, 0, 3, "班级情况")
        sheet.write_row(1, 2, ["班级", "在园人数"])
        sheet.write_row(2, 0, [ONE, "", "小一班", 20])

    def units(sheet, _book):
        for column in range(3):
            sheet.merge_range(0, column, 1, column, HEAD[column])
        sheet.write(0, 3, "在园人数")
        sheet.write(1, 3, "（人）")
        sheet.write_row(2, 0, [ONE, "", "小一班", 20])

    for fill in (grouped, units):
        assert counted(workbook(fill))[0] == {"小一班": 20}

    def by_sex(sheet, _book):
        for column in range(3):
            sheet.merge_range(0, column, 1, column, HEAD[column])
        sheet.merge_range(0, 3, 0, 4, "在园人数")
        sheet.write_row(1, 3, ["男", "女"])
        sheet.write_row(2, 0, [ONE, "", "小一班", 11, 9])

    assert faults_of("roll", workbook(by_sex)) == [("E1", "header_split")], "nine girls are not lost"


def test_imp12_dates_of_a_workbook_that_counts_from_1904(three, take_in, session):
    serial = (BORN - dt.date(1904, 1, 1)).days

    def fill(sheet, book):
        sheet.write_row(0, 0, CHILDREN)
        written = [
            serial, "2022/10/1 0:00:00", "２０２２－１０－０１", "2022. 10. 1", "2022 年 10 月 1 日", "20221001", "2022年10月1号",
            "2022、10、1", "2022。10。1", "2022\\10\\1", "二〇二二年十月一日", "二○二二年 十月 一号", "２０２２／１０／１",
        ]  # fmt: skip
        for line, born in enumerate(written, start=1):
            sheet.write_row(line, 0, [ONE, "小一班", "甲乙丙丁戊己庚辛壬癸子丑寅"[line - 1] * 2, "", born])
        sheet.write_row(14, 0, [ONE, "小一班", "卯卯"])
        sheet.write_datetime(14, 4, dt.datetime.combine(BORN, dt.time()), book.add_format({"num_format": "yyyy-mm-dd"}))

    take_in("roll", workbook(fill, date_1904=True))
    assert [child.born for child in session.scalars(select(RollChild))] == [BORN] * 14


@pytest.mark.parametrize(
    "born",
    ["一二二二年十三月一日", "二〇二二年十月三十二日", "22.10.1", "10/1/2022", "去年十月", "二〇二二年一二月一日"],
)
def test_imp12_a_date_that_can_be_two_or_none_is_asked_for(three, faults_of, born):
    assert faults_of("roll", roll([[ONE, "小一班", "甲甲", "", born]], CHILDREN)) == [("E2", "not_a_date")]


def test_imp01_a_list_that_stands_on_a_hidden_sheet_alone_is_named(three, take_in):
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        book.add_worksheet("填表说明").write(0, 0, "请按模板填写，一行一个班。")
        for name in ("名单", "去年"):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, HEAD)
            sheet.write_row(1, 0, [ONE, "", "小一班", 20])
            sheet.hide() if name == "名单" else sheet.very_hidden()
    with pytest.raises(ImportFaults) as raised:
        take_in("roll", content.getvalue())
    (fault,) = raised.value.faults
    assert fault.code == "only_hidden"
    for language, way in (("zh", "取消隐藏"), ("en", "Unhide")):
        told = import_messages.fault_words(fault, language)
        assert "名单、去年" in told and way in told


def test_imp01_rows_behind_a_filter_are_read_and_told(counted):
    def fill(sheet, _book):
        sheet.write_row(0, 0, HEAD)
        for line, name in enumerate(("小一班", "小二班"), start=1):
            sheet.write_row(line, 0, [ONE, "", name, 20])
        sheet.set_row(2, None, None, {"hidden": True})

    classes, reading = counted(workbook(fill))
    assert classes == {"小一班": 20, "小二班": 20}
    assert (reading.hidden_count, reading.hidden) == (1, ["3"])
    report = {"sheets": [], "unread": [], "ignored": [], "left_out_count": 0, "remarks": []}
    report |= {"hidden": reading.hidden, "hidden_count": 1}
    for language, told in (("zh", "有 1 行在表格里是隐藏的"), ("en", "1 row is hidden")):
        ((text, examples),) = import_messages.report_lines(report, language)
        assert text.startswith(told)
        assert examples == ["3"]


def test_imp16_thousands_of_styled_empty_rows_before_the_last_one(counted):
    def fill(sheet, book):
        style = book.add_format({"bg_color": "#ffee00"})
        sheet.write_row(0, 0, HEAD)
        sheet.write_row(1, 0, [ONE, "", "小一班", 20])
        for line in range(2, 3000):
            sheet.write_blank(line, 0, None, style)
            sheet.write(line, 1, " \u3000")
        sheet.write_row(3000, 0, [ONE, "", "小二班", 21])

    assert counted(workbook(fill))[0] == {"小一班": 20, "小二班": 21}


def test_imp16_a_stray_cell_in_the_last_row_of_the_sheet_is_no_list_of_a_million(counted):
    def fill(sheet, _book):
        sheet.write_row(0, 0, HEAD)
        sheet.write_row(1, 0, [ONE, "", "小一班", 20])
        sheet.write(1_048_574, 1, " ")
        sheet.write(1_048_575, 0, "制表人：模拟")

    classes, reading = counted(workbook(fill))
    assert classes == {"小一班": 20}
    assert reading.left_out == [("1048576", "remark", "制表人：模拟")]


class TestImp14Text:
    @pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\x84\x31\x95\x33"], ids=["of UTF-8", "of GB 18030"])
    def test_imp14_gb18030_behind_a_byte_order_mark(self, counted, mark):
        assert counted(mark + csv_file(HEAD, [[ONE, "", "小一班", 20]], "gb18030"))[0] == {"小一班": 20}

    @pytest.mark.parametrize("last", ["", f'{ONE},,中二班,20,"好"\n'], ids=["to the end", "to the next mark"])
    def test_imp14_a_quotation_mark_without_its_pair_swallows_no_rows(self, three, take_in, last):
        text = ",".join(HEAD) + f',备注\n{ONE},,小一班,20,\n{ONE},,小二班,20,"无\n{ONE},,中一班,20,\n{last}'
        with pytest.raises(ImportFaults) as raised:
            take_in("roll", text.encode())
        (fault,) = raised.value.faults
        assert (fault.code, fault.details) == ("file_quote_open", {"row": 3})
        assert "第 3 行" in import_messages.fault_words(fault, "zh")

    def test_imp14_a_cell_that_is_too_long_is_not_called_an_open_quotation_mark(self, three, faults_of):
        boundary = '"{""type"": ""Polygon"", ""coordinates"": [[' + "[104.06, 30.67]," * 9000 + ']]}"'
        text = f"学校标识码,类型,边界\n{ONE},多边形,{boundary}\n"
        assert faults_of("service-areas", text.encode()) == [("", "cell_too_long")]

    def test_imp14_texts_with_more_commas_than_the_list_has_columns(self, three, take_in):
        text = f"学校标识码,类型,范围名称\n{ONE},街道,三圣街道，柳江街道，成龙路街道，锦华路街道\n"
        assert take_in("service-areas", text.encode()).counts["added"] == 4

    def test_imp14_a_first_line_that_tells_the_separator(self, counted):
        text = "sep=;\n" + csv_file(HEAD, [[ONE, "", "小一班", 20]], "utf-8").decode().replace(",", ";")
        assert counted(text.encode())[0] == {"小一班": 20}


def test_imp14_formulas_are_read_by_their_value_or_told(three, faults_of):
    def fill(sheet, _book):
        sheet.write_row(0, 0, HEAD)
        sheet.write_formula(1, 0, '="51010499"&"001"', None, ONE)
        sheet.write(1, 2, "小一班")
        sheet.write_formula(1, 3, "=10+10", None, 20)
        for line, name in enumerate(("小二班", "小三班", "小四班"), start=2):
            sheet.write_row(line, 0, [ONE, "", name])
        sheet.write_formula(2, 3, "=SUM(D2:D2)", None, "")
        sheet.write_formula(3, 3, "=NA()", None, "#N/A")
        sheet.write_string(4, 3, "=20")

    codes = [("D3", "formula_without_value"), ("D4", "formula_error"), ("D5", "not_a_number")]
    assert faults_of("roll", workbook(fill)) == codes


def test_imp16_the_same_code_in_other_digits_and_padding_is_the_same(faults_of):
    rows = [[1, "甲园", "公办", ONE, "锦江区"], [2, "甲园", "公办", " ５１０１０４９９００１\u3000", "锦江区"]]
    assert faults_of("kindergartens", xlsx(rows=rows)) == [("D4", "twice_in_file")]
