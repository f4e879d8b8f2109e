"""An invited guardian: the text to the phone, the way from the invitation and back to it, and declining."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.ground.accounts import Account, actor_of
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.outbox import Notice, TextMessage
from enrollment.ground.sign_in import account_of_phone
from enrollment.people import invitations
from enrollment.people.invitations import Invitation
from enrollment.people.person_rows import Guardian
from portal.text.messages import notice_words
from tests.portal.parents.desk import page
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in
from tests.support.town_families import id_number

PHONE = "13900000000"


@prepared
def ana(town, client):
    found = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)])
    town.session.commit()
    sign_in(client, found.entered_by)
    return found


def texts(town) -> list[str]:
    return [text.body for text in town.session.scalars(select(TextMessage)) if text.to.endswith(PHONE)]


def invited(town, client, ana):
    path = f"/parents/applications/{ana.id}/invite"
    assert fill_in(client, path, phone=PHONE).status_code == 303
    return town.session.scalars(select(Invitation)).one()


@pytest.mark.parametrize(("language", "told"), [("zh", "可以接受或不接受"), ("en", "accept or decline")])
def test_a_phone_without_an_account_gets_one_neutral_text(town, client, ana, language, told):
    client.get(f"/parents?lang={language}")
    invited(town, client, ana)
    invited(town, client, ana)
    [text] = texts(town)
    assert told in text
    assert "安娜" not in text and "金苹果" not in text


def test_a_phone_with_an_account_gets_a_notice_and_no_second_text(town, client, ana):
    town.family("王", phone=PHONE)
    invited(town, client, ana)
    assert texts(town) == []
    assert "invited" in town.session.scalars(select(Notice.kind)).all()


def test_from_the_invitation_to_consent_and_guardian_and_back_to_it(town, client, another_client, ana):
    invitation = invited(town, client, ana)
    browser, _account = new_account(town, another_client)
    start = f"/parents/invitations/{invitation.id}"
    consent = page(browser.get(start)).select_one("main a.btn[href*=consent]")["href"]
    assert browser.get(f"/parents/guardian?invitation={invitation.id}").headers["Location"] == consent
    agreed = fill_in(browser, consent, consent="y")
    assert agreed.headers["Location"] == f"/parents/guardian?invitation={invitation.id}"
    saved = fill_in(
        browser,
        agreed.headers["Location"],
        name="王强",
        id_kind="resident",
        id_number=id_number(dt.date(1988, 3, 3), "m"),
    )
    assert saved.headers["Location"] == start
    assert fill_in(browser, start, relation="father").headers["Location"] == "/parents"
    assert ana.registration_code in browser.get("/parents").text


def new_account(town, another_client):
    """The invited person, who has signed in with the phone and entered nothing yet."""
    account = account_of_phone(town.session, PHONE, now=town.now)
    town.session.commit()
    return sign_in(another_client(), account.id), account


def test_the_home_of_an_invited_guardian_leads_to_the_child_of_the_invitation(town, client, another_client, ana):
    """Before anything of its own: a second entry of the same child is what this page must not suggest."""
    invitation = invited(town, client, ana)
    browser, account = new_account(town, another_client)
    start = f"/parents/invitations/{invitation.id}"
    home = page(browser.get("/parents"))
    assert home.h1.get_text(strip=True) == "您收到一个邀请"
    assert [link["href"] for link in home.select("main .sticky a")] == [start]
    own = home.select_one("main a.btn[href='/parents/consent']")
    assert own.find_parent("details") is not None and "plain" in own["class"], "an own child is a fold below"
    assert "You have an invitation" in page(browser.get("/parents?lang=en")).h1.get_text()
    browser.get("/parents?lang=zh")
    family = town.family("王", phone=PHONE)
    assert family.account.id == account.id
    town.child("另一个", family=family, submit=False)
    town.session.commit()
    home = page(browser.get("/parents"))
    assert home.select_one(".home-act") is None, "the own draft is not the next act"
    assert [link["href"] for link in home.select("main .sticky a")] == [start]


def test_no_identity_is_stored_before_the_consent(town, client, another_client):
    browser, account = new_account(town, another_client)
    assert browser.get("/parents/guardian").headers["Location"] == "/parents/consent"
    token = page(browser.get("/parents/consent")).select_one("main form [name=csrf_token]")["value"]
    said = {
        "name": "王强",
        "id_kind": "resident",
        "id_number": id_number(dt.date(1988, 3, 3), "m"),
        "csrf_token": token,
    }
    browser.post("/parents/guardian", data=said)
    assert town.session.scalars(select(Guardian).where(Guardian.account_id == account.id)).all() == []


def test_declining_ends_the_invitation_and_tells_the_inviter(town, client, another_client, ana, frozen_clock):
    invitation = invited(town, client, ana)
    browser, account = new_account(town, another_client)
    start = f"/parents/invitations/{invitation.id}"
    for language, told in (("zh", "不接受邀请"), ("en", "Decline the invitation")):
        assert told in browser.get(f"{start}?lang={language}").text
    assert fill_in(browser, start, action=f"{start}/decline").headers["Location"] == "/parents"
    assert browser.get(start).status_code == 404
    town.session.expire_all()
    told = town.session.scalars(select(Notice).where(Notice.kind == "invitation_declined")).one()
    assert told.account_id == ana.entered_by
    assert "没有接受邀请" in notice_words(told.kind, told.params, in_language="zh")
    again = invitations.decline(town.session, invitation.id, by=actor_of(account), now=town.now)
    assert again is False, "nobody is told a second time"
    assert len(invitations.open_invitations(town.session, ana.child_id, now=town.now)) == 0


def test_a_mistyped_number_is_seen_and_the_invitation_taken_back(town, client, another_client, ana, frozen_clock):
    """A stranger who accepts becomes a guardian: the family sees whom it invited, and can end it."""
    invitation = invited(town, client, ana)
    start, mine = f"/parents/invitations/{invitation.id}", f"/parents/applications/{ana.id}/invite"
    stranger, _account = new_account(town, another_client)
    assert stranger.get(start).status_code == 200
    assert "139****0000" in client.get(mine).text and PHONE not in client.get(mine).text
    act = f"/parents/applications/{ana.id}/invitations/{invitation.id}/withdraw"
    for _twice in range(2):
        assert client.post(act, data=token_of(client, mine)).headers["Location"] == mine
    assert "139****0000" not in client.get(mine).text
    assert stranger.get(start).status_code == 404
    frozen_clock.now = town.now + dt.timedelta(hours=1)
    fill_in(client, mine, phone=PHONE)  # it was the right number after all: the invited person hears of it again
    assert stranger.get(start).status_code == 200
    assert town.session.scalars(select(Notice.kind)).all().count("invited") == 1


def token_of(client, path) -> dict[str, str]:
    return {"csrf_token": page(client.get(path)).select_one("[name=csrf_token]")["value"]}


def test_an_accepted_or_foreign_invitation_is_not_taken_back(town, client, ana):
    invitation = invited(town, client, ana)
    other = town.child("别家", wishes=town.kindergartens_by_name("金苹果"))
    actor, theirs = (actor_of(town.session.get_one(Account, each.entered_by)) for each in (ana, other))
    with pytest.raises(NotFound):
        invitations.withdraw(town.session, other.child_id, invitation.id, by=theirs, now=town.now)
    invitation.accepted_at = town.now
    with pytest.raises(Refused, match="invitation_taken_up"):
        invitations.withdraw(town.session, ana.child_id, invitation.id, by=actor, now=town.now)


def test_a_number_gets_three_texts_a_day_however_often_it_is_invited_anew(town, client, ana, frozen_clock):
    path = f"/parents/applications/{ana.id}/invite"
    for _round in range(3):
        invitation = invited(town, client, ana)
        by = actor_of(town.session.get_one(Account, ana.entered_by))
        invitations.withdraw(town.session, ana.child_id, invitation.id, by=by, now=frozen_clock.move(minutes=1))
        town.session.commit()
    assert "一天之内最多邀请 3 次" in fill_in(client, path, phone=PHONE).text
    assert "一天之内最多邀请 3 次" in fill_in(client, path, phone="13900000001").text, "for this child"
    assert len(texts(town)) == 3


def test_a_number_that_declined_is_left_in_peace(town, client, ana):
    invitation = invited(town, client, ana)
    invitation.declined_at = invitation.expires_at = town.now
    town.session.commit()
    assert "请先和对方说好" in fill_in(client, f"/parents/applications/{ana.id}/invite", phone=PHONE).text
    assert len(texts(town)) == 1


def test_a_repeated_invitation_does_not_promise_a_text(town, client, ana, frozen_clock):
    invited(town, client, ana)
    path = f"/parents/applications/{ana.id}/invite"
    frozen_clock.move(minutes=1)
    fill_in(client, path, phone=PHONE)
    assert "没有再发短信" in client.get(path).text
    assert len(texts(town)) == 1
