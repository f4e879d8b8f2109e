"""The wishes of a plain draft in one statement, without a read before it: the statement asks everything itself."""

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy.orm import Session

from enrollment.applications import deadlines, lifecycle, wishes
from enrollment.applications.application_rows import WISHES, Application, Stage, Wish
from enrollment.applications.statements.draft_changes import IS_SEPARATE, TAKES_WISHES
from enrollment.applications.statements.keyed_write import DONE, SAVED, Change, Page
from enrollment.ground.accounts import Actor
from enrollment.ground.reading.read_ahead import relate
from enrollment.places.kindergartens import ADMITS
from enrollment.places.programmes import Programme

PAGE = Page(
    before=f"""
    taking AS (
        SELECT round.id, round.max_wishes FROM application
        JOIN round ON round.year = application.year JOIN season ON season.year = round.year
        WHERE application.id = %(application)s AND {TAKES_WISHES} ORDER BY round.number LIMIT 1),
    """,  # noqa: S608 (constants)
    source="FROM taking",
    condition=f"""
        cardinality(%(programmes)s::uuid[]) <= taking.max_wishes
          AND (%(round)s::uuid IS NULL OR taking.id = %(round)s::uuid)
          AND cardinality(%(programmes)s::uuid[]) = (SELECT count(*) FROM programme
                JOIN kindergarten ON kindergarten.id = programme.kindergarten_id AND {ADMITS}
                WHERE programme.id = ANY(%(programmes)s::uuid[]) AND programme.level = application.level
                  AND EXISTS (SELECT FROM round_programme
                    WHERE round_programme.round_id = taking.id AND round_programme.programme_id = programme.id))
    """,  # noqa: S608 (constants)
    returning=", taking.id AS round_id",
    parts="""
    gone AS (
        DELETE FROM wish USING kept WHERE wish.application_id = kept.id AND wish.round_id = kept.round_id
        RETURNING wish.rank),
    wished AS (
        INSERT INTO wish (application_id, round_id, rank, programme_id)
        SELECT kept.id, kept.round_id, place, programme FROM kept
        CROSS JOIN unnest(%(programmes)s::uuid[]) WITH ORDINALITY AS listed (programme, place)
        WHERE (SELECT count(*) FROM gone) >= 0),
    entry AS (
        INSERT INTO audit_entry (at, account_id, act, subject, subject_id, details)
        SELECT %(now)s, %(account)s, 'wish', 'application', id,
            jsonb_build_object('wishes', cardinality(%(programmes)s::uuid[]))
        FROM kept)
    """,
)
"""`gone` is counted before the first new wish is written, so that a programme may take another's place in the list.

`round` is the round that the wishes are for; NULL for the one that is open."""

STATEMENT = f"""
    WITH {PAGE.before}
    kept AS (
        {lifecycle.NEXT_VERSION} {PAGE.source}
        WHERE {IS_SEPARATE} AND application.stage = '{Stage.DRAFT}' AND {PAGE.condition}
        RETURNING application.id{PAGE.returning}),
    {PAGE.parts},
    {DONE}
    SELECT id, {SAVED} FROM kept
    UNION ALL
    SELECT NULL, 0 FROM application WHERE id = %(application)s
        AND (version <> %(version)s OR stage <> '{Stage.DRAFT}' OR unit IS NOT NULL OR on_hold)
"""  # noqa: S608 (constants)
"""NULL back for an application that was no plain draft before the statement: it then has locked nothing."""


def change(
    application_id: uuid.UUID, programme_ids: Sequence[uuid.UUID], *, version: int, by: Actor, now: dt.datetime
) -> Change | None:
    """What `wishes.set_wishes` does in the round that is open; None for a list that it refuses, or for a helper."""
    if by.on_behalf is not None or len(set(programme_ids)) < len(programme_ids):
        return None
    values = {
        "application": application_id,
        "version": version,
        "account": by.account_id,
        "now": now,
        "programmes": list(programme_ids),
        "round": None,
    }
    return Change(STATEMENT, values, PAGE)


def planned(
    read: Session,
    application: Application,
    programme_ids: Sequence[uuid.UUID],
    *,
    version: int,
    by: Actor,
    now: dt.datetime,
) -> Change | None:
    """The same for an application that is handed in, from the state of the family; its wishes in `read` are then those after the
    change.  None also for an empty list, for wishes of a later round than the decision, and where the page is not the newest.
    """
    found, round_ = change(application.id, programme_ids, version=version, by=by, now=now), None
    if version == application.version and programme_ids:
        round_ = deadlines.of(read, application, now=now).open
    if found is None or round_ is None or wishes.moves([application], round_):
        return None
    listed = [wish for wish in WISHES.of(read, application.id) if wish.round_id != round_.id]
    for rank, programme_id in enumerate(programme_ids, start=1):
        programme = read.get(Programme, programme_id)
        if programme is None:
            return None
        wish = Wish(application_id=application.id, round_id=round_.id, rank=rank, programme_id=programme_id)
        relate(wish, "programme", programme)
        listed.append(wish)
    WISHES.put(read, application.id, listed)
    return Change(found.statement, found.values | {"round": round_.id}, PAGE)
