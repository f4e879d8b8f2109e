"""A roll in a file against the roll that is kept: what is new, different, gone, and what somebody entered meanwhile."""

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from enrollment.ground import bulk_copy, vault
from enrollment.ground.accounts import Actor
from enrollment.ground.vault import mask
from enrollment.places import scope
from enrollment.places.imports import vocabulary
from enrollment.places.imports.cell_readers import person_name
from enrollment.places.imports.changes import Change, Conflict, Overwrite, changed_fields
from enrollment.places.imports.date_readers import MonthOnly
from enrollment.places.imports.records import Records
from enrollment.places.imports.roll_changes import (
    ChildRow,
    KnownChild,
    Prepared,
    born_of,
    changes,
    day_of,
    entered_on,
    is_month_of,
    masked,
    same_birth,
)
from enrollment.places.imports.roll_file import ClassKey, FileChild, FileClass, class_key
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll_rows import RollChild, RollClass, RollCorrection, school_from

AT_ONCE = 5000


def classes_in_scope(session: Session, by: Actor) -> dict[ClassKey, RollClass]:
    found = select(RollClass).join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
    rows = session.scalars(found.where(scope.scope_condition(by)))
    return {class_key(row.kindergarten_id, row.school_year, row.name): row for row in rows}


def compare(
    session: Session,
    records: Records,
    prepared: Prepared,
    classes: Mapping[ClassKey, FileClass],
    there: Mapping[ClassKey, RollClass],
    *,
    today: dt.date,
    overwrite: Overwrite,
) -> None:
    """Fill `prepared`; record the faults that only the kept roll tells."""
    ids = {key: there[key].id if key in there else uuid.uuid4() for key in classes}
    _check_classes(session, records, classes, there)
    _take_levels_out(prepared, classes, there, records)
    for key, each in classes.items():
        _compare_class(prepared, each, there.get(key), ids[key], today)
    comparison = _Comparison(session, records, prepared, overwrite)
    pairs = [(child, each, ids[key]) for key, each in classes.items() for child in each.children]
    missing = comparison.compare_numbered(pairs)
    found = comparison.known_by_name(pairs, missing, {ids[key] for key in classes if key in there})
    for position in missing:
        comparison.compare_child(*pairs[position], found.get(position))
    comparison.settle_corrections()
    comparison.count_absent({there[key].id for key, each in classes.items() if key in there and each.children})
    comparison.remark_equal_children(pairs)


def _check_classes(
    session: Session, records: Records, classes: Mapping[ClassKey, FileClass], there: Mapping[ClassKey, RollClass]
) -> None:
    counted_now = [there[key].id for key, each in classes.items() if each.counted is not None and key in there]
    with_children = set(
        session.scalars(select(RollChild.class_id).where(RollChild.class_id.in_(counted_now)).distinct())
    )
    rows = {row.id: row for row in there.values()}
    for key, each in classes.items():
        known = there.get(key)
        if known is None:
            continue
        if known.closed_on is not None:
            _fault_closed(records, each, known, rows)
        if known.level != each.level:
            records.fault(each, "level", "class_has_another_level", group="error")
        if each.counted is not None and known.kept_as == "rows" and known.id in with_children:
            records.fault(each, "counted", "class_has_children", group="error")


def _fault_closed(records: Records, each: FileClass, known: RollClass, rows: Mapping[uuid.UUID, RollClass]) -> None:
    """A file that is older than the closing of a class would put its children where no list shows them."""
    into = known
    while into.merged_into is not None and into.merged_into in rows:
        into = rows[into.merged_into]
    if into is known:
        records.fault(each, "class_name", "class_is_closed", name=known.name)
    else:
        records.fault(each, "class_name", "class_was_merged", name=known.name, into=into.name)


