"""Bulk rows of kindergartens, equal to those that the service functions write."""

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterable

from numpy.random import Generator
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.city_time import today
from enrollment.ground.classifications import Nature
from enrollment.places.areas import CLASS_NORM, Area
from enrollment.places.pinyin import sort_key
from portal.demo import kindergartens, names
from portal.demo.batches import RowBatch
from portal.demo.kindergartens import Built

COLUMNS: dict[str, tuple[str, ...]] = {
    "kindergarten": (
        "id", "code", "name", "sort_key", "nature", "run_by", "area_code", "attached", "street", "address", "longitude", "latitude",
        "phone", "fee", "licensed_classes",
    ),
    "service_area": ("id", "kindergarten_id", "kind", "name"),
    "programme": (
        "id", "kindergarten_id", "level", "year", "state", "planned_classes", "staffed_classes", "class_norm", "continuing", "withheld",
        "places", "taken", "overhang", "version",
    ),
    "plan_proposal": ("id", "programme_id", "numbers", "reason", "made_at", "decision", "decided_at"),
    "ledger_entry": ("programme_id", "at", "field", "before", "after", "reason"),
    "roll_class": ("id", "kindergarten_id", "school_year", "level", "name", "kept_as", "counted", "as_of"),
    "audit_entry": ("at", "act", "subject", "subject_id", "details"),
}  # fmt: skip
"""Tables in the order of their foreign keys, with the written columns."""

RUN_BY = ("教办", "部门办", "集体办")
REASON = "模拟数据：按办学许可和师资编制"
AT_ONCE = 200


def build(
    session: Session,
    random: Generator,
    year: int,
    children: int,
    now: dt.datetime,
    progress: Callable[[int, int], None],
) -> None:
    """The city's kindergartens.  `progress` is called with the number done and the total."""
    areas = list(session.scalars(select(Area).order_by(Area.position)))
    built = list(kindergartens.layout(random, areas, children))
    batch = Batch(random, year, now)
    for done, each in enumerate(built, start=1):
        batch.add(each)
        if done % AT_ONCE == 0 or done == len(built):
            batch.write(session)
            progress(done, len(built))


class Batch(RowBatch):
    """Rows of some kindergartens, collected until `write`.  Ids come from `random`: the same seed gives the same city."""

    columns = COLUMNS

    def __init__(self, random: Generator, year: int, now: dt.datetime):
        super().__init__(random)
        self.year, self.now = year, now

    def add(self, built: Built) -> None:
        plan, number, id_ = built.plan, built.number, self._id()
        run_by = RUN_BY[number % 3] if plan.nature == Nature.PUBLIC else "民办"
        address = f"{plan.street}{names.COMMUNITIES[number % 12]}路 {number % 180 + 1} 号（模拟数据）"
        self._add(
            "kindergarten", id_, f"51{900000000 + number}", plan.name, sort_key(plan.name), plan.nature, run_by, plan.area, False,
            plan.street, address, *built.point, f"028-8{number % 10_000_000:07d}", built.fee,
            plan.lower_classes + plan.older_classes,
        )  # fmt: skip
        for community in built.communities:
            self._add("service_area", self._id(), id_, "community", community)
        self._add_places(id_, built)
        self._add_roll(id_, built.classes)

    def _add_places(self, kindergarten: uuid.UUID, built: Built) -> None:
        """Write the plan, proposed and then approved."""
        id_, classes, withheld, places = self._id(), built.plan.lower_classes, built.withheld, built.places
        self._add(
            "programme", id_, kindergarten, "lower", self.year, "approved", classes, classes, CLASS_NORM["lower"], 0,
            withheld, places, 0, 0, 4,
        )  # fmt: skip
        numbers = {
            "planned_classes": classes, "staffed_classes": classes, "class_norm": CLASS_NORM["lower"], "continuing": 0,
            "withheld": withheld,
        }  # fmt: skip
        self._add("plan_proposal", self._id(), id_, json.dumps(numbers), REASON, self.now, "approved", self.now)
        self._add("ledger_entry", id_, self.now, "state", "draft", "proposed", REASON)
        self._say("propose_plan", "programme", id_, **numbers)
        changed = {"planned_classes": classes, "staffed_classes": classes, "withheld": withheld, "places": places}
        for field, after in changed.items():
            if after:
                self._add("ledger_entry", id_, self.now, field, "0", str(after), REASON)
        self._add("ledger_entry", id_, self.now, "state", "proposed", "approved", REASON)
        self._say("approve_plan", "programme", id_, places=places)

    def _add_roll(self, kindergarten: uuid.UUID, classes: Iterable[tuple[str, str, int]]) -> None:
        for name, level, children in classes:
            id_ = self._id()
            self._add("roll_class", id_, kindergarten, self.year - 1, level, name, "count", children, today(self.now))
            self._say("count_class", "roll_class", id_, children=children)

    def _say(self, act: str, subject: str, id_: uuid.UUID, **details: int) -> None:
        self._add("audit_entry", self.now, act, subject, str(id_), json.dumps(details))
