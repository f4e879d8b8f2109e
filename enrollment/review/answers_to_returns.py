"""What a family did about the items that it was asked to complete: item by item, and what else it changed."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from enrollment.applications.application_rows import VERSIONS, Application
from enrollment.applications.evidence_rows import pages_of
from enrollment.applications.returned_items import RETURNED_ITEMS, ReturnedItem
from enrollment.season.document_kinds import Document
from enrollment.season.facts import Fact, Ground

CHANGES_OF: dict[Fact, tuple[str, ...]] = {
    Fact.BORN: ("child.born", "child.id_number", "child.id_kind"),
    Fact.HUKOU_AREA: ("household.hukou_area",),
    Fact.HUKOU_KIND: ("household.hukou_kind",),
    Fact.HUKOU_STREET: ("household.hukou_street",),
    Fact.HOME_AREA: ("household.home_area",),
    Fact.HOME_PLACE: (
        "household.home_street",
        "household.home_community",
        "household.home_estate",
        "household.home_address",
        "household.home_longitude",
        "household.home_latitude",
    ),
    Fact.HOME_OWNED: ("household.home_owned",),
    Fact.WORK_AREA: ("household.work_area",),
    Fact.RESIDENCE_PERMIT_AREA: ("household.residence_permit_area",),
    Fact.SIBLING_AT: (f"claims.{Ground.ELDER_SIBLING}", "elder_sibling"),
    Fact.SIBLING_RIGHT_AT: (f"claims.{Ground.SIBLING_RIGHT}",),
    Fact.POLICY_CARE: (f"claims.{Ground.POLICY_CARE}",),
    Fact.STAFF_CHILD_AT: (f"claims.{Ground.STAFF_CHILD}",),
    Fact.SPECIAL_NEED: (f"claims.{Ground.SPECIAL_NEED}",),
    Fact.CHILDREN_IN_FAMILY: (f"claims.{Ground.MULTI_CHILD}",),
}
"""The changes of a receipt that concern a fact."""


@dataclass(frozen=True)
class AnsweredItem:
    """One item of the last return.  `done`: something came for it; `new_pages` of a document came since it was asked."""

    item: str
    phrase: str | None
    note: str
    done: bool
    pages_before: int
    new_pages: int
    changed: tuple[str, ...]


@dataclass(frozen=True)
class AnsweredReturn:
    """The last return: when it was asked and answered, its items, what is still missing first, and other changes."""

    asked_at: dt.datetime
    answered_at: dt.datetime | None
    items: tuple[AnsweredItem, ...]
    other_changes: tuple[str, ...]

    @property
    def missing(self) -> int:
        return sum(not item.done for item in self.items)


def last_return(session: Session, application: Application) -> AnsweredReturn | None:
    """The answers to the last return; None if the application was never returned."""
    asked = RETURNED_ITEMS.of(session, application.id)
    if not asked:
        return None
    asked_at = max(item.asked_at for item in asked)
    last = [item for item in asked if item.asked_at == asked_at]
    answered = [item.answered_at for item in last if item.answered_at is not None]
    pages = pages_of(session, application.id)
    versions = [each for each in VERSIONS.of(session, application.id) if each.submitted_at > asked_at]
    changed = sorted({code for version in versions for code in version.changed})
    uploads = {document: [page.uploaded_at for page in listed] for document, listed in pages.items()}
    items = [_answered(item, uploads.get(item.item, []), changed) for item in last]
    told = {code for item in items for code in item.changed}
    others = tuple(code for code in changed if code not in told and not _is_page(code, last))
    return AnsweredReturn(
        asked_at, max(answered, default=None), tuple(sorted(items, key=lambda item: (item.done, item.item))), others
    )


def _answered(item: ReturnedItem, uploads: Sequence[dt.datetime], changed: Sequence[str]) -> AnsweredItem:
    if item.item in set(Document):
        new = sum(at > item.asked_at for at in uploads)
        return AnsweredItem(item.item, item.phrase, item.note, new > 0, len(uploads) - new, new, ())
    if item.item in set(Fact):
        concerns = tuple(code for code in changed if code in CHANGES_OF[Fact(item.item)])
        return AnsweredItem(item.item, item.phrase, item.note, bool(concerns), 0, 0, concerns)
    return AnsweredItem(item.item, item.phrase, item.note, bool(changed), 0, 0, ())


def _is_page(code: str, asked: Sequence[ReturnedItem]) -> bool:
    part, _dot, name = code.partition(".")
    return part == "evidence" and any(item.item == name for item in asked)
