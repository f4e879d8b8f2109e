"""TRU16: dangerous acts need a second factor of the last quarter of an hour, and nothing typed is lost on the way."""

import re

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
    # publish a run, move its hour, or put a run aside that was drawn
    "officials.sign_run", "officials.change_hour", "officials.set_run_aside",
    # freeze the list of a draw, say how it is drawn, enter the seed, let somebody else enter a part of it
    "officials.freeze_round", "officials.declare_draw_form", "officials.set_seed", "officials.approve_witness",
    # places without another look: the replays of each day, the central proposals, an offer that is taken back
    "officials.approve_daily_replays", "officials.start_central", "officials.revoke_offer",
    # put a child back whom two people refused
    "officials.reinstate_application",
    # move a deadline of the city after an outage or otherwise, open and end its season
    "officials.propose_extension", "officials.sign_extension", "officials.move_season_date", "officials.announce_season",
    "officials.close_season",
    # let families in and keep them out: the round itself, and a draw although two rows may be one child
    "officials.open_round", "officials.close_round", "officials.waive_duplicates",
    # sign what the city decided: a policy, targets, a plan
    "officials.sign_policy", "officials.sign_targets", "officials.sign_plan", "officials.sign_return",
    # speak to families in the name of the city or of a kindergarten, and the number that all of them are told to call
    "officials.publish_announcement", "staff.send_family_message", "officials.save_desk_phone",
    # write the lists of a whole district at once, or the roll with the names of a kindergarten
    "officials.take_in_import", "staff.take_in_import",
    # decide about children without a place, one or many at once, and about places whose children did not come
    "officials.act_on_child", "officials.act_together", "staff.release_places",
    # reveal a list or a masked person, export persons
    "officials.ask_for_full_file", "officials.grant_full_file", "officials.code_of_full_file",
    "officials.unmask_case", "officials.unmask_duplicate", "staff.unmask_duplicate", "staff.export_roll",
    "staff.decide_report_export", "staff.report_export_file", "staff.ask_for_letters", "officials.decide_report_export",
    "officials.report_export_file", "staff.letter_batch_pdf", "staff.message_addresses",
    # let somebody else into a family's account
    "officials.confirm_phone_change", "staff.send_desk_codes", "staff.request_desk_change", "staff.confirm_phone_change",
    "staff.issue_access_code", "staff.send_access_code_proof", "staff.agree_access_code", "staff.keep_phone",
    # let somebody else in as staff, or keep somebody out
    "officials.ask_new_account", "officials.ask_role", "officials.ask_access",
    "officials.decide_account_change", "officials.make_setup_code", "officials.disable_account", "officials.take_role",
}  # fmt: skip

DANGEROUS_VERBS = {
    "announce", "approve", "ask", "close", "declare", "export", "extend", "freeze", "grant", "open", "publish", "release",
    "revoke", "send", "sign", "take_in", "together", "unmask", "waive",
}  # fmt: skip
WITHOUT_STEP_UP = {
    # dozens a day in the review, each with a reason in the trail
    "staff.unmask",
    # dozens a day in the season of plans, and sent back as easily
    "officials.approve_plan", "officials.approve_area",
    # take somebody's access away, which must be quick
    "officials.revoke_full_file", "officials.revoke_witness", "staff.revoke_access_code",
    # asks; a second person grants it
    "staff.save_report_export", "officials.save_report_export",
    # an invitation of one kindergarten
    "staff.publish_open_day", "staff.change_open_day", "staff.cancel_open_day",
    # the daily work of the review and of the roll, which the trail shows and a colleague can undo
    "staff.release", "staff.send_back", "staff.open_sample", "staff.open_class", "staff.close_class",
    "officials.send_back_plan",
    # beside the decision about the same child, which asks for none; only for an application that the family withdrew
    "officials.close_support_case",
    # asks the computer for plans; signing one is another act
    "officials.ask_plan", "officials.ask_more_places",
}  # fmt: skip


def test_tru16_exactly_the_dangerous_routes_ask_for_a_fresh_second_factor(whole_app):
    asking = {
        rule.endpoint
        for rule in whole_app.url_map.iter_rules()
        if (guard := guard_of(whole_app, rule.endpoint)) is not None and guard.step_up
    }
    assert asking == DANGEROUS


def test_tru16_a_new_act_that_sounds_dangerous_is_in_one_of_the_lists(whole_app):
    acts = {
        rule.endpoint
        for rule in whole_app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and rule.endpoint.partition(".")[0] in ("officials", "staff")
    }
    sounding = {act for act in acts if any(re.search(rf"[._]{verb}(_|$)", act) for verb in DANGEROUS_VERBS)}
    assert not sounding - DANGEROUS - WITHOUT_STEP_UP
    assert acts >= WITHOUT_STEP_UP, "an exception whose route is gone"


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


def test_tru16_a_deadline_is_extended_with_a_fresh_second_factor_and_its_reason_is_kept(client, town, frozen_clock):
    garden = town.kindergarten("锦官园", places=1)
    found = town.open_registration()
    town.child("安娜", wishes=[garden])
    frozen_clock.set(town.now)
    account = town.session.get(Account, town.city_official().account_id)
    account.second_factor = pyotp.random_base32()
    town.session.commit()
    sign_in(client, account, second_factor_at=(real_now() - FRESH).isoformat())
    address = f"/officials/2026/rounds/{found.id}/extend"
    closes = found.closes_at
    asked = fill_in(client, address, action=address, reason="系统中断两小时")
    confirm = asked.headers["Location"]
    assert confirm.startswith("/sign-in/confirm?next=")
    assert fill_in(client, confirm, code=pyotp.TOTP(account.second_factor).now()).headers["Location"] == address
    kept = BeautifulSoup(client.get(address).text, "lxml").select_one("[name=reason]")
    assert kept.get("value", kept.text).strip() == "系统中断两小时"
    town.session.expire_all()
    assert found.closes_at == closes
