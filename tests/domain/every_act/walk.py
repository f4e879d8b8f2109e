"""Every act of everybody at each moment, compared with the table, and undone.

Three things hold for every line and stand in no table: whatever changes is told to every guardian with who did it,
whatever does not change is told to nobody, and no act leaves an impossible fact behind.
"""

import datetime as dt

from sqlalchemy import select

from enrollment.applications import applications, submission, wishes
from enrollment.applications.application_rows import Application, Stage
from enrollment.draw import freed_places
from enrollment.eligibility import households
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.outbox import Notice
from enrollment.maintenance import invariants
from enrollment.offers import irrevocable_acts, joint_decisions, offers, withdrawals
from enrollment.offers.joint_decision_rows import DecisionState, JointDecision
from enrollment.offers.offer_rows import Offer
from enrollment.people import household_rows
from enrollment.results import answers, family_results
from enrollment.season.round_rows import RoundStage
from tests.domain.every_act import at_once
from tests.domain.every_act.decision_tables import expected
from tests.domain.every_act.family_in_state import guardians_of
from tests.support.town_families import RENTED_IN_JINJIANG


def act_on_offer(town, act, by):
    session, now = town.session, town.moment
    if act == "confirm" or act == "wait":
        offers.confirm(session, town.offer_id, wait=act == "wait", by=by, now=now)
    elif act == "decline":
        offers.decline(session, town.offer_id, by=by, now=now)
    elif act == "withdraw":
        withdrawals.withdraw(session, town.ana.id, by=by, now=now)
    elif act == "consent":
        withdrawals.withdraw_consent(session, by=by, now=now)
    elif act == "agree":
        irrevocable_acts.agree(session, town.act_id, by=by, now=now)
    elif act == "object":
        irrevocable_acts.object_to(session, town.act_id, text="", by=by, now=now)
    elif act == "take_back":
        irrevocable_acts.take_back(session, town.act_id, by=by, now=now)
    elif act == "have_back":  # the place that was given up
        freed_places.take_back(session, town.offer_id, by=by, now=now)


def act_on_application(town, act, by, shown=None):
    """`shown`: the versions of a page that was opened earlier, on which other things are typed."""
    session, now = town.session, town.moment
    if act == "submit":
        submission.submit(session, town.ana.id, version=shown and shown[act], by=by, now=now)
    elif act == "edit":
        typed = RENTED_IN_JINJIANG | {"home_street": "春熙路街道" if shown else "牛市口街道"}
        households.save(session, town.ana.id, version=shown and shown[act], by=by, now=now, **typed)
    elif act == "wish":
        wanted = [town.programme_of(each).id for each in ((town.plain,) if shown else (town.plain, town.good))]
        version = shown and shown[act]
        wishes.set_wishes(session, town.ana.id, town.the_round.id, wanted, version=version, by=by, now=now)
    elif act == "withdraw":
        withdrawals.withdraw(session, town.ana.id, by=by, now=now)
    elif act == "apply_again":
        applications.start(session, town.ana.child_id, town.ana.year, by=by, now=now)
    elif act == "consent":
        withdrawals.withdraw_consent(session, by=by, now=now)


def standing(town):
    """What an act may change: the application, its offers, what waits."""
    session = town.session
    session.expire_all()
    stage, version, held = session.execute(
        select(Application.stage, Application.version, Application.on_hold).where(Application.id == town.ana.id)
    ).one()
    states = session.execute(
        select(Offer.id, Offer.state).where(Offer.application_id == town.ana.id).order_by(Offer.id)
    )
    waits = select(JointDecision.act_id, JointDecision.kind).where(
        JointDecision.application_id == town.ana.id, JointDecision.state == DecisionState.WAITING
    )
    return stage, version, held, tuple(states.all()), tuple(session.execute(waits).all())


def messages(town):
    found = select(Notice.id, Notice.account_id, Notice.kind, Notice.params).where(Notice.application_id == town.ana.id)
    return {row.id: row for row in town.session.execute(found)}


