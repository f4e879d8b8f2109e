"""The pages of a correction: the family requests with a photo, two people decide beside the paper, the draw room tells why."""

import datetime as dt
import io

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.corrections import escalation, requests
from enrollment.draw import runs
from enrollment.offers.arrivals import arrival
from enrollment.places.roll_rows import RollClass
from enrollment.review.correction_rows import CorrectionKind
from enrollment.season.facts import Fact
from portal.jobs import runner
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in
from tests.support.town_helping import photo_of_a_paper
from tests.support.town_season import at

LANGUAGES = ("zh", "en")


def text_of(page) -> str:
    return BeautifulSoup(page.text, "lxml").main.get_text(" ", strip=True)


def photo():
    return (io.BytesIO(photo_of_a_paper()), "page.jpg")


@prepared
def placed(town, client, frozen_clock):
    """A child with a wrong character in its name, who has taken its place."""
    town.garden = town.kindergarten("金苹果", places=2)
    town.ana = town.child("安那", wishes=[town.garden])
    town.drawn(town.ana)
    town.confirm(town.ana)
    town.clerk, town.head = town.desk_pair(town.ana)
    town.session.commit()
    frozen_clock.set(town.now)
    return town


def start(town) -> str:
    return f"/parents/applications/{town.ana.id}"


def test_fam06_from_the_familys_photo_to_the_new_notice(placed, client, another_client, frozen_clock):
    town = placed
    old = town.offer_for(town.ana).notice_code
    sign_in(client, town.ana.entered_by)
    assert f"{start(town)}/corrections" in client.get(f"{start(town)}/result").text
    form = f"{start(town)}/corrections/new?kind=name"
    assert "安那" in text_of(client.get(form))
    answer = fill_in(client, form, name="安娜", statement="户口簿上是娜", pages=photo())
    assert answer.status_code == 303
    shown = client.get(answer.location)
    assert all(word in text_of(shown) for word in ("安那", "安娜", "金苹果", "等待核实"))
    paper = BeautifulSoup(shown.text, "lxml").select_one("main a[href*=papers]")["href"]
    assert client.get(paper).mimetype == "image/webp"
    request = requests.of_application(town.session, town.ana.id, by=town.parent_of(town.ana))[0]
    clerk, head = sign_in(another_client(), town.clerk.account_id), sign_in(another_client(), town.head.account_id)
    path = f"/staff/corrections/{request.id}"
    for lang in LANGUAGES:
        assert path in clerk.get(f"/staff/corrections?lang={lang}").text
    page = clerk.get(path)
    picture = BeautifulSoup(page.text, "lxml").select_one("main img")["src"]
    assert clerk.get(picture).mimetype == "image/webp"
    assert fill_in(clerk, path, reason="", act="agree").status_code == 200, "a decision needs a reason"
    stale = head.get(path)
    assert fill_in(clerk, path, reason="见户口簿", act="agree").status_code == 303
    version = BeautifulSoup(stale.text, "lxml").select_one("[name=version]")["value"]
    assert fill_in(head, path, reason="见户口簿", act="agree", version=version).status_code == 409
    assert fill_in(head, path, reason="同意，与原件相符", act="agree").status_code == 303
    town.session.expire_all()
    assert town.ana.child.name == "安娜"
    told = text_of(client.get(f"/verify/{old}"))
    assert "已换发" in told and "安" not in told.replace("安全", "")
    new = town.offer_for(town.ana).notice_code
    assert "安" in text_of(client.get(f"/verify/{new}"))
    told = text_of(client.get("/parents/messages"))
    assert "更正已经生效，录取通知书换了新编号" in told
    decided = text_of(client.get(shown.request.path))
    assert "见户口簿 同意，与原件相符" in decided, "the reasons of both people, in their order"
    assert "通知书换了新编号" in decided


def test_a_correction_before_the_draw_speaks_of_no_admission_notice(town, client, frozen_clock):
    town.garden = town.kindergarten("金苹果", places=2)
    ana = town.child("安那", wishes=[town.garden])
    town.everyone_is_reviewed()
    request = town.two_agree(town.requests_correction(ana, "name", name="安娜"))
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, ana.entered_by)
    for lang, notice in (("zh", "通知书"), ("en", "notice")):
        for path in ("/parents/messages", f"/parents/applications/{ana.id}/corrections/{request.id}"):
            assert notice not in text_of(client.get(f"{path}?lang={lang}")), path


