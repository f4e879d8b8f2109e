"""A request that declares more than its route takes: refused unread, and the answers beside the file are not lost.

Only the fields that stand before the first file are read, at most `FIRST_PART` bytes.  What follows is thrown away without
being looked at, and only as much of it as `MOST_THROWN_AWAY`: a browser that is still sending shows no answer at all
when the connection is closed under it.
"""

from flask import request
from werkzeug.exceptions import HTTPException
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

LARGEST_FORM = 4 * 2**20
"""Bytes of a request without files.  The proxy takes less of it, but for the forms that it knows to be large."""

FIRST_PART = 256 * 1024
MOST_THROWN_AWAY = 128 * 2**20
STEP = 64 * 1024


def fields_before_the_file() -> list[tuple[str, str]]:
    """The text fields of the posted form up to its first file; nothing where the body is no form with files."""
    boundary = request.mimetype_params.get("boundary", "")
    if request.mimetype != "multipart/form-data" or not boundary:
        return []
    size, most = request.content_length, request.max_content_length
    if size is None or most is None or size <= most:
        return []  # refused for another reason, after its body was read in part: what is left of it is not known
    stream, left = request.environ["wsgi.input"], size
    beginning = stream.read(min(left, FIRST_PART))
    found = _fields_in(beginning, boundary)
    left = min(left - len(beginning), MOST_THROWN_AWAY)
    while left > 0 and (part := stream.read(min(left, STEP))):
        left -= len(part)
    return found


def _fields_in(beginning: bytes, boundary: str) -> list[tuple[str, str]]:
    decoder = MultipartDecoder(boundary.encode("latin-1", "ignore"), max_form_memory_size=FIRST_PART, max_parts=500)
    found: list[tuple[str, str]] = []
    name, text = "", b""
    try:
        decoder.receive_data(beginning)
        event: Event = decoder.next_event()
        while not isinstance(event, (File, NeedData, Epilogue)):
            if isinstance(event, Field):
                name, text = event.name, b""
            elif isinstance(event, Data):
                text += event.data
                if not event.more_data:
                    found.append((name, text.decode("utf-8", "replace")))
            event = decoder.next_event()
    except (ValueError, HTTPException):
        return found
    return found
