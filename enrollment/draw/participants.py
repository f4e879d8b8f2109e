"""Who takes part in a round, and with what: the one reader for freezes, estimates, policy trials and counts on pages.

What differs between them is a parameter: which stages take part, which facts count, and whether a fault is refused.
"""

import datetime as dt
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, exists, func, select, text
from sqlalchemy.orm import Session, aliased

from allocation.validation import LARGEST_UNIT
from enrollment.applications.applications import Application, Stage, Wish
from enrollment.applications.lifecycle import AWAITING_DECISION, DEAD_STAGES, HANDED_IN, TAKES_PART
from enrollment.draw.round_market import (
    Group,
    OfferedProgramme,
    Participant,
    ReservedPool,
    RoundMarket,
    alike_units,
    places_held,
)
from enrollment.eligibility import return_times
from enrollment.eligibility.tiers import (
    Entry,
    TierTable,
    facts_of_text,
    likely_facts_of,
    stored_facts_of,
    verified_facts_of,
)
from enrollment.ground.errors import Refused
from enrollment.offers import line_membership, tally
from enrollment.offers.offer_rows import LIVE, Offer, OfferState
from enrollment.offers.tally import Subject
from enrollment.places.areas import LEVELS
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.service_areas import ServiceAreaIndex
from enrollment.season.facts import Fact
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import KINDS_WITH_WISHES, Round, RoundProgramme
from enrollment.season.rules import Rules

__all__ = ["AWAITING_DECISION", "HANDED_IN", "TAKES_PART"]

BATCH = 2000
"""Applications whose facts are read with one statement.  It also keeps a long freeze alive: PostgreSQL ends a transaction
that sends nothing for two minutes."""
STREAMED = 10_000
"""Rows of an answer that are there at once: all answers of a city take more memory than what is kept of them."""


class FactBasis(StrEnum):
    """Which facts give the tiers."""

    VERIFIED = "verified"
    LIKELY = "likely"
    """Verified facts, and claims that nobody has decided yet."""


_READERS = {FactBasis.VERIFIED: verified_facts_of, FactBasis.LIKELY: likely_facts_of}


def applications_query(year: int, stages: Collection[str]) -> Select[uuid.UUID]:
    """The ids of the year's applications in these stages."""
    return select(Application.id).where(Application.year == year, Application.stage.in_(stages))


def participants_query(round_: Round, stages: Collection[str]) -> Select[uuid.UUID]:
    """The ids of the applications that take part in a round: they have a wish in it, and the child has not arrived anywhere.

    Who withdraws after the deadline cannot come back to the round, only to a later one.
    """
    arrived = exists().where(Offer.application_id == Application.id, Offer.state == OfferState.ARRIVED)
    return (
        applications_query(round_.year, stages)
        .join(Wish, (Wish.application_id == Application.id) & (Wish.round_id == round_.id) & (Wish.rank == 1))
        .where(~arrived, ~line_membership.came_back(Application, round_.closes_at))
    )


def is_only_round(session: Session, round_: Round) -> bool:
    """Whether no other round of the year was opened in which families wish.  Then every application that was handed in takes
    part in this one, and the numbers that the database keeps of the year are those of the round."""
    others = select(Round.id).where(
        Round.year == round_.year,
        Round.id != round_.id,
        Round.kind.in_(KINDS_WITH_WISHES),
        Round.stage != RoundStage.PLANNED,
    )
    return round_.stage != RoundStage.PLANNED and session.scalar(others.limit(1)) is None


def count(session: Session, round_: Round, stages: Collection[str]) -> int:
    """How many applications in these stages, which were handed in, take part in the round."""
    if is_only_round(session, round_):
        return tally.read(session, [round_.year]).total(Subject.APPLICATION, stages, round_.year)
    return session.scalar(select(func.count()).select_from(participants_query(round_, stages).subquery())) or 0


def is_under_review(session: Session, round_: Round) -> bool:
    """Whether an application of the round still waits for a decision."""
    return session.scalar(participants_query(round_, AWAITING_DECISION).limit(1)) is not None


