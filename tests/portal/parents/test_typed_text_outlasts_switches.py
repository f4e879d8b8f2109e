"""What is typed into a form of a family outlasts the switch of language or text size, with scripts or without (FAM21).

Each page with a form is opened, filled in, switched, and read again; a page that is not opened here says why.
"""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from flask import template_rendered

from enrollment.applications import register_answers
from enrollment.applications.register_answers import Answer
from enrollment.ground.accounts import Account
from enrollment.ground.city_time import CHENGDU
from enrollment.open_days import days
from enrollment.open_days.days import DayPlan, SlotPlan
from enrollment.people import invitations
from enrollment.review import cases
from enrollment.season.round_rows import Round
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in

TEMPLATES = Path(__file__).parents[3] / "templates"

FORM_OF_A_FAMILY = re.compile(r"\bfield\(|\bvalue_form\(|<textarea|<select|type=\"(?:radio|checkbox|text|tel|date)\"")

NOT_WALKED = {
    "parents/bond_parts.html": "a part of siblings.html",
    "parents/paper_parts.html": "the photos of one document: each is sent when it is chosen, and nothing is typed",
    "parents/evidence_page.html": "one photo instead of another, which is sent when it is chosen; nothing is typed",
    "parents/phone_code.html": "one-time codes, which are never kept",
    "helpers/code.html": "a one-time code, which is never kept",
    "public/sign_in_code.html": "a one-time code, which is never kept",
    "public/sign_on_code.html": "a one-time code, which is never kept",
    "public/sign_in_access_code.html": "a code that opens an account, which is never kept",
    "public/sign_in_question.html": "the end of a document, which opens an account and is never kept",
    "public/sign_on_phone.html": "the number that the provider gave; who has none comes back to it by the provider",
    "public/check.html": "the answers stand in the address, and the switches keep the address",
    "public/check_question.html": "one question; the answers before it stand in the address",
}

OF_FAMILIES = ("sign_in.html", "sign_in_code.html", "sign_in_access_code.html", "sign_in_question.html",
               "sign_on_phone.html", "sign_on_code.html", "check.html", "check_question.html")  # fmt: skip
"""The pages with forms that a family fills in before it is signed in; the other public forms are of staff or ask for a search."""


@prepared
def registering(town):
    """Registration is open; what a family can be asked for is waiting."""
    town.garden = town.kindergarten("金苹果", places=2)
    town.open_registration()
    town.li = town.family("李")
    town.agree_to_registers(town.li)
    town.ana, town.ben = town.twins("安娜", "本本", family=town.li, wishes=[town.garden], bound=False, submit=False)
    town.father = town.second_guardian(town.ana)
    town.passport = town.child("护照", family=town.li, id_kind="passport", number="E12345678", submit=False)
    town.handed_in = town.child("交好", family=town.li, wishes=[town.garden], grounds={"elder_sibling": town.garden})
    register_answers.note(
        town.session,
        [
            Answer(town.handed_in.id, "hukou_area", "household_register", "matches", "510104"),
            Answer(town.handed_in.id, "home_place", "property", "differs", {"street": "春熙路街道"}),
        ],
        now=town.now,
    )
    town.zhao = town.family("赵")
    town.invitation = invitations.invite(
        town.session, town.ben.child_id, town.zhao.phone, by=town.li.actor, now=town.now
    )
    town.case = cases.open_dispute(
        town.session, child_name="本本", id_kind="resident", id_number=town.ben.child.id_number, text="由我抚养。",
        by=town.zhao.actor, now=town.now,
    )  # fmt: skip
    plan = DayPlan(
        town.now.astimezone(CHENGDU).date() + dt.timedelta(days=5), "大门", "",
        [SlotPlan(None, dt.time(9), dt.time(10), 2), SlotPlan(None, dt.time(10), dt.time(11), 2)],
    )  # fmt: skip
    town.open_day = days.publish(town.session, town.garden.id, plan, by=town.clerk_of(town.garden), now=town.now)
    town.helping = town.helper()
    town.paper = town.mandate_on_paper(town.helping, town.zhao.phone, name="赵家长")
    town.session.commit()
    return town


