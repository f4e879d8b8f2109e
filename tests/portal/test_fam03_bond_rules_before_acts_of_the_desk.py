"""FAM03: before an act on a bound child, the pages of clerks, heads and officials say what becomes of the others."""

import datetime as dt

from bs4 import BeautifulSoup

from enrollment.applications.bonds.bond_rules import BondEvent
from enrollment.corrections import requests
from enrollment.review import cases, review
from enrollment.review.correction_rows import CorrectionKind
from portal.text.words import table
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in
from tests.support.town_helping import photo_of_a_paper

LANGUAGES = ("zh", "en")


def text_of(page) -> str:
    return BeautifulSoup(page.text, "lxml").main.get_text(" ", strip=True)


def rules_on(page, lang: str) -> set[str]:
    shown = text_of(page)
    return {event.value for event in BondEvent if table()["bond_rule"][event][lang] in shown}


def says(client, path: str, other, *events: str) -> None:
    """In both languages, the page names the other child by its code and gives exactly these rules."""
    for lang in LANGUAGES:
        page = client.get(f"{path}{'&' if '?' in path else '?'}lang={lang}")
        assert page.status_code == 200
        assert rules_on(page, lang) == set(events), (path, lang)
        assert other.registration_code in text_of(page)


@prepared
def handed_in(town, frozen_clock):
    """Bound twins and a child for itself, on the evening when registration has closed."""
    town.garden = town.kindergarten("锦官园", places=5)
    twins = town.twins("李安", "李宁", wishes=[town.garden])
    alone = town.child("王安", wishes=[town.garden])
    town.registration_is_over()
    frozen_clock.set(town.now)
    town.session.commit()
    return (*twins, alone)


def test_fam03_clerk_and_head_read_it_before_a_return_and_a_refusal(town, handed_in, client, another_client):
    an, ning, alone = handed_in
    clerk, head = town.clerk_of(town.garden), town.head_of(town.garden)
    for child in (an, alone):
        review.take(town.session, child.id, by=clerk, now=town.now)
    sign_in(client, clerk.account_id)
    path = f"/staff/applications/{an.id}"
    says(client, path, ning, "return", "refuse", "correct")
    says(client, f"{path}/send-back", ning, "return")
    says(client, f"{path}/refuse", ning, "refuse")
    for page in ("", "/send-back", "/refuse"):
        assert rules_on(client.get(f"/staff/applications/{alone.id}{page}"), "zh") == set()
    town.clerk_proposes_refusal(an, by=clerk)
    at_desk = sign_in(another_client(), head.account_id)
    says(at_desk, "/staff/refusals", ning, "refuse")
    official = sign_in(another_client(), town.area_official("510104").account_id)
    says(official, "/officials/2026/refusals", ning, "refuse")


def test_fam03_before_a_correction_a_hold_and_a_duplicate(town, handed_in, client):
    an, ning, alone = handed_in
    official = town.area_official("510104")
    case = cases.open_dispute(
        town.session, child_name="李安", id_kind="resident", id_number=an.child.id_number, text="孩子由我抚养",
        by=town.family("陌").actor, now=town.now,
    )  # fmt: skip
    corrections = {
        child: requests.request_by_family(
            town.session,
            child.id,
            CorrectionKind.NAME,
            {"name": "李平"},
            statement="户口簿",
            papers=[photo_of_a_paper()],
            by=town.parent_of(child),
            now=town.now,
        )
        for child in (an, alone)
    }
    sign_in(client, official.account_id)
    says(client, f"/officials/2026/corrections/{corrections[an].id}", ning, "correct")
    assert rules_on(client.get(f"/officials/2026/corrections/{corrections[alone].id}"), "zh") == set()
    says(client, f"/officials/2026/cases/{case.id}", ning, "hold")


def test_fam03_before_a_revocation_a_no_show_and_an_answer_at_the_desk(town, client, another_client, frozen_clock):
    garden = town.kindergarten("锦官园", places=5)
    an, ning = town.twins("李安", "李宁", wishes=[garden])
    town.drawn(an, ning)
    frozen_clock.set(town.now)
    desk = sign_in(client, town.clerk_of(garden).account_id)
    guardian = f"/staff/desk/{an.id}/{town.parent_of(an).account_id}"
    number = an.child.guardians[0].guardian.id_number
    fill_in(desk, guardian, f"{guardian}/check", document_kind="resident", document_end=number[-4:])
    says(desk, guardian, ning, "confirm", "decline", "expire")
    town.confirm(an)
    revoke = f"/officials/2026/cases/revocations/{town.offer_for(an).id}"
    says(sign_in(another_client(), town.area_official("510104").account_id), revoke, ning, "revoke")
    town.at(dt.datetime(2026, 8, 30, 10, tzinfo=town.now.tzinfo))
    frozen_clock.set(town.now)
    town.session.commit()
    says(desk, "/staff/arrivals/absent?year=2026", ning, "no_show")
