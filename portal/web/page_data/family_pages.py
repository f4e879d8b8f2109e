"""Pages of a family, kept for a minute in the memory of the page processes for the family that looks again.

A family that waits looks again and again, and in the rush the most.  What its page shows follows from what the two statements of
the request have answered, the session with its account and the state of the family, and from the catalogue and the minute.  The
view of a page under `kept_for_family` is not called while all of it is what it was: the state is read for each look, and its
text compared.  So a change of any row that the page shows counts from the next look on, as without this module.

What a page must not share is put in anew: the form token under its mask, and the keys of forms.  A page is never kept when

* its view has asked the database anything more, or has written;
* the session was changed, as by a message that is shown once, or the language with it;
* the reader is a helper or anybody else than a guardian of the family.

A kept page belongs to one account, and leaves the memory with the first page that is kept in a later minute.  The page processes
of one master keep their pages together (`shared_pages`): a family that looks again mostly comes to another process.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ParamSpec
from uuid import UUID

from flask import Flask, current_app, g, request
from flask.typing import ResponseReturnValue

from enrollment.ground.reading.catalogue import KEY, Attached, part_named
from enrollment.ground.reading.prepared_read import SENT
from enrollment.results import family_state
from portal.text.languages import chosen
from portal.web.csrf import masked_token
from portal.web.idempotency import idempotency_key
from portal.web.page_data.page_reads import account_to_read, reads_family_itself
from portal.web.page_data.shared_pages import SharedPages
from portal.web.reading.request_read import catalogue, common
from portal.web.sessions import current_session
from portal.web.unit_of_work import clock, db

P = ParamSpec("P")

SHOWN_BY_NO_PAGE = frozenset({"session", "__Host-session", "device", "__Host-device", "visit", "__Host-visit"})
"""Cookies that no page shows anything of."""

MARK = "\0"
"""Stands for a token while a page is taken apart.  No text of the database has this character; a page with it is not kept."""


@dataclass(frozen=True)
class Asked:
    """Who asks for which page, and in which form: a family keeps one page for each."""

    account: UUID
    host: str
    path: str
    query: bytes
    language: str
    cookies: tuple[tuple[str, str], ...]

    @property
    def place(self) -> bytes:
        """The digest of all of it."""
        return hashlib.blake2b(repr(self).encode(), digest_size=32).digest()


@dataclass(frozen=True)
class FamilyPage:
    """A page whose tokens are replaced by `MARK` and a letter: `t` for the form token, `k` for the key of a form.

    `looked_up` has the stamps of the large parts of the catalogue that it was made from, by the names of the parts.
    """

    looked_up: Mapping[str, str]
    text: str

    @classmethod
    def of_bytes(cls, kept: bytes) -> "FamilyPage":
        looked_up, _line, text = kept.partition(b"\n")
        return cls(json.loads(looked_up), text.decode())

    def to_bytes(self) -> bytes:
        return f"{json.dumps(self.looked_up)}\n{self.text}".encode()

    def written(self) -> str:
        """The page with tokens of this answer."""
        return "".join(self._parts())

    def _parts(self) -> Iterator[str]:
        first, *rest = self.text.split(MARK)
        yield first
        for each in rest:
            yield idempotency_key() if each[0] == "k" else masked_token()
            yield each[1:]


@dataclass
class FamilyPages:
    """The pages that this process and its siblings keep.  `found` counts those that this process has found."""

    shared: SharedPages = field(default_factory=SharedPages)
    found: int = 0

    def find(self, asked: Asked, seen: bytes) -> FamilyPage | None:
        """The page, if everything that it was made from is what it was."""
        place = asked.place
        kept = self.shared.find(place, _name(place, seen))
        if kept is None:
            return None
        page = FamilyPage.of_bytes(kept)
        if any(catalogue().look(part_named(name), db) != stamp for name, stamp in page.looked_up.items()):
            return None
        self.found += 1
        return page

    def keep(self, asked: Asked, seen: bytes, page: FamilyPage, minute: datetime) -> None:
        place = asked.place
        self.shared.keep(place, _name(place, seen), page.to_bytes(), int(minute.timestamp()) // 60)


def _name(place: bytes, seen: bytes) -> bytes:
    return hashlib.blake2b(place + seen, digest_size=32).digest()


def kept_for_family(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Keep the pages of this view, which reads nothing but the family's state and the catalogue."""

    @reads_family_itself
    @functools.wraps(view)
    def answer(*args: P.args, **values: P.kwargs) -> ResponseReturnValue:
        account = account_to_read()
        if account is None:
            return view(*args, **values)
        state = family_state.read_text(db(), account)
        asked, minute = _asked(account.id), clock().replace(second=0, microsecond=0)
        seen = _digest(state, minute)
        pages: FamilyPages = current_app.extensions["family_pages"]
        found = pages.find(asked, seen) if _is_plain() else None
        if found is not None:
            return found.written()
        family_state.keep_as_read(db(), account, json.loads(state))
        sent = db().info.get(SENT)
        page = view(*args, **values)
        is_all_told = _is_plain() and db().info.get(SENT) == sent
        if is_all_told and isinstance(page, str) and MARK not in page:
            pages.keep(asked, seen, _without_tokens(page), minute)
        return page

    return answer


def _asked(account: UUID) -> Asked:
    cookies = tuple(sorted(each for each in request.cookies.items() if each[0] not in SHOWN_BY_NO_PAGE))
    return Asked(account, request.host_url, request.path, request.query_string, chosen(), cookies)


def _digest(state: bytes, minute: datetime) -> bytes:
    """Stands for all that the page of a request follows from."""
    row = current_session().row
    told = () if row is None else row.told
    all_else = repr((told, sorted(common(db()).stamps.items()), minute))
    return hashlib.blake2b(state + b"\0" + all_else.encode(), digest_size=16).digest()


def _is_plain() -> bool:
    """Whether this request has shown or changed nothing that the next one would not find again, and asked nothing but
    statements that are counted."""
    return not (db().in_transaction() or current_session().modified or "kept_language" in g)


def _without_tokens(page: str) -> FamilyPage:
    for key in g.get("fresh_keys", ()):
        page = page.replace(key, f"{MARK}k")
    if "masked_token" in g:
        page = page.replace(g.masked_token, f"{MARK}t")
    attached: Attached = db().info[KEY]
    return FamilyPage({part.name: stamp for part, stamp in attached.used.items() if part.every}, page)


def init(app: Flask) -> None:
    app.extensions["family_pages"] = FamilyPages()
