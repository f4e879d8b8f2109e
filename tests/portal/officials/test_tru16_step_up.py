"""TRU16: dangerous acts need a second factor of the last quarter of an hour, and nothing typed is lost on the way."""

import pyotp
import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.ground.accounts import Account
from enrollment.ground.audit import AuditEntry
from enrollment.results import full_files
from portal.web.authentication import FRESH
from portal.web.clock import real_now
from portal.web.guards import guard_of
from tests.support.signing_in import fill_in, sign_in

DANGEROUS = {
    # publish a run, and move its hour
    "officials.sign_run", "officials.change_hour",
    "officials.sign_policy",
    # reveal a list or a masked person, export persons
    "officials.ask_for_full_file", "officials.grant_full_file", "officials.code_of_full_file",
    "officials.unmask_case", "officials.unmask_duplicate", "staff.unmask_duplicate", "staff.export_roll",
    "staff.report_export_file", "staff.ask_for_letters",
    # enter the seed, send central proposals
    "officials.set_seed", "officials.start_central",
    # let somebody else into a family's account
    "officials.confirm_phone_change", "staff.send_desk_codes", "staff.request_desk_change", "staff.confirm_phone_change",
    "staff.issue_access_code",
}  # fmt: skip


def test_tru16_exactly_the_dangerous_routes_ask_for_a_fresh_second_factor(whole_app):
    asking = {
        rule.endpoint
        for rule in whole_app.url_map.iter_rules()
        if (guard := guard_of(whole_app, rule.endpoint)) is not None and guard.step_up
    }
    assert asking == DANGEROUS


@pytest.fixture
def run(town, frozen_clock):
    garden = town.kindergarten("锦官园", places=1)
    town.child("安娜", wishes=[garden])
    run = town.drawn()
    frozen_clock.set(town.now)
    return run


@pytest.fixture
def official(client, town, run):
    """A browser whose official gave the second factor too long ago."""
    account = town.session.get(Account, town.city_official().account_id)
    account.second_factor = pyotp.random_base32()
    town.session.commit()
    sign_in(client, account, second_factor_at=(real_now() - FRESH).isoformat())
    return account


def test_tru16_an_old_second_factor_is_asked_for_again_and_what_was_typed_is_kept(client, town, run, official):
    address = f"/officials/2026/draws/runs/{run.id}/full-file"
    typed = {"kind": "notary", "recipient": "王敏，公证处", "reason": "核验名单"}
    asked = fill_in(client, address, **typed)
    assert (asked.status_code, full_files.of_run(town.session, run.id, now=town.now)) == (303, [])
    confirm = asked.headers["Location"]
    assert confirm.startswith("/sign-in/confirm?next=")
    assert "15 minutes" in client.get(f"{confirm}&lang=en").text
    client.get("/?lang=zh")
    wrong = fill_in(client, confirm, code="000000")
    assert "动态口令不对" in BeautifulSoup(wrong.text, "lxml").select_one(".govuk-error-summary").text
    code = pyotp.TOTP(official.second_factor).now()
    assert fill_in(client, confirm, code=code).headers["Location"] == address
    page = BeautifulSoup(client.get(address).text, "lxml")
    assert page.select_one("[name=recipient]")["value"] == "王敏，公证处"
    assert fill_in(client, address, **typed).headers["Location"] == address
    assert len(full_files.of_run(town.session, run.id, now=town.now)) == 1
    told = select(AuditEntry).where(AuditEntry.act == "confirm_identity")
    assert town.session.scalars(told).one().account_id == official.id
    sign_in(client, official, second_factor_at=(real_now() - FRESH).isoformat())
    assert fill_in(client, address, **typed).headers["Location"] == confirm, "a quarter of an hour later"
    again = fill_in(client, confirm, code=code)
    assert again.status_code == 200, "a code counts once"


def test_tru16_who_may_not_do_it_is_not_asked(client, town, run):
    """And an address elsewhere is no way on."""
    clerk = town.clerk_of(town.kindergartens_by_name("锦官园")[0])
    town.session.get(Account, clerk.account_id).second_factor = pyotp.random_base32()
    town.session.commit()
    sign_in(client, clerk.account_id, second_factor_at=(real_now() - FRESH).isoformat())
    assert client.get("/staff/roll/export.csv").headers["Location"].startswith("/sign-in/confirm")
    page = BeautifulSoup(client.get("/sign-in/confirm?next=https://example.org/").text, "lxml")
    assert not page.select("main a[href*='example.org']")
    assert client.post(f"/officials/2026/draws/runs/{run.id}/sign").status_code in (303, 403)
    assert (
        not client.post(f"/officials/2026/draws/runs/{run.id}/sign")
        .headers.get("Location", "")
        .startswith("/sign-in/confirm")
    )
