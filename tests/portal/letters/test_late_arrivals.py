"""A child that is placed after the arrival days is told its own last day: on the page, the notice, in messages and the calendar."""

import datetime as dt
import io

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from enrollment.ground.outbox import Notice
from enrollment.offers import arrival_reminders
from portal.text.messages import notice_words
from tests.support.letters import drawn_letter
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in
from tests.support.town_season import at


@prepared
def offered_late(town, frozen_clock):
    """On 10 October the waitlist reaches Ben, whose family has three days to answer."""
    here = town.kindergarten("锦官新城幼儿园", places=1)
    ana, town.ben = (town.child(name, wishes=[here]) for name in ("安娜", "本本"))
    town.drawn(ana, town.ben)
    town.decline(ana)
    town.at(at(10, 10))
    town.replay()
    town.session.commit()
    frozen_clock.set(town.now)
    return town


@pytest.fixture
def due(offered_late) -> dt.datetime:
    return offered_late.offer_for(offered_late.ben).answer_by + dt.timedelta(days=3)


def moment_words(due: dt.datetime) -> str:
    local = due.astimezone(dt.timezone(dt.timedelta(hours=8)))
    return f"{local.month}月{local.day}日"


def squeezed(text: str) -> str:
    return "".join(text.split())


def told(town, kind: str) -> list[Notice]:
    return list(town.session.scalars(select(Notice).where(Notice.kind == kind, Notice.child_id == town.ben.child_id)))


def test_a_place_of_october_names_its_own_last_day_everywhere(
    app, client, offered_late, due, portal_engine, frozen_clock
):
    town, page = offered_late, f"/parents/applications/{offered_late.ben.id}/result"
    parent, last = sign_in(client, town.parent_of(town.ben).account_id), moment_words(due)
    assert fill_in(parent, f"{page}/confirm").status_code == 303
    shown = squeezed(parent.get(page).text)
    assert "截止了" not in shown and "8月" not in shown
    assert f"最晚{last}" in shown
    assert f"最晚{last}" in squeezed(parent.get(f"/parents/applications/{town.ben.id}").text)
    [answered] = told(town, "answer_confirm")
    with app.test_request_context():
        assert last in squeezed(notice_words("answer_confirm", answered.params))
    calendar = parent.get(f"/parents/applications/{town.ben.id}/calendar/arrival.ics")
    assert f"DTEND:{due.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}" in calendar.text
    letter = drawn_letter(parent, portal_engine, frozen_clock, f"/parents/applications/{town.ben.id}/notice.pdf")
    words = squeezed("".join(each.extract_text() for each in PdfReader(io.BytesIO(letter.data)).pages))
    assert f"最晚2026年{last}" in words and "8月" not in words


def test_a_child_that_is_due_late_is_reminded_before_its_own_last_day(offered_late, due):
    town = offered_late
    town.confirm(town.ben)
    assert arrival_reminders.remind_due(town.session, now=due - dt.timedelta(days=2, minutes=1)) == 0
    assert arrival_reminders.remind_due(town.session, now=due - dt.timedelta(days=2)) == 1
    arrival_reminders.remind_due(town.session, now=due - dt.timedelta(hours=1))
    [reminder] = told(town, "arrival_last_reminder")
    assert reminder.params["ends_at"] == f"{due.astimezone(dt.timezone(dt.timedelta(hours=8))):%Y-%m-%d %H:%M}"
