"""Messages to a selection: who is chosen, the preview, one copy for each person, its limits, and the head's own texts."""

import datetime as dt
import io

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader
from sqlalchemy import select

from enrollment.delivery import unreachable_numbers
from enrollment.family_messages import selection, sending, templates
from enrollment.family_messages.rows import FamilyMessage
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.outbox import DeliveryError, Notice
from enrollment.ground.retention import Moment
from enrollment.offers.arrivals import arrival
from enrollment.people.household_rows import household_of
from tests.support.letters import drawn_letter
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in
from tests.support.town_season import at

TEXTS = {"zh": "请带原件来。", "en": "Bring the originals."}


@prepared
def garden(town, frozen_clock):
    """Twins of one mother, a second mother, and a family of another kindergarten; the review has begun."""
    town.here, town.other = town.kindergarten("锦官新城幼儿园", places=5), town.kindergarten("牡丹", places=5)
    town.open_registration()
    family = town.family("李")
    town.ana, town.ben = (town.child(name, family=family, wishes=[town.here]) for name in ("安娜", "本本"))
    town.cui, town.away = town.child("翠翠", wishes=[town.here]), town.child("别家", wishes=[town.other])
    town.clerk, town.head = town.clerk_of(town.here), town.head_of(town.here)
    return town


def review_begins(town, frozen_clock):
    town.registration_is_over()
    frozen_clock.set(town.now)
    town.session.commit()


def choice(audience, **codes):
    return selection.choice_of({"audience": audience, "year": "2026", **codes})


def prepared_message(town, audience="queue", by=None, **codes) -> FamilyMessage:
    return sending.prepare(
        town.session,
        town.here.id,
        choice(audience, **codes),
        name="原件",
        texts=TEXTS,
        by=by or town.clerk,
        now=town.now,
    )


def copies(town) -> list[Notice]:
    return list(town.session.scalars(select(Notice).where(Notice.kind == "family_message")))


def test_each_person_gets_one_and_a_second_press_none(garden, frozen_clock):
    town = garden
    review_begins(town, frozen_clock)
    message = prepared_message(town)
    phone = town.session.get(selection.Account, town.parent_of(town.cui).account_id)
    unreachable_numbers.remember(town.session, {phone.phone_index: DeliveryError.INVALID_NUMBER}, now=town.now)
    reach = sending.reach_of(town.session, message)
    assert (reach.children, reach.people, reach.out_of_reach) == (3, 2, [(town.cui.id, town.cui.registration_code)])
    for _again in range(2):
        sending.send(town.session, message.id, by=town.clerk, now=town.now)
    assert (message.people, message.out_of_reach) == (2, 1)
    assert {each.account_id for each in copies(town)} == {
        town.parent_of(each).account_id for each in (town.ana, town.cui)
    }
    assert len(copies(town)) == 2 and sending.outcomes(town.session, message) == {"waiting": 2}
    for _more in range(2):
        sending.send(town.session, prepared_message(town).id, by=town.clerk, now=town.now)
    with pytest.raises(Refused, match="messages_of_today"):
        sending.send(town.session, prepared_message(town, by=town.head).id, by=town.head, now=town.now)
    old, month = prepared_message(town), town.now + dt.timedelta(days=31)
    with pytest.raises(Refused, match="message_preview_old"):
        sending.send(town.session, old.id, by=town.clerk, now=town.now + dt.timedelta(hours=2))
    with pytest.raises(NotFound):
        sending.send(town.session, old.id, by=town.head, now=town.now)
    assert sending.delete_previews(town.session, Moment(month, month), 10) == {"family_message": 2}
    assert len(sending.sent(town.session, town.here.id, by=town.head)) == 3


def places_of(page) -> list[tuple[str, float, float]]:
    """The texts of a page with their distance from its left and lower edges in mm."""
    found = []

    def visit(text, now_, line, *_font):
        x, y = line[4] * now_[0] + now_[4], line[5] * now_[3] + now_[5]
        found.append((text, x / 72 * 25.4, y / 72 * 25.4))

    page.extract_text(visitor_text=visit)
    return found


def test_labels_and_envelopes_for_those_out_of_reach(garden, client, portal_engine, frozen_clock):
    """The address stands in the window of its envelope, 20 mm from the left and 15 mm from the lower edge."""
    town = garden
    review_begins(town, frozen_clock)
    for each, address in ((town.ana, "1 栋 2 单元 301"), (town.ben, "1 栋 2 单元 301"), (town.cui, None)):
        household_of(town.session, each.id).home_address = address
    for each in (town.ana, town.cui):
        phone = town.session.get(selection.Account, town.parent_of(each).account_id)
        unreachable_numbers.remember(town.session, {phone.phone_index: DeliveryError.INVALID_NUMBER}, now=town.now)
    message = prepared_message(town)
    town.session.commit()
    sign_in(client, town.clerk.account_id)
    path = f"/staff/messages/{message.id}"
    assert client.get(f"{path}/addresses/dl.pdf").status_code == 404, "it was not sent yet"
    sending.send(town.session, message.id, by=town.clerk, now=town.now)
    town.session.commit()
    links = [link["href"] for link in BeautifulSoup(client.get(path).text, "lxml").select("a[href$='.pdf']")]
    assert len(links) == 3
    for link, pages, (width, height) in zip(links, (1, 2, 2), ((210, 297), (220, 110), (229, 162)), strict=True):
        drawn = PdfReader(io.BytesIO(drawn_letter(client, portal_engine, frozen_clock, link).data)).pages
        assert len(drawn) == pages, link
        assert [round(float(side) / 72 * 25.4) for side in (drawn[0].mediabox.width, drawn[0].mediabox.height)] == [
            width,
            height,
        ]
        text = "".join(page.extract_text() for page in drawn)
        assert text.count("1 栋 2 单元 301") == 2 and town.ana.registration_code in text
        assert town.cui.registration_code not in text
        at_ = [place for place in places_of(drawn[0]) if "栋" in place[0]]
        if "labels" not in link:
            assert all(19 < left < 25 and bottom > 15 for _text, left, bottom in at_), at_
    assert client.get(f"{path}/addresses/a5.pdf").status_code == 404


