"""Everything held about a family as a document to read: words for codes, Chengdu's time, the reader's language."""

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.places.areas import all_areas
from enrollment.places.programmes import Pool
from enrollment.reports.family_records import PEOPLE, VIEWS, Records, people_in
from enrollment.season.facts import Fact
from portal.letters.pages import letter_html
from portal.letters.paper_copy import answer_rows
from portal.text.audit_acts import act_words
from portal.text.facts import BETWEEN, Names, changed_words, names_for, value_words
from portal.text.formats import day, file_size, moment
from portal.text.messages import notice_words
from portal.text.words import language, table, word

GROUPS = {
    "act": (),
    "answer": ("register_answer",),
    "document": ("document",),
    "fact": ("fact",),
    "ground": ("ground",),
    "hukou_kind": ("hukou_choice", "hukou_kind"),
    "id_kind": ("id_kind",),
    "item": ("fact", "document", "returned_item"),
    "language": ("data_language",),
    "leave_reason": ("leave_reason",),
    "level": ("level",),
    "move": ("move",),
    "outcome": ("finding", "case_outcome"),
    "reason": ("reason", "refusal_rule", "data_reason"),
    "register": ("register",),
    "relation": ("relation",),
    "rule": ("refusal_rule",),
    "sex": ("sex",),
    "source": ("finding_source",),
    "stage": ("stage",),
    "state": ("offer_state",),
    "subject": ("audit_subject",),
    "way": ("mandate_way",),
    "kind": ("data_consent", "case_kind", "id_kind"),
    "entered_before": ("entered_before",),
    "before": ("offer_state", "stage"),
    "after": ("offer_state", "stage"),
    "document_kind": ("id_kind",),
    "purpose": ("data_purpose",),
}
"""Which groups of words say the codes of a column, the first that knows it."""

GROUPS_OF = {
    ("offer_move", "move"): ("offer_move",),
    ("move_made", "before"): ("stage",),
    ("move_made", "after"): ("stage",),
    ("child_document", "kind"): ("id_kind",),
    ("correction_request", "kind"): ("correction_kind",),
    ("correction_request", "state"): ("correction_state",),
    ("correction_request", "answer"): (),
    ("case_file", "answer"): (),
    ("accepted_places", "nature"): ("accepted_nature",),
    ("returned_item", "phrase"): ("return_phrase",),
    ("child_needs", "kinds"): ("child_need",),
    ("unserved_child", "explanation"): ("unserved_explanation",),
    ("declined_proposal", "reason"): ("decline_reason",),
    ("roll_transfer", "state"): ("transfer_state",),
    ("roll_transfer", "reason"): (),
    ("correction_move", "move"): ("correction_move",),
    ("correction_move", "before"): ("correction_state",),
    ("correction_move", "after"): ("correction_state",),
    ("notice", "state"): ("message_state",),
    ("notice", "last_error"): ("delivery_error",),
    ("joint_decision", "kind"): ("decision_kind",),
    ("joint_decision", "state"): ("decision_state",),
    ("joint_decision", "reason"): ("data_reason",),
    ("application_version", "way"): ("version_way",),
    ("desk_contact", "way"): ("contact_way",),
    ("arrival_contact", "way"): ("contact_way",),
    ("arrival_contact", "outcome"): ("contact_outcome",),
    ("arrival_tap", "act"): ("tap_act",),
    ("arrival_tap", "refusal"): ("tap_kept",),
    ("phone_change", "way"): ("data_phone_way",),
    ("phone_change", "outcome"): ("data_phone_outcome",),
}
"""The same where a column of one table has codes of its own."""

VALUES_OF = {("correction_request", "before"), ("correction_request", "after"), ("roll_correction", "before")}
"""Columns that hold several values as JSON, by column or fact."""

BY_TIME = {
    "notice": "created_at", "move_made": "at", "offer_move": "at", "correction_move": "at",
    "views": "at", "audit_entry": "at",
}  # fmt: skip
"""Parts that are read as a list by time, and their column of the time."""

