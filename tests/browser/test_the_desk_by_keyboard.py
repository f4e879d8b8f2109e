"""The work of the desk at 1280 px, and of the door at 820 px, with a keyboard alone and in both languages; each page is looked at."""

import datetime as dt

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from enrollment.applications.application_rows import Application
from enrollment.offers.arrivals.rows import ArrivalCheck
from enrollment.offers.offers import Offer
from enrollment.places.ledger_rows import PlanProposal
from enrollment.places.roll_rows import RollChild, RollClass
from enrollment.reports.tables.export_rows import ReportExport
from tests.browser.people.keyboard_desk import KeyboardDesk
from tests.browser.test_review import let_in, reviewed
from tests.browser.test_the_tablet_at_the_door import door, opens, sent
from tests.support.town import Town

__all__ = ["door", "reviewed"]
LANGUAGES = ("zh", "en")
BROWSER = {"zh": "zh-CN", "en": "en"}
WANG_MUCHEN = 4
"""The place of this child in the list: nobody else has these initials."""


@pytest.fixture
def sits_down(site, new_page):
    """A function that opens the browser of a signed-in person: `sits_down(actor, "en", "/staff/queue")`."""

    def sit(actor, language, address):
        page = new_page(language=BROWSER[language])
        let_in(site, page, actor)
        found = KeyboardDesk(page)
        found.goes_to(f"{address}?lang={language}")
        return found

    return sit


