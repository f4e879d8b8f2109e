"""Files that are no lists, damaged, hostile or forgotten."""

import datetime as dt
import io
import zipfile

import pytest
import xlsxwriter
from sqlalchemy import text

from enrollment.ground.errors import NotFound, Refused
from enrollment.places.imports import importer, uploads
from enrollment.places.imports.changes import Difference
from enrollment.places.imports.files import limits, sheet_parser
from enrollment.places.imports.uploaded_files import ImportFile, ImportState
from enrollment.places.imports.uploads import ImportCancelled
from tests.support.office_files import HEADINGS, ROWS, csv_file, xlsx
from tests.support.prepared import prepared


def far_cell(row, column):
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADINGS)
        sheet.write(row, column, "远")
    return content.getvalue()


def repacked(content, change):
    """The same workbook with parts changed by `change(name, body) -> body or None`."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            body = change(name, old.read(name))
            if body is not None:
                new.writestr(name, body)
    return out.getvalue()


def bomb():
    """A sheet of a gigabyte of spaces in a megabyte of zip."""
    blown = b"<worksheet><sheetData>" + b" " * (limits.MOST_UNPACKED + 1)
    return repacked(xlsx(), lambda name, body: blown if name.endswith("sheet1.xml") else body)


def lying_bomb():
    """The same, with a directory that says the sheet is small."""
    content = bytearray(bomb())
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        info = archive.getinfo("xl/worksheets/sheet1.xml")
    real = info.file_size.to_bytes(4, "little")
    return bytes(content).replace(real, (1000).to_bytes(4, "little"))


HOSTILE = {
    "file_empty": lambda: b"",
    "file_is_old_excel": lambda: b"\xd0\xcf\x11\xe0" + bytes(512),
    "file_damaged": lambda: xlsx()[:-200],
    "file_not_text": lambda: bytes(range(256)) * 4,
    "header_missing": lambda: csv_file(["甲", "乙"], [[1, 2]]),
    "column_missing": lambda: csv_file(["园所名称", "办园性质"], [["锦官", "公办"]]),
    "column_twice": lambda: csv_file([*HEADINGS, "标识码"], [[*ROWS[0], "1"]]),
    "no_rows": lambda: csv_file(HEADINGS, []),
    "too_many_columns": lambda: far_cell(1, 16_383),
    "file_unpacks_too_large": bomb,
    "file_too_large": lambda: b"a" * (limits.MOST_BYTES + 1),
}


@pytest.mark.parametrize("code", HOSTILE)
def test_a_file_that_is_none_of_ours_is_refused_whole(faults_of, code):
    assert {fault for _cell, fault in faults_of("kindergartens", HOSTILE[code]())} == {code}


def test_a_list_of_too_many_rows_is_refused_and_empty_ones_do_not_count(faults_of, take_in, monkeypatch):
    """A stray cell far below a list is no long list (`test_imp_untidy_workbooks`)."""
    monkeypatch.setattr(sheet_parser, "MOST_ROWS", 20)

    def longer(cell: bytes) -> bytes:
        rows = b"</sheetData>", b"<row>%s</row>" % cell * 20 + b"</sheetData>"
        return repacked(xlsx(), lambda name, body: body.replace(*rows) if name.endswith("sheet1.xml") else body)

    assert faults_of("kindergartens", longer(b'<c t="inlineStr"><is><t>x</t></is></c>')) == [("", "too_many_rows")]
    assert take_in("kindergartens", longer(b'<c s="0"/>')).counts["added"] == len(ROWS)


def test_a_bomb_that_lies_about_its_size_is_refused(faults_of):
    ((_cell, code),) = faults_of("kindergartens", lying_bomb())
    assert code in ("file_damaged", "file_unpacks_too_large")


def test_entities_that_multiply_do_not_multiply(faults_of):
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><worksheet>&b;</worksheet>'
    content = repacked(xlsx(), lambda name, body: laughs if name.endswith("sheet1.xml") else body)
    ((_cell, code),) = faults_of("kindergartens", content)
    assert code in ("file_damaged", "file_empty", "header_missing")


def test_a_formula_that_failed_is_told_by_its_cell(faults_of):
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADINGS)
        sheet.write_row(1, 0, ROWS[0])
        sheet.write_formula(1, 6, "=1/0", None, "#DIV/0!")
    assert faults_of("kindergartens", content.getvalue()) == [("G2", "formula_error")]


def test_styled_cells_without_content_at_the_far_end_do_no_harm(take_in):
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet, grey = book.add_worksheet(), book.add_format({"bg_color": "#eeeeee"})
        sheet.write_row(0, 0, HEADINGS)
        sheet.write_row(1, 0, ROWS[0])
        sheet.write_blank(1_048_575, 0, None, grey)
    assert take_in("kindergartens", content.getvalue()).counts["added"] == 1


def test_the_sheet_with_the_header_is_found_among_others(take_in):
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        book.add_worksheet("说明").write(0, 0, "请勿修改表头")
        sheet = book.add_worksheet("名册")
        sheet.write_row(3, 1, HEADINGS)
        sheet.write_row(4, 1, ROWS[0])
    assert take_in("kindergartens", content.getvalue()).counts["added"] == 1


@prepared
def kept(town):
    official = town.area_official("510104")
    file = uploads.store(town.session, "kindergartens", "名册.xlsx", xlsx(), by=official, now=town.now, year=2026)
    return official, file


def checked(town, file):
    """The file with the outcome of its check, as the job keeps it."""
    _file, content, owner = uploads.task(town.session, file.id, ImportState.WAITING)
    difference = importer.compare(town.session, file.kind, content, by=owner, now=town.now, year=file.year)
    uploads.keep_difference(town.session, file.id, difference)
    town.session.refresh(file)
    return file


def test_a_kept_file_is_sealed_and_its_report_too(town, kept):
    _official, file = kept
    assert "锦官".encode() not in file.content
    assert xlsx()[:50] not in file.content
    assert checked(town, file).state == "checked"
    assert uploads.report_of(file)["counts"]["added"] == 3
    stored = town.session.execute(text("SELECT report FROM import_file")).scalar_one()
    assert "锦官".encode() not in bytes(stored)


def test_a_kept_file_is_confirmed_once(town, kept):
    official, file = kept
    with pytest.raises(Refused, match="import_file_gone"):
        uploads.confirm(town.session, file.id, by=official, now=town.now, overwrite=())
    checked(town, file)
    uploads.confirm(town.session, file.id, by=official, now=town.now, overwrite=())
    with pytest.raises(Refused, match="import_file_gone"):
        uploads.confirm(town.session, file.id, by=official, now=town.now, overwrite=())


def test_a_list_that_waits_for_a_word_in_another_tab_stays(town, kept):
    """Only a newer file of its kind and year takes its place."""
    official, file = kept
    checked(town, file)
    for kind, year in (("programmes", 2026), ("kindergartens", 2027)):
        uploads.store(town.session, kind, "其他.xlsx", xlsx(), by=official, now=town.now, year=year)
    assert uploads.own(town.session, file.id, by=official, now=town.now).state == ImportState.CHECKED
    uploads.store(town.session, "kindergartens", "新名册.xlsx", xlsx(), by=official, now=town.now, year=2026)
    with pytest.raises(NotFound):
        uploads.own(town.session, file.id, by=official, now=town.now)


def test_a_kept_file_belongs_to_the_person_who_brought_it(town, kept):
    with pytest.raises(NotFound):
        uploads.own(town.session, kept[1].id, by=town.area_official("510104"), now=town.now)


def test_a_file_that_nobody_said_the_word_for_is_forgotten_after_a_day(town, kept):
    official, file = kept
    later = town.now + dt.timedelta(hours=25)
    with pytest.raises(Refused, match="import_file_gone"):
        uploads.own(town.session, file.id, by=official, now=later)
    assert uploads.delete_expired(town.session, now=later) == 1
    assert town.session.query(ImportFile).count() == 0


def test_a_file_given_up_is_nothing_that_a_job_could_import(town, kept):
    official, file = kept
    checked(town, file)
    uploads.confirm(town.session, file.id, by=official, now=town.now, overwrite=())
    uploads.give_up(town.session, file.id, by=official, now=town.now)
    assert uploads.task(town.session, file.id, ImportState.APPLYING) is None
    with pytest.raises(ImportCancelled):
        uploads.finish(town.session, file.id, Difference("kindergartens"), now=town.now)
