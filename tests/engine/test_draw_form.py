"""DRW02: a part of a seed has a declared form and one spelling; the seed is a hash of parts with their lengths."""

import copy
import datetime as dt
import hashlib
import itertools
import json

import pytest

from allocation import lottery
from allocation.draw_form import DrawForm, DrawFormError, FormFaultCode

COMMITMENT = hashlib.sha256(b"a frozen market").hexdigest()
DICE = {"kind": "integers", "count": 6, "least": 1, "most": 33, "distinct": True, "order": "drawn"}
BALLS = {
    "kind": "integers",
    "groups": [
        {"count": 6, "least": 1, "most": 33, "distinct": True, "order": "sorted"},
        {"count": 1, "least": 1, "most": 16, "distinct": True, "order": "drawn"},
    ],
    "name": "双色球",
    "issue": "2026064",
    "published_at": "2026-06-04T13:15:00Z",
}
BOTH = {"ceremony": DICE, "beacon": BALLS}


def codes(call, *arguments, **named):
    with pytest.raises(DrawFormError) as found:
        call(*arguments, **named)
    return [(fault.where, fault.code) for fault in found.value.faults]


def test_drw02_the_spellings_of_six_numbers_are_one_text():
    numbers = ["3", "08", "14", "２１", "027", "30"]
    separators = [" ", "  ", "\t", "\n", "\u3000", "\u00a0", ", ", "，", "、", "; "]
    spellings = {
        before + "".join(itertools.chain(*zip(numbers, (*gaps, ""), strict=True))) + after
        for gaps in itertools.product(separators[:3], repeat=5)
        for before, after in (("", ""), (" ", "\n"))
    } | {separator.join(numbers) for separator in separators}
    assert len(spellings) >= 406
    ceremony = DrawForm.parse(BOTH).ceremony
    assert {ceremony.canonical_text(each) for each in spellings} == {"3 8 14 21 27 30"}


def test_drw02_a_swapped_order_counts_only_where_the_form_says_so():
    form = DrawForm.parse(BOTH)
    assert form.beacon.canonical_text("30 27 21 14 08 03 ＋ 06") == "3 8 14 21 27 30 + 6"
    assert form.ceremony.canonical_text("30 27 21 14 8 3") == "30 27 21 14 8 3"


@pytest.mark.parametrize(
    ("entered", "fault"),
    [
        ("", "wrong_count"),
        ("1 2 3 4 5", "wrong_count"),
        ("1 2 3 4 5 6 7", "wrong_count"),
        ("1 2 3 4 5 34", "out_of_range"),
        ("0 2 3 4 5 6", "out_of_range"),
        ("1 2 3 4 5 5", "repeated"),
        ("1 2 3 4 5 05", "repeated"),
        ("1 2 3 4 5 -6", "not_a_number"),
        ("1 2 3 4 5 6.0", "not_a_number"),
        ("1 2 3 4 5 ²", "not_a_number"),
        ("1 2 3 4 5 ٦", "not_a_number"),
        ("1 2 3 4 5 6\u200b", "not_a_number"),
        ("1 2 3 4 5 六", "not_a_number"),
        ("1 2 3 4 5 " + "9" * 5000, "not_a_number"),
        ("1 2 3 + 4 5 6", "wrong_groups"),
    ],
)
def test_drw02_a_value_outside_its_form_has_a_fault(entered, fault):
    assert codes(DrawForm.parse(BOTH).ceremony.canonical_text, entered, "ceremony") == [("ceremony", fault)]


def test_all_faults_of_a_value_are_listed_with_their_places():
    with pytest.raises(DrawFormError) as found:
        DrawForm.parse(BOTH).ceremony.canonical_text("x 40 3 3 5", "ceremony")
    assert str(found.value).split("\n") == [
        "ceremony has 5 numbers in group 1, not 6",
        "ceremony has something that is not a number in group 1, place 1",
        "ceremony has a number outside 1 to 33 in group 1, place 2",
        "ceremony has a number twice in group 1, place 4",
    ]


