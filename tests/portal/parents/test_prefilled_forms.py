"""Forms are prefilled with answers for a sibling, and entered values are not lost."""

import datetime as dt
import io

import pytest
from PIL import Image, ImageDraw, ImageFilter
from sqlalchemy import select

from enrollment.applications.evidence_rows import EvidencePage
from enrollment.eligibility import evidence, households
from enrollment.eligibility.blur_detection import looks_blurred
from enrollment.eligibility.wish_candidates import Finder
from enrollment.people.person_rows import Child
from tests.portal.parents.desk import errors, hidden, page, value_of
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in
from tests.support.town_families import id_number

BORN = dt.date(2023, 3, 12)


def paper(blur: float = 0) -> bytes:
    """A page of print, photographed in focus or not."""
    picture = Image.new("L", (1200, 1600), 225)
    pen = ImageDraw.Draw(picture)
    for line in range(60, 1540, 40):
        pen.text((70, line), "household register " * 6, fill=40, font_size=22)
    kept = io.BytesIO()
    picture.filter(ImageFilter.GaussianBlur(blur)).save(kept, "JPEG", quality=90)
    return kept.getvalue()


HOME = ("hukou_kind", "hukou_area", "hukou_street", "home_area", "home_street", "home_address")


def saves_what_is_shown(client, address: str):
    """Press the button of a page whose answers are filled in already."""
    shown = client.get(address)
    return fill_in(client, address, **{name: value_of(shown, name) or "" for name in HOME})


@prepared
def garden(town):
    found = town.kindergarten("金苹果", places=2)
    town.open_registration()
    return found


@prepared
def twins(client, town, garden):
    """Twins: the first with all answers, the second just entered; their guardian is signed in."""
    first = town.child("安娜", wishes=[garden], submit=False, born=BORN)
    sign_in(client, first.entered_by)
    answer = fill_in(
        client,
        "/parents/children/new",
        name="安妮",
        relation="mother",
        id_kind="resident",
        id_number=id_number(BORN, "m"),
    )
    second = answer.location.split("/")[3]
    return first, second


def test_everything_that_is_missing_is_told_at_once(client, town, garden):
    sign_in(client, town.family("李").account)
    answer = fill_in(client, "/parents/children/new", name="", relation="", id_number="")
    assert errors(answer).keys() == {"name", "relation", "id_number"}
    assert town.session.scalar(select(Child.id)) is None


def test_a_mistyped_number_is_not_taken_for_another_guardians_child(client, town, garden):
    sign_in(client, town.family("李").account)
    right = id_number(BORN)
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
    answer = fill_in(
        client, "/parents/children/new", name="李沐晨", relation="mother", id_kind="resident", id_number=wrong
    )
    assert "校验不符" in errors(answer)["id_number"]
    assert "另一位监护人" not in answer.text


def test_an_age_that_fits_no_class_is_told_beside_the_date_that_was_typed(client, town, garden):
    sign_in(client, town.family("李").account)
    said = {"name": "Tom", "relation": "mother", "id_kind": "passport", "id_number": "E12345678", "sex": "m"}
    answer = fill_in(client, "/parents/children/new", born="2010-01-01", **said)
    assert "2010年1月1日" in errors(answer)["born"]


def test_a_second_child_finds_the_home_filled_in_but_not_saved(client, town, twins):
    first, second = twins
    address = f"/parents/applications/{second}/household"
    answer = client.get(address)
    there = households.household_of(town.session, first.id)
    assert value_of(answer, "home_area") == there.home_area
    assert value_of(answer, "hukou_kind") == there.hukou_kind
    assert "已按安娜的回答填好" in answer.text
    assert households.household_of(town.session, second) is None
    assert saves_what_is_shown(client, address).status_code == 303
    town.session.expire_all()
    assert households.household_of(town.session, second).home_area == there.home_area


