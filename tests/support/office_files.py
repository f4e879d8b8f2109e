"""Spreadsheets in the formats that district offices send, made in memory."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import xlsxwriter

HEADINGS = [
    "序号",
    "园所名称",
    "办园性质",
    "学校标识码",
    "招生区域",
    "街道",
    "班数",
    "保教费（元/月）",
    "经度",
    "纬度",
    "联系电话",
]
ROWS = [
    [1, "锦官新城幼儿园", "教办", 5151040001, "锦江区", "三圣街道", 9, "６００", 104.1325, 30.6012, "028-85550001"],
    [2, "三圣花乡幼儿园", "普惠性民办", "5151040002", "成都市锦江区", " 三圣街道 ", "12个班", "1,200元/月", "", "", ""],
    [3, "小太阳幼儿园", "非普惠", "５１５１０４０００３", "510104", "柳江街道", "6", 3500, "", "", "13800000000"],
]


def xlsx(
    headings: Sequence[str] = HEADINGS,
    rows: Sequence[Sequence[Any]] = ROWS,
    *,
    title: str | None = "锦江区 2026 年幼儿园名册（模拟数据）",
    merged: Sequence[tuple[int, int, int, int, Any]] = (),
) -> bytes:
    """A workbook with a merged title row above the header; `merged` are (top, left, bottom, right, value) from 0."""
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    sheet = book.add_worksheet("Sheet1")
    first = 0
    if title:
        sheet.merge_range(0, 0, 0, max(len(headings) - 1, 1), title)
        first = 1
    for index, heading in enumerate(headings):
        sheet.write(first, index, heading)
    for line, row in enumerate(rows, start=first + 1):
        for index, cell in enumerate(row):
            if cell not in ("", None):
                sheet.write(line, index, cell)
    for top, left, bottom, right, value in merged:
        sheet.merge_range(top, left, bottom, right, value)
    book.close()
    return content.getvalue()


def csv_file(
    headings: Sequence[str] = HEADINGS, rows: Sequence[Sequence[Any]] = ROWS, encoding: str = "utf-8-sig"
) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(headings)
    writer.writerows(rows)
    return text.getvalue().encode(encoding)
