"""Lists as offices keep them.  The small workbooks of `data/` failed once (invented, 模拟数据)."""

import io
from pathlib import Path

import xlsxwriter

from enrollment.places import kindergartens
from tests.support.office_files import HEADINGS, ROWS

DATA = Path(__file__).with_name("data")
CHILDREN = ["学校标识码", "班级", "姓名", "身份证号", "出生日期"]
BEN = "510104202112012011"


def listed(name):
    return (DATA / f"{name}.xlsx").read_bytes()


def book(**sheets):
    """A workbook with these sheets; `_hidden` at the end of a name hides it."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as made:
        for name, rows in sheets.items():
            sheet = made.add_worksheet(name.removesuffix("_hidden"))
            for line, row in enumerate(rows):
                sheet.write_row(line, 0, row)
            if name.endswith("_hidden"):
                sheet.hide()
    return content.getvalue()


def with_cell(heading, value, line=0):
    rows = [list(row) for row in ROWS]
    rows[line][HEADINGS.index(heading)] = value
    return rows


def of(session, code):
    return kindergartens.by_code(session, code)
