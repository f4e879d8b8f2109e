"""Siblings in one season: bound 捆绑 children of one class level, and a younger child that follows an elder sibling.

Bound children share one position in the draw, and each wish is given to all of them or to none; separate children are
drawn independently.  The parents choose.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from allocation.validation import LARGEST_UNIT
from enrollment.applications import applications, deadlines, edits, units, wishes
from enrollment.applications.applications import Application, Stage
from enrollment.applications.bonds import bond_plan, bond_rules
from enrollment.applications.bonds.bond_plan import BondPlan
from enrollment.applications.bonds.bond_rules import BondEvent
from enrollment.applications.lifecycle import LIVE_STAGES
from enrollment.applications.notifications import notify_guardians_together
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.people.person_rows import Guardianship
from enrollment.places.areas import LEVELS
from enrollment.season.round_rows import Round, RoundKind, RoundStage


def may_bind(session: Session, application: Application, *, by: Actor | None = None) -> list[Application]:
    """The family's other live applications of the same year and level, oldest child first.

    With `by` also those that the other parent entered apart (`entered_apart`).
    """
    family = applications.of_family(session, application, by=by)
    apart = entered_apart(session, application, by=by) if by is not None else []
    return [
        other
        for other in [*family, *apart]
        if other.id != application.id and other.level == application.level and other.stage in LIVE_STAGES
    ]


def entered_apart(session: Session, application: Application, *, by: Actor) -> list[Application]:
    """This guardian's applications of the year under another family code, where both families have the same guardians.

    Two parents who do not live together each entered a child, and then each accepted the other's invitation.  Nothing once
    the list of the main round is frozen, because tickets stand beside each other by family code.
    """
    if by.on_behalf is not None:
        return []
    mine = applications.list_own(session, by=by, year=application.year)
    codes = {each.family_code for each in mine} | {application.family_code}
    if len(codes) == 1 or not _before_tickets(session, application):
        return []
    rows = session.execute(
        select(Application.family_code, Application.child_id, Guardianship.guardian_id)
        .join(Guardianship, Guardianship.child_id == Application.child_id)
        .where(Application.year == application.year, Application.family_code.in_(codes))
        .where(Guardianship.accepted_at.is_not(None))
    )
    guardians: dict[str, dict[uuid.UUID, set[uuid.UUID]]] = defaultdict(lambda: defaultdict(set))
    for code, child_id, guardian_id in rows:
        guardians[code][child_id].add(guardian_id)
    theirs = {code: {frozenset(each) for each in by_child.values()} for code, by_child in guardians.items()}
    same = theirs.get(application.family_code, set())
    if len(same) != 1:
        return []
    return [
        each for each in mine if each.family_code != application.family_code and theirs.get(each.family_code) == same
    ]


def _before_tickets(session: Session, application: Application) -> bool:
    main = select(Round.stage).where(Round.year == application.year, Round.kind == RoundKind.MAIN)
    return all(stage in (RoundStage.PLANNED, RoundStage.OPEN) for stage in session.scalars(main))


def _join(
    session: Session, application: Application, siblings: Sequence[Application], *, by: Actor, now: dt.datetime
) -> None:
    """Give families that were entered apart one code, that of the application entered first; the caller locks all of them."""
    members = [application, *siblings]
    codes = {each.family_code for each in members}
    if len(codes) == 1:
        return
    kept = min(members, key=lambda each: each.created_at).family_code
    theirs = select(Application).where(
        Application.year == application.year, Application.family_code.in_(codes - {kept})
    )
    for each in session.scalars(theirs.order_by(Application.id)):
        each.family_code = kept
        audit.record(session, "join_family", "application", each.id, by=by, now=now)
    session.flush()


def elders(
    session: Session, application: Application, *, now: dt.datetime, by: Actor | None = None
) -> list[Application]:
    """The family's applications for a higher class level in the same year that can take part."""
    mine = LEVELS.index(application.level)
    family = applications.of_family(session, application, by=by)
    return [other for other in family if LEVELS.index(other.level) > mine and _can_take_part(session, other, now=now)]


def _can_take_part(session: Session, application: Application, *, now: dt.datetime) -> bool:
    """Whether it is handed in, or a draft whose level has or will have a registration."""
    if application.stage != Stage.DRAFT:
        return application.stage in LIVE_STAGES
    times = deadlines.of(session, application, now=now)
    return (times.open or times.coming) is not None


def bind(
    session: Session,
    application_ids: Sequence[uuid.UUID],
    *,
    list_of: uuid.UUID | None = None,
    by: Actor,
    now: dt.datetime,
) -> uuid.UUID:
    """Bind children of one family and level, and give all of them the list of wishes of the application `list_of`.

    Without `list_of` the only list that is not empty counts.  Refuses `bind_two_or_more`, `bind_one_family`,
    `bind_one_level`, `bound_already`, `bind_whose_list` where lists differ and none was chosen, and what any edit refuses.
    """
    ids = list(dict.fromkeys(application_ids))
    if not 2 <= len(ids) <= LARGEST_UNIT:
        raise Refused("bind_two_or_more", field="together", most=LARGEST_UNIT)
    units.lock_families(session, ids)
    members = [edits.begin(session, each, by=by, now=now) for each in ids]
    for member in members:
        _require_open_list(session, member, now)
    _refuse_unlike(session, members)
    bound = {member.unit for member in members}
    if len(bound) == 1 and members[0].unit is not None:
        return members[0].unit
    unit = next((each for each in bound if each is not None), None) or uuid.uuid4()
    source = _source(bond_plan.plan(session, members), list_of)
    for member in members:
        member.unit = unit
        audit.record(session, "bind", "application", member.id, by=by, now=now, unit=str(unit), list_of=str(source))
    session.flush()
    _copy_list(session, source, members)
    edits.keep_each(session, members, by=by, now=now)
    event = f"bound:{unit}:{sum(member.version for member in members)}"
    notify_guardians_together(session, "siblings_bound", ids, now=now, by=by, event=event)
    return unit


