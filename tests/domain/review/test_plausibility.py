"""What looks hardly plausible: hints with their values, and verdicts that are remembered."""

import datetime as dt
import io

import pytest
from PIL import Image, ImageDraw, ImageFont
from sqlalchemy import select

from enrollment.applications.elder_siblings import Elder
from enrollment.eligibility import claims, evidence, households
from enrollment.ground import city_time
from enrollment.ground.errors import NotFound, Refused
from enrollment.people import likeness
from enrollment.people.duplicate_rows import DuplicateHint
from enrollment.review.plausibility import verdicts
from enrollment.review.plausibility.hints import hints_of
from enrollment.review.plausibility.rows import Hint, HintVerdict
from enrollment.season.facts import Ground
from tests.support.prepared import prepared

BORN = dt.date(2023, 3, 8)
FLAT = {"home_address": "静安路 8 号 3 栋 2 单元 502 室", "home_estate": "静安苑"}


def paper(colour: str) -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (60, 80), colour).save(drawn, "PNG")
    return drawn.getvalue()


@prepared
def here(town):
    kindergarten = town.kindergarten("锦官新城幼儿园", places=10)
    town.open_registration()
    return kindergarten


def told(town, application) -> dict[Hint, tuple[str, ...]]:
    return {found.hint: found.values for found in hints_of(town.session, application)}


def test_each_hint_names_the_values_it_rests_on(town, here):
    family = town.family("李", born=dt.date(2008, 5, 4), home_owned=True)
    ana = town.child("安娜", family=family, born=BORN, wishes=[here])
    parent = town.parent_of(ana)
    assert told(town, ana) == {Hint.PARENT_TOO_YOUNG: ("mother", "2008", "2023")}
    later = city_time.today(town.now)
    moved = {"hukou_since": later, "home_address": "武侯区静安路 8 号", "residence_permit_area": "510107"}
    households.save(town.session, ana.id, by=parent, now=town.now, **moved)
    elder = Elder("李大", "", BORN - dt.timedelta(days=200))
    claims.set_claims(town.session, ana.id, {Ground.ELDER_SIBLING: here.code}, elder=elder, by=parent, now=town.now)
    evidence.add_pages(town.session, ana.id, "rental_record", [paper("white")], by=parent, now=town.now)
    found = told(town, ana)
    assert found[Hint.SIBLING_TOO_CLOSE] == (str(elder.born), str(BORN))
    assert found[Hint.HOME_OTHER_AREA] == ("锦江区", "武侯区")
    assert found[Hint.PERMIT_ELSEWHERE] == ("武侯区", "锦江区")
    assert found[Hint.OWNED_WITH_LEASE] == ()
    assert found[Hint.HUKOU_SINCE_OPENING][0] == str(later)
    evidence.add_pages(town.session, ana.id, "property_certificate", [paper("red")], by=parent, now=town.now)
    households.save(town.session, ana.id, by=parent, now=town.now, home_owned=False, home_address="锦江区静安路 8 号")
    found = told(town, ana)
    assert Hint.RENTED_WITH_DEED in found
    assert not found.keys() & {Hint.OWNED_WITH_LEASE, Hint.HOME_OTHER_AREA}


def test_two_families_at_one_flat_or_with_one_file_are_a_pair_and_one_family_is_none(town, here):
    ana = town.child("安娜", wishes=[here], **FLAT)
    bo = town.child("王波", wishes=[here], home_estate="静安苑", home_address="静安路8号3幢2单元502")
    for one in (ana, bo):
        evidence.add_pages(town.session, one.id, "hukou_booklet", [paper("blue")], by=town.parent_of(one), now=town.now)
    own = town.family("李")
    twins = town.twins(
        "李明", "李亮", family=own, wishes=[here], home_estate="静安苑", home_address="静安路9号1栋101室"
    )
    assert told(town, ana) == {Hint.SHARED_HOME: (bo.registration_code,), Hint.SHARED_FILE: (bo.registration_code,)}
    assert told(town, twins[0]) == {}
    clerk = town.clerk_of(here)
    (home, file) = sorted(hints_of(town.session, ana), key=lambda each: each.hint, reverse=True)
    assert (home.hint, file.hint) == (Hint.SHARED_HOME, Hint.SHARED_FILE)
    judged = {"verdict": HintVerdict.EXPLAINED, "note": "合租，两份备案", "by": clerk, "now": town.now}
    verdicts.judge(town.session, ana.id, home.key, **judged)
    assert [each.hint for each in hints_of(town.session, bo) if each.is_open] == [Hint.SHARED_FILE]
    town.child("张三", wishes=[here], **FLAT)
    assert [each.other.code for each in hints_of(town.session, bo) if not each.is_open] == [ana.registration_code]


