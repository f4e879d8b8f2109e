"""The search: what fits best comes first, from where it is near, and work that does not grow with the city."""

import sys

from enrollment.places import finder
from enrollment.places.distances import minutes_on_foot
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.search import named_places
from enrollment.places.search.named_places import NamedPlace, Start
from enrollment.places.search.site_index import Order, Question, SiteIndex, site_index
from tests.support.prepared import prepared

HOME = Start(104.080, 30.650)


@prepared
def city(town):
    here = {"longitude": 104.0800, "latitude": 30.6500}
    town.kindergarten("锦官新城幼儿园", street="锦官驿街道", phone="028-85550001", places=5, fee=600, **here)
    town.kindergarten("新城锦官苑幼儿园", street="三圣街道", fee=400, longitude=104.081, latitude=30.652)
    serving = town.kindergarten("桐梓林幼儿园", street="玉林街道", nature="inclusive", fee=None)
    town.service_area(serving, "estate", "锦官名邸")
    town.kindergarten("锦江区音乐幼儿园", area="510107", street="玉林街道", longitude=104.2, latitude=30.65)
    return town


def names(city, words="", **more):
    return [each.kindergarten.name for each in finder.search(city.session, Question(words, **more), year=2026)]


def test_a_name_that_begins_so_comes_before_the_street_and_the_estates_served(city):
    assert names(city, "锦官") == ["锦官新城幼儿园", "新城锦官苑幼儿园", "桐梓林幼儿园"]
    assert names(city, "jinguan")[:2] == ["锦官新城幼儿园", "新城锦官苑幼儿园"]
    assert names(city, "jgxc") == ["锦官新城幼儿园"]


def test_by_telephone_estate_and_every_reading(city):
    assert names(city, "8555 0001") == names(city, "028-85550001") == ["锦官新城幼儿园"]
    assert names(city, "锦官名邸") == ["桐梓林幼儿园"]
    assert names(city, "yinyue") == names(city, "yinle") == ["锦江区音乐幼儿园"]
    assert names(city, "玉林 jinjiang") == ["锦江区音乐幼儿园", "桐梓林幼儿园"]


def test_as_it_is_typed_full_width_joined_spaced_or_as_a_district_is_called(city):
    assert names(city, "ｊｉｎｇｕａｎ")[:2] == names(city, "jin guan")[:2] == ["锦官新城幼儿园", "新城锦官苑幼儿园"]
    assert names(city, "８５５５") == ["锦官新城幼儿园"]
    city.kindergarten("郫都区第一幼儿园", area="510117")
    assert names(city, "pidu") == names(city, "pi du") == ["郫都区第一幼儿园"]


def test_the_nearest_first_and_within_a_walk(city):
    near = finder.search(city.session, Question(start=HOME), year=2026)
    assert [(each.kindergarten.name, each.metres) for each in near][:2] == [
        ("锦官新城幼儿园", 0),
        ("新城锦官苑幼儿园", 242),
    ]
    assert near.items[1].minutes == minutes_on_foot(242) == 5
    assert near.items[-1].metres is None
    assert names(city, start=HOME, within=20) == ["锦官新城幼儿园", "新城锦官苑幼儿园"]
    assert names(city, order=Order.FEE)[0] == "新城锦官苑幼儿园"


def test_each_choice_says_how_many_it_would_find_and_which_condition_emptied_the_list(city):
    found = finder.search(city.session, Question(nature="inclusive", area="510107"), year=2026)
    assert found.total == 0
    assert found.counts.without == {"nature": 1, "area": 1}
    assert (found.counts.areas["510104"], found.counts.natures["public"]) == (1, 1)
    assert finder.search(city.session, Question(), year=2026).counts.levels["lower"] == 1


def test_a_street_is_suggested_to_measure_from_and_a_listed_point_counts_more_than_the_kindergartens_on_it(city):
    yulin = finder.search(city.session, Question("玉林"), year=2026).suggested
    assert [(each.name, each.area, round(each.longitude, 3)) for each in yulin] == [("玉林街道", "510107", 104.2)]
    city.session.add(
        NamedPlace(
            area_code="510107",
            kind="street",
            name="玉林街道",
            sort_key="yu lin jie dao",
            longitude=104.06,
            latitude=30.63,
        )
    )
    city.session.flush()
    [there] = named_places.points_of(city.session).suggested("yulin")
    assert (there.longitude, there.code) == (104.06, "510107:street:玉林街道")
    assert named_places.start_of(city.session, there.code) == there
    assert named_places.start_of(city.session, "510107:road:玉林街道") is None


def work(index: SiteIndex, words: str) -> int:
    """Calls of functions, written in Python or not, during one search."""
    calls = 0

    def count(_frame, event, _argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        index.matching(words)
    finally:
        sys.setprofile(None)
    return calls


def test_a_search_in_a_city_of_3000_works_no_more_than_in_one_of_300(city):
    listed = list(site_index(city.session).listed)

    def grown(number: int) -> SiteIndex:
        others = [
            Kindergarten(
                code=f"x{at}", name=f"第{at}号园", sort_key=f"di {at} hao yuan", nature="public", area_code="510104", area=listed[0].area
            )
            for at in range(number)
        ]  # fmt: skip
        return SiteIndex([*listed, *others], {}, {})

    small, large = grown(300), grown(3000)
    for words in ("锦官", "jgxc", "xin cheng", "锦官 8555", "没有这样的", "8555"):
        assert work(small, words) == work(large, words), words
        assert list(small.matching(words)[0]) == list(large.matching(words)[0])