def _take_levels_out(
    prepared: Prepared, classes: Mapping[ClassKey, FileClass], there: Mapping[ClassKey, RollClass], records: Records
) -> None:
    """A level's number gives way to its classes; a level whose classes are kept cannot become a number."""
    kept: dict[tuple[uuid.UUID, int, str], list[RollClass]] = {}
    for (owner_id, year, _name), row in there.items():
        if row.closed_on is None:
            kept.setdefault((owner_id, year, row.level), []).append(row)
    settled = set()
    for each in classes.values():
        mine = there.get(each.key)
        others = [row for row in kept.get((each.owner.id, each.school_year, each.level), ()) if row is not mine]
        if each.is_level and others:
            names = "、".join(row.name for row in others[:5])
            records.fault(each, "counted", "level_kept_by_class", names=names, n=len(others))
        for row in others:
            is_number = row.kept_as == "count" and row.name == vocabulary.level_word(row.level)
            if not each.is_level and is_number and row.id not in settled and row.kindergarten_id == each.owner.id:
                settled.add(row.id)
                if class_key(each.owner.id, each.school_year, row.name) not in classes:
                    fields = {"counted": (row.counted, None)}
                    title = f"{each.owner.name} {row.name}"
                    code = f"{each.owner.code}/{row.school_year}/{row.name}"
                    prepared.difference.add("removed", Change(code, title, None, fields))
                    prepared.removed_classes.append(row.id)


def _compare_class(
    prepared: Prepared, each: FileClass, known: RollClass | None, class_id: uuid.UUID, today: dt.date
) -> None:
    kept_as = "count" if each.counted is not None else "rows"
    after: dict[str, Any] = {"level": each.level, "kept_as": kept_as, "counted": each.counted}
    if each.as_of:
        after["as_of"] = each.as_of
    before = {name: getattr(known, name) for name in after} if known else None
    fields = changed_fields(before, after)
    change = Change(each.code, each.title, each.line, fields)
    row = {"as_of": today} | after | {"id": class_id}
    if known is None:
        prepared.difference.add("added", change)
        owner = {"kindergarten_id": each.owner.id, "school_year": each.school_year, "name": each.name}
        prepared.classes.append(row | owner)
    elif fields:
        prepared.difference.add("changed", change)
        prepared.changed_classes.append(row)
    elif kept_as == "count":
        prepared.difference.unchanged += 1