def under_review(session: Session, round_: Round) -> list[Row]:
    """Kindergartens (`name`) that still review `n` applications of the round, the largest number first."""
    if is_only_round(session, round_):
        return tally.of_kindergartens(session, round_.year, Subject.APPLICATION, AWAITING_DECISION)
    reviewer, number = Application.review_kindergarten_id.label("reviewer"), func.count().label("n")
    waiting = participants_query(round_, AWAITING_DECISION)
    counted = waiting.with_only_columns(reviewer, number, maintain_column_froms=True).group_by(reviewer).subquery()
    found = (
        select(func.coalesce(Kindergarten.name, "—").label("name"), counted.c.n)
        .outerjoin_from(counted, Kindergarten, Kindergarten.id == counted.c.reviewer)
        .order_by(counted.c.n.desc(), Kindergarten.name)
    )
    return list(session.execute(found))


def returned(session: Session, round_: Round, *, now: dt.datetime) -> tuple[int, dt.datetime | None]:
    """How many applications of the round wait for their families, and the last moment at which one may still be answered; None
    where none may."""
    waiting = (Stage.RETURNED,)
    only = is_only_round(session, round_)
    asked = applications_query(round_.year, waiting) if only else participants_query(round_, waiting)
    return count(session, round_, waiting), return_times.latest_answer(session, round_.year, asked, now=now)


def facts_of(
    session: Session, application_ids: Sequence[uuid.UUID], basis: FactBasis
) -> Iterator[tuple[uuid.UUID, dict[Fact, Any]]]:
    """Each application with its facts, in the given order, `BATCH` applications at a time."""
    for start in range(0, len(application_ids), BATCH):
        part = application_ids[start : start + BATCH]
        facts = _READERS[basis](session, part)
        for application_id in part:
            yield application_id, facts.get(application_id, {})


Part = tuple[Sequence["Applicant"], Mapping[uuid.UUID, str]]
"""Some applicants, and their verified facts as they are stored."""


def parts(session: Session, applications: Sequence["Applicant"]) -> Iterator[Part]:
    """The applicants in their order, `BATCH` at a time, with facts that `Priorities.of_part` opens."""
    for start in range(0, len(applications), BATCH):
        some = applications[start : start + BATCH]
        yield some, stored_facts_of(session, [each.application_id for each in some])


def wishes_of(session: Session, condition: ColumnElement[bool]) -> dict[uuid.UUID, list[uuid.UUID]]:
    """For each application the programmes that it wishes for, round by round, the first wish first.

    `condition` selects rows of `Wish`.
    """
    found: defaultdict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    one: dict[uuid.UUID, uuid.UUID] = {}  # a city has a hundred wishes for each programme
    rows = select(Wish.application_id, Wish.programme_id).where(condition)
    rows = rows.order_by(Wish.application_id, Wish.round_id, Wish.rank).execution_options(yield_per=STREAMED)
    for application_id, programme_id in session.execute(rows):
        found[application_id].append(one.setdefault(programme_id, programme_id))
    return found


def read(
    session: Session,
    round_: Round,
    *,
    stages: Collection[str],
    basis: FactBasis,
    strict: bool,
    rules: Mapping[str, Rules] | None = None,
) -> RoundMarket:
    """The market of a round as it stands now.

    A place that a child holds already is its last wish, unless it is wished for.  A bond counts when every member takes
    part and holds the same place or none; otherwise each member takes part alone.  `strict` refuses bound children with
    different wishes (`bound_wishes_differ`, with `n` units); otherwise they count as separate, and wishes for programmes
    outside the round are left out.  `rules` of an area stand instead of those of the round, to compare.  Refuses what
    `tiers.rules_in_round` refuses.
    """
    found = applicants(session, round_, stages=stages, strict=strict, rules=rules)
    facts = facts_of(session, [each.application_id for each in found.applications], basis)
    return replace(
        found.market,
        participants=[
            found.priorities.participant(each, known)
            for each, (_, known) in zip(found.applications, facts, strict=True)
        ],
    )


class Applicant(NamedTuple):
    """An application of a round with what needs no facts; the other fields as in `Participant`."""

    application_id: uuid.UUID
    child: str
    family: str
    unit: str
    elder: str
    current: str
    wishes: tuple[str, ...]


