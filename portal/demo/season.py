"""The demo's season: its calendar, three families of rules over 23 areas, each signed by two, and its first round."""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from allocation.coverage import Percent
from enrollment.announcements import announcements
from enrollment.announcements.announcements import Texts
from enrollment.coverage import target_decisions
from enrollment.coverage.target_decisions import Source
from enrollment.coverage.targets import Targets, TargetScope
from enrollment.draw import round_opening
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import CHENGDU
from enrollment.ground.classifications import Level, Nature
from enrollment.places.areas import Area
from enrollment.season import calendar, policy_approval, rounds, season_lifecycle
from enrollment.season.rounds import Round
from portal.demo import nature_shares

YEAR = 2026
RULES_OF_AREA = {
    "DBXQ": "service_area",
    "510118": "service_area",
    "510121": "service_area",
    "510107": "any_inclusive",
    "510116": "any_inclusive",
    "GXQ": "any_inclusive",
}
"""Every other area goes by the whole district's hukou."""


def moment(month: int, day: int, hour: int = 9) -> dt.datetime:
    return dt.datetime(YEAR, month, day, hour, tzinfo=CHENGDU)


DATES = {
    "announcement": (moment(5, 9), moment(5, 21)),
    "registration": (moment(5, 21), moment(5, 25, 17)),
    "review": (moment(5, 25, 17), moment(5, 30)),
    "draw": (moment(6, 4), moment(6, 5)),
    "result": (moment(6, 5), moment(6, 9, 17)),
    "confirmation": (moment(6, 5), moment(6, 9, 17)),
    "supplementary": (moment(6, 12), moment(7, 10)),
    "arrival": (moment(8, 28), moment(9, 10)),
}
LAST_REVIEWS = DATES["review"][1] - dt.timedelta(hours=8)
"""When the simulated clerks have reviewed everything, at the latest."""

TARGETS = (
    (
        TargetScope.CITY,
        Targets(nature_shares.TARGETS[Nature.PUBLIC], nature_shares.TARGETS[Nature.INCLUSIVE], 100),
        Source("成都市 2026 年学前教育普及普惠工作要点（模拟）", "模拟〔2026〕1 号", dt.date(YEAR, 1, 12)),
    ),
    (
        TargetScope.NATIONAL,
        Targets(Percent(5_000), Percent(8_000)),
        Source("县域学前教育普及普惠督导评估办法", "教督〔2020〕1 号", dt.date(2020, 2, 18)),
    ),
)
SEASON_OPENS_AT = moment(5, 22, 10)
"""The time of the demo after loading: the second morning of registration."""


def open_season(session: Session, first: Actor, second: Actor, *, now: dt.datetime) -> None:
    """The year, its targets, and every area's rules, tried and signed by two officials of the city."""
    season = calendar.create_season(
        session, YEAR, DATES, by=first, now=now, hotline="028-12345", simulated=True, accept_warnings=True
    )
    for official in (first, second):
        season_lifecycle.announce(
            session, YEAR, digest=season_lifecycle.digest_of(season), accept_warnings=True, by=official, now=now
        )
    set_targets(session, first, second, now=now)
    for area in session.scalars(select(Area).order_by(Area.position)).all():
        text = policy_approval.template(RULES_OF_AREA.get(area.code, "whole_district"), area.code, YEAR)
        text = text.replace('rule = "close"', 'rule = "overhang"')  # one round of the whole city has one pair rule
        made = policy_approval.upload(session, text, area=area.code, year=YEAR, by=first, now=now)
        policy_approval.dry_run(session, made.id, [], by=first, now=now)
        policy_approval.sign(session, made.id, by=first, now=now)
        policy_approval.sign(session, made.id, by=second, now=now)


ANNOUNCEMENTS = (
    Texts(
        "今年怎样登记、怎样抽签（模拟数据）",
        "How to register this year, and how the draw works (simulated data)",
        "登记期间早交晚交一样，截止前可以随时修改。\n名单先存证、后抽签，任何家庭都能自己核对。",
        "The order of registration makes no difference; you can change everything until it ends.\n"
        "The list is sealed before the draw, and any family can check it.",
    ),
    Texts(
        "没有手机也能登记（模拟数据）",
        "Registering without a mobile phone (simulated data)",
        "社区服务站和志愿幼儿园的窗口可以代填，并打印登录码。",
        "Community stations and the desks of kindergartens enter your application with you and print a sign-in code.",
    ),
)


def announce(session: Session, first: Actor, second: Actor, *, now: dt.datetime) -> None:
    """What the city tells everybody: one official writes, the other publishes."""
    for texts in ANNOUNCEMENTS:
        made = announcements.write(session, None, texts, now, by=first, now=now)
        announcements.approve(session, made, 1, by=second, now=now)


def set_targets(session: Session, first: Actor, second: Actor, *, now: dt.datetime) -> None:
    """The city's targets of the year and the least that the state asks, proposed by one official and signed by the other."""
    for scope, targets, source in TARGETS:
        made = target_decisions.propose(
            session,
            YEAR,
            scope,
            targets,
            source,
            in_force_from=dt.date(YEAR, 1, 1),
            by=first,
            now=now,
        )
        target_decisions.sign(session, made.id, by=second, now=now)


def open_round(session: Session, by: Actor, *, now: dt.datetime) -> Round:
    registration, confirmation = DATES["registration"], DATES["confirmation"]
    planned = rounds.plan(
        session,
        YEAR,
        name="2026 年秋季第一批（小班，中班插班）",
        opens_at=registration[0],
        closes_at=registration[1],
        confirm_by=confirmation[1],
        max_wishes=5,
        levels=(Level.LOWER, Level.MIDDLE),
        by=by,
        now=now,
    )
    return round_opening.open_round(session, planned.id, by=by, now=now)
