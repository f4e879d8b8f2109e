"""The page of a kindergarten begins with who asks for it and how far the last list went; small numbers are not told."""

from bs4 import BeautifulSoup
from sqlalchemy import select

from allocation.files.publication import FEW
from enrollment.chances.demand import Demand
from enrollment.results import last_lines
from tests.support.crowd import crowd
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in

CODE = "5101040001"


@prepared
def popular(town):
    found = town.kindergarten(
        "锦官新城幼儿园", code=CODE, places=10, longitude=104.08, latitude=30.65, phone="028-8666"
    )
    town.quiet = town.kindergarten("沙河幼儿园", code="5101040002", places=30)
    town.open_registration()
    return found


def main(client, path=f"/kindergartens/{CODE}"):
    return " ".join(BeautifulSoup(client.get(path).text, "lxml").find("main").get_text(" ").split())


def test_the_demand_of_the_day_is_told_from_ten_children_on(client, town, popular):
    for name in "甲乙丙丁戊己庚辛壬":
        town.child(f"安{name}", wishes=[popular])
    town.estimate_chances()
    assert "填它的孩子不到 10 个" in main(client)
    rows = town.session.scalars(select(Demand)).all()
    assert {(each.children, each.first, len(each.tiers)) for each in rows} == {(None, None, 0)}
    crowd(town, 20, popular, town.quiet)
    town.estimate_chances()
    page = main(client)
    assert "10 个学位，29 个孩子填了它，其中 29 个填在第 1 志愿" in page
    assert "20 个孩子填了它" in main(client, "/kindergartens/5101040002")


def test_tiers_are_told_without_the_small_ones_and_what_would_give_them_away(town, popular):
    for name in "甲乙丙":
        town.child(f"安{name}", wishes=[popular], grounds={"elder_sibling": popular})
    crowd(town, 25, popular)
    town.estimate_chances()
    [row] = town.session.scalars(select(Demand).where(Demand.children.is_not(None)))
    assert row.children == 28
    assert row.tiers == {}, "with two tiers the large one would give the small one away"


def test_drw03_the_difference_of_two_days_tells_nobodys_tier(client, town, popular):
    """Whoever knows that one child was added since yesterday learns neither a sensitive ground nor its absence."""
    crowd(town, 25, popular)
    crowd(town, 13, popular, grounds={"policy_care": {"policy_care": "martyr"}})
    told = []
    for grounds in (None, {"policy_care": {"policy_care": "martyr"}}, {}):
        if grounds is not None:
            crowd(town, 1, popular, grounds=grounds)
        town.estimate_chances()
        [row] = town.session.scalars(
            select(Demand).where(Demand.children.is_not(None)).execution_options(populate_existing=True)
        )
        told.append((row.children, row.tiers))
    assert [children for children, _tiers in told] == [38, 39, 40]
    tiers = [tiers for _children, tiers in told]
    assert tiers[0] == tiers[1] == tiers[2] and list(tiers[0].values()) == [20]
    assert "20+" in main(client)


def test_after_a_draw_the_page_says_how_far_the_list_went_and_how_many_asked(client, town):
    popular = town.kindergarten("锦官新城幼儿园", code=CODE, places=FEW + 1)
    town.kindergarten("沙河幼儿园", code="5101040002", places=3)
    for name in "甲乙丙丁戊己庚辛壬癸子丑":
        town.child(f"安{name}", wishes=[popular])
    town.estimate_chances()
    town.drawn()
    lines = last_lines.before(town.session, 2027)
    line = lines.of[popular.id, "lower"]
    assert (lines.year, lines.places[popular.id, "lower"]) == (2026, 6)
    assert lines.ease("lower")[popular.id] < 0
    page = main(client)
    assert "2026 年每 10 个学位，有 20 个孩子报名" in page
    assert f"到派位号 {line.ticket}" in page
    card = BeautifulSoup(client.get("/kindergartens?q=锦官").text, "lxml").select_one(".kg").get_text(" ", strip=True)
    assert "2.0 人" in card and f"派位号 {line.ticket}" in card
    easiest = BeautifulSoup(client.get("/kindergartens?sort=line").text, "lxml").select(".finds h2 a")
    assert [each.text for each in easiest] == ["沙河幼儿园", "锦官新城幼儿园"], "all who asked for it got in"


def test_call_navigate_and_add_as_a_wish(client, town, popular):
    ana = town.child("安娜", wishes=[town.quiet], submit=False)
    page = BeautifulSoup(client.get(f"/kindergartens/{CODE}").text, "lxml")
    assert page.select_one("a[href='tel:028-8666']") and page.select_one("a[href^='geo:30.65']")
    wish = page.select_one(".sticky a")["href"]
    assert client.get(wish).headers["Location"].startswith("/sign-in")
    sign_in(client, ana.entered_by)
    there = client.get(wish).headers["Location"]
    found = BeautifulSoup(client.get(there).text, "lxml")
    assert found.h1.get_text() == "锦官新城幼儿园"
    assert "加为第 2 志愿" in found.select_one("form.sticky").get_text(), "one tap, on the page itself"