def test_a_paper_uploaded_for_one_child_serves_the_other(client, town, twins):
    first, second = twins
    saves_what_is_shown(client, f"/parents/applications/{second}/household")
    evidence.add_pages(town.session, first.id, "hukou_booklet", [paper()], by=town.parent_of(first), now=town.now)
    evidence.add_pages(town.session, first.id, "birth_certificate", [paper()], by=town.parent_of(first), now=town.now)
    town.session.commit()
    address = f"/parents/applications/{second}/evidence"
    shown = client.get(address)
    taking = f'form[action="{address}/from/{first.id}"]'
    assert [form.select_one("[name=document]")["value"] for form in page(shown).select(taking)] == ["hukou_booklet"]
    answer = client.post(f"{address}/from/{first.id}", data=hidden(shown, taking))
    assert answer.status_code == 303
    mine = select(EvidencePage.document).where(EvidencePage.application_id == second)
    assert town.session.scalars(mine).all() == ["hukou_booklet"]
    other = client.post(f"{address}/from/{first.id}", data=hidden(shown, taking) | {"document": "birth_certificate"})
    assert other.status_code in (404, 409)


def test_a_blurred_photo_is_kept_and_told(client, town, twins):
    _first, second = twins
    address = f"/parents/applications/{second}/evidence"
    saves_what_is_shown(client, f"/parents/applications/{second}/household")
    tokens = hidden(client.get(address), "form[data-photos]")
    answer = client.post(address, data=tokens | {"pages": [(io.BytesIO(paper(blur=5)), "photo.jpg")]})
    assert answer.status_code == 303
    assert "不够清楚" in client.get(address).text
    for where in ("evidence", "check"):  # not for one moment only: also on the next visit, and before handing in
        assert "不够清楚" in page(client.get(f"/parents/applications/{second}/{where}")).main.get_text()


@pytest.mark.parametrize("blur", [0, 1])
def test_print_in_focus_is_sharp(blur):
    assert not looks_blurred(paper(blur))


@pytest.mark.parametrize("blur", [4, 8])
def test_print_out_of_focus_is_blurred(blur):
    assert looks_blurred(paper(blur))


def test_the_finder_begins_in_the_familys_own_area(town):
    far = town.kindergarten("阿远", places=2, area="510105")
    near = town.kindergarten("早安", places=2, area="510104")
    town.open_registration()
    child = town.child("安娜", wishes=[far], submit=False)
    assert households.household_of(town.session, child.id).home_area == "510104"
    found = Finder(town.session, child, town.the_round.id).search().items
    assert [one.kindergarten.name for one in found] == [near.name, far.name]


def test_a_family_that_moves_hears_which_child_still_has_the_former_home(client, town, twins):
    """Each application keeps its own household; nothing said that the other child's was left behind."""
    first, second = twins
    saves_what_is_shown(client, f"/parents/applications/{second}/household")
    here = f"/parents/applications/{first.id}/household"
    told = "安妮的申请里还是原来的户籍和住址"
    assert told not in client.get(saves_what_is_shown(client, here).location).text, "nothing changed"
    shown = client.get(here)
    moved = {name: value_of(shown, name) or "" for name in HOME} | {"home_street": "草堂街道", "home_address": "9 号"}
    assert told in client.get(fill_in(client, here, **moved).location).text
    again = moved | {"home_address": "10 号"}
    assert told not in client.get(fill_in(client, here, **again).location).text, "they differ already, and it was told"


def test_a_new_address_on_the_receipt_leads_to_the_priorities_of_the_wishes(client, town, garden):
    ana = town.child("安娜", wishes=[garden], born=BORN)
    town.session.commit()
    sign_in(client, ana.entered_by)
    here = f"/parents/applications/{ana.id}/household"
    shown = client.get(here)
    moved = {name: value_of(shown, name) or "" for name in HOME} | {"home_street": "草堂街道"}
    receipt = page(client.get(fill_in(client, here, **moved).location)).main
    assert "优先级可能跟着变" in receipt.get_text()
    assert receipt.select_one(f"a[href='/parents/applications/{ana.id}/wishes']")