def form(words: str, *, width: int = 900, quality: int = 92) -> bytes:
    """A photo of a page of the residence book with these words, as a phone or a chat saves it."""
    page = Image.new("RGB", (900, 1200), (250, 249, 244))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(40)
    pen.rectangle((50, 50, 850, 1150), outline="black", width=3)
    for line in range(10):
        pen.line((50, 140 + 100 * line, 850, 140 + 100 * line), fill="black", width=2)
        pen.text((70, 160 + 100 * line), f"Item {line}   {words[3 * line : 3 * line + 11]}", font=font, fill="black")
    saved = io.BytesIO()
    page.resize((width, width * 4 // 3)).save(saved, "JPEG", quality=quality)
    return saved.getvalue()


def test_a_copy_that_was_saved_anew_is_a_pair_with_one_verdict_and_another_page_is_none(town, here):
    ana, bo, cy = (town.child(name, wishes=[here]) for name in ("安娜", "王波", "张三"))
    words = "AB12CD34EF56GH78IJ90KL12MN34OP56QR78ST90"
    pages = {ana: form(words), bo: form(words, width=640, quality=60), cy: form(words[::-1])}
    for one, page in pages.items():
        evidence.add_pages(town.session, one.id, "hukou_booklet", [page], by=town.parent_of(one), now=town.now)
    assert told(town, ana) == {Hint.SHARED_FILE: (bo.registration_code,)}
    assert told(town, cy) == {}
    (found,) = hints_of(town.session, bo)
    judged = {"verdict": HintVerdict.EXPLAINED, "note": "同住的表亲", "by": town.clerk_of(here), "now": town.now}
    verdicts.judge(town.session, bo.id, found.key, **judged)
    (again,) = hints_of(town.session, ana)
    assert (again.is_open, again.other.code) == (False, bo.registration_code), "one verdict for the unordered pair"


def test_a_verdict_stays_with_its_values_and_comes_back_when_they_change(town, here):
    ana = town.child("安娜", wishes=[here], home_address="武侯区静安路 8 号")
    clerk = town.clerk_of(here)
    (hint,) = hints_of(town.session, ana)
    with pytest.raises(Refused, match="verdict_missing"):
        verdicts.judge(town.session, ana.id, hint.key, verdict="same", note="", by=clerk, now=town.now)
    elsewhere = town.clerk_of(town.kindergarten("别处幼儿园", places=5))
    with pytest.raises(NotFound):
        verdicts.judge(town.session, ana.id, hint.key, verdict="explained", note="", by=elsewhere, now=town.now)
    for minute, verdict in enumerate(("explained", "doubtful")):
        at = town.now + dt.timedelta(minutes=minute)
        verdicts.judge(town.session, ana.id, hint.key, verdict=verdict, note=" 打过电话 ", by=clerk, now=at)
    for _again in range(3):
        (same,) = hints_of(town.session, ana)
        assert (same.is_open, same.is_doubtful, same.verdict.note) == (False, True, "打过电话")
    by = town.parent_of(ana)
    households.save(town.session, ana.id, by=by, now=town.now, home_address="成华区静安路 8 号")
    (changed,) = hints_of(town.session, ana)
    assert (changed.is_open, changed.earlier.verdict) == (True, "doubtful")
    with pytest.raises(Refused, match="hint_has_changed"):
        verdicts.judge(town.session, ana.id, hint.key, verdict="explained", note="", by=clerk, now=town.now)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("静安苑", "静安路 8 号 3 幢 2 单元 502 室"), ("静安苑", "静安路8号3栋2单元502"), True),
        (("静安苑", "静安苑3号楼502室"), ("静安苑", "3栋502号"), True),
        (("", "静安路８号３栋５０２室"), ("", "静安路8号 3座 502 室"), True),
        (("", "静安路 8 号 3 栋 502 室"), ("", "静安路 8 号 3 栋 503 室"), False),
        (("", "静安路 8 号 3 栋"), ("", "静安路 8 号 3 栋"), False),
        (("", "静安 5 巷 188 号"), ("", "静安 5 巷 188 号"), False),
    ],
)
def test_a_dwelling_is_known_down_to_its_room(one, other, same):
    keys = likeness.dwelling_key(*one), likeness.dwelling_key(*other)
    assert (keys[0] is not None and keys[0] == keys[1]) is same


def test_duplicates_are_found_by_sound_swapped_characters_or_a_wrong_day_and_twins_are_not(town, here):
    passport = {"id_kind": "passport"}
    alike = [
        ({"name": "李涵"}, {"name": "李晗", "number": "E10000001", **passport}),
        ({"name": "王子轩"}, {"name": "王轩子", "number": "E10000002", **passport}),
        (
            {"name": "赵小月"},
            {"name": "赵小月", "number": "E10000003", "born": BORN + dt.timedelta(days=3), **passport},
        ),
        ({"name": "Emma Chen"}, {"name": "Chen Emma", "number": "E10000004", **passport}),
    ]
    pairs = set()
    for one, other in alike:
        both = [town.child(each.pop("name"), born=each.pop("born", BORN), **each) for each in (one, other)]
        pairs.add(tuple(sorted(each.child_id for each in both)))
    for n in range(6):
        town.twins(
            f"孙一{'甲乙丙丁戊己'[n]}", f"孙二{'甲乙丙丁戊己'[n]}", born=BORN + dt.timedelta(days=n), bound=False
        )
    town.child("周大", born=BORN)
    town.child("周大", born=BORN + dt.timedelta(days=5))
    found = town.session.execute(select(DuplicateHint.child_a, DuplicateHint.child_b)).all()
    assert {tuple(each) for each in found} == pairs
