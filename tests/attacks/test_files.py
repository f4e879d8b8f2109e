"""Uploaded files with active content, attachments or decompression bombs."""

import csv
import io
import struct
import zipfile
import zlib

import openpyxl
import psutil
import pytest
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, TextStringObject

from enrollment.ground.errors import Refused
from enrollment.ground.files.uploads import sanitise_upload
from enrollment.places import spreadsheets
from enrollment.places.imports.faults import ImportFaults
from enrollment.places.imports.files import sheet_reader
from tests.domain.eligibility.test_evidence import pdf, photo


def dictionary(**said) -> DictionaryObject:
    return DictionaryObject({NameObject(f"/{name}"): value for name, value in said.items()})


SCRIPT = dictionary(S=NameObject("/JavaScript"), JS=TextStringObject("app.alert(1)"))


def written(writer: PdfWriter) -> bytes:
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def on_opening_a_page(writer, page):
    page[NameObject("/AA")] = dictionary(O=SCRIPT)


def on_a_click(writer, page):
    link = dictionary(Type=NameObject("/Annot"), Subtype=NameObject("/Link"), A=SCRIPT)
    page[NameObject("/Annots")] = ArrayObject([writer._add_object(link)])


def on_closing(writer, page):
    writer.root_object[NameObject("/AA")] = dictionary(WC=SCRIPT)


def after_something_harmless(writer, page):
    first = dictionary(S=NameObject("/GoTo"), Next=SCRIPT)
    writer.root_object[NameObject("/OpenAction")] = first


def on_launching(writer, page):
    launch = dictionary(S=NameObject("/Launch"), F=TextStringObject("calc.exe"))
    page[NameObject("/Annots")] = ArrayObject([dictionary(Subtype=NameObject("/Link"), A=launch)])


def as_a_clip_on_a_page(writer, page):
    file = dictionary(Type=NameObject("/Filespec"), EF=dictionary())
    page[NameObject("/Annots")] = ArrayObject([dictionary(Subtype=NameObject("/FileAttachment"), FS=file)])


def in_a_form(writer, page):
    writer.root_object[NameObject("/AcroForm")] = dictionary(XFA=TextStringObject("<xdp/>"))


@pytest.mark.parametrize(
    "hide",
    [on_opening_a_page, on_a_click, on_closing, after_something_harmless, on_launching, as_a_clip_on_a_page, in_a_form],
)
def test_a_pdf_that_does_or_carries_something_is_refused_wherever_it_hides(hide):
    writer = PdfWriter()
    hide(writer, writer.add_blank_page(200, 200))
    with pytest.raises(Refused) as refused:
        sanitise_upload(written(writer))
    assert refused.value.code == "pdf_active"


def packed_pdf(streams: int, megabytes: int, kind: bytes = b"/ObjStm") -> bytes:
    """A PDF with so many object streams, each of which unpacks to so many megabytes of blanks."""
    names = [b"%d 0 R" % (1000 + number) for number in range(streams)]
    parts = {
        1: b"<< /Type /Catalog /Pages 2 0 R /Lang [" + b" ".join(names) + b"] >>",
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] >>",
    }
    for number in range(streams):
        inside = b"%d 0 " % (1000 + number)
        data = zlib.compress(inside + b"<< /A 1 >>" + b" " * (megabytes << 20), 9)
        head = b"<< /Type %s /N 1 /First %d /Filter /FlateDecode /Length %d >>" % (kind, len(inside), len(data))
        parts[10 + number] = head + b"\nstream\n" + data + b"\nendstream"
    written, rows = b"%PDF-1.5\n", {}
    for number, body in parts.items():
        rows[number] = struct.pack(">BIH", 1, len(written), 0)
        written += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    rows |= {1000 + number: struct.pack(">BIH", 2, 10 + number, 0) for number in range(streams)}
    index = b" ".join(b"%d 1" % number for number in rows)
    table = b"".join(rows.values())
    head = b"<< /Type /XRef /W [1 4 2] /Size 9999 /Root 1 0 R /Index [" + index + b"] /Length %d >>" % len(table)
    end = (
        b"9000 0 obj\n" + head + b"\nstream\n" + table + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(written)
    )
    return written + end


def test_a_pdf_that_unpacks_to_gigabytes_is_refused_and_costs_the_page_process_nothing():
    assert sanitise_upload(packed_pdf(2, 1)).media_type == "application/pdf", "packed objects are no fault"
    bomb = packed_pdf(20, 60)
    assert len(bomb) < 2_000_000
    before = psutil.Process().memory_info().rss
    with pytest.raises(Refused, match="pdf_unreadable"):
        sanitise_upload(bomb)
    assert psutil.Process().memory_info().rss - before < 50 << 20


def test_whatever_a_parser_raises_over_a_pdf_it_is_unreadable():
    """pypdf asserts that an object stream says that it is one."""
    with pytest.raises(Refused, match="pdf_unreadable"):
        sanitise_upload(packed_pdf(1, 1, kind=b"/Nothing"))


def test_a_plain_scan_is_accepted():
    assert sanitise_upload(pdf(3)).media_type == "application/pdf"


@pytest.mark.parametrize(
    "content",
    [
        b"<html><script>alert(1)</script></html>",
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        b"GIF89a<script>alert(1)</script>",
        b"\xff\xd8\xff\xe0<script>alert(1)</script>",
        b"%!PS-Adobe-3.0",
        b"MZ\x90\x00",
        b"PK\x03\x04",
    ],
)
def test_a_file_with_a_false_media_type_is_refused(content):
    with pytest.raises(Refused):
        sanitise_upload(content)


def test_a_photo_that_is_also_html_keeps_only_its_picture():
    both = photo() + b"<script>alert('polyglot')</script>%PDF-1.4"
    safe = sanitise_upload(both)
    assert safe.media_type == "image/webp"
    assert b"script" not in safe.content


def test_one_long_text_in_many_cells_is_refused_before_it_is_copied():
    small = spreadsheets.to_xlsx("t", ["name"], [["A" * 32_000] * 40] * 600)
    assert len(small) < 1_000_000
    (sheet,) = sheet_reader.read(small)
    with pytest.raises(ImportFaults) as refused:
        list(sheet.rows())
    assert [fault.code for fault in refused.value.faults] == ["file_unpacks_too_large"]


def test_a_workbook_of_a_thousand_to_one_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"<c " + b" " * 200_000_000)
    with pytest.raises(ImportFaults):
        sheet_reader.read(file.getvalue())


FORMULAS = ("=HYPERLINK(1)", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1")


def test_an_exported_spreadsheet_contains_no_formula():
    table = spreadsheets.to_csv(["name"], [[text] for text in FORMULAS]).decode("utf-8-sig")
    assert [row[0][:1] for row in csv.reader(io.StringIO(table, newline=""))][1:] == ["'"] * len(FORMULAS)
    book = openpyxl.load_workbook(io.BytesIO(spreadsheets.to_xlsx("t", ["name"], [[text] for text in FORMULAS[:4]])))
    assert [cell.data_type for cell in book.active["A"]][1:] == ["s"] * 4
