"""A family decides which messages also come to its phone and when; the inbox has all, with what became of each text."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.delivery import message_choices
from enrollment.eligibility import deadline_reminders
from enrollment.ground import outbox
from enrollment.ground.accounts import Account
from enrollment.ground.city_time import format_time
from enrollment.ground.errors import Refused
from enrollment.ground.outbox import DeliveryError, MessageState, Notice, SentMessage
from enrollment.offers import arrival_reminders, offer_lifecycle
from enrollment.season import calendar
from enrollment.season.rules import RETURN_HOURS
from tests.support.prepared import prepared
from tests.support.sender import let_the_sender_send, send_notices
from tests.support.signing_in import fill_in, sign_in
from tests.support.statements import counted
from tests.support.town_season import at


@prepared
def family(town):
    return town.family("李")


def choose(town, family, *, quiet=None, muted=(), language="zh"):
    message_choices.save(town.session, quiet=quiet, muted=muted, language=language, by=family.actor, now=town.now)


def tell(town, family, kind: str, **more) -> Notice:
    outbox.tell(town.session, kind, account_id=family.account.id, key=f"{kind}:{town.now}", now=town.now, **more)
    return town.session.scalars(select(Notice).where(Notice.kind == kind)).one()


def codes_sent(town) -> set[str]:
    return {message.code for message in send_notices(town.session, town.now)}


@pytest.mark.parametrize(
    ("hour", "until"), [(23, at(5, 26, 7)), (3, at(5, 25, 7)), (6, at(5, 25, 7)), (7, None), (21, None)]
)
def test_in_the_quiet_hours_a_text_waits_for_their_end(town, family, hour, until):
    choose(town, family, quiet=(22, 7))
    town.at(at(5, 25, hour))
    notice = tell(town, family, "review_confirmed")
    assert codes_sent(town) == (set() if until else {"review_confirmed"})
    if until:
        town.session.refresh(notice)
        assert (notice.state, notice.next_try_at) == (MessageState.WAITING, until)
        town.at(until)
        assert codes_sent(town) == {"review_confirmed"}


def test_quiet_hours_of_one_day_and_a_warning_that_does_not_wait(town, family):
    choose(town, family, quiet=(12, 14))
    town.at(at(5, 25, 13))
    tell(town, family, "review_confirmed")
    tell(town, family, "phone_changed")
    tell(town, town.family("王"), "result_published")
    assert codes_sent(town) == {"phone_changed", "result_published"}


def test_what_is_switched_off_stands_in_the_inbox_alone(town, family):
    choose(town, family, muted={"rounds"})
    muted, kept = tell(town, family, "round_open"), tell(town, family, "answer_reminder")
    assert codes_sent(town) == {"answer_reminder"}
    town.session.refresh(muted)
    assert (muted.state, muted.last_error, muted.withheld_at) == (MessageState.WITHHELD, DeliveryError.BY_CHOICE, None)
    assert outbox.notices_of_account(town.session, family.account.id)[0] in ([muted, kept], [kept, muted])


def test_the_hours_are_at_most_twelve_and_no_deadline_can_be_switched_off(town, family):
    for quiet in ((7, 7), (7, 20)):
        with pytest.raises(Refused, match="quiet_too_long"):
            choose(town, family, quiet=quiet)
    silenced = {kind for kinds in message_choices.OPTIONAL.values() for kind in kinds}
    assert silenced.isdisjoint(
        {"answer_reminder", "place_offered", "central_offered", "review_returned", "offer_expired"}
    )


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_of_choices_and_the_inbox(town, family, client, frozen_clock, language):
    frozen_clock.set(town.now)
    tell(town, family, "review_confirmed")
    send_notices(town.session, town.now)
    town.session.commit()
    sign_in(client, family.account.id)
    inbox = client.get(f"/parents/messages?lang={language}").text
    assert ("短信已发出" if language == "zh" else "Text sent") in inbox
    path = "/parents/messages/choices"
    answer = fill_in(client, path, language="en", quiet_from="22", quiet_until="7", sent=["rounds"])
    assert answer.status_code == 303
    town.session.expire_all()
    chosen = message_choices.of_account(town.session, family.account.id)
    assert chosen.quiet == (22, 7) and chosen.language == "en"
    assert chosen.muted == {"drafts_and_papers", "own_edits", "arrival"}
    shown = client.get(path).text
    assert '<option selected value="22">' in shown and shown.count("checked") == 2


def test_a_text_that_asks_for_an_act_ends_with_a_link_to_it(town, app, client, frozen_clock):
    garden = town.kindergarten("金苹果", places=1)
    ana = town.child("安娜", wishes=[garden])
    frozen_clock.set(town.now)
    account = town.session.get_one(Account, ana.entered_by)
    account.language = "en"
    outbox.tell(
        town.session, "answer_reminder", account_id=account.id, key="a", now=town.now, application_id=ana.id,
        child_id=ana.child_id, due="2026-06-09 18:00",
    )  # fmt: skip
    town.session.commit()
    services = app.extensions["services"]
    let_the_sender_send(services.config, services.engine)
    notice = town.session.scalars(select(Notice).where(Notice.key == "a")).one()
    body = town.session.scalars(select(SentMessage).where(SentMessage.key == str(notice.id))).one().body
    link = f"/parents/to/{notice.id}"
    assert body.startswith("[Chengdu") and body.endswith(services.config.public_url + link)
    assert "/sign-in" in client.get(link).headers["Location"]
    sign_in(client, account.id)
    assert client.get(link).headers["Location"] == f"/parents/applications/{ana.id}/result"
    sign_in(client, town.family("王").account.id)
    town.session.commit()
    assert client.get(link).headers["Location"] == "/parents/messages"


def test_returned_items_and_the_arrival_days_are_reminded_of_once(town):
    garden = town.kindergarten("金苹果", places=2)
    ana, ben = (town.child(name, wishes=[garden]) for name in ("安娜", "本本"))
    dates = calendar.spans(town.the_season)
    town.registration_is_over()
    town.clerk_sends_back(ana, "home_area")
    for days, kinds in ((3, set()), (1, {"returned_reminder"}), (1, {"returned_reminder"})):
        deadline_reminders.remind_returned(town.session, now=dates["review"][1] - dt.timedelta(days=days))
        told = town.session.scalars(select(Notice).where(Notice.kind == "returned_reminder")).all()
        assert {each.kind for each in told} == kinds and len(told) == len(kinds)
    assert told[0].application_id == ana.id
    assert deadline_reminders.tell_returns_over(town.session, now=dates["review"][1] - dt.timedelta(seconds=1)) == 0
    for minutes in (0, 60):
        over = dates["review"][1] + dt.timedelta(minutes=minutes)
        assert deadline_reminders.tell_returns_over(town.session, now=over) == 1
    (over,) = town.session.scalars(select(Notice).where(Notice.kind == "returned_over"))
    assert over.application_id == ana.id, "once"
    town.withdraw(ana)
    assert deadline_reminders.tell_returns_over(town.session, now=dates["review"][1]) == 0
    town.drawn(ben)
    town.confirm(ben)
    for _ in range(2):
        assert arrival_reminders.remind_due(town.session, now=dates["arrival"][0] - dt.timedelta(days=1)) == 1
    (reminder,) = town.session.scalars(select(Notice).where(Notice.kind == "arrival_reminder"))
    assert reminder.application_id == ben.id
    for _ in range(2):
        assert arrival_reminders.remind_due(town.session, now=dates["arrival"][1] - dt.timedelta(days=1)) == 1
    (last,) = town.session.scalars(select(Notice).where(Notice.kind == "arrival_last_reminder"))
    assert last.application_id == ben.id
    clerk = town.clerk_of(garden)
    offer_lifecycle.make(town.session, town.offer_for(ben), "mark_arrived", by=clerk, now=dates["arrival"][0])
    assert arrival_reminders.remind_due(town.session, now=dates["arrival"][1] - dt.timedelta(days=1)) == 0


def test_the_messages_about_returns_take_the_same_statements_for_one_application_and_for_many(town):
    garden = town.kindergarten("金苹果", places=2)
    ana, ben, cui = (town.child(name, wishes=[garden]) for name in ("安娜", "本本", "翠翠"))
    review = calendar.spans(town.the_season)["review"][1]
    town.registration_is_over()
    taken = []
    for returned in ([ana], [ben, cui]):
        for each in returned:
            town.clerk_sends_back(each, "home_area")
        for tell, now in (
            (deadline_reminders.remind_returned, review - dt.timedelta(hours=2)),
            (deadline_reminders.tell_returns_over, review),
        ):
            town.session.expire_all()
            with counted(town.session) as statements:
                tell(town.session, now=now)
            taken.append((tell.__name__, len(statements)))
    one, many = taken[:2], taken[2:]
    assert one == many
    told = town.session.scalars(select(Notice.application_id).where(Notice.kind == "returned_over")).all()
    assert set(told) == {ana.id, ben.id, cui.id}, "each with its own message"


def test_an_answer_that_is_due_after_the_review_is_reminded_of_by_its_own_moment(town):
    """A return in the last hours leaves the least time of the policy: the reminder names that, and comes at half of it."""
    garden = town.kindergarten("金苹果", places=2)
    ana = town.child("安娜", wishes=[garden])
    review = calendar.spans(town.the_season)["review"][1]
    town.registration_is_over()
    town.at(review - dt.timedelta(hours=4))
    town.clerk_sends_back(ana, "home_area")
    due = town.now + dt.timedelta(hours=RETURN_HOURS)
    assert deadline_reminders.remind_returned(town.session, now=town.now + dt.timedelta(hours=2)) == 0
    assert deadline_reminders.remind_returned(town.session, now=due - dt.timedelta(hours=RETURN_HOURS / 2)) == 1
    (told,) = town.session.scalars(select(Notice).where(Notice.kind == "returned_reminder"))
    assert told.params["due"] == format_time(due)
    assert deadline_reminders.tell_returns_over(town.session, now=review) == 0
    assert deadline_reminders.tell_returns_over(town.session, now=due) == 1
