"""Import of admission plans: classes, continuing children, withheld places, reserved places."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.ground.bulk_copy import write_rows
from enrollment.ground.classifications import Level
from enrollment.ground.errors import Refused
from enrollment.places import class_plan
from enrollment.places.areas import CLASS_NORM, MOST_CHILDREN
from enrollment.places.class_plan import NUMBERS, LevelPlan
from enrollment.places.imports import cell_readers, date_readers, units, vocabulary
from enrollment.places.imports.changes import Change, ChangedSinceCheck, Conflict, Difference, Overwrite, changed_fields
from enrollment.places.imports.headers import Column
from enrollment.places.imports.kindergarten_lookup import CODE, NAME, KindergartenLookup
from enrollment.places.imports.records import Record, Records
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.ledger import REASON_IMPORTED, LedgerEntry, PlanProposal
from enrollment.places.programmes import Pool, Programme, ProgrammeState

POOL = "reserved"
COLUMNS = (
    CODE,
    NAME,
    Column("level", ("年级段", "班级", "年级", "班别", "招生年级", "招生班级", "年龄段", "level", "class level"), vocabulary.level, False, "小班", choices=("托班", "小班", "中班", "大班")),
    Column("year", ("招生年度", "年度", "招生年份", "年份", "year"), date_readers.year, False, "2026"),
    Column("planned_classes", ("班数", "计划班数", "招生班数", "拟招班数", "开班数", "班级数", "planned classes", "classes"), cell_readers.Whole(60, units.CLASSES), True, "2"),
    Column("staffed_classes", ("已配教师班数", "配备教师班数", "师资到位班数", "教师到位班数", "可开班数", "staffed classes"), cell_readers.Whole(60, units.CLASSES), False, "2"),
    Column("class_norm", ("班额", "每班人数", "班额标准", "class norm", "class size"), cell_readers.Whole(35, units.PEOPLE, is_rate=True), False, "25"),
    Column("continuing", ("在园人数", "升班人数", "继续在园人数", "留园人数", "直升人数", "在园幼儿数", "continuing"), cell_readers.Whole(MOST_CHILDREN, units.PEOPLE), False, "0"),
    Column("withheld", ("不参与派位", "不参与派位人数", "不参加派位", "不参与摇号", "不参与派位学位", "withheld"), cell_readers.Whole(MOST_CHILDREN, units.PEOPLE), False, "0"),
    Column("places", ("招生计划", "计划招生数", "招生人数", "招生名额", "计划招生人数", "招生计划数", "可派学位", "学位数", "学位", "places"), cell_readers.Whole(MOST_CHILDREN, units.PEOPLE), False, "50"),
    Column("reserved", ("预留学位", "预留学位数", "预留人数", "预留名额", "reserved"), cell_readers.Whole(MOST_CHILDREN, units.PEOPLE), False, "2"),
    Column("groups", ("预留对象", "预留群体", "预留给", "reserved for"), vocabulary.groups, False, "政策照顾", choices=("政策照顾", "特殊需要", "多子女", "教职工子女", "小区业主", "集体户", "随迁子女")),
)  # fmt: skip


@dataclass
class Prepared:
    """Changes to write: rows by table, the versions on which the changed ones were compared, and the open proposals that were
    there then: the list replaces these, and no others.
    """

    difference: Difference
    fresh: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    pools: list[tuple[uuid.UUID, int, list[str]]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    versions: dict[uuid.UUID, int] = field(default_factory=dict)
    proposals: set[uuid.UUID] = field(default_factory=set)


@dataclass
class _Row:
    record: Record
    owner: Kindergarten
    level: str
    year: int
    known: Programme | None
    plan: LevelPlan = field(default_factory=LevelPlan)
    is_filled: bool = False
    reserved: tuple[int, list[str]] | None = None
    is_decided: bool = False


def prepare(
    session: Session, records: Records, *, by: Actor, now: dt.datetime, year: int, overwrite: Overwrite
) -> Prepared:
    """Compare the plans with the table.  The plan of each kindergarten must be valid as a whole.

    A plan that somebody changed by hand since the last import, or that has an open proposal, is a conflict.
    """
    lookup = KindergartenLookup(session, by)
    known = _existing_programmes(session)
    difference = Difference("programmes", reading=records.reading)
    rows: dict[tuple, _Row] = {}
    for record in records.all():
        row = _row(records, record, lookup, known, year)
        if row is None:
            continue
        key = (row.owner.id, row.level, row.year)
        if key in rows:
            records.repetition(record, "level", "twice_in_file", rows[key].record)
            continue
        rows[key] = row
        _fill(records, row, difference)
        if not record.has("level"):
            difference.remark("level_assumed_lower")
    proposals = _open_proposals(session, [row.known.id for row in rows.values() if row.known is not None])
    _leave_conflicts(session, difference, rows, proposals, overwrite)
    _check_kindergartens(records, list(rows.values()), known)
    records.stop_at_faults()
    prepared = Prepared(difference, proposals=set(proposals.values()))
    for owner in {row.owner.id: row.owner for row in rows.values()}.values():
        if owner.licensed_classes is None:
            difference.remark("licence_unknown", owner.name)
    for row in rows.values():
        _compare(prepared, row)
    return prepared


def _open_proposals(session: Session, programme_ids: list[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The open proposal of each programme that has one."""
    proposed = select(PlanProposal.programme_id, PlanProposal.id).where(
        PlanProposal.programme_id.in_(programme_ids), PlanProposal.decision.is_(None)
    )
    return {row.programme_id: row.id for row in session.execute(proposed)}


