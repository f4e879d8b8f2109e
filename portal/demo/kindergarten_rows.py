"""Bulk rows of kindergartens, equal to those that the service functions write."""

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterable

from numpy.random import Generator
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.accounts import SYSTEM
from enrollment.ground.city_time import today
from enrollment.ground.classifications import Level
from enrollment.ground.identity import index_of
from enrollment.ground.vault import seal
from enrollment.places import pools
from enrollment.places.areas import CLASS_NORM, Area
from enrollment.places.class_plan import NUMBERS, LevelPlan
from enrollment.places.pinyin import sort_key
from enrollment.places.roll_rows import school_from
from portal.demo import kindergartens, roll_children
from portal.demo.batches import RowBatch
from portal.demo.earlier_years.classes import earlier_classes
from portal.demo.identity_numbers import Numbers
from portal.demo.kindergartens import Built, Layout
from portal.demo.roll_children import ChildOnRoll

COLUMNS: dict[str, tuple[str, ...]] = {
    "kindergarten": (
        "id", "code", "name", "sort_key", "nature", "run_by", "area_code", "parent_id", "attached", "street", "address", "longitude",
        "latitude", "phone", "fee", "licensed_classes", "closed_on",
    ),
    "service_area": ("id", "kindergarten_id", "kind", "name"),
    "named_place": ("id", "area_code", "kind", "name", "sort_key", "longitude", "latitude"),
    "programme": (
        "id", "kindergarten_id", "level", "year", "state", "planned_classes", "staffed_classes", "class_norm", "continuing", "withheld",
        "places", "taken", "overhang", "version",
    ),
    "plan_proposal": ("id", "programme_id", "numbers", "reason", "made_at", "decision", "decided_at"),
    "ledger_entry": ("programme_id", "at", "field", "before", "after", "reason"),
    "roll_class": ("id", "kindergarten_id", "school_year", "level", "name", "kept_as", "counted", "as_of"),
    "roll_child": ("id", "class_id", "kept_as", "name", "id_number", "id_index", "born", "school_from", "entered_on"),
    "audit_entry": ("at", "act", "subject", "subject_id", "details"),
}  # fmt: skip
"""Tables in the order of their foreign keys, with the written columns."""

REASON = "模拟数据：按办学许可和师资编制"
POOL_REASON = "模拟数据：按本区预留学位安排"
AT_ONCE = 200


def build(
    session: Session,
    random: Generator,
    year: int,
    children: int,
    now: dt.datetime,
    progress: Callable[[int, int], None],
) -> "City":
    """The city's kindergartens.  `progress` is called with the number done and the total."""
    areas = list(session.scalars(select(Area).order_by(Area.position)))
    city = City(kindergartens.layout(random, areas, children), Numbers(), {})
    built = city.layout.kindergartens
    batch = Batch(random, year, now, city.numbers)
    batch.add_named_places(city.layout)
    for done, each in enumerate(built, start=1):
        city.on_roll[each.code] = batch.add(each)
        if done % AT_ONCE == 0 or done == len(built):
            batch.write(session)
            batch.reserve_places(session)
            progress(done, len(built))
    return city


class City:
    """What families are drawn from: kindergartens, identity numbers that are used, and the youngest children on roll."""

    def __init__(self, layout: Layout, numbers: Numbers, on_roll: dict[str, list[ChildOnRoll]]):
        self.layout, self.numbers, self.on_roll = layout, numbers, on_roll