def outcome(town, perform, act, who, found) -> tuple[str, str]:
    """What an act of somebody does to what was `found`, in words of the table, and what the guardians are told.

    What succeeds is done again, which tells nobody anything.  Then all of it is undone.
    """
    attempt = town.session.begin_nested()
    try:
        said = _outcome(town, perform, act, who, found)
        if not said[0].startswith(("refused", "not found", "unchanged")):
            assert again(town, perform, act, who) == "", (act, who, "a second time")
        return said
    finally:
        attempt.rollback()
        town.session.expire_all()


def _outcome(town, perform, act, who, found):
    before, known = found
    try:
        with town.session.begin_nested():
            perform(town, act, town.people[who])
            town.session.flush()
    except Refused as refused:
        return f"refused: {refused.code}", ""
    except NotFound:
        return "not found", ""
    after = standing(town)
    fresh = [row for id_, row in messages(town).items() if id_ not in known]
    told = {row.kind for row in fresh}
    for kind in told:  # every guardian, and each knows who
        readers = {row.account_id: row.params.get("who") for row in fresh if row.kind == kind}
        assert set(readers) == {each.account_id for each in guardians_of(town)}, (act, who, kind)
        if kind != "on_hold":
            carried_out = kind in ("answer_decline", "withdrawn_finally") and before[4]
            actor = proposer_of(town, before) if carried_out else who  # to agree is not to act
            own = town.people[actor].account_id
            assert readers == {each: "you" if each == own else actor for each in readers}, (act, who, kind)
    assert list(invariants.find_violations(town.session)) == []
    assert (after == before) <= (told <= {"consent_withdrawn", "mandate_ended"}), (act, who, told)
    if (act != "edit" and act != "wish") or before[0] not in (Stage.DRAFT, Stage.RETURNED):
        assert (after != before) <= bool(told), (act, who, "nobody was told")
    return _words(before, after), ", ".join(sorted(told - {"mandate_ended"}))


def proposer_of(town, found) -> str:
    """Who proposed what waited."""
    ((act_id, _kind),) = found[4]
    by = town.session.scalars(select(JointDecision.proposed_by).where(JointDecision.act_id == act_id)).one()
    return next(who for who, each in town.people.items() if each.account_id == by)


def _words(before, after) -> str:
    changed = []
    if after[0] != before[0]:
        changed.append(f"application {after[0]}")
    changed += [f"offer {now}" for (_id, was), (_, now) in zip(before[3], after[3], strict=True) if now != was]
    if after[4] != before[4]:
        changed.append(f"{after[4][0].kind} waits" if after[4] else "nothing waits any more")
    if after[2] and not before[2]:
        changed.append("on hold, case opened")
    if not changed and after[1] != before[1]:
        changed.append("changed")
    return "; ".join(changed) or "unchanged"


def walk(town, table, state, perform, acts, moments, people):
    """Every act of everybody at each moment: as the table says, and a second time nothing happens."""
    for when, moment, prepare in moments:
        town.moment = moment
        prepare()
        found = standing(town), messages(town)
        for act in acts:
            for who in people:
                said = outcome(town, perform, act, who, found)
                assert said == expected(table, state, act, when, who), (state, act, when, who)
        assert (standing(town), messages(town)) == found, "an act was not undone"


def walk_pairs(town, state):
    """After each act that changes an offer, what every act of the other guardian does in the same second: as the service
    finds it, and from a page that was opened before."""
    town.moment = town.now
    town.offer = town.session.get_one(Offer, town.offer_id)
    shown = {who: shown_to(town, town.people[who]) for who in at_once.GUARDIANS}
    for first, who in at_once.firsts(state):
        other = at_once.other_than(who)
        attempt = town.session.begin_nested()
        act_on_offer(town, first, town.people[who])
        town.session.flush()
        found = standing(town), messages(town)
        for second in at_once.seconds(state, first, who):
            said = _undone(town, act_on_offer, second, other, found)
            assert said == at_once.then(state, first, who, second, other), (state, first, who, second)
            if second in at_once.STALE:
                said = _from_page(town, second, other, found, shown[other])
                assert said == at_once.from_a_stale_page(state, first, who, second, other), (state, first, second)
        attempt.rollback()
        town.session.expire_all()