def _leave_conflicts(
    session: Session,
    difference: Difference,
    rows: dict[tuple, "_Row"],
    open_proposals: dict[uuid.UUID, uuid.UUID],
    overwrite: Overwrite,
) -> None:
    """Find the conflicts, and take out the rows in which what people entered stays."""
    by_hand = _changed_by_hand(session, [row.known.id for row in rows.values() if row.known is not None])
    for place, row in list(rows.items()):
        if row.known is None or not row.is_filled:
            continue
        fields = _changes(row)[0]
        if not fields:
            continue
        reason = ""
        if row.known.id in open_proposals:
            reason = "open_proposal"
        elif fields.keys() & by_hand.get(row.known.id, set()):
            reason = "changed_by_hand"
        if not reason:
            continue
        key = _key(row)
        difference.ask(
            Conflict(key, f"{row.owner.name} {vocabulary.level_word(row.level)}", row.record.line, reason, fields)
        )
        if overwrite is not None and key not in overwrite:
            difference.kept += 1
            del rows[place]
        row.is_decided = True


def _changed_by_hand(session: Session, programme_ids: list[uuid.UUID]) -> dict[uuid.UUID, set[str]]:
    """The fields of each programme whose last change was not an import."""
    latest = (
        select(LedgerEntry.programme_id, LedgerEntry.field, LedgerEntry.reason)
        .where(LedgerEntry.programme_id.in_(programme_ids))
        .ext(distinct_on(LedgerEntry.programme_id, LedgerEntry.field))
        .order_by(LedgerEntry.programme_id, LedgerEntry.field, LedgerEntry.number.desc())
    )
    found: dict[uuid.UUID, set[str]] = {}
    for programme_id, name, reason in session.execute(latest):
        if not reason.startswith(REASON_IMPORTED):
            found.setdefault(programme_id, set()).add("reserved" if name == f"pool:{POOL}" else name)
    return found


