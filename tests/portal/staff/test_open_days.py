"""Open days: a kindergarten publishes one, families book and give up times, the desk reads who comes, changes are told."""

import datetime as dt

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from enrollment.applications import lifecycle
from enrollment.ground.constraint_errors import refusal_of
from enrollment.ground.errors import Refused
from enrollment.ground.outbox import Notice
from enrollment.ground.retention import Moment
from enrollment.offers import withdrawals
from enrollment.open_days import days, visits
from enrollment.open_days.days import DayPlan, SlotPlan
from enrollment.open_days.rows import OpenDay, OpenDayVisit
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in

DAY = dt.date(2026, 5, 30)


def plan(*slots, on_day=DAY, where="大门", note=""):
    return DayPlan(on_day, where, note, [SlotPlan(id, dt.time(hour), dt.time(hour + 1), n) for id, hour, n in slots])


@prepared
def garden(town):
    town.garden = town.kindergarten("锦官新城幼儿园", places=2)
    town.clerk = town.clerk_of(town.garden)
    return town


def published(town, *slots, **more) -> OpenDay:
    wanted = plan(*[(None, hour, places) for hour, places in slots or ((9, 2),)], **more)
    return days.publish(town.session, town.garden.id, wanted, by=town.clerk, now=town.now)


def books(town, open_day, application, slot=0, adults=1, needs=""):
    return visits.book(
        town.session, open_day.id, open_day.slots[slot].id, application.child_id, adults=adults, needs=needs,
        by=town.parent_of(application), now=town.now,
    )  # fmt: skip


def kinds(town, application) -> list[str]:
    told = select(Notice.kind).where(Notice.application_id == application.id, Notice.kind.like("open_day%"))
    return list(town.session.scalars(told.order_by(Notice.created_at, Notice.kind)))


def refused(code):
    return pytest.raises(Refused, match=code)


def test_a_child_has_one_time_and_the_database_counts(garden):
    town = garden
    ana, ben, cui = (town.child(name) for name in ("安娜", "本本", "翠翠"))
    day = published(town, (9, 1), (10, 2))
    first = books(town, day, ana, needs="坐轮椅")
    assert (day.slots[0].taken, first.needs) == (1, "坐轮椅")
    with refused("open_day_full"):
        books(town, day, ben)
    books(town, day, ana, slot=1)
    town.session.refresh(day.slots[0])
    assert (day.slots[0].taken, day.slots[1].taken) == (0, 1), "the other time is given up in the same step"
    books(town, day, ben)
    mine = visits.own_visits(town.session, by=town.parent_of(ana), now=town.now)
    assert [each.slot_id for each in mine] == [day.slots[1].id]
    visits.cancel(town.session, mine[0].id, by=town.parent_of(ana), now=town.now)
    visits.cancel(town.session, mine[0].id, by=town.parent_of(ana), now=town.now)
    town.session.refresh(day.slots[1])
    assert day.slots[1].taken == 0
    with refused("open_day_child"):
        visits.book(
            town.session,
            day.id,
            day.slots[1].id,
            cui.child_id,
            adults=1,
            needs="",
            by=town.parent_of(ana),
            now=town.now,
        )
    with refused("open_day_over"):
        visits.book(
            town.session, day.id, day.slots[1].id, ana.child_id, adults=1, needs="", by=town.parent_of(ana),
            now=day.slots[1].begins_at,
        )  # fmt: skip
    taken = text("UPDATE open_day_slot SET taken = 3 WHERE id = :id")
    with pytest.raises(IntegrityError) as fault, town.session.begin_nested():
        town.session.execute(taken, {"id": day.slots[1].id})
    assert refusal_of(fault.value).code == "open_day_full"