def stage_of(site, name):
    with site.session() as session:
        listed = session.scalars(select(Application)).all()
        return next(each.stage for each in listed if each.child.name == name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_queue_what_agrees_in_one_act_and_a_return_that_is_taken_back(site, reviewed, sits_down, language):
    clerk = sits_down(reviewed.clerk, language, "/staff/queue")
    clerk.enters("a[href$='/staff/queue/matched']")
    clerk.enters("main form[action$='/queue/matched'] button")  # draws the sample
    clerk.enters("main form[action$='/open'] button")
    clerk.turns("Enter")  # looked at: back to the sample
    clerk.enters("main form[action$='/confirm'] button")
    assert (stage_of(site, "王小雨"), stage_of(site, "李沐晨")) == ("confirmed", "submitted")
    clerk.goes_to("/staff/queue")
    clerk.turns("n")
    clerk.page.keyboard.press("4")
    expect(clerk.page.locator(".fact.on input[value=return]")).to_be_checked()
    clerk.turns("r")
    clerk.page.locator("[data-send]").wait_for()
    assert clerk.page.locator(".return-item [type=checkbox]:checked").count() == 1, "ticked from the verdict"
    clerk.chooses_at(".return-item:has([type=checkbox]:checked) .phrases input")
    expect(clerk.page.locator("[data-preview] li")).to_have_count(1)
    clerk.enters("[data-send]")
    assert stage_of(site, "李沐晨") == "returned"
    clerk.goes_to("/staff/queue?group=returned")
    clerk.enters("tr[data-line] a.code, tr[data-line] a")
    clerk.enters("main form[action$='/send-back/undo'] button")
    assert stage_of(site, "李沐晨") == "in_review", "within two minutes nobody has learned of it"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_fault_of_a_sample_is_written_down_and_goes_to_those_that_are_opened(site, reviewed, sits_down, language):
    clerk = sits_down(reviewed.clerk, language, "/staff/queue/matched")
    clerk.enters("main form[action$='/queue/matched'] button")
    clerk.enters("main form[action$='/open'] button")
    clerk.writes_in("[name='fault-text']", "生日和户口簿不同")
    clerk.enters("main form[action$='/fault'] button")
    expect(clerk.page.locator("main form[action$='/open']")).to_have_count(0)
    clerk.enters("main form[action$='/confirm'] button")
    assert stage_of(site, "王小雨") == "submitted"
    clerk.goes_to("/staff/queue")
    expect(clerk.page.locator("a[href$='/staff/queue/matched']")).to_have_count(0)


@pytest.fixture
def garden(site, now):
    """A kindergarten with a plan of one class and a roll; its clerk and head, and its area's official."""
    with site.session() as session:
        town = Town(session, now)
        town.here = town.kindergarten("锦官新城幼儿园", places=25)
        town.child_on_roll(town.here, "安娜娜", id_number="510104202112012011", born=dt.date(2021, 12, 1))
        town.clerk, town.head = town.clerk_of(town.here), town.head_of(town.here)
        town.official = town.area_official()
        session.commit()
        yield town


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_ledger_from_a_proposal_to_the_area_and_back(site, garden, sits_down, language):
    clerk = sits_down(garden.clerk, language, "/staff/places")
    clerk.enters("a[href*='/staff/places/lower?']")
    clerk.writes_in("#planned_classes", "2")
    clerk.writes_in("#staffed_classes", "2")
    clerk.writes_in("#withheld", "51")
    clerk.writes_in("#reason", "新开一个小班")
    clerk.enters("main form[action*='/places/lower'] button[type=submit]:not(.quiet)")
    expect(clerk.page.locator(".govuk-error-summary")).to_contain_text("51")
    clerk.writes_in("#withheld", "0")
    clerk.enters("main form[action*='/places/lower'] button[type=submit]:not(.quiet)")
    expect(clerk.page.locator("main")).to_contain_text("50")
    official = sits_down(garden.official, language, f"/officials/2026/places/{garden.here.id}")
    official.enters("main form[action$='/approve'] button")
    with site.session() as session:
        assert session.scalars(select(PlanProposal.decision)).all()[-1] == "approved"
    official.goes_to(f"/officials/2026/places/{garden.here.id}")
    official.enters("a[href$='/day']")
    expect(official.page.locator(".receipt .total b").first).to_have_text("50")
    clerk.goes_to("/staff/places")
    expect(clerk.page.locator("h1")).to_contain_text("50")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_roll_a_class_a_child_a_change_and_a_leaving(site, garden, sits_down, language):
    clerk = sits_down(garden.clerk, language, "/staff/roll")
    clerk.writes_in("#class_name", "中三班")
    clerk.reaches("#level")
    clerk.page.locator("#level").select_option("middle")
    clerk.chooses_at("[name=kept_as][value=rows]")
    clerk.enters("main form[action*='/staff/roll'][method=post] button")
    expect(clerk.page.locator("h1")).to_contain_text("中三班")
    clerk.writes_in("#name", "彭朋")
    clerk.writes_in("#born", "2021-05-05")
    clerk.enters("main form:has(#id_number) button")
    with site.session() as session:
        peng = next(each for each in session.scalars(select(RollChild)) if each.name == "彭朋")
        old = session.get_one(RollClass, peng.class_id)
        other = session.scalars(select(RollClass).where(RollClass.name == "中二班")).one()
    clerk.enters(f"a[href*='/roll/children/{peng.id}/class']")
    clerk.reaches("#to_class")
    clerk.page.locator("#to_class").select_option(str(other.id))
    clerk.enters("main form[method=post] button")
    clerk.goes_to(f"/staff/roll/classes/{other.id}")
    expect(clerk.page.locator("main")).to_contain_text("彭*")
    with site.session() as session:
        rows = [each for each in session.scalars(select(RollChild)) if each.name == "彭朋"]
        assert {each.class_id for each in rows} == {old.id, other.id}
        there = next(each for each in rows if each.left_on is None)
    clerk.enters(f"a[href*='/roll/children/{there.id}/leave']")
    clerk.enters("main form[method=post] button")
    with site.session() as session:
        assert session.get_one(RollChild, there.id).left_on is not None


HERE = """() => [...document.querySelectorAll('.desks [aria-current]')].every((here) => {
  const at = here.getBoundingClientRect(), row = here.closest('ul').getBoundingClientRect();
  return at.left >= row.left && at.right <= row.right;
})"""


@pytest.mark.parametrize("language", LANGUAGES)
def test_on_a_phone_the_section_of_the_page_is_seen_in_the_row_of_sections(site, door, new_page, language):
    page = new_page(phone=True, language=BROWSER[language])
    clerk = opens(site, page, door.clerk, f"/staff?lang={language}")
    for address in ("", "/queue", "/arrivals", "/desk"):
        clerk.goto(f"/staff{address}?lang={language}")
        expect(clerk.locator(".desks [aria-current]").last).to_be_visible()
        assert clerk.evaluate(HERE), address


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_door_on_a_tablet_with_a_keyboard(site, door, new_page, language):
    page = new_page(language=BROWSER[language])
    page.set_viewport_size({"width": 820, "height": 1180})
    clerk = KeyboardDesk(opens(site, page, door.clerk, f"/staff/arrivals?lang={language}"))
    clerk.looks()
    assert page.evaluate(
        "[...document.querySelectorAll('.desks a')].every((each) => each.getBoundingClientRect().right <= 820)"
    ), "no entry of the navigation is cut"
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.insert_text("WMC")
    child = f'#door [data-offer="{door.offers[WANG_MUCHEN]}"]'
    expect(page.locator(f"{child} details")).to_have_attribute("open", "")
    for check in ("health", "vaccination", "pickup"):
        clerk.ticks_at(f"{child} [data-check={check}]")
    clerk.looks()
    clerk.reaches(f"{child} .arr")
    page.keyboard.press("Enter")
    expect(page.locator("#undo")).to_be_visible()
    expect(page.locator("#q")).to_be_focused()
    sent(page)
    clerk.looks()
    with site.session() as session:
        assert session.get_one(Offer, door.offers[WANG_MUCHEN]).state == "arrived"
        assert session.scalar(select(func.count()).where(ArrivalCheck.pickup_on.is_not(None))) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_with_names_goes_through_two_people(site, garden, sits_down, language):
    clerk = sits_down(garden.clerk, language, "/staff/reports")
    clerk.enters("a.card[href*='/reports/gaps']")
    clerk.goes_to("/staff/reports/roll_file")
    clerk.enters("a[href*='roll_file/file.xlsx']")
    clerk.writes_in("#reason", "核对")
    clerk.enters("main form button")
    head = sits_down(garden.head, language, "/staff/reports")
    head.enters("main form:has([name=agree]) button")
    with site.session() as session:
        export = session.scalars(select(ReportExport)).one()
        assert export.agreed and export.decided_by == garden.head.account_id
    clerk.goes_to("/staff/reports")
    clerk.reaches(f"a[href*='{export.id}/file.xlsx']")
    with clerk.page.expect_download() as coming:
        clerk.page.keyboard.press("Enter")
    assert coming.value.suggested_filename.startswith("roll_file-")