def _require_open_list(session: Session, application: Application, now: dt.datetime) -> None:
    """A list of wishes changes only while registration is open; before it, drafts may be bound."""
    times = deadlines.of(session, application, now=now)
    if times.open is None and application.stage != Stage.DRAFT:
        raise deadlines.closed(times)


def _refuse_unlike(session: Session, members: Sequence[Application]) -> None:
    if len({(member.family_code, member.year) for member in members}) > 1:
        raise Refused("bind_one_family", field="together")
    if len({member.level for member in members}) > 1:
        raise Refused("bind_one_level", field="together")
    ids = {member.id for member in members}
    if any(other.id not in ids for member in members for other in units.of(session, member)):
        raise Refused("bound_already", field="together")


def _source(plan: BondPlan, list_of: uuid.UUID | None) -> uuid.UUID:
    if list_of is None:
        if plan.asks:
            raise Refused("bind_whose_list", field="list_of")
        return plan.default
    if list_of not in {member.application.id for member in plan.members}:
        raise Refused("bind_whose_list", field="list_of")
    return list_of


def separate(session: Session, application_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Take this child out of its bond, to be drawn alone.  All keep the shared wishes; two or more others stay bound."""
    units.lock_families(session, [application_id])
    application = edits.begin(session, application_id, by=by, now=now)
    if application.unit is None:
        return
    _require_open_list(session, application, now)
    bond_rules.leave(session, application, BondEvent.SEPARATE, by=by, now=now)


def follow_elder(
    session: Session, application_id: uuid.UUID, elder_id: uuid.UUID | None, *, by: Actor, now: dt.datetime
) -> None:
    """Link an elder sibling who also applies this year, so that the younger may follow to the elder's place; None unlinks."""
    application = edits.begin(session, application_id, by=by, now=now)
    if elder_id is not None and elder_id not in {elder.id for elder in elders(session, application, now=now, by=by)}:
        raise Refused("not_an_elder_sibling", field="elder")
    if application.elder_id == elder_id:
        return
    application.elder_id = elder_id
    audit.record(session, "follow_elder", "application", application_id, by=by, now=now, elder=str(elder_id))
    edits.keep(session, application, by=by, now=now)


def choose(
    session: Session,
    application_id: uuid.UUID,
    *,
    bound_with: Collection[uuid.UUID] | None,
    list_of: uuid.UUID | None = None,
    elder_id: uuid.UUID | None,
    version: int | None,
    seen: str | None = None,
    by: Actor,
    now: dt.datetime,
) -> None:
    """Store a page's choices: with which siblings of the level the child is bound, and which elder sibling it follows.

    `bound_with` is empty for a separate child, None to leave the bond as it is; `list_of` is whose list counts, as in `bind`;
    `seen` is the `units.stamp` of the child and of all siblings on the page.  Raises Stale if one of them changed since the
    page was rendered.
    """
    apart = entered_apart(session, applications.own(session, application_id, by=by), by=by)
    units.lock_families(session, [application_id, *(each.id for each in apart)])
    application = edits.begin(session, application_id, by=by, now=now, version=version)
    siblings = [applications.locked(session, other.id, by=by) for other in may_bind(session, application, by=by)]
    units.require_stamp([application, *siblings], seen)
    _join(session, application, siblings, by=by, now=now)
    if bound_with is not None:
        _bind_with(session, application, {other.id for other in siblings} & set(bound_with), list_of, by=by, now=now)
    follow_elder(session, application.id, elder_id, by=by, now=now)


def _bind_with(
    session: Session,
    application: Application,
    wanted: set[uuid.UUID],
    list_of: uuid.UUID | None,
    *,
    by: Actor,
    now: dt.datetime,
) -> None:
    now_bound = {other.id for other in units.others_of(session, application)}
    if wanted and wanted != now_bound:
        bind(session, [application.id, *sorted(wanted)], list_of=list_of, by=by, now=now)
    elif not wanted and now_bound:
        separate(session, application.id, by=by, now=now)


def _copy_list(session: Session, source: uuid.UUID, members: Sequence[Application]) -> None:
    """Give every member the lists of `source` in the rounds that are not frozen; lists of frozen rounds do not change."""
    lists = wishes.lists(session, members)
    rounds = {round_id for each in lists.values() for round_id in each}
    for member in members:
        for round_id in rounds:
            if lists[member.id].get(round_id) != lists[source].get(round_id):
                wishes.write(session, member, round_id, lists[source].get(round_id, []))