class Batch(RowBatch):
    """Rows of some kindergartens, collected until `write`.  Ids come from `random`: the same seed gives the same city."""

    columns = COLUMNS

    def __init__(self, random: Generator, year: int, now: dt.datetime, numbers: Numbers):
        super().__init__(random)
        self.year, self.now, self.numbers = year, now, numbers
        self.ids: dict[int, uuid.UUID] = {}
        self.reserved: list[tuple[uuid.UUID, list[pools.PoolPlan]]] = []

    def add(self, built: Built) -> list[ChildOnRoll]:
        """Add the rows of a kindergarten; return its children on roll in lower classes that are kept by name."""
        number, id_ = built.number, self._id()
        self.ids[number] = id_
        self._add(
            "kindergarten", id_, built.code, built.name, sort_key(built.name), built.nature, built.run_by, built.area,
            None if built.parent is None else self.ids[built.parent], built.attached, built.street, address_of(built),
            *built.point, phone_of(built), built.fee, built.licensed_classes, built.closed_on,
        )  # fmt: skip
        for kind, name in built.served:
            self._add("service_area", self._id(), id_, kind, name)
        for level, plan in built.plans.items():
            self._add_places(id_, built, level, plan)
        return self._add_roll(id_, built, self.now - built.counted_on)

    def add_named_places(self, layout: Layout) -> None:
        """The points of streets, communities and estates; a street lies in the middle of its communities."""
        middles: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
        for area, around in layout.neighbourhoods.items():
            for each in around.all:
                for kind, name in (("street", each.street), ("community", each.community), ("estate", each.estate)):
                    middles.setdefault((area, kind, name), []).append(each.point)
        for key, points in middles.items():
            east, north = zip(*points, strict=True)
            # an id that does not use up the random numbers of the city
            id_ = uuid.uuid5(uuid.NAMESPACE_OID, "/".join(key))
            middle = round(sum(east) / len(points), 6), round(sum(north) / len(points), 6)
            self._add("named_place", id_, *key, sort_key(key[2]), *middle)

    def reserve_places(self, session: Session) -> None:
        """The pools of the kindergartens written since the last call, with the service function: they are few."""
        for programme, wanted in self.reserved:
            pools.set_pools(session, programme, wanted, by=SYSTEM, now=self.now, reason=POOL_REASON)
        self.reserved.clear()

    def _add_places(self, kindergarten: uuid.UUID, built: Built, level: Level, plan: LevelPlan) -> None:
        """Write the plan, proposed and then approved."""
        id_, numbers = self._id(), {name: getattr(plan, name) for name in NUMBERS}
        self._add(
            "programme", id_, kindergarten, level, self.year, "approved", *numbers.values(), plan.places, 0, 0, 4,
        )  # fmt: skip
        self._add("plan_proposal", self._id(), id_, json.dumps(numbers), REASON, self.now, "approved", self.now)
        self._add("ledger_entry", id_, self.now, "state", "draft", "proposed", REASON)
        self._say("propose_plan", "programme", id_, self.now, **numbers)
        unplanned = dict.fromkeys((*NUMBERS, "places"), 0) | {"class_norm": CLASS_NORM[level]}
        for field, before in unplanned.items():
            after = getattr(plan, field)
            if after != before:
                self._add("ledger_entry", id_, self.now, field, str(before), str(after), REASON)
        self._add("ledger_entry", id_, self.now, "state", "proposed", "approved", REASON)
        self._say("approve_plan", "programme", id_, self.now, places=plan.places)
        if built.pools and level == Level.LOWER:
            self.reserved.append((id_, built.pools))

    def _add_roll(self, kindergarten: uuid.UUID, built: Built, at: dt.datetime) -> list[ChildOnRoll]:
        youngest = []
        for each in built.classes:
            id_, kept_as = self._id(), "rows" if each.rows else "count"
            counted = None if each.rows else each.children
            self._add(
                "roll_class", id_, kindergarten, self.year - 1, each.level, each.name, kept_as, counted, today(at),
            )  # fmt: skip
            if each.rows:
                found = list(roll_children.draw(self.random, built.area, each, self.year - 1, self.numbers))
                self._add_children(id_, found, at)
                youngest += found if each.level == Level.LOWER else []
            else:
                self._say("count_class", "roll_class", id_, at, children=each.children)
        for past in earlier_classes(built.number, built.nature, built.classes, self.year - 1):
            self._add(
                "roll_class", past.id, kindergarten, past.school_year, past.level, past.name, "count", past.children,
                past.as_of,
            )  # fmt: skip
        return youngest

    def _add_children(self, class_id: uuid.UUID, children: Iterable[ChildOnRoll], at: dt.datetime) -> None:
        for child in children:
            id_ = self._id()
            self._add(
                "roll_child", id_, class_id, "rows", seal(child.name, "roll_child.name", id_),
                seal(child.id_number, "roll_child.id_number", id_), index_of(child.id_number),
                seal(child.born.isoformat(), "roll_child.born", id_), school_from(child.born), child.entered_on,
            )  # fmt: skip
            self._say("enter_roll", "roll_child", id_, at)

    def _say(self, act: str, subject: str, id_: uuid.UUID, at: dt.datetime, **details: int) -> None:
        self._add("audit_entry", at, act, subject, str(id_), json.dumps(details))


def address_of(built: Built) -> str:
    return f"{built.home.community.removesuffix('社区')}路 {built.number % 180 + 1} 号（模拟数据）"


def phone_of(built: Built) -> str:
    return f"028-8{built.number % 10_000_000:07d}"
