"""What the pages say of a family's chances: while it may choose, before there is an estimate, after the deadline, and not after the freeze."""

import datetime as dt
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from allocation.simulation import Chance
from enrollment.chances.family_chances import Odds, SiblingChances
from portal.text.words import table, word
from tests.portal.parents.desk import hidden
from tests.portal.parents.test_every_page import CHINESE, NAMES, words_of
from tests.support.crowd import crowd
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in

LANGUAGES = ("zh", "en")
ELSEWHERE = {"home_area": "510105", "hukou_area": "510105"}


@prepared
def gardens(town):
    """A hot kindergarten and a quiet one, 300 families, and a child who wishes for the hot one."""
    town.hot = town.kindergarten("金苹果", places=50)
    town.quiet = town.kindergarten("公园", places=300)
    town.open_registration()
    return town


def said(client, application, language="zh", page="wishes") -> str:
    answer = client.get(f"/parents/applications/{application.id}/{page}", query_string={"lang": language})
    assert answer.status_code == 200
    if language == "en":
        assert not CHINESE.findall(NAMES.sub("", words_of(answer.text)))
    return " ".join(BeautifulSoup(answer.text, "lxml").find("main").get_text(" ").split())


WORDS = {
    "zh": {
        "at": "机会： 较小 （17–23 / 100）",
        "over": "机会： 很大 （99 / 100 以上）",
        "place": "2 所至少录取一所： 99 / 100 以上",
        "more": "公园 锦江区 · 公办 加上后，至少录取一所： 99 / 100 以上",
        "what": "“机会”是 100 次抽签里够得上这所园录取线的次数，排第几都一样。",
        "from": "用 5月22日 已登记的 251 个家庭模拟 1 000 次抽签得出，5月29日 18:00 前每天更新；之后还会有家庭登记，机会可能变小。最终以公开抽签为准。",
        "later": "录取机会的估计从 5月23日 04:30 起可以看到，之后每天更新。",
        "last": "录取机会的估计在登记截止后可以看到。",
        "few": "登记的家庭还不多（100 个），机会还估不准。每天早上更新。",
        "closed": "用 5月22日 已登记的 251 个家庭模拟 1 000 次抽签得出。最终以审核和公开抽签为准。",
        "deadline": "用截止时登记的 251 个家庭模拟 1 000 次抽签得出（5月29日）。",
        "binding": "按现在的志愿模拟：捆绑，一起录取",
        "together": "100 次抽签里",
        "rule": "一起录取，或者一起看下一个志愿",
        "any": "机会",
    },
    "en": {
        "at": "Chance: small (17–23 in 100)",
        "over": "Chance: very good (over 99 in 100)",
        "place": "Chance of a place at one of these 2: over 99 in 100",
        "more": "公园 Jinjiang · Public With it, chance of a place: over 99 in 100",
        "what": "A chance says in how many of 100 draws your child meets the line there, wherever the wish stands in your list.",
        "from": "From 1 000 simulated draws of the 251 families that had applied on 22 May, new every day until 29 May, 18:00.",
        "later": "An estimate of your chances will be here from 23 May, 04:30, and new every day.",
        "last": "An estimate of your chances will be here after the deadline.",
        "few": "Only a few families have applied (100), too few to estimate chances. Updated every morning.",
        "closed": "From 1 000 simulated draws of the 251 families that had applied on 22 May. The review",
        "deadline": "From 1 000 simulated draws of the 251 families that had applied by the deadline (29 May).",
        "binding": "Simulated for the wishes as they stand: bound, a place together",
        "together": "In 100 draws",
        "rule": "Each wish admits all, or all go on to the next wish",
        "any": "Chance",
    },
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_wish_shows_its_chance_and_all_together_what_one_more_would_add(client, gardens, language):
    words = WORDS[language]
    crowd(gardens, 250, gardens.hot, gardens.quiet)
    ana = gardens.child("安娜", wishes=[gardens.hot], hukou_area="510105")
    gardens.estimate_chances()
    sign_in(client, ana.entered_by)
    page = said(client, ana, language)
    for what in ("at", "more", "what", "from"):
        assert words[what] in page
    assert words["place"] not in page  # one wish alone says it already
    gardens.wish(ana, gardens.hot, gardens.quiet)
    page = said(client, ana, language)
    for what in ("at", "over", "place"):
        assert words[what] in page
    assert "加上后" not in page and "With it" not in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_before_there_is_an_estimate_the_page_says_when(client, gardens, frozen_clock, language):
    words = WORDS[language]
    ana = gardens.child("安娜", wishes=[gardens.hot], submit=False)
    sign_in(client, ana.entered_by)
    assert words["later"] in said(client, ana, language)
    crowd(gardens, 100, gardens.hot)
    gardens.estimate_chances()
    page = said(client, ana, language)
    assert words["few"] in page and words["later"] not in page
    gardens.wish(ana)
    assert words["few"] not in said(client, ana, language)  # nothing is wished for yet


def test_on_the_last_day_the_first_estimate_comes_after_the_deadline(client, gardens, frozen_clock):
    ana = gardens.child("安娜", wishes=[gardens.hot], submit=False)
    frozen_clock.set(gardens.the_round.closes_at - dt.timedelta(hours=1))
    sign_in(client, ana.entered_by)
    for language in LANGUAGES:
        assert WORDS[language]["last"] in said(client, ana, language)


def test_after_the_deadline_the_last_estimate_stays_until_the_freeze(client, gardens, frozen_clock):
    crowd(gardens, 250, gardens.hot, gardens.quiet)
    ana = gardens.child("安娜", wishes=[gardens.hot, gardens.quiet], **ELSEWHERE)
    gardens.estimate_chances()
    gardens.close_registration()
    frozen_clock.set(gardens.now)
    sign_in(client, ana.entered_by)
    for language in LANGUAGES:
        page = said(client, ana, language)
        for what in ("at", "over", "place", "closed"):
            assert WORDS[language][what] in page
        assert "加上后" not in page and "With it" not in page
    gardens.estimate_chances()
    for language in LANGUAGES:
        assert WORDS[language]["deadline"] in said(client, ana, language)
    gardens.the_round.stage = "frozen"
    for language in LANGUAGES:
        assert WORDS[language]["any"] not in said(client, ana, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_fam16_what_twins_are_told_of_their_chances_is_derived_from_the_measurement(client, gardens, language):
    crowd(gardens, 250, gardens.hot, gardens.quiet)
    ana, ben = gardens.twins("安娜", "本子", wishes=[gardens.hot], **ELSEWHERE)
    sign_in(client, ana.entered_by)
    claims = set(table()["bond_chance"])
    unmeasured = said(client, ana, language, "together")
    assert WORDS[language]["rule"] in unmeasured and WORDS[language]["together"] not in unmeasured
    gardens.estimate_chances()
    told = gardens.chances_of(ana, siblings=(ben,)).together
    assert told.larger == "same", "adjacent tickets: the two choices differ by less than the error"
    sentence = table()["bond_chance"]["same"][language]
    for page in ("wishes", "together"):
        assert sentence in said(client, ana, language, page)
        assert sentence not in unmeasured
    bound, apart = told.splits
    page = said(client, ana, language, "together")
    assert WORDS[language]["together"] in page
    assert sum(vars(bound).values()) == sum(vars(apart).values()) == 100
    assert claims == {"same", "bound", "separate"}
    gardens.separate(ana)
    assert WORDS[language]["together"] in said(client, ana, language, "together")


@pytest.mark.parametrize(
    ("bound", "one", "larger", "difference"),
    [(500, 510, "same", 1), (400, 500, "separate", 10), (500, 400, "bound", 10)],
)
def test_fam16_a_difference_beyond_the_error_is_told_with_its_size(bound, one, larger, difference):
    of = {
        "bound": Odds(Chance(bound, 1000)),
        "separate": Odds(Chance(350, 1000)),
        "separate_one": Odds(Chance(one, 1000)),
    }
    chances = SiblingChances(**of, separate_all=Chance(370, 1000))
    assert (chances.larger, chances.difference) == (larger, difference)
    assert word("bond_chance", larger, in_language="zh", n=difference) != ""
    assert (chances.splits[1].same, chances.splits[1].apart) == (35, 2)


def test_fam16_no_page_or_word_claims_a_chance_for_twins_of_its_own():
    """Sentences about the chances of bound children stand in `bond_chance` alone, which a measurement chooses."""
    texts = [
        text
        for group, codes in table().items()
        if group != "bond_chance"
        for words in codes.values()
        for text in words.values()
    ]
    texts += [file.read_text("utf-8") for file in (Path(__file__).parents[3] / "templates").rglob("*.html")]
    claim = re.compile(r"(捆绑|分开)[^。”]*机会[^。”]*(更大|更小|略小|相同)")
    assert [text for text in texts if claim.search(text)] == []


def test_a_list_that_was_refused_shows_its_own_chances(client, gardens):
    crowd(gardens, 250, gardens.hot, gardens.quiet)
    ana = gardens.child("安娜", wishes=[gardens.hot], **ELSEWHERE)
    gardens.estimate_chances()
    sign_in(client, ana.entered_by)
    path = f"/parents/applications/{ana.id}/wishes"
    twice = [str(gardens.programme_of(gardens.quiet).id)] * 2
    answer = client.post(path, data=hidden(client.get(path)) | {"wish": twice, "act": "order"})
    page = " ".join(BeautifulSoup(answer.text, "lxml").find("main").get_text(" ").split())
    assert "下面的顺序还没有保存" in page
    assert page.count(WORDS["zh"]["over"]) == 2 and WORDS["zh"]["at"] not in page


def test_the_finder_of_a_family_is_sorted_by_its_own_chance_and_says_what_it_does_not_know(client, gardens):
    """The nearest first without an estimate; with one the quiet kindergarten comes first, and one without places last."""
    ana = gardens.child("安娜", wishes=[gardens.hot], submit=False, **ELSEWHERE)
    gardens.session.commit()
    sign_in(client, ana.entered_by)
    address = f"/parents/applications/{ana.id}/wishes/add?sort=chance"

    def shown():
        main = BeautifulSoup(client.get(address).text, "lxml").find("main")
        return [each.get_text(strip=True) for each in main.select(".finds h2 a")], main.get_text()

    before, text = shown()
    assert "今年的机会还没有估计" in text and "今年机会大的在前" not in text.split("今年的机会还没有估计")[0]
    crowd(gardens, 250, gardens.hot, gardens.quiet)
    gardens.estimate_chances()
    gardens.session.commit()
    after, text = shown()
    assert set(before) == set(after)
    assert after.index(gardens.quiet.name) < after.index(gardens.hot.name)
    assert "离家近的 60 所按今年的机会排" in text
    assert "sort=chance" not in client.get("/kindergartens").text, "a stranger has no chance of its own"
    assert client.get("/kindergartens?sort=chance").status_code == 200
