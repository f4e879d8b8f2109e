"""The lines of the review queue in words: what to look at, by when, and who has it."""

import datetime as dt
import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from markupsafe import Markup, escape

from enrollment.ground.city_time import CHENGDU
from enrollment.review.queue.filters import Group
from enrollment.review.queue.line_details import Details, details_of
from enrollment.review.queue.lines import Line
from enrollment.season.facts import Fact
from portal.text.facts import Names, item_words, names_for
from portal.text.formats import day
from portal.text.words import word
from portal.web.unit_of_work import clock, db

MOST_PIECES = 2
"""What a line tells before it says how much more there is."""


@dataclass(frozen=True)
class QueueLine:
    """`look_at` are (what, text) with the differing characters marked; `more` counts what the line leaves out.

    `due` is empty for a return without a chosen moment.
    """

    line: Line
    grounds: tuple[str, ...]
    look_at: tuple[tuple[str, Markup], ...]
    more: int
    due: str
    late: bool
    is_refusal: bool


def queue_lines(lines: Sequence[Line]) -> dict[Group, list[QueueLine]]:
    """The lines with their words, by group."""
    details = details_of(db(), lines)
    values = [
        (difference.fact, value)
        for found in details.values()
        for difference in found.differences
        for value in (difference.claimed, difference.registered)
    ]
    names = names_for(db(), values)
    told: dict[Group, list[QueueLine]] = {}
    for line in lines:
        told.setdefault(line.group, []).append(_told(line, details[line.application_id], names))
    return told


def _told(line: Line, details: Details, names: Names) -> QueueLine:
    pieces = _pieces(line, details, names)
    due, has_end = _due(line, details)
    shown = tuple(pieces[:MOST_PIECES])
    return QueueLine(
        line,
        tuple(word("ground", ground) for ground in details.grounds),
        shown,
        len(pieces) - len(shown),
        due_words(due) if has_end else "",
        has_end and (due < clock() or due.astimezone(CHENGDU).date() == clock().astimezone(CHENGDU).date()),
        details.refusal is not None,
    )


def _due(line: Line, details: Details) -> tuple[dt.datetime, bool]:
    """When the review is due, or, of a return, the answer of the family; false where no moment was chosen for it."""
    if line.group is not Group.RETURNED:
        return line.due, True
    chosen = [item.answer_by for item in details.asked if item.answered_at is None and item.answer_by is not None]
    return max(chosen, default=line.due), bool(chosen)


def _pieces(line: Line, details: Details, names: Names) -> list[tuple[str, Markup]]:
    if details.refusal is not None:
        what = _("不予通过")
        return [(what, escape(f"{word('refusal_rule', details.refusal.rule)} · {details.refusal.explanation}"))]
    if line.group is Group.RETURNED:
        return [(item_words(item.item), escape(_("等家长"))) for item in details.asked if item.answered_at is None]
    if line.group is Group.DONE:
        return [(word("stage", line.stage), Markup())]
    if line.group is Group.SECOND:
        return [(word("fact", fact), escape(reason or "")) for fact, reason in details.second_opinions]
    differing = [
        _difference(each.fact, each.claimed, each.registered, names, disputed=each.disputed)
        for each in details.differences
    ]
    if line.group is Group.ANSWERED:
        pages = {document.value: number for document, number in details.papers}
        newest = max((item.asked_at for item in details.asked), default=None)
        asked = [item for item in details.asked if item.asked_at == newest]
        return [(item_words(item.item), _pages(pages.get(item.item))) for item in asked] + differing
    if line.group is Group.AGREES:
        return [(_("全部一致"), Markup())]
    if differing:
        return differing
    if details.papers:
        return [(word("document", document), _pages(number)) for document, number in details.papers]
    return [(word("fact", fact), escape(_("登记部门没有，也没有材料"))) for fact in details.silent] or [
        (_("登记部门没有这一项"), escape(_("没有材料")))
    ]


def _difference(fact: Fact, claimed: object, registered: object, names: Names, *, disputed: bool) -> tuple[str, Markup]:
    if disputed:
        return word("fact", fact), escape(_("家长有异议"))
    if registered is None:
        said = escape(names.value_words(fact, claimed))
        return word("fact", fact), escape(_("家长")) + " " + said + Markup(" · ") + escape(_("部门不是这样登记的"))
    said, known = marked(names.value_words(fact, claimed), names.value_words(fact, registered))
    between = Markup(" · ")
    return word("fact", fact), escape(_("家长")) + " " + said + between + escape(_("部门")) + " " + known


def _pages(number: int | None) -> Markup:
    return escape(_("%(n)s 页，待看", n=number) if number else _("没有传"))


def marked(said: str, known: str) -> tuple[Markup, Markup]:
    """Both texts with `<mark>` around the characters in which they differ."""
    changes = difflib.SequenceMatcher(None, said, known, autojunk=False).get_opcodes()
    return (
        Markup().join(_piece(said[a:b], kind) for kind, a, b, _c, _d in changes),
        Markup().join(_piece(known[c:d], kind) for kind, _a, _b, c, d in changes),
    )


def _piece(text: str, kind: str) -> Markup:
    return escape(text) if kind == "equal" or not text else Markup("<mark>{}</mark>").format(text)


def due_words(due: dt.datetime) -> str:
    """`今天 15:00`, `明天 12:00`, else the day with the hour."""
    there, here = due.astimezone(CHENGDU), clock().astimezone(CHENGDU)
    days = (there.date() - here.date()).days
    if days == 0:
        return _("今天 %(hour)s", hour=f"{there:%H:%M}")
    if days == 1:
        return _("明天 %(hour)s", hour=f"{there:%H:%M}")
    return f"{day(there)} {there:%H:%M}"
