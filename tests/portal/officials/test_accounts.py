"""Accounts of staff: two people widen one, one person narrows it, and its owner alone sets the second factor."""

import datetime as dt

import pyotp
import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.ground.accounts import Account, Role
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import NotFound, Refused
from enrollment.staff_accounts import changes, listing, setup_codes
from enrollment.staff_accounts.rows import AccountChange, Change
from portal.web.clock import real_now
from tests.support.signing_in import fill_in, shown_code, sign_in


def refused(code, act, *args, **more):
    with pytest.raises(Refused) as fault:
        act(*args, **more)
    assert fault.value.code == code


def test_a_new_account_takes_two_people_and_its_owner(town, client, another_client, portal_session, frozen_clock):
    here = town.kindergarten("锦官新城幼儿园", places=5)
    town.open_registration()
    frozen_clock.set(town.now)
    one, two = town.area_official(), town.city_official()
    town.session.commit()
    asker = sign_in(client, one.account_id)
    new = "/officials/2026/accounts/new"
    typed = {"login": "Li.Hua", "name": "李华", "role": "clerk", "kindergarten": "没有这园", "reason": "接替"}
    page = fill_in(asker, new, **typed)
    assert page.status_code == 200 and "没有叫这个名字的幼儿园" in page.text and 'value="李华"' in page.text
    assert fill_in(asker, new, **typed | {"role": "city_official"}).status_code == 200, "not an area's to give"
    assert fill_in(asker, new, **typed | {"kindergarten": here.name}).status_code == 303
    asked = portal_session.scalars(select(AccountChange)).one()
    decide = f"/officials/2026/accounts/changes/{asked.id}"
    page = BeautifulSoup(asker.get("/officials/2026/accounts").text, "lxml")
    assert page.select(f"form[action='{decide}']") == [], "the one who asked does not agree"
    second = sign_in(another_client(), two.account_id)
    assert "看一看账号的申请" in second.get("/officials/2026").text
    assert fill_in(second, "/officials/2026/accounts", decide, agree="y").status_code == 303
    account = portal_session.scalars(select(Account).where(Account.login == "li.hua")).one()
    assert (account.name, account.second_factor, account.grants[0].kindergarten_id) == ("李华", None, here.id)
    shown = fill_in(asker, "/officials/2026/accounts", f"{decide}/code")
    code = shown_code(shown.text)
    owner = another_client()
    setup, password = "/sign-in/staff/setup", "/sign-in/staff/setup/password"
    assert owner.get(password).headers["Location"].endswith(setup)
    assert "不对" in fill_in(owner, setup, login="li.hua", code="CCCC-CCCC-CCCC").text
    assert fill_in(owner, setup, login="LI.HUA", code=code.lower()).headers["Location"].endswith(password)
    page = BeautifulSoup(owner.get(password).text, "lxml")
    secret = page.select(".code")[-1].get_text()
    assert page.select_one("svg") is not None
    numbers = pyotp.TOTP(secret).at(real_now())
    assert "至少 12 个字符" in fill_in(owner, password, password="short", totp=numbers).text
    wrong = f"{(int(numbers) + 1) % 10**6:06d}"
    assert "动态口令不对" in fill_in(owner, password, password="long enough words", totp=wrong).text
    assert fill_in(owner, password, password="long enough words", totp=numbers).status_code == 303
    assert fill_in(owner, "/sign-in/staff", login="li.hua", password="long enough words").status_code == 303
    assert fill_in(owner, "/sign-in/staff/code", code=pyotp.TOTP(secret).at(real_now())).status_code == 303
    assert owner.get("/staff").status_code == 200
    acts = portal_session.scalars(select(AuditEntry.act).where(AuditEntry.subject.in_(("account", "account_change"))))
    assert {"ask_account_change", "decide_account_change", "add_account", "make_setup_code", "set_up_account"} <= set(
        acts
    )


def test_who_may_change_whom(town):
    """Scopes, the own account, the last city officials, the lost phone, and a code that ends."""
    session, now = town.session, town.now
    here, west = town.kindergarten("锦官新城幼儿园"), town.kindergarten("青羊园", area="510105")
    area, other_area, city, second = (
        town.area_official(), town.area_official("510105"), town.city_official(), town.city_official(),
    )  # fmt: skip
    clerk = town.clerk_of(here)
    account = session.get(Account, clerk.account_id)
    account.second_factor = pyotp.random_base32()
    listed = {each.id for each in listing.accounts(session, by=area)}
    assert clerk.account_id in listed and city.account_id not in listed
    assert clerk.account_id not in {each.id for each in listing.accounts(session, by=other_area)}
    asked_by = {"reason": "换了手机", "by": area, "now": now}
    with pytest.raises(NotFound):
        changes.ask(session, clerk.account_id, Change.RESET, **asked_by | {"by": other_area})
    with pytest.raises(NotFound):
        changes.ask(
            session, clerk.account_id, Change.GRANT, role=Role.HEAD, kindergarten_id=west.id, **asked_by
        )  # fmt: skip
    refused("role_not_yours", changes.ask, session, clerk.account_id, Change.GRANT, role=Role.AUDITOR, **asked_by)
    refused("own_account", changes.ask, session, city.account_id, Change.RESET, **asked_by | {"by": city})
    refused("account_is_enabled", changes.ask, session, clerk.account_id, Change.ENABLE, **asked_by)
    reset = changes.ask(session, clerk.account_id, Change.RESET, **asked_by)
    refused("asked_already", changes.ask, session, clerk.account_id, Change.RESET, **asked_by)
    refused("second_person_needed", changes.decide, session, reset.id, agreed=True, by=area, now=now)
    with pytest.raises(NotFound):
        changes.decide(session, reset.id, agreed=True, by=other_area, now=now)
    assert account.second_factor is not None, "nothing happens before the second person"
    changes.decide(session, reset.id, agreed=True, by=city, now=now)
    refused("decided_already", changes.decide, session, reset.id, agreed=True, by=second, now=now)
    assert account.second_factor is None
    with pytest.raises(NotFound):
        setup_codes.make(session, reset.id, by=city, now=now)
    code = setup_codes.make(session, reset.id, by=area, now=now)
    for _attempt in range(setup_codes.TRIES):
        assert setup_codes.check(session, account.login, "XXXX", now=now) is None
    assert setup_codes.check(session, account.login, code, now=now) is None, "five attempts end the code"
    code = setup_codes.make(session, reset.id, by=area, now=now)
    assert setup_codes.check(session, account.login, code, now=now + dt.timedelta(days=1)) is None
    assert setup_codes.check(session, account.login, code, now=now) is reset
    changes.disable(session, clerk.account_id, by=area, now=now)
    assert account.disabled_at == now and setup_codes.check(session, account.login, code, now=now) is None
    refused("two_city_officials", changes.disable, session, second.account_id, by=city, now=now)
    third = town.city_official()
    changes.disable(session, third.account_id, by=city, now=now)
    refused("last_role", changes.take_role, session, area.account_id, _grant(session, area), by=city, now=now)


def _grant(session, actor):
    return session.get(Account, actor.account_id).grants[0].id