@prepared
def decided(town):
    """After the draw: one child has a place that its mother wants to give up, the other has none."""
    town.garden = town.kindergarten("金苹果", places=1)
    town.ana, town.ben = (town.child(name, wishes=[town.garden]) for name in ("安娜", "本本"))
    town.father = town.second_guardian(town.ana)
    town.drawn(town.ana, town.ben)
    town.session.commit()
    return town


def of(name: str, page: str) -> Callable:
    return lambda town: f"/parents/applications/{getattr(town, name).id}{page}"


def at(path: str) -> Callable:
    return lambda _town: path


WALK = [
    ("parents/guardian.html", "li", at("/parents/guardian")),
    ("parents/consent.html", "li", at("/parents/consent")),
    ("parents/child.html", "li", at("/parents/children/new")),
    ("parents/child.html", "li", of("ana", "/child")),
    ("parents/household.html", "li", of("ana", "/household")),
    ("parents/grounds.html", "li", of("ana", "/grounds")),
    ("parents/needs.html", "li", of("ana", "/needs")),
    ("parents/check.html", "li", of("ana", "/check")),
    ("parents/siblings.html", "li", of("ana", "/together")),
    ("parents/invite.html", "li", of("handed_in", "/invite")),
    ("parents/documents.html", "li", of("ana", "/documents")),
    ("parents/evidence.html", "li", of("handed_in", "/evidence")),
    ("parents/correction_new.html", "li", of("handed_in", "/corrections/new?kind=name")),
    ("parents/guardian_add.html", "li", of("ana", "/guardians/add")),
    ("parents/guardian_remove.html", "li", of("ana", "/guardians/remove")),
    ("parents/dispute.html", "li", at("/parents/dispute")),
    ("parents/message_choices.html", "li", at("/parents/messages/choices")),
    ("parents/phone.html", "li", at("/parents/phone")),
    ("parents/verified_facts.html", "li", of("handed_in", "/findings")),
    ("parents/open_day.html", "li", lambda town: f"/parents/open-days/{town.open_day.id}"),
    ("parents/invitation.html", "zhao", lambda town: f"/parents/invitations/{town.invitation.id}"),
    ("parents/case_take_back.html", "zhao", lambda town: f"/parents/cases/{town.case.id}/take-back"),
    ("parents/guardian_takeover.html", "zhao", lambda town: f"/parents/papers/{town.paper.id}"),
    ("helpers/new.html", "helping", at("/helpers/new")),
    ("helpers/paper.html", "helping", at("/helpers/new/paper")),
    ("public/sign_in.html", None, at("/sign-in?next=/parents")),
]


def soup(answer) -> BeautifulSoup:
    return BeautifulSoup(answer.text, "lxml")


def controls(page: BeautifulSoup, form: Tag) -> list[Tag]:
    """The fields that this form sends, wherever they stand."""
    within = form.select("input[name], select[name], textarea[name]")
    return [
        *(each for each in within if not each.get("form")),
        *page.select(f"[form='{form.get('id')}'][name]:not(button)"),
    ]


def is_typed(field: Tag) -> bool:
    return (
        field.get("type") not in ("hidden", "submit", "file", "password")
        and field.get("autocomplete") != "one-time-code"
    )


def values(page: BeautifulSoup) -> dict[str, list[str]]:
    """What a reader sees in the fields of the forms of a page, by name."""
    seen: dict[str, list[str]] = {}
    for field in page.select(
        "main form[method=post] input[name], main form[method=post] select[name], main form[method=post] textarea[name]"
    ):
        if is_typed(field):
            value = shown(field)
            seen.setdefault(field["name"], []).extend([] if value is None else [value])
    return seen


