"""The words about children who end the season without a place, and the list of them that two officials sign at its close."""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from enrollment.applications.notifications import notify_guardians
from enrollment.draw.unserved import entries
from enrollment.draw.unserved.entries import BoardState
from enrollment.draw.unserved.rows import LONGEST_TEXT, NEEDS_TEXT, Explanation, UnservedChild
from enrollment.draw.unserved.scope import begin
from enrollment.ground import audit
from enrollment.ground.accounts import SYSTEM, Actor
from enrollment.ground.errors import Refused, Stale
from enrollment.season.calendar import keep_open


def explain(
    session: Session,
    year: int,
    application_id: uuid.UUID,
    code: str,
    text: str = "",
    *,
    seen: int | None,
    by: Actor,
    now: dt.datetime,
) -> UnservedChild:
    """Say why the child has no place; every guardian is told and reads it.  A later explanation replaces it; the audit trail has all.

    Refuses `explanation_missing`, `say_what_was_tried`, `text_too_long`, and `season_is_closed`: two people have signed the list.
    """
    _check(code, text)
    keep_open(session, year)
    row, _ = begin(session, year, application_id, seen, by=by)
    row.explanation, row.explanation_text = code, text.strip() or None
    row.explained_at, row.explained_by = now, by.account_id
    audit.record(session, "explain_unserved", "application", application_id, by=by, now=now, code=code)
    session.flush()
    event = f"explained:{application_id}:{row.version}"
    notify_guardians(session, "unserved_explained", [application_id], now=now, by=by, event=event)
    return row


def explain_many(
    session: Session,
    year: int,
    seen: Mapping[uuid.UUID, int],
    code: str,
    text: str = "",
    *,
    by: Actor,
    now: dt.datetime,
) -> tuple[int, int]:
    """The same words for several children.  Returns how many were explained, and how many changed meanwhile and were left."""
    if not seen:
        raise Refused("no_child_ticked", field="officer")
    _check(code, text)
    done = 0
    for application_id in sorted(seen):
        try:
            explain(session, year, application_id, code, text, seen=seen[application_id], by=by, now=now)
        except Stale:
            continue
        done += 1
    return done, len(seen) - done


def _check(code: str, text: str) -> None:
    if code not in tuple(Explanation):
        raise Refused("explanation_missing", field="code")
    if code in NEEDS_TEXT and not text.strip():
        raise Refused("say_what_was_tried", field="text")
    if len(text) > LONGEST_TEXT:
        raise Refused("text_too_long", field="text", most=LONGEST_TEXT)


@dataclass(frozen=True)
class Ending:
    """How the season ends: children `without_a_word`, and the `explained` ones as the list that is signed."""

    without_a_word: int
    explained: tuple[tuple[str, str, str], ...]

    @property
    def digest(self) -> str:
        """The digest of the list: registration code, explanation, and when it was given."""
        return hashlib.sha256(json.dumps(self.explained, ensure_ascii=False).encode()).hexdigest()


def ending(session: Session, year: int) -> Ending:
    found = entries.entries(session, year, by=SYSTEM)
    explained = [each for each in found if each.state == BoardState.EXPLAINED]
    return Ending(
        sum(each.state in entries.WITHOUT_A_WORD for each in found),
        tuple(
            sorted(
                (each.registration_code or "", each.explanation or "", str(each.explained_at.timestamp()))
                for each in explained
                if each.explained_at is not None
            )
        ),
    )
