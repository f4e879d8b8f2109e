"""What the required papers of many applications follow from, read in one statement."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import APPLICATION, VERSIONS, WISHES, Application, Wish
from enrollment.applications.claim_rows import CLAIMS
from enrollment.applications.evidence_rows import PAGES
from enrollment.applications.registers.answer_rows import REGISTER_ANSWERS
from enrollment.applications.returned_items import RETURNED_ITEMS
from enrollment.ground.reading.read_ahead import Read, ReadAhead, attach
from enrollment.people.consents import LIVE_CONSENTS
from enrollment.people.household_rows import HOUSEHOLDS
from enrollment.people.person_rows import CARERS, CHILDREN
from enrollment.places.kindergartens import KINDERGARTENS
from enrollment.places.programmes import PROGRAMMES, Programme

OF_APPLICATION: tuple[Read[Any], ...] = (
    WISHES,
    CLAIMS,
    HOUSEHOLDS,
    PAGES,
    RETURNED_ITEMS,
    REGISTER_ANSWERS,
    VERSIONS,
)


def read(session: Session, applications: Sequence[Application]) -> None:
    """Let the session's services find these rows without a query.  Only for a session that writes none of them."""
    ids, children = [each.id for each in applications], [each.child_id for each in applications]
    accounts = {each.entered_for or each.entered_by for each in applications}
    mine = select(Application.id).where(Application.id.in_(ids))
    programmes = select(Wish.programme_id).where(Wish.application_id.in_(ids))
    scopes: dict[Read[Any], Any] = dict.fromkeys(OF_APPLICATION, mine) | {
        CHILDREN: select(Application.child_id).where(Application.id.in_(ids)),
        CARERS: select(Application.child_id).where(Application.id.in_(ids)),
        LIVE_CONSENTS: select(Application.entered_by)
        .where(Application.id.in_(ids))
        .union(select(Application.entered_for).where(Application.id.in_(ids), Application.entered_for.is_not(None))),
        PROGRAMMES: programmes,
        KINDERGARTENS: select(Programme.kindergarten_id).where(Programme.id.in_(programmes)),
    }
    covered: dict[Read[Any], Any] = dict.fromkeys(OF_APPLICATION, ids)
    covered |= {CHILDREN: children, CARERS: children, LIVE_CONSENTS: accounts, PROGRAMMES: (), KINDERGARTENS: ()}
    answer = session.execute(select(*(each.as_json(scope).scalar_subquery() for each, scope in scopes.items()))).one()
    ahead = ReadAhead()
    for each, rows in zip(scopes, answer, strict=True):
        ahead.add(session, each, covered[each], rows)
    ahead.answer(APPLICATION, {each.id: [each] for each in applications})
    attach(session, ahead)
