"""Policy files: the three templates are valid, and every fault is reported with its line."""

import pytest

from enrollment.season import policy_approval, policy_file
from enrollment.season.grounds import KindergartenFacts
from enrollment.season.policy_file import PolicyFaults

PUBLIC = KindergartenFacts("5101080001", "public", "510108", estates=frozenset({"锦绣苑"}))
INCLUSIVE = KindergartenFacts("5101080002", "inclusive", "510108")
GOOD = policy_approval.template("whole_district", "510108", 2026)


def faults_of(text: str) -> list[tuple[str, str, int | None]]:
    with pytest.raises(PolicyFaults) as caught:
        policy_file.read(text)
    return [(fault.code, fault.path, fault.line) for fault in caught.value.faults]


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


@pytest.mark.parametrize("family", policy_file.FAMILIES)
def test_each_family_of_rules_fits_any_area_and_year(family):
    rules = policy_file.read(policy_approval.template(family, "510115", 2027))
    assert (rules.area, rules.year, rules.family) == ("510115", 2027, family)
    assert rules.examples, "a family of rules shows worked examples"


def test_the_worked_example_uses_every_key_that_there_is():
    text = policy_approval.worked_example()
    rules = policy_file.read(text)
    assert rules.open_to
    assert rules.concurrent.natures
    assert rules.central_tolerance
    assert rules.basis
    for key in ("streets", "kinds", "at_least", "with_sites", "opens_early", "natures", "always", "serves"):
        assert f"{key} = " in text, key


def test_whole_district_gives_the_hukou_the_same_tier_at_every_public_kindergarten():
    rules = policy_file.read(GOOD)
    hukou = {"hukou_area": "510108", "hukou_kind": "local"}
    assert rules.tier(hukou, PUBLIC, serves=False) == rules.tier(hukou, PUBLIC, serves=True)
    assert rules.tier(hukou, PUBLIC, serves=False).ground == "local_hukou"
    assert rules.tier({**hukou, "hukou_area": "510104"}, PUBLIC, serves=True).rule == "everybody"


def test_service_area_asks_where_the_family_lives():
    rules = policy_file.read(policy_approval.template("service_area", "510108", 2026))
    family = {"hukou_area": "510108", "hukou_kind": "local", "home_place": {"street": "三岔街道"}}
    served, not_served = rules.tier(family, PUBLIC, serves=True), rules.tier(family, PUBLIC, serves=False)
    assert served.tier < not_served.tier
    assert served.ground == "service_area"
    owner = {"home_place": {"estate": "锦绣苑"}, "home_owned": True}
    assert rules.tier(owner, PUBLIC, serves=False).ground == "estate_owner"


def test_any_inclusive_treats_every_tie_to_the_area_alike_there():
    rules = policy_file.read(policy_approval.template("any_inclusive", "510108", 2026))
    ties = [
        {"hukou_area": "510108", "hukou_kind": "collective"},
        {"home_area": "510108", "home_owned": True},
        {"residence_permit_area": "510108", "work_area": "510108"},
    ]
    assert len({rules.tier(tie, INCLUSIVE, serves=False).tier for tie in ties}) == 1


def test_a_rule_may_hold_at_kindergartens_of_one_nature_alone():
    rules = policy_file.read(GOOD)
    permit = {"residence_permit_area": "510108"}
    assert rules.tier(permit, INCLUSIVE, serves=False).rule == "lives_here"
    assert rules.tier(permit, PUBLIC, serves=False).rule == "everybody"


def test_a_sibling_at_a_site_counts_only_where_the_file_says_so():
    rules = policy_file.read(GOOD)
    site = KindergartenFacts("5101080009", "public", "510108", parent="5101080001", sites=frozenset({"5101080010"}))
    for elsewhere in ("5101080001", "5101080010"):
        assert rules.tier({"sibling_at": elsewhere}, site, serves=False).rule == "sibling_or_need"
    strict = policy_file.read(GOOD.replace("with_sites = true", "with_sites = false"))
    assert strict.tier({"sibling_at": "5101080001"}, site, serves=False).rule == "everybody"


def test_the_tier_of_a_concurrent_sibling_is_the_files():
    assert policy_file.read(GOOD).sibling_tier("public") == 1
    only_public = policy_file.read(GOOD.replace("concurrent_tier = 1", 'concurrent_tier = 1\nnatures = ["public"]'))
    assert only_public.sibling_tier("public") == 1
    assert only_public.sibling_tier("inclusive") is None
    without = policy_file.read(GOOD.replace("[siblings]\nconcurrent_tier = 1\n", ""))
    assert without.sibling_tier("public") is None