def write(session: Session, prepared: Prepared, *, by: Actor, now: dt.datetime, reason: str) -> None:
    """Raises ChangedSinceCheck if somebody changed one of the plans, or handed in a proposal for it, since they were compared."""
    write_rows(session, insert(Programme), prepared.fresh)
    for row in prepared.changed:
        seen = (Programme.id == row["id"], Programme.version == prepared.versions[row["id"]])
        changed = update(Programme).where(*seen).values(**row, version=Programme.version + 1).returning(Programme.id)
        if session.scalar(changed) is None:
            raise ChangedSinceCheck
    # a proposal is handed in under the lock of its programme, which this transaction holds now
    touched = _open_proposals(session, [row["id"] for row in prepared.changed])
    if not prepared.proposals.issuperset(touched.values()):
        raise ChangedSinceCheck
    session.execute(
        update(PlanProposal)
        .where(PlanProposal.id.in_(touched.values()), PlanProposal.decision.is_(None))
        .values(decision="replaced", decided_at=now, decided_by=by.account_id, remark=reason)
    )
    for programme_id, places, groups in prepared.pools:
        _write_pool(session, programme_id, places, groups)
    stamp = {"at": now, "account_id": by.account_id, "reason": reason}
    write_rows(session, insert(LedgerEntry), [entry | stamp for entry in prepared.entries])
    session.expire_all()


def _existing_programmes(session: Session) -> dict[tuple, Programme]:
    return {(row.kindergarten_id, row.level, row.year): row for row in session.scalars(select(Programme))}


def _row(records: Records, record: Record, lookup: KindergartenLookup, known: dict, year: int) -> _Row | None:
    owner = lookup.find(records, record)
    if owner is None or record.faulty:
        return None
    if record.has("level") and record["level"] is None:
        records.fault(record, "level", "level_missing")
        return None
    level, of_year = record["level"] or Level.LOWER, record["year"] or year
    if level == Level.MIXED:
        records.fault(record, "level", "level_not_offered")
        return None
    return _Row(record, owner, level, of_year, known.get((owner.id, level, of_year)))


def _fill(records: Records, row: _Row, difference: Difference) -> None:
    """The numbers of the row; numbers without a column stay unchanged.  Classes that are no longer planned need no teachers, and
    a plan that had no classes tells nothing of theirs.
    """
    record, has, old = row.record, row.record.has, row.known
    norm = record["class_norm"] or (old.class_norm if old else CLASS_NORM[row.level])
    planned = record["planned_classes"]
    staffed = record["staffed_classes"] if record["staffed_classes"] is not None else planned
    keeps_staffed = False
    if old is not None and old.planned_classes and not has("staffed_classes"):
        staffed = min(old.staffed_classes, planned)
        keeps_staffed = staffed < planned
        if keeps_staffed and planned > old.planned_classes:
            difference.remark("staffed_kept", f"{row.owner.name} {vocabulary.level_word(row.level)}")
    continuing = (record["continuing"] or 0) if has("continuing") else (old.continuing if old else 0)
    withheld = (record["withheld"] or 0) if has("withheld") else (old.withheld if old and not has("places") else 0)
    plan = LevelPlan(planned, staffed, norm, continuing, withheld)
    wanted = record["places"]
    if wanted is not None and wanted != plan.places:
        if record["withheld"] is None and wanted < plan.places:
            plan = LevelPlan(planned, staffed, norm, continuing, plan.places - wanted)
        elif keeps_staffed and plan.places < wanted:
            records.fault(record, "places", "plan_needs_teachers", places=wanted, follows=plan.places, classes=staffed)
            return
        else:
            records.fault(
                record, "places", "plan_does_not_add_up", places=wanted, follows=plan.places,
                classes=plan.classes, norm=norm, continuing=continuing, withheld=plan.withheld,
            )  # fmt: skip
            return
    try:
        class_plan.check_level(row.level, plan)
    except Refused as refused:
        records.refusal(record, refused.field or "planned_classes", refused)
        return
    row.plan, row.is_filled = plan, True
    row.reserved = _reserved(records, row, plan)


def _reserved(records: Records, row: _Row, plan: LevelPlan) -> tuple[int, list[str]] | None:
    record = row.record
    if not record.has("reserved"):
        pools = sum(pool.places for pool in row.known.pools) if row.known else 0
        if pools > plan.places:
            records.fault(record, "places", "places_below_pools", group="error", reserved=pools, places=plan.places)
        return None
    count, groups = record["reserved"] or 0, record["groups"] or []
    if count and not groups:
        records.fault(record, "groups", "reserved_for_whom", n=count)
    if count > plan.places:
        records.fault(record, "reserved", "reserved_exceeds_places", reserved=count, places=plan.places)
    return count, groups


