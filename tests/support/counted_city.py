"""A city for counting: areas, kindergartens, classes and offers as bare rows.

city = CountedCity(session)
school = city.kindergarten("public", children={"lower": 25})
city.offer(school, "lower")
"""

import datetime as dt
import itertools
import uuid
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from allocation.coverage import Percent
from enrollment.applications.applications import Application
from enrollment.coverage import target_decisions
from enrollment.coverage.target_decisions import Source
from enrollment.coverage.targets import TargetDecision, Targets, TargetScope
from enrollment.ground.accounts import Account, Actor, Role, RoleGrant, actor_of
from enrollment.offers.offers import Offer
from enrollment.people.person_rows import Child, ChildDocument
from enrollment.places import areas
from enrollment.places.areas import CLASS_NORM
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.roll import RollChild, RollClass
from enrollment.season import calendar
from enrollment.season.rounds import Round

YEAR = 2026
COUNTED_ON = dt.date(2026, 5, 20)
NOON = dt.datetime(2026, 6, 6, 12, tzinfo=ZoneInfo("Asia/Shanghai"))
DAY = dt.timedelta(days=1)


class CountedCity:
    def __init__(self, session: Session):
        self.session = session
        self.numbers = itertools.count(1)
        areas.load(session)
        self._season()

    def kindergarten(self, nature: str, children: dict[str, int] | None = None, **more) -> Kindergarten:
        """Open in 锦江区 unless `more` says otherwise; `children` by level are kept as counts."""
        n = next(self.numbers)
        settings = {"code": f"K{n:04}", "name": f"{n}号幼儿园", "sort_key": f"{n:04}", "area_code": "510104"} | more
        school = self._add(Kindergarten(nature=nature, licensed_classes=9, **settings))
        for level, count in (children or {}).items():
            self.counted_class(school, level, count)
        return school

    def counted_class(self, school: Kindergarten, level: str, count: int, school_year: int = YEAR - 1) -> RollClass:
        return self._class(school, level, school_year, kept_as="count", counted=count)

    def listed_class(self, school: Kindergarten, level: str, born: list[dt.date], school_year: int = YEAR - 1):
        """A class kept as rows; the children entered on 1 September of its school year."""
        group = self._class(school, level, school_year, kept_as="rows")
        entered = dt.date(school_year, 9, 1)
        return group, [self._on_roll(group, day, entered) for day in born]

    def offer(self, school: Kindergarten, level: str, state: str = "offered", of: RollChild | None = None) -> Offer:
        """An offer to a new child, or to one who is `of` a roll already."""
        n = next(self.numbers)
        index = of.id_index if of else uuid.uuid4().bytes
        child = self._add(
            Child(
                name="童童",
                id_kind="resident",
                id_number=f"{n}",
                id_index=index,
                born=dt.date(2023, 1, 1),
                sex="f",
                created_at=NOON,
            )
        )
        self._add(
            ChildDocument(
                child_id=child.id, kind="resident", number=f"{n}", person_index=index, added_at=NOON, current=True
            )
        )
        application = self._add(
            Application(
                child_id=child.id,
                year=YEAR,
                entered_by=self.account.id,
                level=level,
                stage="confirmed",
                registration_code=f"R{n}",
                child_code=f"C{n}",
                family_code=f"F{n}",
                created_at=NOON,
                changed_at=NOON,
            )
        )
        programme = self._programme(school, level)
        return self._add(
            Offer(
                child_id=child.id,
                application_id=application.id,
                programme_id=programme.id,
                year=YEAR,
                round_id=self.round.id,
                state=state,
                notice_code=f"N{n}",
                made_at=NOON,
                answer_by=NOON + 3 * DAY,
            )
        )

    def targets(self, public: str | None = "51", inclusive: str | None = "82", **more) -> TargetDecision:
        """Signed by two, for the whole city in `YEAR` unless `more` says otherwise."""
        settings = {"year": YEAR, "scope": "city", "area": None, "in_force_from": None, "now": NOON} | more
        year = settings["year"]
        made = target_decisions.propose(
            self.session,
            year,
            TargetScope(settings["scope"]),
            Targets(*(share if share is None else Percent(round(float(share) * 100)) for share in (public, inclusive))),
            Source("学前教育普及普惠工作计划", f"成教〔{year}〕1号", dt.date(2020, 1, 1)),
            in_force_from=settings["in_force_from"] or dt.date(year, 1, 1),
            area=settings["area"],
            by=self.official(1),
            now=settings["now"],
        )
        return target_decisions.sign(self.session, made.id, by=self.official(2), now=settings["now"])

    def official(self, number: int) -> Actor:
        """A city official, always the same person for a number."""
        login = f"counted-city-{number}"
        found = self.session.query(Account).filter_by(login=login).one_or_none()
        grants = [RoleGrant(role=Role.CITY_OFFICIAL)]
        return actor_of(
            found
            or self._add(Account(login=login, name=f"市{number}", password_hash="x", created_at=NOON, grants=grants))
        )

    def _programme(self, school: Kindergarten, level: str) -> Programme:
        found = self.session.query(Programme).filter_by(kindergarten_id=school.id, level=level, year=YEAR).one_or_none()
        norm = CLASS_NORM[level]
        plan = {"planned_classes": 2, "staffed_classes": 2, "class_norm": norm, "places": 2 * norm}
        return found or self._add(
            Programme(kindergarten_id=school.id, level=level, year=YEAR, state="approved", **plan)
        )

    def _season(self) -> None:
        self._add(
            calendar.Season(
                year=YEAR,
                opened_at=NOON - 30 * DAY,
                announced_at=NOON - 30 * DAY,
                hotline="028-12345",
                simulated=True,
            )
        )
        self.round = self._add(
            Round(
                year=YEAR,
                number=1,
                kind="main",
                name="第一批",
                opens_at=NOON - 15 * DAY,
                closes_at=NOON - 10 * DAY,
                confirm_by=NOON + 3 * DAY,
            )
        )
        self.account = self._add(Account(name="家长", phone="13800000001", phone_index=b"1", created_at=NOON))

    def _class(self, school, level, school_year, **kept) -> RollClass:
        name = f"{level}-{next(self.numbers)}"
        return self._add(
            RollClass(
                kindergarten_id=school.id, school_year=school_year, level=level, name=name, as_of=COUNTED_ON, **kept
            )
        )

    def _on_roll(self, group: RollClass, born: dt.date, entered: dt.date) -> RollChild:
        row = RollChild(class_id=group.id, name="童童", id_index=uuid.uuid4().bytes, born=born, entered_on=entered)
        return self._add(row)

    def _add(self, row):
        self.session.add(row)
        self.session.flush()
        return row