AREAS = {"hukou_area", "home_area", "work_area", "residence_permit_area", "area_code"}
TIERS = {"tier", "cutoff_tier"}
ONLY_IN_DATA = {
    "id", "version", "key", "params", "digest", "text_digest", "original_digest", "class_id", "draw_id", "elder_id",
    "guardian_id", "link", "kept_as", "mandate_id", "media_type", "offer_id", "round_id", "run_id", "unit", "subject_id",
    "second_factor_used", "tries", "paper_type", "withheld_at", "application_id", "child_id",
    "claim", "lease_until", "returned_at", "page_id", "next_try_at", "provider_id", "writer", "turn", "written_at", "seal_key",
    "act_id", "access_code_id", "case_id", "duplicate_of", "identity_check_id", "request_id", "roll_child_id", "told_at", "ended", "kindergarten_id",
    "times", "promotion_id", "ending_promotion_id", "to_class_id", "position", "quarter_turns", "pictures", "likeness",
}  # fmt: skip
"""Columns that tell a reader nothing: ids, digests, counters.  They stand in the data file."""
OF_THE_READER = {
    "guardian", "consent", "mandate", "case_file", "web_session", "phone_change", "identity_check", "access_code",
}  # fmt: skip
"""Tables whose account is always the reader's own."""

SHOWN_NUMBERS = {"ticket", "application_version", "child_document"}


@dataclass(frozen=True)
class Entry:
    """One row: whose child it is about (None for the reader itself) and its lines, (label, value).

    In a part that is a list by time there is one line, (time, what).
    """

    about: str | None
    lines: list[tuple[str, str]]


@dataclass(frozen=True)
class Section:
    title: str
    entries: list[Entry]
    by_time: bool