def test_hexadecimal_digits_are_lower_case_without_spaces():
    beacon = DrawForm.parse({"ceremony": None, "beacon": {"kind": "hex", "digits": 6, "name": "drand"}}).beacon
    assert beacon.canonical_text(" 0AF 3ｂ９\n") == "0af3b9"
    assert codes(beacon.canonical_text, "0af3b", "beacon") == [("beacon", "wrong_digits")]
    assert codes(beacon.canonical_text, "0x f3b9", "beacon") == [("beacon", "not_hex")]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda form: form.update(ceremony=None, beacon=None), ("form", "no_part")),
        (lambda form: form.update(seed="0"), ("form.seed", "unknown_field")),
        (lambda form: form.update(ceremony=[1]), ("ceremony", "not_a_form")),
        (lambda form: form["ceremony"].update(kind="text"), ("ceremony.kind", "not_a_kind")),
        (lambda form: form["ceremony"].update(count=0), ("ceremony.count", "bad_number")),
        (lambda form: form["ceremony"].update(count=True), ("ceremony.count", "bad_number")),
        (lambda form: form["ceremony"].update(least=-1), ("ceremony.least", "bad_number")),
        (lambda form: form["ceremony"].update(least=5.0), ("ceremony.least", "bad_number")),
        (lambda form: form["ceremony"].update(most=0), ("ceremony.most", "bad_range")),
        (lambda form: form["ceremony"].update(most=5), ("ceremony.count", "too_few_to_be_distinct")),
        (lambda form: form["ceremony"].update(distinct="yes"), ("ceremony.distinct", "not_yes_or_no")),
        (lambda form: form["ceremony"].update(order="any"), ("ceremony.order", "not_an_order")),
        (lambda form: form["ceremony"].update(name="dice"), ("ceremony.name", "unknown_field")),
        (lambda form: form["beacon"]["groups"].__setitem__(1, 7), ("beacon.groups.2", "not_a_form")),
        (lambda form: form["beacon"].update(groups=[]), ("beacon.groups", "bad_groups")),
        (lambda form: form["beacon"]["groups"].pop(), ("beacon.groups", "bad_groups")),
        (lambda form: form["beacon"]["groups"][1].update(step=2), ("beacon.groups.2.step", "unknown_field")),
        (lambda form: form["beacon"].update(name=" "), ("beacon.name", "bad_text")),
        (lambda form: form["beacon"].update(name="双色\u202e球"), ("beacon.name", "bad_text")),
        (lambda form: form["beacon"].update(published_at="2026-06-04 21:15"), ("beacon.published_at", "bad_time")),
        (lambda form: form["beacon"].update(published_at="2026-06-31T13:15:00Z"), ("beacon.published_at", "bad_time")),
    ],
)
def test_a_form_with_a_fault_is_refused(change, fault):
    form = copy.deepcopy(BOTH)
    change(form)
    assert codes(DrawForm.parse, form) == [fault]


@pytest.mark.parametrize("given", [None, [], "form"])
def test_what_is_no_object_is_no_form(given):
    assert codes(DrawForm.parse, given) == [("form", "not_a_form")]


def test_the_time_of_a_beacon():
    form = DrawForm.parse(BOTH)
    assert form.beacon.published_time == dt.datetime(2026, 6, 4, 13, 15, tzinfo=dt.UTC)
    assert form.ceremony.published_time is None


def test_hexadecimal_digits_are_declared_as_they_were_given():
    declared = {"ceremony": {"kind": "hex", "digits": 6}, "beacon": None}
    assert DrawForm.parse(declared).declared() == declared


def test_a_part_that_is_not_of_its_form_gives_no_seed():
    """The faults are those of the value; a part that is neither declared nor given has none."""
    form = DrawForm.parse({"ceremony": DICE, "beacon": None})
    assert codes(lottery.seed_bytes_2, COMMITMENT, form, "", "1 2 3 4 5 34") == [("ceremony", "out_of_range")]
    assert len(lottery.seed_bytes_2(COMMITMENT, form, "", "1 2 3 4 5 33")) == 32


def test_a_form_is_its_declared_object_again():
    form = DrawForm.parse(BOTH)
    assert form.declared() == BOTH
    assert DrawForm.parse(json.loads(form.text())) == form
    assert form.text() == json.dumps(BOTH, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def test_the_number_of_possible_seeds():
    form = DrawForm.parse(BOTH)
    assert form.beacon.outcomes == 17_721_088  # of the lottery, as it publishes it
    assert form.ceremony.outcomes == 33 * 32 * 31 * 30 * 29 * 28
    assert form.outcomes == form.beacon.outcomes * form.ceremony.outcomes


def test_drw02_the_seed_is_the_hash_of_its_parts_with_their_lengths():
    form = DrawForm.parse(BOTH)
    beacon, ceremony = "3 8 14 21 27 30 + 6", "30 27 21 14 8 3"
    hashed = hashlib.sha256()
    for part in (b"seed/2", bytes.fromhex(COMMITMENT), form.text().encode(), beacon.encode(), ceremony.encode()):
        hashed.update(len(part).to_bytes(8, "big") + part)
    assert lottery.seed_bytes_2(COMMITMENT, form, beacon, ceremony) == hashed.digest()


def test_drw02_parts_of_another_spelling_give_no_seed():
    form = DrawForm.parse(BOTH)
    beacon, ceremony = "3 8 14 21 27 30 + 6", "30 27 21 14 8 3"
    for wrong in ("03 8 14 21 27 30 + 6", "8 3 14 21 27 30 + 6", "3 8 14 21 27 30 + 6 ", "３ 8 14 21 27 30 + 6"):
        assert codes(lottery.seed_bytes_2, COMMITMENT, form, wrong, ceremony) == [
            ("beacon", FormFaultCode.NOT_CANONICAL)
        ]
    assert codes(lottery.seed_bytes_2, COMMITMENT, form, "", ceremony) == [("beacon", FormFaultCode.PART_MISSING)]
    alone = DrawForm.parse({"ceremony": DICE, "beacon": None})
    assert codes(lottery.seed_bytes_2, COMMITMENT, alone, beacon, ceremony) == [
        ("beacon", FormFaultCode.PART_NOT_DECLARED)
    ]
    with pytest.raises(ValueError, match="64 hex digits"):
        lottery.seed_bytes_2("ab", form, beacon, ceremony)
