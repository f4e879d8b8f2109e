"""F3: elsewhere, a wrong priority file was put to use: 1,600 families were told and revoked overnight.

Here rules are signed by two people, after a dry run that shows who wins and who loses against the version before.
"""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from enrollment.chances import policy_trial
from enrollment.eligibility.claims import VerifiedFact
from enrollment.ground.errors import Refused
from enrollment.season import policy_approval
from enrollment.season.policy_file import PolicyFaults
from enrollment.season.policy_rows import Policy
from tests.support.prepared import prepared

AREA = "510104"
RIGHT = policy_approval.template("whole_district", AREA, 2026)


def swapped(one: str, other: str) -> str:
    """The file of somebody who mixed up two lines."""
    return RIGHT.replace(one, "@", 1).replace(other, one, 1).replace("@", other, 1)


# the hukou and the residence permit with work change places: the mistake of that night
WRONG = swapped('[["local_hukou"], ["collective_hukou"]]', '[["residence_permit", "workplace"]]')


@prepared
def families(town):
    """Two local families and two from elsewhere want the one place of the only kindergarten."""
    apple = town.kindergarten("金苹果", places=1)
    town.open_registration()
    elsewhere = {"hukou_kind": "elsewhere", "hukou_area": None, "hukou_street": None}
    tied = {"work_area": AREA, "residence_permit_area": AREA}
    return {
        name: town.child(name, wishes=[apple], **more)
        for name, more in {
            "安": {},
            "贝": {},
            "陈": {**elsewhere, **tied},
            "丁": {**elsewhere, **tied},
        }.items()
    }


def tried(town, made: Policy):
    cases = policy_trial.cases_for(town.session, made.id)
    return policy_approval.dry_run(town.session, made.id, cases, by=town.city_pair()[0], now=town.now)


def without_examples(text_of_file: str) -> str:
    return text_of_file[: text_of_file.index("[[example]]")]


def mixed_up(town) -> Policy:
    """Two lines mixed up, and nobody worked out an example."""
    text_of_file = without_examples(WRONG)
    return policy_approval.upload(
        town.session, text_of_file, area=AREA, year=2026, by=town.city_pair()[0], now=town.now
    )


def test_the_dry_run_names_who_wins_and_who_loses(town, families):
    trial = tried(town, mixed_up(town))

    code = {name: application.registration_code for name, application in families.items()}
    assert trial.compared
    assert trial.losers == {code["安"], code["贝"]}
    assert trial.winners == {code["陈"], code["丁"]}
    assert dict(trial.moves) == {(5, 7): 2, (7, 5): 2}
    [swing] = trial.kindergartens.values()
    assert (swing.wins, swing.loses, swing.same) == (2, 2, 0)
    first = trial.moved[0]
    assert (first.change, first.before.tier, first.after.tier) == ("loses", 5, 7)


def test_the_worked_examples_of_the_file_stop_the_same_mistake_at_once(town):
    town.policy(AREA)
    with pytest.raises(PolicyFaults) as caught:
        policy_approval.upload(town.session, WRONG, area=AREA, year=2026, by=town.city_pair()[0], now=town.now)
    assert {fault.code for fault in caught.value.faults} == {"example_differs"}


def test_a_new_number_for_everybody_alike_makes_nobody_win_or_lose(town, families):
    shifted = without_examples(
        RIGHT.replace("tier = 8", "tier = 9").replace("tier = 7", "tier = 8").replace("tier = 5", "tier = 7")
    )
    made = policy_approval.upload(town.session, shifted, area=AREA, year=2026, by=town.city_pair()[0], now=town.now)
    trial = tried(town, made)
    assert trial.moves
    assert not trial.winners
    assert not trial.losers


def test_nobody_signs_before_the_dry_run(town, families):
    made = mixed_up(town)
    with pytest.raises(Refused, match="dry_run_first"):
        policy_approval.sign(town.session, made.id, by=town.city_pair()[0], now=town.now)
    with pytest.raises(IntegrityError, match="signed_after_a_dry_run"):
        town.session.execute(text("UPDATE policy SET signed_at = now() WHERE id = :id"), {"id": made.id})