class _Comparison:
    """The children of a file against those on roll."""

    def __init__(self, session: Session, records: Records, prepared: Prepared, overwrite: Overwrite):
        self.session, self.records, self.prepared, self.overwrite = session, records, prepared, overwrite
        self.difference = prepared.difference
        unnumbered = select(RollChild.id).where(RollChild.left_on.is_(None), RollChild.id_index.is_(None))
        self.has_unnumbered = session.scalar(unnumbered.limit(1)) is not None
        self.matched: dict[uuid.UUID, int] = {}
        self.added: dict[tuple[str, dt.date], FileChild] = {}
        self.waiting: dict[uuid.UUID, tuple[FileChild, FileClass, ChildRow, dict[str, tuple[Any, Any]]]] = {}

    def compare_numbered(self, pairs: list[tuple[FileChild, FileClass, uuid.UUID]]) -> list[int]:
        """Compare the children whose number is kept, as the rows come; return the positions of the others."""
        numbered = ((position, child.index) for position, (child, _each, _id) in enumerate(pairs) if child.index)
        bulk_copy.copy_to_temporary_table(self.session, "import_child", {"n": "integer", "id_index": "bytea"}, numbered)
        query = text(
            "SELECT DISTINCT ON (i.n) i.n, r.id, r.class_id, r.name, r.born, r.entered_on, r.left_on,"
            " k.kindergarten_id, k.school_year, (SELECT max(o.left_on) FROM roll_child o"
            " WHERE o.id_index = r.id_index AND o.id <> r.id AND o.left_on <= r.entered_on) AS since"
            " FROM import_child i JOIN roll_child r USING (id_index) JOIN roll_class k ON k.id = r.class_id"
            " ORDER BY i.n, r.left_on IS NULL DESC, r.left_on DESC"
        )
        compared = bytearray(len(pairs))
        for row in self._stream(query):
            child, each, class_id = pairs[row.n]
            kept = ChildRow(
                row.id,
                row.class_id,
                _name(row.name, row.id),
                child.number,
                child.index,
                _born(row.born, row.id),
                row.entered_on,
            )
            known = KnownChild(kept, row.kindergarten_id, row.school_year, row.left_on, row.since)
            self.compare_child(child, each, class_id, known)
            compared[row.n] = True
        return [position for position, done in enumerate(compared) if not done]

    def known_by_name(
        self, pairs: list[tuple[FileChild, FileClass, uuid.UUID]], missing: list[int], known: set[uuid.UUID]
    ) -> dict[int, KnownChild]:
        """The kept rows with the same name and birth date in the same class, by the position of the child."""
        found: dict[int, KnownChild] = {}
        wanted: dict[tuple[uuid.UUID, str], list[int]] = {}
        for position in missing:
            child, _each, class_id = pairs[position]
            if class_id in known:
                wanted.setdefault((class_id, child.name), []).append(position)
        classes = list({class_id for class_id, _name_of in wanted})
        in_file = {child.index for child, _each, _id in pairs if child.index is not None} if classes else set()
        columns = (
            RollChild.id, RollChild.class_id, RollChild.name, RollChild.id_number, RollChild.id_index, RollChild.born,
            RollChild.entered_on, RollClass.kindergarten_id, RollClass.school_year,
        )  # fmt: skip
        query = select(*columns).join(RollClass, RollClass.id == RollChild.class_id).where(RollChild.left_on.is_(None))
        for start in range(0, len(classes), AT_ONCE):
            for row in self.session.execute(query.where(RollChild.class_id.in_(classes[start : start + AT_ONCE]))):
                for position in wanted.get((row.class_id, person_name(row.name)), ()):
                    child = pairs[position][0]
                    both_numbered = child.index is not None and row.id_index is not None
                    is_another = both_numbered or row.id_index in in_file
                    if position in found or is_another or not same_birth(child.born, row.born):
                        continue
                    kept = ChildRow(
                        row.id, row.class_id, row.name, row.id_number, row.id_index, row.born, row.entered_on
                    )
                    found[position] = KnownChild(kept, row.kindergarten_id, row.school_year, None)
                    break
        return found

    def _stream(self, query: Any) -> Iterator[Any]:
        yield from self.session.execute(query, execution_options={"yield_per": AT_ONCE})

    def compare_child(self, child: FileChild, each: FileClass, class_id: uuid.UUID, known: KnownChild | None) -> None:
        if known is not None and known.left_on is not None:
            if known.owner_id == each.owner.id and (child.entered_on or known.row.entered_on) <= known.left_on:
                self._ask(child, each, known.row, "has_left", {"left_on": (known.left_on, None)})
                if self._file_wins(known.row.id):
                    child.entered_on = known.left_on
                    self._add(child, each, class_id, decided=True)
                else:
                    self.difference.kept += 1
                return
            is_before = child.entered_on is not None and child.entered_on < known.left_on
            if is_before and not is_month_of(child.entered_on, known.left_on):
                self.records.fault(child, "entered_on", "entered_before_leaving", left=known.left_on.isoformat())
                return
            child.entered_on = max(entered_on(child, each), known.left_on)
            known = None
        if known is None:
            self._add(child, each, class_id)
            return
        if known.owner_id != each.owner.id:
            self.records.fault(child, "id_number", "on_roll_elsewhere")
            return
        before = known.row
        after = ChildRow(
            before.id, class_id, child.name, child.number or before.number, child.index or before.index,
            born_of(child.born, before.born), _entry(child.entered_on, known),
        )  # fmt: skip
        fields = changes(before, after)
        if class_id == before.class_id:
            self.matched[class_id] = self.matched.get(class_id, 0) + 1
        if not fields:
            self.difference.unchanged += 1
        elif known.school_year > each.school_year:
            self._ask(child, each, before, "promoted_since", fields)
            if self._file_wins(before.id):
                self._change(child, each, after, fields, decided=True)
            else:
                self.difference.kept += 1
        elif {"child", "id_number", "born"} & fields.keys():
            self.waiting[before.id] = (child, each, after, fields)
        else:
            self._change(child, each, after, fields)

    def settle_corrections(self) -> None:
        """Changes of a name, a number or a birth date that somebody corrected by hand are asked for."""
        corrected: dict[uuid.UUID, set[str]] = {}
        ids = list(self.waiting)
        for start in range(0, len(ids), AT_ONCE):
            query = select(RollCorrection.roll_child_id, RollCorrection.changed)
            for child_id, changed in self.session.execute(
                query.where(RollCorrection.roll_child_id.in_(ids[start : start + AT_ONCE]))
            ):
                corrected.setdefault(child_id, set()).update({"child" if name == "name" else name for name in changed})
        for child_id, (child, each, after, fields) in self.waiting.items():
            is_asked = bool(fields.keys() & corrected.get(child_id, set()))
            if is_asked:
                self._ask(child, each, after, "corrected_by_hand", fields)
            if is_asked and not self._file_wins(child_id):
                self.difference.kept += 1
            else:
                self._change(child, each, after, fields, decided=is_asked)

    def _ask(
        self, child: FileChild, each: FileClass, row: ChildRow, reason: str, fields: dict[str, tuple[Any, Any]]
    ) -> None:
        self.difference.ask(Conflict(str(row.id), _title(child, each), child.line, reason, masked(fields)))

    def _file_wins(self, child_id: uuid.UUID) -> bool:
        return self.overwrite is None or str(child_id) in self.overwrite

    def _add(self, child: FileChild, each: FileClass, class_id: uuid.UUID, *, decided: bool = False) -> None:
        self.prepared.children.append((child, each, class_id))
        if isinstance(child.born, MonthOnly):
            self.difference.remark("born_month_only", self.records.place_of(child, "born"))
        if isinstance(child.entered_on, MonthOnly):
            self.difference.remark("entered_month_only", self.records.place_of(child, "entered_on"))
        if child.born is not None and (child.index is None or self.has_unnumbered):
            self.added[child.name, child.born] = child
        fields = {
            "child": (None, mask(child.name, 1, 0)), "id_number": (None, mask(child.number, 4, 4) or None),
            "born": (None, day_of(child.born)), "entered_on": (None, entered_on(child, each)),
        }  # fmt: skip
        told = {name: pair for name, pair in fields.items() if pair[1] is not None}
        self.difference.add("added", Change(each.code, _title(child, each), child.line, told), decided=decided)

    def _change(
        self,
        child: FileChild,
        each: FileClass,
        after: ChildRow,
        fields: dict[str, tuple[Any, Any]],
        *,
        decided: bool = False,
    ) -> None:
        self.prepared.changed_children.append(after)
        change = Change(each.code, _title(child, each), child.line, masked(fields))
        self.difference.add("changed", change, decided=decided)

    def count_absent(self, class_ids: set[uuid.UUID]) -> None:
        if not class_ids:
            return
        on_roll = select(func.count()).where(RollChild.left_on.is_(None), RollChild.class_id.in_(class_ids))
        matched = sum(count for class_id, count in self.matched.items() if class_id in class_ids)
        self.difference.absent += (self.session.scalar(on_roll) or 0) - matched

    def remark_equal_children(self, pairs: Iterable[tuple[FileChild, FileClass, uuid.UUID]]) -> None:
        """The same name and birth date twice, one of them without a number, may be one child that would count twice."""
        unnumbered = {(child.name, child.born) for child, _each, _id in pairs if child.index is None and child.born}
        first: dict[tuple[str, dt.date | None], FileChild] = {}
        told: set[tuple[str, dt.date | None]] = set()
        for child, _each, _id in pairs if unnumbered else ():
            key = (child.name, child.born)
            if key in unnumbered and first.setdefault(key, child) is not child:
                self._remark_pair(child, self.records.place_of(first[key]))
                told.add(key)
        if not self.added:
            return
        years = {school_from(day) for name, day in self.added if (name, day) in unnumbered}
        on_roll = select(RollChild.id, RollChild.name, RollChild.born).where(RollChild.left_on.is_(None))
        queries = [on_roll.where(RollChild.id_index.is_(None), RollChild.born.is_not(None))]
        if years:
            queries.append(on_roll.where(RollChild.id_index.is_not(None), RollChild.school_from.in_(years)))
        for query in queries:
            for row in self._stream(query):
                key = (person_name(row.name), row.born)
                if key in self.added and key not in told:
                    self._remark_pair(self.added[key], "")

    def _remark_pair(self, child: FileChild, other: str) -> None:
        example = f"{self.records.place_of(child)} {mask(child.name, 1, 0)}"
        self.difference.remark("same_child_maybe", f"{example} = {other}" if other else example)


def _entry(told: dt.date | None, known: KnownChild) -> dt.date:
    """The day of entry.  A file tells when the child came to the kindergarten, which may be classes ago."""
    kept = known.row.entered_on
    if told is None or is_month_of(told, kept) or (known.since is not None and told < known.since):
        return kept
    return day_of(told) or kept


def _name(sealed: bytes, row: uuid.UUID) -> str:
    return vault.unseal(bytes(sealed), "roll_child.name", row)


def _born(sealed: bytes | None, row: uuid.UUID) -> dt.date | None:
    return RollChild.born.type.opened(sealed, row)


def _title(child: FileChild, each: FileClass) -> str:
    return f"{each.title} {mask(child.name, 1, 0)}"
