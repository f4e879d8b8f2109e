"""A family's whole state in one prepared statement: what its pages ask about a guardian, its children and applications.

`read_ahead(session, account)` reads it and attaches it to the session.  From then on the services answer from memory
(`ground.reading.read_ahead`), each with the rule that it always has.  The statement begins with the guardian's care: only children
of whom the account is an accepted guardian are in it, and everything else hangs on them.  A helper has another view of a
family, so nothing is read ahead for one.

Shape of the answer: one JSON array with a place for each `Read` of `READS`, in that order; there is NULL or an array of
rows, each an array of the columns that `Read.shape` names.  An act that needs a part of the state has a shorter statement, with a
place for each of the `Read` that it names (`EDIT_READS`); what is not among them is a query where it is asked after all.
"""

import functools
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ARRAY, LargeBinary, Uuid, any_, bindparam, func, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from enrollment.applications.application_rows import (
    APPLICATION,
    APPLICATIONS,
    BOUND,
    VERSIONS,
    WISHES,
    Application,
    Wish,
)
from enrollment.applications.claim_rows import CLAIMS
from enrollment.applications.elder_siblings import ELDERS
from enrollment.applications.evidence_rows import PAGES
from enrollment.applications.lifecycle import MOVES_MADE
from enrollment.applications.register_answers import REGISTER_ANSWERS
from enrollment.applications.returned_items import RETURNED_ITEMS
from enrollment.delivery.unreachable_numbers import UNREACHABLE
from enrollment.draw.draws import TICKETS
from enrollment.draw.run_rows import PUBLISHED_PLACEMENTS, RUNS, Placement
from enrollment.ground.accounts import Account
from enrollment.ground.reading.prepared_read import PreparedRead
from enrollment.ground.reading.read_ahead import Read, ReadAhead, attach, compiled, ids, kept, relate
from enrollment.offers.joint_decision_rows import WAITING_DECISIONS
from enrollment.offers.offer_rows import OFFERS, Offer
from enrollment.people.consents import LIVE_CONSENTS
from enrollment.people.desk_rows import OPEN_CHANGES
from enrollment.people.household_rows import HOUSEHOLDS
from enrollment.people.invitations import UNANSWERED
from enrollment.people.mandate_rows import PAPERS
from enrollment.people.person_rows import (
    CARE,
    CARERS,
    CHILDREN,
    DOCUMENTS,
    GUARDIANS,
    GUARDIANS_OF_CHILDREN,
    Guardian,
    Guardianship,
)
from enrollment.places.areas import all_areas
from enrollment.places.kindergartens import KINDERGARTENS
from enrollment.places.programmes import POOLS, PROGRAMMES, Programme
from enrollment.review.case_rows import CASES, OPEN_DISPUTES
from enrollment.review.correction_rows import OPEN_CORRECTIONS
from enrollment.review.guardian_requests import REQUESTS_ABOUT

IDS = ARRAY(Uuid())