class Reader:
    """Says rows in the language of the moment; reads names of areas and kindergartens once."""

    def __init__(self, session: Session, records: Records):
        self.session, self.records = session, records
        english = language() == "en"
        self.areas = {area.code: area.name_en if english else area.name for area in all_areas(session)}
        self.children = {row["id"]: row["name"] for row in records.tables["child"]}
        self.child_of = {row["id"]: row["child_id"] for row in records.tables["application"]}
        self.application_of = {row["id"]: row["application_id"] for row in records.tables["offer"]}
        self.application_of |= {row["id"]: row["application_id"] for row in records.tables["correction_request"]}
        facts = [
            (row["fact"], row["value"]) for name in ("verified_fact", "register_answer") for row in records.tables[name]
        ]
        claims = [pair for row in records.tables["claim"] for pair in row["details"].items()]
        corrected = [
            pair
            for row in records.tables["correction_request"]
            for column in ("before", "after")
            for pair in json.loads(row[column]).items()
        ]
        programmes = {row["programme_id"] for row in records.tables["wish_reason"] + records.tables["placement"]}
        pools = session.execute(
            select(Pool.programme_id, Pool.code, Pool.name).where(Pool.programme_id.in_(programmes))
        )
        self.pools = {(row.programme_id, row.code): row.name for row in pools}
        self.names: Names = names_for(session, [*facts, *claims, *corrected])

    def sections(self) -> list[Section]:
        tables = dict(self.records.tables)
        acts = tables.pop("audit_entry")
        tables["views"] = [row for row in acts if row["act"] in VIEWS and self.role(row["account_id"]) != "oneself"]
        tables["audit_entry"] = [row for row in acts if row not in tables["views"]]
        return [
            Section(word("data_table", name), [self._entry(name, row) for row in rows], name in BY_TIME)
            for name, rows in tables.items()
        ]

    def role(self, account_id: uuid.UUID | None) -> str:
        person = self.records.people.get(account_id) if account_id else None
        return person.role if person else "system"

    def _entry(self, name: str, row: Mapping[str, Any]) -> Entry:
        if name == "notice":
            text = notice_words(row["kind"], row["params"])
            lines = [(word("data_column", "text"), text)]
            row = {"created_at": row["created_at"]} | {"application_id": row["application_id"]}
        else:
            lines = []
        for column, value in row.items():
            if column in ONLY_IN_DATA or value is None or value in ("", [], {}):
                continue
            if (column == "number" and name not in SHOWN_NUMBERS) or (column == "account_id" and name in OF_THE_READER):
                continue
            lines += self._lines(name, column, value, row)
        if name == "refusal_proposal" and row["upheld"] is None:
            lines.append((word("data_column", "upheld"), word("report_outcome", "lapsed")))
        about = self._about(name, row)
        if name in BY_TIME:
            label = word("data_column", BY_TIME[name])
            when = next(said for each, said in lines if each == label)
            lines = [(when, " · ".join([said for each, said in lines if each != label] + ([about] if about else [])))]
        return Entry(about, lines)

    def _about(self, name: str, row: Mapping[str, Any]) -> str | None:
        application = row.get("application_id") or self.application_of.get(row.get("offer_id") or row.get("request_id"))
        child = row.get("child_id") or self.child_of.get(application)
        return self.children.get(child) if name != "child" and child else None

    def _lines(self, name: str, column: str, value: Any, row: Mapping[str, Any]) -> list[tuple[str, str]]:
        if name == "application_version" and column == "answers":
            return answer_rows(self.session, json.loads(value))
        label = word("data_column", column)
        if (name, column) in VALUES_OF:
            said = [
                _("%(part)s：%(name)s", part=what, name=one)
                for what, one in value_words(json.loads(value), self.names, fact=bool(row.get("fact")))
            ]
            return [(label, _("；").join(said))] if said else []
        if column == "details":
            said = (
                [self.names.value_words(each, one) for each, one in value.items() if each in set(Fact)]
                if name == "claim"
                else []
            )
            return [(label, _("；").join(said))] if said else []
        return [(label, self.say(name, column, value, row))]

    def say(self, name: str, column: str, value: Any, row: Mapping[str, Any]) -> str:
        if column in PEOPLE:
            return BETWEEN[language()].join(map(self._person, people_in(value)))
        if column in ("programme_id", "kindergarten_id", "review_kindergarten_id", "from_id", "to_id"):
            return self.records.kindergartens.get(value, "—")
        if isinstance(value, dt.datetime):
            return moment(value, year=True)
        if isinstance(value, dt.date):
            return day(value, year=True)
        if column == "value":
            return self.names.value_words(row["fact"], value)
        if isinstance(value, bool):
            return _("是") if value else _("否")
        if column in AREAS:
            return self.areas.get(value, str(value))
        if column == "pool":
            return self.pools.get((row["programme_id"], value)) or word("data_pool", "general")
        if column in TIERS:
            return _("第 %(n)s 优先级", n=value + 1)
        if column == "changed":
            return _("；").join(
                word("correction_value", one) if name == "roll_correction" else changed_words(one) for one in value
            )
        if column == "size":
            return file_size(value)
        if column == "act":
            return act_words(value)
        return self._coded(name, column, value)

    def _coded(self, name: str, column: str, value: Any) -> str:
        for group in GROUPS_OF.get((name, column), GROUPS.get(column, ())):
            if str(value) in table()[group]:
                return word(group, value)
        return str(value)

    def _person(self, account_id: uuid.UUID) -> str:
        person = self.records.people.get(account_id)
        if person is None:
            return word("data_person", "system")
        if person.role == "oneself":
            return word("data_person", "oneself")
        role = word("role", person.role)
        return f"{role} · {person.workplace}" if person.workplace else role


def document(session: Session, records: Records, *, made_at: dt.datetime, demo: bool) -> dict[str, Any]:
    """What the template of the page and of the PDF shows."""
    return {"sections": Reader(session, records).sections(), "made_at": moment(made_at, year=True), "demo": demo}


def as_page(shown: Mapping[str, Any]) -> str:
    """The HTML file: complete in itself, nothing is fetched."""
    page = current_app.jinja_env.get_template("letters/personal_data.html")
    return page.render(lang="en" if language() == "en" else "zh-CN", screen=True, **shown)


def as_letter(shown: Mapping[str, Any]) -> str:
    """The same as the HTML of a letter, to be drawn."""
    return letter_html("personal_data", screen=False, **shown)