def test_fam06_errors_stand_beside_the_fields_and_the_text_stays(placed, client):
    town = placed
    sign_in(client, town.ana.entered_by)
    form = f"{start(town)}/corrections/new?kind=name"
    page = fill_in(client, form, name="安娜", statement="户口簿上是娜")
    soup = BeautifulSoup(page.text, "lxml")
    assert soup.select_one("#pages-error") and soup.select_one("[name=name]")["value"] == "安娜"
    page = fill_in(client, form, name="安那", statement="户口簿上是娜", pages=photo())
    assert BeautifulSoup(page.text, "lxml").select_one("#name-error")
    page = fill_in(client, form, name="安娜", statement="", pages=photo())
    assert BeautifulSoup(page.text, "lxml").select_one("#statement-error")
    empty = BeautifulSoup(fill_in(client, form, name="安娜", statement=" ").text, "lxml")
    assert empty.select_one("#statement-error") and empty.select_one("#pages-error"), "both at once"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_fam07_every_kind_has_a_form_in_both_languages(placed, client, another_client, lang):
    town = placed
    sign_in(client, town.ana.entered_by)
    staff = sign_in(another_client(), town.head.account_id)
    official = sign_in(another_client(), town.area_official("510104").account_id)
    town.session.commit()
    addresses = [f"kind={kind}" for kind in CorrectionKind if kind != CorrectionKind.FACTS]
    addresses += [f"kind=facts&fact={fact}" for fact in Fact if fact != Fact.BORN]
    for address in addresses:
        assert client.get(f"{start(town)}/corrections/new?{address}&lang={lang}").status_code == 200, address
    for desk, browser in (("staff", staff), ("officials/2026", official)):
        form = f"/{desk}/applications/{town.ana.id}/corrections/new"
        for address in ("", "kind=duplicate", "kind=birth_date", "kind=other_identity", "kind=facts&fact=home_place"):
            assert browser.get(f"{form}?{address}&lang={lang}").status_code == 200, (desk, address)
        assert browser.get(f"/{desk}/corrections?lang={lang}&code={town.ana.registration_code}").status_code == 200


def test_fam07_before_the_deadline_the_page_leads_to_the_form(town, client):
    ana = town.child("安那", wishes=[town.kindergarten("金苹果", places=2)])
    sign_in(client, ana.entered_by)
    page = client.get(f"/parents/applications/{ana.id}/corrections")
    assert "现在可以直接修改" in text_of(page)
    assert f"/parents/applications/{ana.id}/child" in page.text
    assert "kind-name" not in page.text


def test_fam06_the_childs_page_says_what_a_request_is_for(placed, client, frozen_clock):
    town = placed
    town.round(kind="supplementary")
    town.programme(town.kindergarten("牡丹"), places=3)
    town.open_registration()
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, town.ana.entered_by)
    path = f"{start(town)}/child"
    assert f"{start(town)}/corrections" in client.get(path).text
    page = fill_in(client, path, name="王小二", relation="mother", id_kind="resident", id_number="")
    assert BeautifulSoup(page.text, "lxml").select_one("#name-error")
    only_identity = client.get(f"{start(town)}/corrections").text
    assert "kind-name" in only_identity and "kind-facts" not in only_identity


@pytest.mark.parametrize(("lang", "office"), [("zh", "锦江区教育局"), ("en", "Jinjiang education office")])
def test_an_overdue_request_names_the_office_that_decides_now(placed, client, frozen_clock, lang, office):
    town = placed
    request = town.requests_correction(town.ana, "name", name="安娜")
    late = {"zh": ("现在还没有", f"现在由{office}决定"), "en": ("has not come", f"{office} decides it now")}[lang]
    town.session.commit()
    sign_in(client, town.ana.entered_by)
    pages = [f"{start(town)}?lang={lang}", f"{start(town)}/corrections/{request.id}?lang={lang}"]
    for page in pages:
        assert not any(said in text_of(client.get(page)) for said in late)
    now = frozen_clock.set(request.due_at + dt.timedelta(minutes=1))
    for page in pages:
        assert late[0] in text_of(client.get(page))
    assert escalation.hand_on_overdue(town.session, now=now) == 1
    town.session.commit()
    for page in pages:
        assert late[1] in text_of(client.get(page))
    assert client.get("/parents?lang=zh").status_code == 200