OF_ACCOUNT: tuple[Read[Any], ...] = (CASES, OPEN_CHANGES)
OF_PHONE: tuple[Read[Any], ...] = (UNREACHABLE, PAPERS, UNANSWERED)
OF_CHILD: tuple[Read[Any], ...] = (DOCUMENTS, TICKETS)
OF_APPLICATION: tuple[Read[Any], ...] = (
    HOUSEHOLDS,
    CLAIMS,
    ELDERS,
    PAGES,
    RETURNED_ITEMS,
    REGISTER_ANSWERS,
    VERSIONS,
    MOVES_MADE,
    WAITING_DECISIONS,
    OPEN_DISPUTES,
    OPEN_CORRECTIONS,
)
READS: tuple[Read[Any], ...] = (
    GUARDIANS,
    *OF_ACCOUNT,
    *OF_PHONE,
    CARE,
    REQUESTS_ABOUT,
    CHILDREN,
    *OF_CHILD,
    CARERS,
    GUARDIANS_OF_CHILDREN,
    APPLICATIONS,
    LIVE_CONSENTS,
    BOUND,
    *OF_APPLICATION,
    PUBLISHED_PLACEMENTS,
    WISHES,
    OFFERS,
    RUNS,
    PROGRAMMES,
    POOLS,
    KINDERGARTENS,
)
_OF_PAGES = {
    *OF_ACCOUNT,
    *OF_PHONE,
    REQUESTS_ABOUT,
    TICKETS,
    REGISTER_ANSWERS,
    VERSIONS,
    MOVES_MADE,
    WAITING_DECISIONS,
    OPEN_DISPUTES,
    OPEN_CORRECTIONS,
    PUBLISHED_PLACEMENTS,
    OFFERS,
    RUNS,
    POOLS,
}
"""What pages show, and neither a receipt nor what is missing depends on."""
EDIT_READS: tuple[Read[Any], ...] = tuple(each for each in READS if each not in _OF_PAGES)
"""What new wishes of an application that was handed in need, or handing a returned one in again (`statements.handed_in_edit`)."""


def read_ahead(session: Session, account: Account) -> None:
    """Read the state of a guardian's family, and answer the session's services from it.  For requests that write nothing."""
    keep_as_read(session, account, read(session, account))


def read(session: Session, account: Account, reads: tuple[Read[Any], ...] = READS) -> list[Any]:
    """The state of a guardian's family, or the part that answers `reads`, as one statement reads it."""
    found: list[Any] = _statement(reads).one(session, _values(account))
    return found


def read_text(session: Session, account: Account) -> bytes:
    """The same as JSON in UTF-8: equal texts are equal states."""
    return _statement(READS).text(session, _values(account))


def _values(account: Account) -> dict[str, Any]:
    return {"account": account.id, "phone": account.phone_index}


def keep_as_read(session: Session, account: Account, answer: list[Any], reads: tuple[Read[Any], ...] = READS) -> None:
    """Answer the session's services from what `read` gave for these `reads`."""
    found = dict(zip(reads, answer, strict=True))
    ahead = ReadAhead()

    def keep(read: Read[Any], covered: Iterable[Any]) -> list[Any]:
        return ahead.add(session, read, covered, found[read]) if read in found else []

    def keep_for_later(reads: Iterable[Read[Any]], covered: Collection[Any]) -> None:
        for read in reads:
            if read in found:
                ahead.add_later(session, read, covered, found[read])

    guardians = [guardian.id for guardian in keep(GUARDIANS, [account.id])]
    keep_for_later(OF_ACCOUNT, [account.id])
    keep_for_later(OF_PHONE, [account.phone_index] if account.phone_index is not None else [])
    keep(REQUESTS_ABOUT, guardians)
    care = [each.child_id for each in keep(CARE, guardians)]
    children = {each.id: each for each in keep(CHILDREN, care)}
    keep_for_later(OF_CHILD, care)
    keep(CARERS, care)
    keep(GUARDIANS_OF_CHILDREN, ())
    mine = keep(APPLICATIONS, care)
    for application in mine:
        relate(application, "child", children[application.child_id])
    ahead.answer(APPLICATION, {each.id: [each] for each in mine})
    consenting = {account.id, *(who for each in mine for who in (each.entered_by, each.entered_for) if who is not None)}
    keep_for_later([LIVE_CONSENTS], consenting)  # whose rows are read: a helper's, who entered it, are not the family's
    bound = keep(BOUND, {each.unit for each in mine if each.unit is not None})
    keep_for_later(OF_APPLICATION, [each.id for each in mine])
    keep(PUBLISHED_PLACEMENTS, [each.id for each in mine])
    wishes, offers = (keep(read, {each.id for each in (*mine, *bound)}) for read in (WISHES, OFFERS))
    keep(RUNS, {placement.run_id for each in mine for placement in ahead.rows(PUBLISHED_PLACEMENTS, each.id) or ()})
    areas = {area.code: area for area in all_areas(session)}
    kindergartens = {each.id: each for each in keep(KINDERGARTENS, ())}
    for kindergarten in kindergartens.values():
        relate(kindergarten, "area", areas[kindergarten.area_code])
    programmes = {each.id: each for each in keep(PROGRAMMES, ())}
    keep(POOLS, [*programmes])
    for wish in (*wishes, *offers):
        relate(wish, "programme", programmes[wish.programme_id])
    for programme in programmes.values():
        relate(programme, "kindergarten", kindergartens[programme.kindergarten_id])
        if POOLS not in found:
            continue
        reserved = sorted(ahead.rows(POOLS, programme.id) or (), key=lambda pool: pool.precedence)
        set_committed_value(programme, "pools", reserved)
    attach(session, ahead)


