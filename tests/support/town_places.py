"""The part of the test town for places."""

import datetime as dt
import uuid

from enrollment.ground.accounts import SYSTEM, Account, Actor, RoleGrant, actor_of
from enrollment.places import areas, ledger, pools, programmes, roll
from enrollment.places.areas import CLASS_NORM, Area
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.pinyin import sort_key
from enrollment.places.programmes import Programme
from enrollment.places.roll_changes import counts
from enrollment.places.service_areas import ServiceArea

YEAR = 2026


class Places:
    """Kindergartens by name; a new name creates a kindergarten."""

    def area(self, code: str = "510104") -> Area:
        if self.session.get(Area, code) is None:
            areas.load(self.session)
        return self.session.get(Area, code)

    def kindergarten(
        self,
        name: str,
        *,
        area: str = "510104",
        nature: str = "public",
        places: int | None = None,
        level: str = "lower",
        year: int = YEAR,
        **more,
    ) -> Kindergarten:
        """A kindergarten; with `places` also the approved programme that offers exactly so many."""
        self.area(area)
        more = {"licensed_classes": 12, "street": "三圣街道", "address": "三圣街道 1 号（模拟数据）", "fee": 600} | more
        code = more.pop("code", None) or f"51{abs(hash((name, area))) % 10**8:08d}"
        found = Kindergarten(code=code, name=name, nature=nature, area_code=area, sort_key=sort_key(name), **more)
        self.session.add(found)
        self.session.flush()
        if places is not None:
            self.programme(found, places=places, level=level, year=year)
        return found

    def programme(
        self, kindergarten: Kindergarten, *, places: int, level: str = "lower", year: int = YEAR
    ) -> Programme:
        """An approved programme with `places` places: as many classes as they need, the rest withheld."""
        norm = CLASS_NORM[level]
        classes = -(-places // norm)
        programme = programmes.ensure(self.session, kindergarten.id, level, year)
        return self.plan(programme, planned_classes=classes, staffed_classes=classes, withheld=classes * norm - places)

    def plan(self, programme: Programme, *, by: Actor = SYSTEM, **numbers: int) -> Programme:
        """Propose these numbers of a class plan, and approve what the kindergarten proposes, an hour ago."""
        then = self.now - dt.timedelta(hours=1)
        ledger.propose(self.session, programme.id, by=by, now=then, reason="模拟数据", **numbers)
        ledger.approve_kindergarten(self.session, programme.kindergarten_id, programme.year, by=by, now=then)
        return programme

    def service_area(self, kindergarten: Kindergarten, kind: str, name: str, boundary: dict | None = None) -> None:
        """One row of the notice that lists service areas."""
        self.session.add(ServiceArea(kindergarten_id=kindergarten.id, kind=kind, name=name, boundary=boundary))
        self.session.flush()

    def programme_of(self, kindergarten: Kindergarten, level: str = "lower", year: int = YEAR) -> Programme:
        return programmes.ensure(self.session, kindergarten.id, level, year)

    def pool(self, kindergarten: Kindergarten, code: str, places: int, groups: list[str], **more):
        programme = self.programme_of(kindergarten, more.pop("level", "lower"), more.pop("year", YEAR))
        plans = [pools.PoolPlan.of(pool) for pool in programme.pools]
        plans.append(pools.PoolPlan(code=code, name=more.pop("name", code), places=places, groups=groups, **more))
        return pools.set_pools(self.session, programme.id, plans, by=SYSTEM, now=self.now, reason="模拟数据")

    def roll(
        self, kindergarten: Kindergarten, level: str, children: int, *, year: int = YEAR - 1, name: str | None = None
    ):
        """A class that is kept as a count."""
        usual = {"nursery": "托一班", "lower": "小一班", "middle": "中一班", "upper": "大一班"}.get(level, "混龄班")
        act = {"by": SYSTEM, "now": self.now}
        kept = roll.ensure_class(self.session, kindergarten.id, name or usual, level, year, "count", **act)
        day = roll.day_within(year, self.now)
        counts.enter(self.session, kept.id, children=children, day=day, reason="模拟数据", **act)
        return kept

    def child_on_roll(
        self, kindergarten: Kindergarten, name: str, *, level: str = "middle", year: int = YEAR - 1, **more
    ):
        """A child by name in a class that is kept as child rows."""
        return roll.enter_child(
            self.session,
            kindergarten.id,
            level,
            year,
            class_name=more.pop("class_name", None)
            or {"lower": "小二班", "middle": "中二班", "upper": "大二班"}[level],
            name=name,
            entered_on=more.pop("entered_on", dt.date(year, 9, 1)),
            by=SYSTEM,
            now=self.now,
            **more,
        )

    def account_of_staff(self, login: str, name: str, role: str, **scope) -> Account:
        account = Account(login=login, name=name, password_hash="!", created_at=self.now)
        account.grants.append(RoleGrant(role=role, **scope))
        self.session.add(account)
        self.session.flush()
        return account

    def clerk_of(self, kindergarten: Kindergarten, login: str | None = None) -> Actor:
        login = login or f"clerk-{uuid.uuid4().hex[:8]}"
        return actor_of(self.account_of_staff(login, "王老师", "clerk", kindergarten_id=kindergarten.id))

    def head_of(self, kindergarten: Kindergarten, login: str | None = None) -> Actor:
        login = login or f"head-{uuid.uuid4().hex[:8]}"
        return actor_of(self.account_of_staff(login, "李园长", "head", kindergarten_id=kindergarten.id))

    def area_official(self, area: str = "510104", login: str | None = None) -> Actor:
        self.area(area)
        login = login or f"area-{uuid.uuid4().hex[:8]}"
        return actor_of(self.account_of_staff(login, "区教育局经办", "area_official", area_code=area))

    def city_official(self, login: str | None = None) -> Actor:
        login = login or f"city-{uuid.uuid4().hex[:8]}"
        return actor_of(self.account_of_staff(login, "市教育局经办", "city_official"))


def pinyin_of(name: str) -> str:
    return sort_key(name)