def test_fam06_the_family_takes_its_request_back(placed, client):
    town = placed
    request = town.requests_correction(town.ana, "name", name="安娜")
    town.session.commit()
    sign_in(client, town.ana.entered_by)
    page = f"{start(town)}/corrections/{request.id}"
    assert fill_in(client, page, action=f"{page}/withdraw").status_code == 303
    assert "家长已撤回" in text_of(client.get(page))


def test_fam08_the_draw_room_says_what_changed_and_why(town, client, another_client, frozen_clock, portal_engine):
    """An official removes a duplicate after the freeze; the list is frozen again with a public reason, and published."""
    garden = town.kindergarten("金苹果", places=2)
    ana, again = town.child("安娜", wishes=[garden]), town.child("圆圆", wishes=[garden])
    town.everyone_is_reviewed()
    town.freeze()
    town.seed()
    town.run()
    official, head = town.area_official("510104"), town.head_of(garden)
    city, _second = town.city_pair()
    town.session.commit()
    frozen_clock.set(town.now + dt.timedelta(hours=1))
    area, kindergarten = sign_in(client, official.account_id), sign_in(another_client(), head.account_id)
    found = area.get(f"/officials/2026/corrections?code={again.registration_code}")
    assert f"/officials/2026/applications/{again.id}/corrections/new" in found.text
    form = f"/officials/2026/applications/{again.id}/corrections/new?kind=duplicate"
    made = fill_in(area, form, other=ana.registration_code, statement="同一个孩子登记了两次")
    assert made.status_code == 303
    assert fill_in(area, made.location, reason="查过户口", act="agree").status_code == 303
    path = f"/staff/corrections/{made.location.rpartition('/')[2]}"
    assert fill_in(kindergarten, path, reason="查过户口", act="agree").status_code == 303
    room, public = f"/officials/2026/rounds/{town.the_round.id}/draw", f"/draws/{town.the_round.id}"
    office = sign_in(another_client(), city.account_id)
    assert "不再有效" in text_of(office.get(room)) and "名单正在更正" in text_of(client.get(public))
    freeze = f"/officials/2026/rounds/{town.the_round.id}/freeze"
    page = fill_in(office, room, action=freeze, reason="")
    assert BeautifulSoup(page.text, "lxml").select_one("#reason-error")
    assert fill_in(office, room, action=freeze, reason="撤下重复申请").status_code == 303
    runner.load_handlers()
    town.session.expire_all()
    town.now = frozen_clock.move(hours=1)
    assert runner.run(portal_engine, lambda _session: town.now, town.the_round.draw_job_id, "w") == "done"
    town.session.expire_all()
    for lang, kind in (("zh", "撤下重复的申请 1"), ("en", "Remove a duplicate application 1")):
        for browser, address in ((office, room), (client, public)):
            told = text_of(browser.get(f"{address}?lang={lang}"))
            assert "撤下重复申请" in told and kind in told and "安娜" not in told and "圆圆" not in told, address
    town.run()
    assert runs.of_round(town.session, town.the_round.id)[0].state == "checked"


def test_fam06_the_roll_shows_the_day_of_the_correction(placed, client, frozen_clock):
    town = placed
    town.at(at(8, 21))
    offer = town.offer_for(town.ana)
    arrival.arrive(
        town.session, offer.id, class_name="小一班", health=True, vaccination=True, by=town.head, now=town.now
    )
    town.two_agree(town.requests_correction(town.ana, "name", name="安娜"))
    class_id = town.session.scalars(select(RollClass.id)).one()
    town.session.commit()
    frozen_clock.set(at(9, 2))
    sign_in(client, town.head.account_id)
    assert "2026年8月21日 更正" in text_of(client.get(f"/staff/roll/classes/{class_id}"))


def test_nothing_is_chosen_for_the_family_and_a_guardian_has_no_birth_certificate(placed, client):
    town = placed
    sign_in(client, town.ana.entered_by)
    listed = f"{start(town)}/corrections"
    assert not BeautifulSoup(client.get(listed).text, "lxml").select("input[name=kind][checked]")
    assert "请选择要更正什么" in text_of(client.get(f"{listed}/new?fact="))
    for kind, offered in (("other_identity", False), ("document", True)):
        shown = BeautifulSoup(client.get(f"{listed}/new?kind={kind}").text, "lxml")
        assert bool(shown.select("#id_kind option[value=birth_certificate]")) is offered