def shown(field: Tag) -> str | None:
    if field.name == "select":
        chosen = field.select_one("option[selected]") or field.select_one("option")
        return chosen.get("value", chosen.get_text()) if chosen else None
    if field.name == "textarea":
        return field.get_text().removeprefix("\n")
    if field.get("type") in ("radio", "checkbox"):
        return field.get("value", "y") if field.has_attr("checked") else None
    return field.get("value", "")


def filled_in(fields: list[Tag]) -> dict[str, list[str]]:
    """Another answer in each field than the page shows."""
    said: dict[str, list[str]] = {}
    for field in fields:
        name, kind = field["name"], field.get("type")
        if field.name == "select":
            others = [
                each["value"] for each in field.select("option") if each["value"] and each["value"] != shown(field)
            ]
            said[name] = others[-1:] or [shown(field) or ""]
        elif kind == "radio":
            if not field.has_attr("checked"):
                said[name] = [field["value"]]
        elif kind == "checkbox":
            said.setdefault(name, [])
            if not field.has_attr("checked"):
                said[name].append(field.get("value", "y"))
        elif kind == "date":
            said[name] = ["2021-03-04"]
        else:
            said[name] = ["7" if kind == "number" or field.get("inputmode") == "numeric" else "打了一半"]
    return said


def switch(client, page: BeautifulSoup, form: Tag, typed: dict[str, list[str]], size: bool = False):
    """Press the switch of the language, or of the text size, with this typed; the page that comes."""
    buttons = page.select(f".bar button[form='{form.get('id')}'][formaction]")
    assert len(buttons) == 2, "the switches of this page are not those of its form"
    hidden = {each["name"]: each.get("value", "") for each in controls(page, form) if each.get("type") == "hidden"}
    answer = client.post(
        buttons[size]["formaction"], data={**hidden, **typed}, headers={"Referer": "http://localhost/x"}
    )
    assert answer.status_code == 303
    return client.get(answer.headers["Location"])


def form_with_fields(page: BeautifulSoup) -> tuple[Tag, list[Tag]]:
    """The one form of the page in which something is typed: without scripts a browser brings the fields of one form along."""
    forms = [(form, fields) for form in page.select("main form[method=post]")
             if (fields := [each for each in controls(page, form) if is_typed(each)])]  # fmt: skip
    assert len(forms) == 1, [form.get("action") for form, _fields in forms]
    return forms[0]


def outlasts(client, app, template: str, path: str) -> None:
    rendered = []

    def note(_app, template, **_more):
        rendered.append(template.name)

    with template_rendered.connected_to(note, app):
        first = client.get(path)
    assert first.status_code == 200, (path, first.headers.get("Location"))
    assert template in rendered, rendered
    page = soup(first)
    form, fields = form_with_fields(page)
    names = {each["name"] for each in controls(page, form) if each.get("type") != "hidden"}
    assert len({each["name"] for each in fields}) == len(values(page).keys() & names), "two fields of one name"
    typed = filled_in(fields)
    assert typed
    english = switch(client, page, form, typed)
    assert soup(english).html["lang"] == "en"
    after = values(soup(english))
    assert {name: after.get(name) for name in typed} == typed
    again = soup(english)
    large = switch(client, again, form_with_fields(again)[0], typed, size=True)
    assert "large" in soup(large).html.get("class", [])
    assert values(soup(large)).items() >= typed.items()
    plain = soup(client.get(f"{path}{'&' if '?' in path else '?'}lang=zh"))
    assert values(plain) != after, "kept once: a page that is opened later shows what is saved"
    client.get("/text-size?size=normal&to=/")


@pytest.mark.parametrize(("template", "who", "address"), WALK)
def test_fam21_what_is_typed_outlasts_the_switches(registering, client, app, template, who, address):
    town = registering
    if who is not None:
        person = getattr(town, who)
        sign_in(client, person.account if hasattr(person, "account") else person.account_id)
    outlasts(client, app, template, address(town))