def test_who_leaves_the_selection_is_left_out_and_nobody_is_added(garden, frozen_clock):
    town = garden
    review_begins(town, frozen_clock)
    new = prepared_message(town, "queue-new")
    town.clerk_takes(town.cui, by=town.clerk)
    sending.send(town.session, new.id, by=town.clerk, now=town.now)
    assert {each.account_id for each in copies(town)} == {town.parent_of(town.ana).account_id}
    for audience, codes in (("queue", {"level": "upper"}), ("queue", {"ground": "elder_sibling"}), ("place-offered", {}),
                            ("class-小一班", {}), ("street", {}), ("queue-none", {})):  # fmt: skip
        with pytest.raises(Refused, match="nobody_in_selection"):
            prepared_message(town, audience, **codes)


def test_children_with_a_place_are_chosen_by_list_and_class(garden, frozen_clock):
    town = garden
    town.drawn()
    town.confirm(town.ana)
    town.at(at(8, 20, 10))
    arrival.arrive(town.session, town.offer_for(town.ana).id, class_name="小一班", by=town.clerk, now=town.now)
    found = selection.audiences(town.session, town.here.id, 2026, by=town.clerk, now=town.now)
    places = {code: number for code, number in found.items() if not code.startswith("queue")}
    assert places == {"place-offered": 2, "place-arrived": 1, "class-小一班": 1}
    for audience, wanted in (("class-小一班", [town.ana.id]), ("place-offered", sorted([town.ben.id, town.cui.id]))):
        chosen = selection.applications(town.session, town.here.id, choice(audience), by=town.clerk, now=town.now)
        assert chosen == wanted


def test_own_texts_are_the_heads_and_hold_no_link(garden):
    town = garden

    def add(by, text_zh):
        return templates.add(
            town.session,
            town.here.id,
            name="家长会",
            text_zh=text_zh,
            text_en="A meeting. At 9:00.",
            by=by,
            now=town.now,
        )

    for text in ("看 http://a.cn", "见 www.example", "见 chengdu-youer.top", "填a.b.com"):
        with pytest.raises(Refused, match="message_with_link"):
            add(town.head, text)
    with pytest.raises(Refused, match="head_only"):
        add(town.clerk, "周五开家长会。")
    made = add(town.head, "周五 9:00 开家长会，\n电话 028-12345678。")
    assert made.text_zh == "周五 9:00 开家长会， 电话 028-12345678。"
    with pytest.raises(Refused, match="head_only"):
        templates.retire(town.session, made.id, by=town.clerk, now=town.now)
    templates.retire(town.session, made.id, by=town.head, now=town.now)
    assert list(templates.own(town.session, town.here.id, by=town.clerk)) == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_pages_from_the_text_to_the_log(garden, client, another_client, frozen_clock, lang):
    town = garden
    review_begins(town, frozen_clock)
    head = sign_in(another_client(), town.head.account_id)
    own, texts = f"/staff/message-templates?at={town.here.id}", {"text_zh": "请周五来。", "text_en": "Come on Friday."}
    assert fill_in(head, f"{own}&lang={lang}", own, name="", **texts).status_code == 200
    assert fill_in(head, own, own, name="家长会", **texts).status_code == 303
    sign_in(client, town.clerk.account_id)
    assert client.get(own).status_code == 403
    new = f"/staff/messages/new?at={town.here.id}&year=2026"
    page = BeautifulSoup(client.get(f"{new}&lang={lang}").text, "lxml")
    assert [each["value"] for each in page.select("[name=audience]")] == ["queue", "queue-new"]
    template = page.select("[name=template]")[-1]["value"]
    assert fill_in(client, new, new, audience="queue-new").status_code == 200, "no text was chosen"
    answer = fill_in(client, new, new, audience="queue-new", template=template)
    shown = client.get(f"{answer.headers['Location']}?lang={lang}").text
    assert "锦官新城幼儿园：请周五来。" in shown and "锦官新城幼儿园: Come on Friday." in shown
    path = answer.headers["Location"].removeprefix("http://localhost")
    assert head.get(path).status_code == 404, "a preview is for the person who made it"
    send = f"{path}/send"
    assert client.post(send, data=hidden_fields(shown, send)).status_code == 303
    assert len(copies(town)) == 2
    for reader in (client, head):
        assert "家长会" in reader.get("/staff/families").text and reader.get(path).status_code == 200
    family = sign_in(another_client(), town.parent_of(town.ana).account_id)
    inbox = family.get("/parents/messages?lang=zh").text
    assert inbox.count("请周五来。") == 1 and town.ben.registration_code in inbox


def test_a_queue_is_that_of_the_chosen_year(garden, frozen_clock):
    """While two years are open, a letter about the next one goes to nobody of this one."""
    town = garden
    review_begins(town, frozen_clock)
    who = {"by": town.clerk, "now": town.now}
    assert selection.audiences(town.session, town.here.id, 2026, **who)["queue"] == 3
    assert selection.audiences(town.session, town.here.id, 2027, **who) == {}
    assert len(selection.applications(town.session, town.here.id, choice("queue"), **who)) == 3
    assert selection.applications(town.session, town.here.id, choice("queue", year="2027"), **who) == []
