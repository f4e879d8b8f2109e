"""Search in the queue of one's own kindergartens, by registration code, name, pinyin or initials.

Names are sealed, and no index of them exists that somebody could read without the key: the names of the actor's own
applications are decrypted for the search (ADR 30).
"""

import functools
import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.ground.accounts import Actor
from enrollment.ground.random_codes import CODE_PART, typed_registration_code
from enrollment.people.person_rows import Child
from enrollment.places import pinyin
from enrollment.review.queue.due_dates import in_open_years
from enrollment.review.queue.task_groups import shown_in_queues
from enrollment.review.scope import within

MOST_HITS = 50
LONGEST_QUERY = 40
SHORTEST_CODE = 3


@dataclass(frozen=True)
class Hits:
    """The best matches, at most `MOST_HITS`, and how many there are."""

    ids: list[uuid.UUID]
    total: int


def find(session: Session, query: str, *, by: Actor) -> Hits:
    """The applications that match, the best matches first; none for an empty query.

    No name has a digit: for a query with one only codes are compared, a whole one by its index, and no name is decrypted.
    """
    wanted = "".join(query[:LONGEST_QUERY].split()).casefold()
    if not wanted:
        return Hits([], 0)
    own = (
        select(Application.id, Application.registration_code)
        .where(within(by), in_open_years(session), shown_in_queues())
        .order_by(Application.submitted_at, Application.id)
    )
    if any(letter.isdecimal() for letter in wanted):
        found = [(row, "") for row in session.execute(own.where(_begins_with(wanted)))]
    else:
        named = own.add_columns(Child.name).join(Child, Child.id == Application.child_id)
        found = [(row, row.name) for row in session.execute(named)]
    hits = [(rank, row.id) for row, name in found if (rank := _rank(wanted, row.registration_code, name))]
    best = [application_id for _rank_of_hit, application_id in sorted(hits, key=lambda hit: hit[0])[:MOST_HITS]]
    return Hits(best, len(hits))


def _begins_with(wanted: str) -> ColumnElement[bool]:
    """SQL condition: the registration code is this, or begins with it, whether its hyphen was typed or not."""
    plain = wanted.replace("-", "").upper()
    if len(plain) >= 2 * CODE_PART:
        return Application.registration_code == typed_registration_code(plain)
    return func.replace(Application.registration_code, "-", "").startswith(plain, autoescape=True)


def _rank(wanted: str, code: str, name: str) -> int:
    """1 is the best match, 0 none."""
    plain, plain_code = wanted.replace("-", ""), code.replace("-", "").casefold()
    if plain == plain_code:
        return 1
    folded = name.casefold()
    if folded.startswith(wanted):
        return 2
    syllables = [_syllable(letter) for letter in name if not letter.isspace()]
    if plain.isascii():
        if "".join(each[:1] for each in syllables).startswith(plain):
            return 3
        joined = "".join(syllables)
        if len(plain) > 1 and (joined.startswith(plain) or "".join(syllables[1:]).startswith(plain)):
            return 4
    if wanted in folded:
        return 5
    return 6 if len(plain) >= SHORTEST_CODE and plain_code.startswith(plain) else 0


@functools.lru_cache(maxsize=8192)
def _syllable(letter: str) -> str:
    """The sound of one character; the memory holds characters, never names."""
    return pinyin.sort_key(letter).replace(" ", "") or letter.casefold()
