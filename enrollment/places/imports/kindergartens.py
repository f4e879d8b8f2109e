"""Import of kindergartens and their sites."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.ground.bulk_copy import write_rows
from enrollment.ground.city_time import today
from enrollment.ground.classifications import Nature
from enrollment.places import areas, contact_numbers, scope
from enrollment.places.grades import held
from enrollment.places.grades.held import ListedGrades
from enrollment.places.imports import cell_readers, date_readers, units, vocabulary
from enrollment.places.imports.cells import grade_cells
from enrollment.places.imports.changes import Change, Conflict, Difference, Overwrite, changed_fields
from enrollment.places.imports.headers import Column
from enrollment.places.imports.records import Record, Records
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.ledger_rows import LICENCE, NO_LICENCE, add_entry
from enrollment.places.pinyin import sort_key
from enrollment.places.plans import closings
from enrollment.places.plans.closings import Met
from enrollment.places.programmes import Programme

COLUMNS = (
    Column("code", ("学校标识码", "学校(机构)标识码", "标识码", "机构标识码", "园所代码", "学校代码", "幼儿园代码", "机构代码", "编码", "代码", "code", "school code", "kindergarten code", "id", "机构编码", "单位编码", "学校编码", "园所编码", "机构标识", "学校机构标识码", "学校编号", "幼儿园编号", "幼儿园编码", "幼儿园标识码", "办学机构代码", "school id"), cell_readers.code, True, "5151040001"),
    Column("name", ("园所名称", "幼儿园名称", "园名", "学校名称", "机构名称", "单位名称", "名称", "幼儿园", "name", "kindergarten", "kindergarten name", "机构全称", "学校机构名称", "学校全称", "幼儿园全称", "园所全称", "园所", "学校", "园名称", "school", "school name"), cell_readers.title, True, "锦官新城幼儿园"),
    Column("nature", ("办园性质", "园所性质", "办学性质", "办别", "举办者类型", "性质", "类别", "办园类型", "园所类型", "nature", "type", "学校举办者类型", "学校机构举办者类型", "举办者性质", "举办性质", "办学类别", "学校性质", "公办民办", "公办/民办", "公民办", "园所属性", "办学体制"), vocabulary.nature, False, "公办", choices=("公办", "普惠性民办", "其他民办")),
    Column("is_inclusive", ("是否普惠", "普惠", "普惠性", "是否普惠性", "普惠认定", "是否认定普惠", "inclusive", "是否普惠性民办幼儿园", "是否普惠性幼儿园", "是否普惠园", "是否普惠幼儿园", "普惠性民办幼儿园", "普惠性质", "普惠类型"), cell_readers.yes_or_no, False, "", choices=("是", "否")),
    Column("run_by", ("举办者", "举办单位", "主办单位", "主管部门", "举办方", "run by", "founder", "举办者名称", "主管单位", "学校主管部门"), cell_readers.short, False, "锦江区教育局"),
    Column("area_code", ("招生区域", "区域", "区县", "所属区县", "所属区(市)县", "区(市)县", "所在区县", "行政区", "行政区划", "区划", "所属区域", "区", "area", "district", "area code", "所在地区划三级", "所在地区划", "所在区", "所在地区县", "所在地区", "行政区县", "区市县", "县区", "县(市、区)", "所属区域名称", "辖区", "管辖区域", "所属辖区", "地区"), cell_readers.area, True, "锦江区", choices=areas.names()),
    Column("parent", ("主园标识码", "主园代码", "主园编码", "总园标识码", "本部标识码", "主园", "parent", "parent code"), cell_readers.code, False, ""),
    Column("attached", ("附设班", "是否附设班", "附设幼儿班", "是否附设", "attached"), cell_readers.yes_or_no, False, "否", choices=("是", "否")),
    Column("street", ("街道", "镇街", "所属街道", "街道(乡镇)", "乡镇街道", "镇(街道)", "所属镇街", "乡镇", "街镇", "street", "town", "所在街道", "街道名称", "镇(街)", "所在镇街", "乡镇(街道)"), cell_readers.short, False, "三圣街道"),
    Column("address", ("地址", "园址", "详细地址", "办园地址", "通讯地址", "地点", "address", "学校地址", "幼儿园地址", "单位地址", "园所地址", "机构地址", "办学地址", "所在地址", "地理位置", "园所详细地址"), cell_readers.short, False, "锦江区三圣街道 1 号"),
    Column("longitude", ("经度", "东经", "longitude", "lon", "lng", "x", "x坐标", "经度坐标", "园所经度"), cell_readers.longitude, False, "104.1325"),
    Column("latitude", ("纬度", "北纬", "latitude", "lat", "y", "y坐标", "纬度坐标", "园所纬度"), cell_readers.latitude, False, "30.6012"),
    Column("phone", ("联系电话", "电话", "咨询电话", "招生电话", "联系方式", "办公电话", "phone", "telephone", "联系方式(电话)", "学校电话", "园所电话", "招生咨询电话", "电话号码", "固定电话", "办公室电话"), cell_readers.phone, False, "028-85550000"),
    Column("fee", ("保教费", "收费标准", "收费", "月保教费", "保教费标准", "保育教育费", "fee", "monthly fee", "保教费(元/月)", "保教费收费标准", "收费标准(元/月)", "月收费标准", "收费(元/月)", "月收费"), cell_readers.Whole(50_000, units.YUAN_A_MONTH, is_rate=True), False, "600"),
    Column("licensed_classes", ("班数", "核定班数", "审批班数", "批准班数", "办园规模", "核定班级数", "班级数", "规模", "licensed classes", "classes", "班级数(个)", "总班数", "办园班级数", "班级总数"), cell_readers.Whole(60, units.CLASSES), False, "12"),
    Column("credit_code", ("统一社会信用代码", "社会信用代码", "信用代码", "统一信用代码", "credit code", "unified social credit code"), cell_readers.credit_code, False, ""),
    Column("grade", ("办园等级", "园所等级", "等级", "等级评定", "示范等级", "评定等级", "办园水平", "grade", "grades"), cell_readers.short, False, "省级示范性幼儿园"),
    Column("grade_since", ("等级评定日期", "评定日期", "认定日期", "等级认定日期", "评定时间", "grade since"), date_readers.date, False, ""),
    Column("closed_on", ("停办日期", "撤销日期", "关停日期", "closed on"), date_readers.date, False, ""),
)  # fmt: skip
PLAIN = (
    "name",
    "nature",
    "run_by",
    "area_code",
    "attached",
    "street",
    "address",
    "longitude",
    "latitude",
    "phone",
    "fee",
)
FIELDS = (*PLAIN, "licensed_classes", "credit_code", "closed_on")
WHEN_EMPTY = {"attached": False}
BATCH = 1000


@dataclass
class Prepared:
    """Changes to write: new rows with parents before their sites, changed columns by id, and grades that differ."""

    difference: Difference
    fresh: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    grades: list[ListedGrades] = field(default_factory=list)


def prepare(
    session: Session, records: Records, *, by: Actor, now: dt.datetime, year: int, overwrite: Overwrite
) -> Prepared:
    """Compare the list with the table.  Raises ImportFaults with all faults.

    A row that closes a kindergarten whose admission goes on is a conflict: it names the opened rounds and the children who
    hold a place, and whoever imports decides on it.
    """
    rows = records.all()
    there = {row.code: row for row in session.scalars(select(Kindergarten))}
    code_of_id = {row.id: code for code, row in there.items()}
    lines = _first_lines(records, rows)
    grades = grade_cells.GradeCells(session, records, today(now))
    for record in rows:
        _settle_nature(records, record, there)
        _check_scope(records, record, there, by)
        _check_parent(records, record, there, lines)
        grades.read(record)
    _check_classes(session, records, rows, there)
    records.stop_at_faults()
    prepared = Prepared(Difference("kindergartens", reading=records.reading))
    ids = {code: row.id for code, row in there.items()}
    ids |= {record["code"]: uuid.uuid4() for record in rows if record["code"] not in there}
    met = closings.met_by(session, _closings(rows, there))
    for record in rows:
        _compare(prepared, record, there.get(record["code"]), ids, code_of_id, grades, met, overwrite)
    _remark_equal_names(prepared.difference, records, rows, there)
    prepared.fresh.sort(key=lambda row: row["parent_id"] is not None)
    return prepared


def _remark_equal_names(
    difference: Difference, records: Records, rows: list[Record], there: dict[str, Kindergarten]
) -> None:
    """Two kindergartens with one name in one area may be one that was entered with two codes."""
    named: dict[tuple[str, str], set[str]] = {}
    for code, row in there.items():
        named.setdefault((row.area_code, cell_readers.person_name(row.name)), set()).add(code)
    for record in rows:
        named.setdefault((record["area_code"], record["name"]), set()).add(record["code"])
    for record in rows:
        others = named[record["area_code"], record["name"]] - {record["code"], record["parent"]}
        if others:
            difference.remark("name_twice_in_area", f"{records.place_of(record)} {record['name']}")


def write(session: Session, prepared: Prepared, *, by: Actor, now: dt.datetime, reason: str) -> None:
    for start in range(0, len(prepared.fresh), BATCH):
        write_rows(session, insert(Kindergarten), prepared.fresh[start : start + BATCH])
    if prepared.changed:
        _note_licences(session, prepared.changed, by=by, now=now, reason=reason)
        for row in prepared.changed:
            session.execute(update(Kindergarten).where(Kindergarten.id == row["id"]).values(**row))
    held.set_listed(session, prepared.grades, reason, by=by, now=now)
    session.expire_all()


def _note_licences(
    session: Session, changed: list[dict[str, Any]], *, by: Actor, now: dt.datetime, reason: str
) -> None:
    """A changed licence is an entry in the ledger of every programme of the kindergarten: a ledger of an earlier day goes back over it."""
    licences = {row["id"]: row["licensed_classes"] for row in changed if "licensed_classes" in row}
    found = (
        select(Programme, Kindergarten.id, Kindergarten.licensed_classes)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Kindergarten.id.in_(licences))
    )
    for programme, kindergarten_id, before in session.execute(found).unique().all():
        after = licences[kindergarten_id]
        if before != after:
            add_entry(
                session, programme, LICENCE, before, NO_LICENCE if after is None else after,
                account_id=by.account_id, now=now, reason=reason,
            )  # fmt: skip
    session.flush()


def _first_lines(records: Records, rows: list[Record]) -> dict[str, Record]:
    """The first row of each code; further rows are faults."""
    first: dict[str, Record] = {}
    for record in rows:
        code = record["code"]
        if code is None:
            continue
        if code in first:
            records.repetition(record, "code", "twice_in_file", first[code])
        first.setdefault(code, record)
    return first


def _settle_nature(records: Records, record: Record, there: dict[str, Kindergarten]) -> None:
    """The nature follows from 民办 together with the column 是否普惠."""
    nature, inclusive = record["nature"], record["is_inclusive"]
    if nature == "unclear" and inclusive is not None:
        nature = Nature.INCLUSIVE if inclusive else Nature.PRIVATE
    elif (
        nature in (Nature.INCLUSIVE, Nature.PRIVATE)
        and inclusive is not None
        and (nature == Nature.INCLUSIVE) != inclusive
    ):
        records.fault(record, "nature", "nature_contradicts")
    if nature == "unclear":
        records.fault(record, "nature", "nature_unclear")
        return
    if nature is None and not record.faulty:
        known = there.get(record["code"] or "") or there.get(record["parent"] or "")
        if known is None:
            records.fault(record, "nature", "value_missing")
        else:
            nature = known.nature
    record.values["nature"] = nature


def _check_scope(records: Records, record: Record, there: dict[str, Kindergarten], by: Actor) -> None:
    if scope.may_see_all(by) or record["area_code"] is None:
        return
    known = there.get(record["code"] or "")
    if record["area_code"] not in by.areas or (known and known.area_code not in by.areas):
        records.fault(record, "area_code", "outside_your_area")


def _check_parent(records: Records, record: Record, there: dict[str, Kindergarten], lines: dict[str, Record]) -> None:
    parent = record["parent"]
    if parent is None:
        return
    if parent == record["code"]:
        records.fault(record, "parent", "parent_is_itself")
    elif parent in lines:
        if lines[parent]["parent"]:
            records.fault(record, "parent", "parent_is_a_site", value=parent)
    elif parent not in there:
        records.fault(record, "parent", "parent_unknown", value=parent)
    elif there[parent].parent_id:
        records.fault(record, "parent", "parent_is_a_site", value=parent)


def _check_classes(session: Session, records: Records, rows: list[Record], there: dict[str, Kindergarten]) -> None:
    """Refuse fewer licensed classes than the class plan needs."""
    if not records.tables.has("licensed_classes"):
        return
    total = func.sum(Programme.planned_classes)
    by_year = select(Programme.kindergarten_id, total.label("planned")).group_by(
        Programme.kindergarten_id, Programme.year
    )
    planned: dict[uuid.UUID, int] = {}
    for kindergarten_id, classes in session.execute(by_year):
        planned[kindergarten_id] = max(planned.get(kindergarten_id, 0), classes)
    for record in rows:
        known = there.get(record["code"] or "")
        licensed = record["licensed_classes"]
        if known is None or record.faulty or licensed is None:
            continue
        before = known.licensed_classes
        if licensed < planned.get(known.id, 0) and (before is None or licensed < before):
            records.fault(record, "licensed_classes", "fewer_classes_than_planned", planned=planned[known.id])


def _closings(rows: list[Record], there: dict[str, Kindergarten]) -> dict[uuid.UUID, dt.date]:
    """The closing days that the list brings to kindergartens of ours."""
    known = ((there.get(record["code"]), record["closed_on"]) for record in rows)
    return {row.id: day for row, day in known if row is not None and day is not None and row.closed_on != day}


def _compare(
    prepared: Prepared,
    record: Record,
    known: Kindergarten | None,
    ids: dict[str, uuid.UUID],
    code_of_id: dict[uuid.UUID, str],
    grades: grade_cells.GradeCells,
    met: dict[uuid.UUID, Met],
    overwrite: Overwrite,
) -> None:
    given = [name for name in FIELDS if record.has(name)]
    after = {name: _or_default(name, record[name]) for name in given} | {"nature": record["nature"]}
    if record.has("parent"):
        after["parent"] = record["parent"]
    before = None
    if known is not None:
        before = {name: getattr(known, name) for name in FIELDS} | {
            "parent": code_of_id[known.parent_id] if known.parent_id else None
        }
        if contact_numbers.same(before["phone"], after.get("phone")):
            after["phone"] = before["phone"]
    fields = changed_fields(before, after) | grades.changed(record, known)
    closing = met.get(known.id) if known is not None else None
    if closing is not None:
        told = {"rounds": "、".join(closing.rounds), "n": closing.offers}
        prepared.difference.ask(
            Conflict(record["code"], record["name"], record.line, "admission_goes_on", fields, told)
        )
        if overwrite is not None and record["code"] not in overwrite:
            prepared.difference.kept += 1
            return
    prepared.grades += grades.listed(record, ids[record["code"]]) if "grade" in fields else []
    change = Change(record["code"], record["name"], record.line, fields)
    columns = {name: value for name, value in after.items() if name != "parent"}
    if "name" in fields:
        columns["sort_key"] = sort_key(record["name"])
    if "parent" in after:
        columns["parent_id"] = ids[after["parent"]] if after["parent"] else None
    if known is None:
        prepared.difference.add("added", change)
        blank = dict.fromkeys(FIELDS) | WHEN_EMPTY | {"parent_id": None}
        prepared.fresh.append(blank | columns | {"id": ids[record["code"]], "code": record["code"]})
    elif fields:
        prepared.difference.add("changed", change, decided=closing is not None)
        prepared.changed.append(columns | {"id": known.id})
    else:
        prepared.difference.unchanged += 1


def _or_default(name: str, value: Any) -> Any:
    return WHEN_EMPTY.get(name) if value is None else value