AFTER_THE_DRAW = [
    ("parents/decision.html", "father", of("ana", "/decision")),
    ("parents/accepted.html", "mother_of_ben", of("ben", "/nearby-places")),
    ("parents/ask.html", "mother_of_ben", of("ben", "/ask/appeal")),
]


@pytest.mark.parametrize(("template", "who", "address"), AFTER_THE_DRAW)
def test_fam21_after_the_draw_too(decided, client, app, template, who, address):
    town = decided
    town.decline(town.ana)
    town.session.commit()
    account = town.father.account if who == "father" else town.session.get_one(Account, town.ben.entered_by)
    sign_in(client, account)
    outlasts(client, app, template, address(town))


def test_fam21_the_reason_against_a_proposed_place_too(client, town, app, frozen_clock):
    full = town.kindergarten("金苹果", places=1, longitude=104.10, latitude=30.60)
    town.kindergarten("锦官园", places=1, longitude=104.11, latitude=30.60)
    home = {"home_longitude": 104.10, "home_latitude": 30.60}
    ana, ben = (town.child(name, wishes=[full], **home) for name in ("安娜", "本本"))
    town.drawn(ana, ben)
    run = town.sign(town.place_centrally())
    town.at(town.session.get_one(Round, run.round_id).results_at)
    town.open(run)
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, ben.entered_by)
    outlasts(client, app, "parents/answer.html", f"/parents/applications/{ben.id}/result/decline")


def test_fam21_every_page_on_which_a_family_types_is_walked_or_says_why_not():
    walked = {template for template, *_more in (*WALK, *AFTER_THE_DRAW)} | {"parents/answer.html"}
    found = [*TEMPLATES.glob("parents/*.html"), *TEMPLATES.glob("helpers/*.html")]
    found += [TEMPLATES / "public" / name for name in OF_FAMILIES]
    typed = {str(each.relative_to(TEMPLATES)) for each in found if FORM_OF_A_FAMILY.search(each.read_text("utf-8"))}
    assert not walked & NOT_WALKED.keys()
    assert typed == walked | NOT_WALKED.keys()


def test_fam21_a_page_that_came_back_with_faults_keeps_what_is_typed_too(registering, client):
    """The address of such a page may answer nothing when it is opened: the switch leads to the page of the form."""
    town = registering
    sign_in(client, town.li.account)
    path = f"/parents/applications/{town.handed_in.id}/findings"
    form, _fields = form_with_fields(soup(client.get(path)))
    hidden = {each["name"]: each["value"] for each in form.select("input[type=hidden]")}
    sent = {"home_place-text": "长" * 201, "hukou_area-text": "也不对"}
    faulty = client.post(f"{path}/home_place", data={**hidden, **sent}, headers={"Referer": f"http://localhost{path}"})
    assert faulty.status_code == 200
    assert values(soup(faulty)).items() >= {name: [text] for name, text in sent.items()}.items()
    page = soup(faulty)
    english = switch(client, page, form_with_fields(page)[0], {name: [text] for name, text in sent.items()})
    assert english.status_code == 200
    assert values(soup(english)).items() >= {name: [text] for name, text in sent.items()}.items()


def test_fam21_of_a_chosen_photo_the_page_says_that_it_has_to_be_chosen_again(registering, client):
    town = registering
    sign_in(client, town.li.account)
    page = soup(client.get(f"/parents/applications/{town.ana.id}/guardians/add"))
    form, _fields = form_with_fields(page)
    assert all(
        button["formenctype"] == "application/x-www-form-urlencoded"
        for button in page.select(".bar button[formaction]")
    ), "a switch uploads nothing"
    assert "请重新选" not in switch(client, page, form, {"text": ["祖母"]}).text
    client.get("/parents?lang=zh")
    shown = switch(client, page, form, {"text": ["祖母"], "paper": ["证明.jpg"]})
    assert "Please choose them again" in shown.text
    assert values(soup(shown))["text"] == ["祖母"]