def test_one_person_is_not_two(town, families):
    made = mixed_up(town)
    tried(town, made)
    by = town.city_pair()[0]
    assert policy_approval.sign(town.session, made.id, by=by, now=town.now) == 1
    with pytest.raises(Refused, match="signed_already"):
        policy_approval.sign(town.session, made.id, by=by, now=town.now)
    assert policy_approval.policy_in_force(town.session, 2026, AREA).id != made.id


def test_with_the_second_signature_it_is_in_force_and_the_older_one_withdrawn(town, families):
    before = policy_approval.policy_in_force(town.session, 2026, AREA)
    made = mixed_up(town)
    tried(town, made)
    official = town.area_official(AREA)
    policy_approval.sign(town.session, made.id, by=official, now=town.now)
    assert policy_approval.sign(town.session, made.id, by=town.city_pair()[1], now=town.now) == 2
    assert policy_approval.policy_in_force(town.session, 2026, AREA).id == made.id
    assert before.withdrawn_at == town.now
    assert {row.account_id for row in policy_approval.signers(town.session, made)} == {
        official.account_id, town.city_pair()[1].account_id,
    }  # fmt: skip


def test_a_round_that_is_open_keeps_the_rules_that_it_froze(town, families):
    frozen = town.the_round.policies[0]
    made = mixed_up(town)
    tried(town, made)
    for by in town.city_pair():
        policy_approval.sign(town.session, made.id, by=by, now=town.now)
    town.session.refresh(town.the_round)
    assert [(row.policy_id, row.digest) for row in town.the_round.policies] == [(frozen.policy_id, frozen.digest)]
    assert frozen.policy_id != made.id


def test_a_trial_against_a_version_that_was_replaced_does_not_count(town, families):
    first = mixed_up(town)
    tried(town, first)
    other = RIGHT.replace("tolerance = 3000", "tolerance = 3500")
    second = policy_approval.upload(town.session, other, area=AREA, year=2026, by=town.city_pair()[0], now=town.now)
    tried(town, second)
    for by in town.city_pair():
        policy_approval.sign(town.session, second.id, by=by, now=town.now)
    with pytest.raises(Refused, match="newer_version"):
        policy_approval.sign(town.session, first.id, by=town.city_pair()[0], now=town.now)


def test_an_official_of_another_area_neither_uploads_nor_signs(town, families):
    stranger = town.area_official("510107")
    made = mixed_up(town)
    tried(town, made)
    for act in (
        lambda: policy_approval.upload(town.session, RIGHT, area=AREA, year=2026, by=stranger, now=town.now),
        lambda: policy_approval.sign(town.session, made.id, by=stranger, now=town.now),
        lambda: policy_approval.dry_run(town.session, made.id, [], by=stranger, now=town.now),
    ):
        with pytest.raises(Refused, match="not_your_area"):
            act()


def test_the_file_of_another_area_or_year_is_refused(town):
    town.season()
    with pytest.raises(PolicyFaults) as caught:
        policy_approval.upload(town.session, RIGHT, area="510107", year=2026, by=town.city_pair()[0], now=town.now)
    assert [fault.code for fault in caught.value.faults] == ["other_area"]


def test_what_staff_verified_counts_in_the_trial_and_what_they_declined_does_not(town, families):
    town.session.add(
        VerifiedFact(
            application_id=families["陈"].id, fact="work_area", outcome="declined", reason="未缴社保",
            source="staff", at=town.now,
        )
    )  # fmt: skip
    town.session.flush()
    trial = tried(town, mixed_up(town))
    assert trial.winners == {families["丁"].registration_code}
    assert trial.by_tier[8] == 1


def test_the_first_version_is_tried_without_a_comparison(town):
    town.season()
    town.area(AREA)
    made = policy_approval.upload(town.session, RIGHT, area=AREA, year=2026, by=town.city_pair()[0], now=town.now)
    trial = tried(town, made)
    assert not trial.compared
    assert trial.applications == 0