def _check_kindergartens(records: Records, rows: list[_Row], known: dict[tuple, Programme]) -> None:
    plans: dict[tuple, dict[str, LevelPlan]] = {}
    for (owner_id, level, year), programme in known.items():
        plans.setdefault((owner_id, year), {})[level] = class_plan.plan_of(programme)
    complete = [row for row in rows if row.is_filled and not row.record.faulty]
    for row in complete:
        plans.setdefault((row.owner.id, row.year), {})[row.level] = row.plan
        least = max(row.known.taken - row.known.overhang, 0) if row.known else 0
        if row.plan.places < least:
            records.fault(
                row.record, "planned_classes", "places_below_taken", group="error", taken=least, places=row.plan.places
            )
    last = {(row.owner.id, row.year): row for row in complete}
    for key, row in last.items():
        try:
            class_plan.check_kindergarten(plans[key], row.owner.licensed_classes)
        except Refused as refused:
            records.refusal(row.record, "planned_classes", refused)


def _key(row: _Row) -> str:
    return f"{row.owner.code}/{row.level}/{row.year}"


def _changes(row: _Row) -> tuple[dict[str, tuple[Any, Any]], dict[str, Any]]:
    """(The changed fields, the columns of the row in the table)."""
    columns: dict[str, Any] = {number: getattr(row.plan, number) for number in NUMBERS}
    columns |= {"places": row.plan.places, "state": ProgrammeState.APPROVED}
    after = dict(columns)
    before = {name: getattr(row.known, name) for name in after} if row.known else None
    if row.reserved is not None:
        pool = next((pool for pool in row.known.pools if pool.code == POOL), None) if row.known else None
        after["reserved"], after["groups"] = row.reserved[0], row.reserved[1] if row.reserved[0] else []
        if before is not None:
            before |= {"reserved": pool.places if pool else 0, "groups": sorted(pool.groups) if pool else []}
    return changed_fields(before, after), columns


def _compare(prepared: Prepared, row: _Row) -> None:
    fields, columns = _changes(row)
    change = Change(_key(row), f"{row.owner.name} {vocabulary.level_word(row.level)}", row.record.line, fields)
    programme_id = row.known.id if row.known else uuid.uuid4()
    if row.known is None:
        prepared.difference.add("added", change)
        prepared.fresh.append(
            columns | {"id": programme_id, "kindergarten_id": row.owner.id, "level": row.level, "year": row.year}
        )
    elif fields:
        prepared.difference.add("changed", change, decided=row.is_decided)
        prepared.changed.append(columns | {"id": programme_id})
        prepared.versions[programme_id] = row.known.version
    else:
        prepared.difference.unchanged += 1
        return
    if row.reserved is not None and {"reserved", "groups"} & fields.keys():
        places, groups = row.reserved
        prepared.pools.append((programme_id, places, groups if places else []))
    prepared.entries += _entries(programme_id, fields)


def _entries(programme_id: uuid.UUID, fields: dict[str, tuple[Any, Any]]) -> list[dict[str, Any]]:
    """One ledger entry for each changed number."""
    names = {"reserved": f"pool:{POOL}"}
    return [
        {
            "programme_id": programme_id,
            "field": names.get(name, name),
            "before": None if before is None else str(before),
            "after": str(after),
        }
        for name, (before, after) in fields.items()
        if name != "groups"
    ]


def _write_pool(session: Session, programme_id: uuid.UUID, places: int, groups: list[str]) -> None:
    """Write the one reserve of the list; pools that officials created stay."""
    pools = list(session.scalars(select(Pool).where(Pool.programme_id == programme_id)))
    own = next((pool for pool in pools if pool.code == POOL), None)
    if not places:
        if own:
            session.delete(own)
    elif own:
        own.places, own.groups = places, groups
    else:
        taken = {pool.precedence for pool in pools}
        free = next(number for number in range(16) if number not in taken)
        session.add(
            Pool(programme_id=programme_id, code=POOL, name="预留学位", precedence=free, places=places, groups=groups)
        )
    session.flush()