def walk_application_pairs(town, stage):
    """After each act that changes an application, what the other guardian's page, opened before it, does."""
    town.moment = town.now
    shown = versions_of(town)
    for first in dict.fromkeys(first for first, _second in at_once.pairs_of_an_application(stage)):
        attempt = town.session.begin_nested()
        act_on_application(town, first, town.people["mother"])
        town.session.flush()
        found = standing(town), messages(town)
        for each, second in at_once.pairs_of_an_application(stage):
            if each != first:
                continue

            def from_page(town, act, by):
                act_on_application(town, act, by, shown)

            said = _undone(town, from_page, second, "father", found)
            assert said == at_once.then_of_an_application(stage, first, second), (stage, first, second)
        attempt.rollback()
        town.session.expire_all()


def versions_of(town) -> dict[str, int]:
    """The versions that the forms of an application show now."""
    household = household_rows.household_of(town.session, town.ana.id)
    version = town.session.scalar(select(Application.version).where(Application.id == town.ana.id))
    return {"edit": household.version if household else 0, "wish": version, "submit": version}


def shown_to(town, by) -> dict[str, str]:
    """What the pages of a guardian show now and send along with an act."""
    consequence = withdrawals.consequence(town.session, town.ana, by=by, now=town.moment)
    answer = joint_decisions.state_seen(town.session, town.offer)
    return dict.fromkeys(at_once.ANSWERS, answer) | {
        "withdraw": consequence.stamp,
        "consent": withdrawals.stamp_of([consequence]),
    }


def _from_page(town, act, who, found, shown) -> tuple[str, str]:
    """An act from a page, as its view does it."""
    by = town.people[who]
    if act in at_once.ANSWERS:
        result = family_results.for_application(town.session, town.ana.id, now=town.moment)
        closed = answers.closed_reason(town.session, result, act, shown[act], by=by, now=town.moment)
        return at_once.STALE_PAGE if closed else _undone(town, act_on_offer, act, who, found)

    def from_page(town, act, by):
        if act == "withdraw":
            withdrawals.withdraw(town.session, town.ana.id, seen=shown[act], by=by, now=town.moment)
        else:
            withdrawals.withdraw_consent(town.session, seen=shown[act], by=by, now=town.moment)

    return _undone(town, from_page, act, who, found)


def _undone(town, perform, act, who, found) -> tuple[str, str]:
    attempt = town.session.begin_nested()
    try:
        return _outcome(town, perform, act, who, found)
    finally:
        attempt.rollback()
        town.session.expire_all()


def again(town, perform, act, who) -> str:
    """What an act that has succeeded tells when it is done once more."""
    known = set(messages(town))
    try:
        with town.session.begin_nested():
            perform(town, act, town.people[who])
            town.session.flush()
    except (Refused, NotFound):
        return ""
    return ", ".join(row.kind for id_, row in messages(town).items() if id_ not in known)


def moments_of_offer(town):
    due = max(town.now, town.session.get_one(Offer, town.offer_id).answer_by)
    return [("in time", town.now, lambda: None), ("late", due + dt.timedelta(seconds=3), lambda: None)]


def moments_of_application(town):
    def round_is(stage):
        town.the_round.stage = stage
        town.session.flush()

    after = town.the_round.closes_at + dt.timedelta(seconds=3)
    return [
        ("open", town.now, lambda: None),
        ("closed", after, lambda: round_is(RoundStage.CLOSED)),
        ("frozen", after, lambda: round_is(RoundStage.FROZEN)),
    ]