class Priorities:
    """What gives the tiers of a round to a family whose facts are known.  It needs no database."""

    def __init__(self, table: TierTable, entries: Mapping[str, Entry]):
        self._table, self._entries = table, entries

    def of_part(self, part: Part) -> Iterator[Participant]:
        """The participants of a part that `parts` read."""
        applications, stored = part
        for each in applications:
            facts = stored.get(each.application_id)
            yield self.participant(each, facts_of_text(each.application_id, facts) if facts else {})

    def participant(self, applicant: Applicant, facts: Mapping[Fact, Any]) -> Participant:
        """The participant of these facts."""
        priorities = self._table.priorities(facts, [self._entries[code] for code in applicant.wishes])
        return Participant(
            child=applicant.child,
            family=applicant.family,
            unit=applicant.unit,
            elder=applicant.elder,
            current=applicant.current,
            wishes=applicant.wishes,
            tiers=tuple([priority.tiered.tier for priority in priorities]),
            groups=tuple(
                sorted(
                    Group(code, ground)
                    for code, priority in zip(applicant.wishes, priorities, strict=True)
                    for ground in priority.grounds
                )
            ),
        )


class Applicants(NamedTuple):
    """The applications of a round in the order of their child codes, and its market, to which their participants are still missing."""

    applications: Sequence[Applicant]
    priorities: Priorities
    market: RoundMarket


def applicants(
    session: Session,
    round_: Round,
    *,
    stages: Collection[str],
    strict: bool,
    rules: Mapping[str, Rules] | None = None,
) -> Applicants:
    """Who takes part, as `read` says, before any fact is read."""
    rows = _rows(session, round_, stages)
    places = _current_places(session, round_.id) if rows else {}
    programmes = _programmes(session, round_.id, set(places.values())) if rows else ()
    code_of = {programme.id: programme.code for programme in programmes}
    current = {row.id: code_of[places[row.id]] if row.id in places else "" for row in rows}
    wishes = _wishes(session, round_.id, current, code_of, strict) if rows else {}
    units = _units(rows, wishes, current, strict)
    table = TierTable(session, round_, ServiceAreaIndex(session, round_.year), rules)
    entries = dict(zip(code_of.values(), table.entries(programmes), strict=True))
    held = places_held(current.values())
    offered = [
        _offered(programme, held[programme.code], entries[programme.code].sibling_tier) for programme in programmes
    ]
    present = {row.child_code for row in rows}
    applications = [
        Applicant(
            row.id,
            row.child_code,
            row.family_code,
            row.unit.hex if row.unit in units else "",
            _elder(row, present),
            current[row.id],
            wishes[row.id],
        )
        for row in rows
    ]
    market = RoundMarket(round_.year, round_.kind, round_.pair_rule, offered, ())
    return Applicants(applications, Priorities(table, entries), market)


def _rows(session: Session, round_: Round, stages: Collection[str]) -> Sequence[Row]:
    elder, member = aliased(Application), aliased(Application)
    members = select(func.count()).where(member.unit == Application.unit, member.stage.not_in(DEAD_STAGES))
    columns = (
        Application.id,
        Application.child_code,
        Application.family_code,
        Application.unit,
        members.scalar_subquery().label("members"),
        Application.level,
        elder.child_code.label("elder"),
        elder.level.label("elder_level"),
    )
    found = participants_query(round_, stages).outerjoin(elder, elder.id == Application.elder_id)
    listed = found.with_only_columns(*columns, maintain_column_froms=True).order_by(Application.child_code)
    return session.execute(listed.execution_options(yield_per=STREAMED)).all()


def _current_places(session: Session, round_id: uuid.UUID) -> dict[uuid.UUID, uuid.UUID]:
    """Where applications of the round hold a place: it is theirs until they get a better one."""
    wishing = select(Wish.application_id).where(Wish.round_id == round_id, Wish.rank == 1)
    rows = select(Offer.application_id, Offer.programme_id).where(
        Offer.state.in_(LIVE), Offer.state != OfferState.ARRIVED, Offer.application_id.in_(wishing)
    )
    return {application_id: programme_id for application_id, programme_id in session.execute(rows)}


