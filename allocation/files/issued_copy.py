"""A copy of a bundle for one recipient: the same files, and one more that names the copy. No check reads it."""

import io
import zipfile
from collections.abc import Mapping

from allocation import lottery

ISSUED = "issued.json"


def issued_copy(packed: bytes, issued: Mapping[str, object]) -> bytes:
    """The zip file ``packed`` with ``issued.json``; every other file keeps its bytes."""
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as source, zipfile.ZipFile(sink, "w") as copy:
        entries = [entry for entry in source.infolist() if entry.filename != ISSUED]
        for entry in entries:
            copy.writestr(entry, source.read(entry))
        mark = zipfile.ZipInfo(ISSUED, date_time=entries[0].date_time if entries else (1980, 1, 1, 0, 0, 0))
        mark.create_system, mark.external_attr = 3, 0o644 << 16
        copy.writestr(mark, lottery.canonical({"format": "issued/1", **issued}))
    return sink.getvalue()