@functools.cache
def _statement(reads: tuple[Read[Any], ...]) -> PreparedRead:
    """The statement: a place for each of `reads`.  Its parameters are `account` and, where it is asked of a telephone, `phone`."""
    account, phone = bindparam("account", type_=Uuid()), bindparam("phone", type_=LargeBinary())
    (guardian,) = kept("own", guardian=ids(select(Guardian.id).where(Guardian.account_id == account)))
    in_care = select(Guardianship.child_id).where(Guardianship.guardian_id == any_(guardian), *CARE.where)
    (care,) = kept("care", child=ids(in_care))
    (carers,) = kept(
        "carers", guardian=ids(select(Guardianship.guardian_id).where(Guardianship.child_id == any_(care), *CARE.where))
    )
    columns = Application.id, Application.unit, Application.entered_by, Application.entered_for
    rows = select(*(func.array_agg(each, type_=IDS).label(each.key) for each in columns))
    application = rows.where(Application.child_id == any_(care)).cte("mine")
    mine, unit, entered_by, entered_for = (
        sql_cast(select(each).scalar_subquery(), IDS) for each in application.columns
    )
    bound = ids(select(Application.id).where(Application.unit == any_(unit)))
    (seen,) = kept("seen", application=func.array_cat(mine, bound, type_=IDS))
    placed = select(Placement.run_id, Placement.programme_id)
    placed = placed.where(Placement.application_id == any_(mine), *PUBLISHED_PLACEMENTS.where)
    placement = placed.cte("placed")
    wishes = ids(select(Wish.programme_id).where(Wish.application_id == any_(seen)))
    offers = ids(select(Offer.programme_id).where(Offer.application_id == any_(seen)))
    places = func.array_cat(offers, ids(select(placement.c.programme_id)))
    shown = func.array_cat(wishes, places, type_=IDS) if OFFERS in reads else wishes
    (programmes,) = kept("wished", programme=shown)
    scopes: dict[Read[Any], Any] = {
        GUARDIANS: account,
        CARE: guardian,
        REQUESTS_ABOUT: guardian,
        CARERS: care,
        GUARDIANS_OF_CHILDREN: carers,
        APPLICATIONS: care,
        LIVE_CONSENTS: func.array_append(func.array_cat(entered_by, entered_for), account, type_=IDS),
        BOUND: unit,
        WISHES: seen,
        OFFERS: seen,
        RUNS: ids(select(placement.c.run_id)),
        PROGRAMMES: programmes,
        POOLS: programmes,
        KINDERGARTENS: ids(select(Programme.kindergarten_id).where(Programme.id == any_(programmes))),
    }
    scopes |= dict.fromkeys(OF_ACCOUNT, account) | dict.fromkeys(OF_PHONE, phone)
    scopes |= dict.fromkeys((CHILDREN, *OF_CHILD), care)
    scopes |= dict.fromkeys((*OF_APPLICATION, PUBLISHED_PLACEMENTS), mine)
    answers = (read.as_json(scopes[read]).scalar_subquery() for read in reads)
    return PreparedRead(compiled(select(func.json_build_array(*answers))))