def test_who_may_apply():
    assert policy_file.read(GOOD).may_apply([])
    narrow = policy_file.read(GOOD + '\n[apply]\nopen_to = ["local_hukou", "residence_permit"]\n')
    assert narrow.may_apply(["residence_permit"])
    assert not narrow.may_apply(["workplace"])


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        (("family = ", "familiy = "), "unknown_key", "familiy = "),
        (("tier = 0", "tier = 16"), "out_of_range", "tier = 16"),
        (("tier = 0", 'tier = "0"'), "wrong_type", 'tier = "0"'),
        (("tier = 0", "tier = true"), "wrong_type", "tier = true"),
        (('[["staff_child"]]', '[["staff_kid"]]'), "unknown_code", '[["staff_kid"]]'),
        (('[["staff_child"]]', '["staff_child"]'), "wrong_type", 'ways = ["staff_child"]'),
        (('[["staff_child"]]', "[]"), "empty_list", "ways = []"),
        (("[grounds.staff_child]", "[grounds.staff_kid]"), "unknown_key", "[grounds.staff_kid]"),
        (('documents = ["staff_proof"]', 'documents = ["staff_prof"]'), "unknown_code", "staff_prof"),
        (('documents = ["staff_proof"]', 'documents = ["work_contract"]'), "proves_nothing", '["work_contract"]'),
        (('rule = "overhang"', 'rule = "strict"'), "unknown_code", '"strict"'),
        (("sibling_at = ", "sibling_in = "), "unknown_key", "sibling_in = "),
        (('code = "staff"', 'code = "Staff"'), "bad_rule_code", '"Staff"'),
        (('code = "staff"', 'code = "hukou"'), "duplicate_rule_code", None),
        (("tier = 4", "tier = 3"), "duplicate_tier", None),
        (("tier = 3\nnatures", "tier = 7\nnatures"), "never_reached", None),
        (("[default]\ntier = 8", "[default]\ntier = 7"), "default_not_last", None),
        (("[default]\ntier = 8", ""), "missing_key", None),
        (("tolerance = 3000", "tolerance = 99999"), "out_of_range", "tolerance = 99999"),
        (('facts = { sibling_at = "here" }', "facts = {}"), "example_differs", None),
        (("opens_early = false", "opens_early = 0"), "wrong_type", "opens_early = 0"),
        (('format = "policy/1"', 'format = "policy/2"'), "unknown_code", '"policy/2"'),
        (('ways = [["staff_child"]]', 'ways = [["staff_child"], ["workplace", "workplace"]]'), "said_twice", None),
    ],
)
def test_a_fault_is_named_with_its_line(change, code, where):
    text = GOOD.replace(*change, 1)
    assert text != GOOD
    found = faults_of(text)
    assert code in {fault[0] for fault in found}
    assert all(line for _code, _path, line in found if _code != "missing_key")
    if where:
        assert (code, line_of(text, where)) in {(fault[0], fault[2]) for fault in found}


def test_all_faults_are_listed_at_once_in_the_order_of_the_lines():
    text = (
        GOOD.replace("year = 2026", 'year = "2026"')
        .replace('rule = "overhang"', 'rule = "strict"')
        .replace("[default]\ntier = 8", "[default]\ntier = 88")
        .replace('[["staff_child"]]', '[["staff_kid"]]')
    )
    found = faults_of(text)
    assert [code for code, _path, _line in found] == ["wrong_type", "unknown_code", "unknown_code", "out_of_range"]
    assert [line for _code, _path, line in found] == sorted(line for _code, _path, line in found)


THREE_AT_ONCE = (
    GOOD.replace("year = 2026", "year = 2027")
    .replace("tolerance = 3000", "tolerance = 3000\ntolerence = 1")
    .replace("tier = 3\nnatures", "tier = 7\nnatures")
)


def test_off08_faults_of_a_key_of_the_whole_and_of_the_year_are_listed_in_one_pass():
    """OFF08: a file with an unknown key, an unreachable tier and a wrong year is corrected once, not three times."""
    with pytest.raises(PolicyFaults) as refused:
        policy_file.read(THREE_AT_ONCE, area="510108", year=2026)
    found = {(fault.code, fault.path): fault.line for fault in refused.value.faults}
    assert found[("unknown_key", "central.tolerence")] == line_of(THREE_AT_ONCE, "tolerence = 1")
    assert found[("other_year", "year")] == line_of(THREE_AT_ONCE, "year = 2027")
    assert {code for code, _path in found} == {"unknown_key", "never_reached", "duplicate_tier", "other_year"}
    assert all(line for line in found.values())


@pytest.mark.parametrize(
    ("change", "only"),
    [
        (("tier = 4", 'tier = "3"'), {"wrong_type"}),  # no duplicate of the tier that stands in for it
        (('[["staff_child"]]', '[["staff_kid"]]'), {"unknown_code"}),  # staff_child is not unused
        (("year = 2026", 'year = "2026"'), {"wrong_type"}),  # not another year as well
        (("[default]\ntier = 8", "[default]\ntier = 88"), {"out_of_range"}),
    ],
)
def test_off08_one_mistake_is_one_fault(change, only):
    """What depends on a key without a usable value is not judged."""
    text = GOOD.replace(*change, 1)
    assert text != GOOD
    with pytest.raises(PolicyFaults) as refused:
        policy_file.read(text, area="510108", year=2026)
    assert {fault.code for fault in refused.value.faults} == only


def test_a_text_that_is_not_toml_names_the_line():
    assert faults_of(GOOD.replace("year = 2026", "year == 2026")) == [("not_toml", "", line_of(GOOD, "year = 2026"))]


def test_an_empty_file_says_what_it_needs():
    missing = {path for code, path, _line in faults_of("") if code == "missing_key"}
    assert missing == {"format", "area", "year", "family", "pairs", "grounds", "rule", "default"}


def test_grounds_without_documents_and_documents_without_grounds_are_faults():
    text = GOOD.replace('[grounds.staff_child]\ndocuments = ["staff_proof"]\n', "")
    assert ("ground_without_documents") in {fault[0] for fault in faults_of(text)}
    text = GOOD + '\n[grounds.estate_owner]\ndocuments = ["property_certificate"]\n'
    assert [fault[0] for fault in faults_of(text)] == ["ground_not_used"]


def test_the_digest_is_of_the_very_bytes():
    assert policy_file.digest_of("a") == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    assert policy_file.digest_of(GOOD) != policy_file.digest_of(GOOD + " ")