def _programmes(session: Session, round_id: uuid.UUID, held: set[uuid.UUID]) -> Sequence[Programme]:
    """The programmes of the round, and those where applications of the round hold a place."""
    in_round = select(RoundProgramme.programme_id).where(RoundProgramme.round_id == round_id)
    found = select(Programme).where(Programme.id.in_(in_round) | Programme.id.in_(held))
    return session.scalars(found.order_by(Programme.id)).all()


def _wishes(
    session: Session,
    round_id: uuid.UUID,
    current: Mapping[uuid.UUID, str],
    code_of: Mapping[uuid.UUID, str],
    strict: bool,
) -> dict[uuid.UUID, tuple[str, ...]]:
    names = ["", *code_of.values()]
    values = {"round": round_id, "programmes": list(code_of)}
    found: dict[uuid.UUID, tuple[str, ...]] = {each: (place,) if place else () for each, place in current.items()}
    for application_id, numbers in session.execute(_LISTED, values, execution_options={"yield_per": STREAMED}):
        if application_id not in found:
            continue
        if strict and 0 in numbers:
            raise LookupError(f"the application {application_id} wishes for a programme outside the round")
        codes, place = [names[number] for number in numbers if number], current[application_id]
        found[application_id] = tuple(codes if not place or place in codes else [*codes, place])
    return found


_LISTED = text("""
    SELECT wish.application_id, array_agg(CAST(coalesce(known.number, 0) AS int) ORDER BY wish.rank)
    FROM wish LEFT JOIN unnest(CAST(:programmes AS uuid[])) WITH ORDINALITY AS known(id, number) ON known.id = wish.programme_id
    WHERE wish.round_id = :round GROUP BY wish.application_id
""")
"""The wishes of each application, best first, as numbers of the programmes from 1; 0 for any other programme."""


def _units(
    rows: Sequence[Row], wishes: Mapping[uuid.UUID, tuple[str, ...]], current: Mapping[uuid.UUID, str], strict: bool
) -> set[Any]:
    """The units whose children take part together."""
    members = Counter(row.unit for row in rows if row.unit)
    whole = [row for row in rows if row.unit and members[row.unit] == row.members]
    same_place = alike_units(((row.unit, current[row.id]) for row in whole), LARGEST_UNIT)
    rows = [row for row in whole if row.unit in same_place]
    if not strict:
        alike = ((row.unit, (row.family_code, row.level, wishes[row.id])) for row in rows)
        return alike_units(alike, LARGEST_UNIT)
    different = _units_with_different_wishes(rows, wishes)
    if different:
        raise Refused("bound_wishes_differ", n=len(different))
    return same_place


def _units_with_different_wishes(rows: Sequence[Row], wishes: Mapping[uuid.UUID, tuple[str, ...]]) -> set[uuid.UUID]:
    """Bound children go together or not at all, so they hand in the same wishes."""
    first: dict[uuid.UUID, uuid.UUID] = {}
    return {row.unit for row in rows if wishes[first.setdefault(row.unit, row.id)] != wishes[row.id]}


def _elder(row: Row, present: Collection[str]) -> str:
    """An elder sibling who does not take part gives no priority."""
    older = row.elder in present and LEVELS.index(row.elder_level) > LEVELS.index(row.level)
    return row.elder if older else ""


def _offered(programme: Programme, held: int, sibling_tier: int | None) -> OfferedProgramme:
    kindergarten = programme.kindergarten
    return OfferedProgramme(
        id=programme.id,
        code=programme.code,
        kindergarten=kindergarten.code,
        level=programme.level,
        nature=kindergarten.nature,
        area=kindergarten.area_code,
        places=programme.places_for(held),
        sibling_tier=sibling_tier,
        pools=_pools(programme, held),
    )


def _pools(programme: Programme, held: int) -> tuple[ReservedPool, ...]:
    """The reserved places; what an earlier round left of a programme is for everybody, and of a closed kindergarten nothing is."""
    if programme.taken != held or not programme.kindergarten.admits_in(programme.year):
        return ()
    return tuple(
        ReservedPool(pool.code, pool.precedence, pool.places, tuple(pool.groups), pool.unclaimed)
        for pool in programme.pools
    )
