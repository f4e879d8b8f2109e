"""What an uploaded file really is, by its content: its name is what somebody called it."""

import io
import re
import zipfile

from enrollment.places.imports.files.limits import refuse

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
UNREADABLE = (zipfile.BadZipFile, OSError, KeyError, NotImplementedError, RuntimeError, ValueError, EOFError)
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")
BEGINNING = 4096

_html = re.compile(rb"<!doctype\s+html|<html|<table|<head\b|<body\b", re.IGNORECASE)
_script = re.compile(
    rb"(?:--|/\*|delete\s+from|insert\s+into|create\s+table|drop\s+table|begin;|set\s+names|var\s|let\s|const\s|export\s|import\s)",
    re.IGNORECASE,
)
_geojson = re.compile(rb'"(FeatureCollection|Feature|MultiPolygon|Polygon)"')


def refuse_foreign(content: bytes) -> None:
    """Raises ImportFaults, with what the file is, for one that is neither a workbook (.xlsx) nor text."""
    start = content[:BEGINNING].lstrip(b"\xef\xbb\xbf \t\r\n")
    if content.startswith(b"%PDF"):
        raise refuse("file_is_pdf")
    if content.startswith(OLE):
        raise refuse("file_is_locked") if ENCRYPTED in content else refuse("file_is_old_excel")
    if content.startswith(ZIP):
        _refuse_foreign_zip(content)
    elif content.startswith(PICTURES) or (content[:4] == b"RIFF" and content[8:12] == b"WEBP"):
        raise refuse("file_is_picture")
    elif content.startswith((b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")):
        raise refuse("file_is_archive")
    elif start.startswith(b"{\\rtf"):
        raise refuse("file_is_word")
    else:
        _refuse_foreign_text(start)


def _refuse_foreign_text(start: bytes) -> None:
    if start.startswith(b"<"):
        if b"urn:schemas-microsoft-com:office:spreadsheet" in start:
            raise refuse("file_is_xml_spreadsheet")
        raise refuse("file_is_html") if _html.search(start) else refuse("file_is_xml")
    if _script.match(start):
        raise refuse("file_is_script")
    if start.startswith((b"{", b"[")):
        raise refuse("file_is_geojson") if _geojson.search(start) else refuse("file_is_json")


def _refuse_foreign_zip(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = {name.lower() for name in archive.namelist()}
            media_type = archive.read("mimetype")[:80] if "mimetype" in names else b""
    except UNREADABLE as fault:
        raise refuse("file_damaged") from fault
    if "xl/workbook.bin" in names:
        raise refuse("file_is_xlsb")
    if any(name.startswith("xl/") for name in names):
        return
    if any(name.startswith("word/") for name in names) or b"opendocument.text" in media_type:
        raise refuse("file_is_word")
    raise refuse("file_is_ods") if b"opendocument" in media_type else refuse("file_is_archive")
