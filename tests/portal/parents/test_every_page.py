"""Every page of a family opens in both languages; the client looks at each of them."""

import itertools
import re

from bs4 import BeautifulSoup

from enrollment.applications import lifecycle
from enrollment.applications.returned_items import ReturnedItem
from enrollment.people import invitations
from tests.support.signing_in import sign_in

CHINESE = re.compile(r"[\u4e00-\u9fff]")
LANGUAGES = ("zh", "en")
NAMES = re.compile(
    "家长|小杨|李大|安娜|本子|李|王|金苹果|公园|三圣街道|锦江区|主批次|中文|模拟数据|成都市幼儿园统一招生|街道|号"
)


def words_of(page: str) -> str:
    """What a reader sees, without names of people and places and what says that it is Chinese."""
    soup = BeautifulSoup(page, "lxml")
    for element in soup.select("script, style, [lang=zh-CN], datalist"):
        if element.name != "html":
            element.decompose()
    return soup.find("main").get_text(" ") if soup.find("main") else ""


def open_pages(client, paths) -> list[tuple[str, str]]:
    """Open each page in both languages; returns the links on them, each with its page."""
    links = []
    for language, path in itertools.product(LANGUAGES, paths):
        answer = client.get(path, query_string={"lang": language})
        assert answer.status_code == 200, path
        links += [(path, link["href"]) for link in BeautifulSoup(answer.text, "lxml").select("a[href]")]
        if language == "en":
            left = CHINESE.findall(NAMES.sub("", words_of(answer.text)))
            assert not left, (path, "".join(left))
    return links


def pages_of(application) -> list[str]:
    start = f"/parents/applications/{application.id}"
    names = [
        "child",
        "household",
        "grounds",
        "evidence",
        "wishes",
        "wishes/add",
        "check",
        "tasks",
        "withdraw",
        "invite",
    ]
    return ["/parents", start, *(f"{start}/{name}" for name in names)]


def test_a_new_family_sees_how_to_begin(client, town):
    town.round()
    family = town.family("李")
    sign_in(client, family.account)
    paths = ["/parents", "/parents/guardian", "/parents/consent", "/parents/children/new", "/parents/dispute"]
    open_pages(client, [*paths, "/parents/messages", "/parents/data", "/parents/consent/withdraw"])


def test_before_a_season_is_opened_the_desk_says_so(client, town):
    sign_in(client, town.family("李").account)
    open_pages(client, ["/parents"])
    assert client.get("/parents/children/new").status_code == 404


def test_the_pages_of_a_draft(client, town):
    garden = town.kindergarten("金苹果", places=2)
    ana = town.child("安娜", wishes=[garden], grounds={"elder_sibling": garden}, submit=False)
    sign_in(client, ana.entered_by)
    open_pages(client, pages_of(ana))


def test_the_pages_of_a_handed_in_application(client, town):
    garden, park = town.kindergarten("金苹果", places=2), town.kindergarten("公园", places=2)
    ana = town.child("安娜", wishes=[garden])
    town.wish(ana, park, garden)
    sign_in(client, ana.entered_by)
    start = f"/parents/applications/{ana.id}"
    open_pages(client, [*pages_of(ana), f"{start}/receipts/1", f"{start}/receipts/2", "/parents/messages"])


def test_the_pages_of_twins_and_an_elder_sibling(client, town):
    garden = town.kindergarten("金苹果", places=2)
    li = town.family("李")
    town.round(levels=["lower", "middle"])
    ana, ben = town.twins("安娜", "本子", family=li, wishes=[garden])
    town.child("李大", family=li, level="middle")
    sign_in(client, li.account)
    open_pages(client, ["/parents", f"/parents/applications/{ana.id}/together", *pages_of(ben)])


def test_the_page_of_a_returned_application_names_each_item(client, town):
    garden = town.kindergarten("金苹果", places=2)
    ana = town.child("安娜", wishes=[garden])
    clerk = town.clerk_of(garden)
    ana.reviewer_id = clerk.account_id
    lifecycle.make(town.session, ana, "take", by=clerk, now=town.now)
    for item in ("hukou_booklet", "home_place", "born", "sibling_at", "other"):
        town.session.add(
            ReturnedItem(application_id=ana.id, item=item, note="", asked_at=town.now, asked_by=clerk.account_id)
        )
    lifecycle.make(town.session, ana, "send_back", by=clerk, now=town.now)
    sign_in(client, ana.entered_by)
    open_pages(client, pages_of(ana))
    links = BeautifulSoup(client.get("/parents").text, "lxml").select(".card.now li a")
    assert [link["href"].rpartition("/")[2] for link in links] == [
        "child",
        "household",
        "evidence#paper-hukou_booklet",
        "evidence",
        "grounds",
    ]


def test_after_the_deadline_the_pages_still_open_and_say_it(client, town, frozen_clock):
    garden = town.kindergarten("金苹果", places=2)
    ana = town.child("安娜", wishes=[garden], submit=False)
    frozen_clock.now = town.the_round.closes_at
    sign_in(client, ana.entered_by)
    open_pages(client, pages_of(ana))
    assert "登记已于 5月29日 18:00 截止，这份草稿没有提交" in client.get("/parents?lang=zh").text


def test_a_withdrawn_application_can_be_taken_up_again(client, town):
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)])
    town.withdraw(ana)
    sign_in(client, ana.entered_by)
    open_pages(client, ["/parents", f"/parents/applications/{ana.id}"])


def test_an_invitation_waits_for_its_guardian(client, town):
    ana, father = town.child("安娜"), town.family("王")
    made = invitations.invite(town.session, ana.child_id, father.phone, by=town.parent_of(ana), now=town.now)
    sign_in(client, father.account)
    open_pages(client, ["/parents", f"/parents/invitations/{made.id}", "/parents/messages"])