def test_families_are_told_of_what_concerns_them(garden):
    town = garden
    ana, ben = town.child("安娜"), town.child("本本")
    day = published(town, (9, 2), (10, 2))
    books(town, day, ana)
    books(town, day, ben, slot=1)
    first, second = (slot.id for slot in day.slots)
    changed = plan((first, 9, 2), (second, 14, 3))
    days.change(town.session, day.id, changed, version=1, by=town.clerk, now=town.now)
    assert (kinds(town, ana), kinds(town, ben)) == (["open_day_booked"], ["open_day_booked", "open_day_changed"])
    for wanted, code in ((plan((second, 14, 3)), "open_day_slot_booked"), (plan((None, 9, 0)), "open_day_slot_places"),
                         (plan(), "open_day_without_slot"), (plan((None, 9, 1), on_day=dt.date(2026, 5, 1)), "open_day_when")):  # fmt: skip
        with refused(code), town.session.begin_nested():
            days.change(town.session, day.id, wanted, version=2, by=town.clerk, now=town.now)
    with refused("reason_needed"):
        days.cancel(town.session, day.id, reason=" ", by=town.clerk, now=town.now)
    days.cancel(town.session, day.id, reason="停水", by=town.clerk, now=town.now)
    assert "open_day_cancelled" in kinds(town, ana) and "open_day_cancelled" in kinds(town, ben)
    with refused("open_day_over"):
        books(town, day, ana, slot=1)
    later = dt.datetime(2026, 7, 15, tzinfo=dt.UTC)
    assert visits.delete_old(town.session, Moment(later, later), 10) == {"open_day_visit": 2}
    town.session.refresh(day, ["slots"])


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_from_publishing_to_the_list_for_print(garden, client, another_client, lang):
    town = garden
    ana = town.child("安娜")
    town.session.commit()
    sign_in(client, town.clerk.account_id)
    path = f"/staff/open-days/new?at={town.garden.id}"
    assert fill_in(client, f"{path}&lang={lang}", path, on_day="2026-05-30", places_1="5").status_code == 200, (
        "half a row"
    )
    typed = {"on_day": "2026-05-30", "meeting_point": "南门", "begins_0": "09:30", "ends_0": "10:30", "places_0": "1"}
    assert fill_in(client, path, path, **typed).status_code == 303
    day = town.session.scalars(select(OpenDay)).unique().one()
    public = BeautifulSoup(client.get(f"/kindergartens/{town.garden.code}?lang={lang}").text, "lxml")
    links = [link["href"] for link in public.select("#open-days a")]
    assert len(links) == 2
    file = client.get(links[1])
    assert file.mimetype == "text/calendar"
    lines = file.get_data(as_text=True).split("\r\n")
    assert "DTSTART:20260530T013000Z" in lines and max(len(line.encode()) for line in lines) <= 75
    family = sign_in(another_client(), town.parent_of(ana).account_id)
    action = f"/parents/open-days/{day.id}"
    typed = {"slot": str(day.slots[0].id), "child": str(ana.child_id), "adults": "2", "needs": "坐轮椅，<b>"}
    assert fill_in(family, f"{links[0]}&lang={lang}", action, **typed).status_code == 303
    assert "坐轮椅，&lt;b&gt;" in family.get("/parents/open-days").text
    other = town.child("本本")
    town.session.commit()
    second = sign_in(another_client(), town.parent_of(other).account_id)
    full = fill_in(second, action, action, **(typed | {"child": str(other.child_id), "needs": "手语"}))
    shown = BeautifulSoup(full.text, "lxml")
    assert full.status_code == 200 and shown.select_one("#needs")["value"] == "手语"
    assert shown.select_one("#adults option[selected]")["value"] == "2"
    for page in (f"/staff/open-days/{day.id}", f"/staff/open-days/{day.id}/list"):
        assert "坐轮椅" in client.get(f"{page}?lang={lang}").text
    assert "1 / 1" in client.get("/staff/families").text
    visit = town.session.scalars(select(OpenDayVisit)).unique().one()
    given_up = f"/parents/open-days/visits/{visit.id}/cancel"
    assert second.post(given_up, data=hidden_fields(second.get(action).text)).status_code == 404
    assert family.post(given_up, data=hidden_fields(family.get("/parents/open-days").text)).status_code == 303
    cancel = f"/staff/open-days/{day.id}/cancel"
    assert fill_in(client, f"/staff/open-days/{day.id}", cancel, reason="停水").status_code == 303
    assert "停水" in client.get(f"/kindergartens/{town.garden.code}").text


def test_a_day_of_another_kindergarten_is_not_found(garden, client):
    town = garden
    day = published(town)
    stranger = town.clerk_of(town.kindergarten("别的园"))
    town.session.commit()
    sign_in(client, stranger.account_id)
    for page in ("", "/list", "/change"):
        assert client.get(f"/staff/open-days/{day.id}{page}").status_code == 404


@pytest.mark.parametrize("end", ["withdrawn", "consent", "refused"])
def test_a_visit_ends_with_its_application(garden, end):
    town = garden
    town.open_registration()
    ana = town.child("安娜", wishes=[town.garden])
    day = published(town)
    visit = books(town, day, ana)
    by, now = town.parent_of(ana), town.now
    if end == "withdrawn":
        withdrawals.withdraw(town.session, ana.id, by=by, now=now)
    elif end == "consent":
        withdrawals.withdraw_consent(town.session, by=by, now=now)
    else:
        lifecycle.make(town.session, ana, "refuse_duplicate", by=town.head_of(town.garden), now=now)
    town.session.expire_all()
    assert (visit.cancelled_at, day.slots[0].taken) == (now, 0)
    assert days.visitors(town.session, day) == []
