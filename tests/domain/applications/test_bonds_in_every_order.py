"""Random families of two to four children, two guardians, and any order of binding, editing, handing in and leaving."""

from collections import Counter, defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from enrollment.applications import receipts, sibling_binding, submission, units, wishes
from enrollment.applications.lifecycle import HANDED_IN, WITH_AUTHORITY
from enrollment.draw import bond_participation, participants
from enrollment.draw.participants import FactBasis
from enrollment.ground.errors import NotFound, Refused, Stale

ACTS = ("bind", "bind", "separate", "wish", "wish", "submit", "submit", "withdraw", "apply_again")
steps = st.lists(
    st.tuples(
        st.sampled_from(ACTS),
        st.integers(0, 3),
        st.sets(st.integers(0, 3), max_size=3),
        st.integers(0, 3),
        st.permutations(range(3)),
        st.booleans(),
    ),
    max_size=14,
)


def lists_of(town, children):
    return {each.id: wishes.lists(town.session, [each])[each.id] for each in children}


def act(town, step, children, gardens, second):
    """Make one act; returns the ids of the children that the person named, as the page showed them."""
    name, at, others, source, order, by_second = step
    child = children[at % len(children)]
    by = second.actor if by_second else town.parent_of(child)
    named = {member.id for member in units.of(town.session, child)}
    wanted = [gardens[place] for place in order[: 1 + source % 3]]
    if name == "bind":
        chosen = [children[each % len(children)].id for each in others]
        list_of = children[source % len(children)].id
        sibling_binding.choose(
            town.session, child.id, bound_with=chosen, list_of=list_of, elder_id=None, version=None, by=by, now=town.now
        )
        return named | set(chosen)
    if name == "separate":
        sibling_binding.separate(town.session, child.id, by=by, now=town.now)
    if name == "wish":
        town.wish(child, *wanted, by=by)
    if name == "submit":
        town.submit(child, by=by)
    if name == "withdraw":
        submission.withdraw(town.session, child.id, by=by, now=town.now)
    if name == "apply_again":
        town.apply_again(child)
    return named if name == "wish" else set()


def check(town, children, before, named):
    session = town.session
    session.flush()
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    lists, by_unit = lists_of(town, children), defaultdict(list)
    for each in children:
        if each.unit:
            by_unit[each.unit].append(each)
    for members in by_unit.values():
        assert len(members) > 1
        assert all(lists[member.id] == lists[members[0].id] for member in members), "one list for all"
    for each in children:
        if each.stage in HANDED_IN and each.id not in named:
            assert lists[each.id] == before[each.id], "a handed-in list changed without an act that names the child"
        if each.stage in WITH_AUTHORITY:
            latest = receipts.latest(session, each)
            said = receipts.answers_in(session, each, latest.number)["bound_with"]
            assert said == units.codes_bound_with(session, each), "the receipt names all who are bound to it"
    check_market(town, by_unit)


def check_market(town, by_unit):
    market = participants.read(
        town.session, town.the_round, stages=participants.HANDED_IN, basis=FactBasis.LIKELY, strict=True
    )
    encoded = Counter(each.unit for each in market.participants if each.unit in {unit.hex for unit in by_unit})
    whole = {unit.hex: len(members) for unit, members in by_unit.items() if all(m.stage in HANDED_IN for m in members)}
    assert encoded == whole, "a unit is in the market exactly when all of it take part"
    for unit, members in by_unit.items():
        counts = bond_participation.participation(town.session, members[0], town.the_round).counts
        assert counts == (unit.hex in encoded), "the pages say what the market does"


@pytest.fixture
def gardens(town):
    """Three kindergartens in an open round; each example brings a family of its own."""
    found = [town.kindergarten(f"园{n}", places=3) for n in range(3)]
    town.open_registration()
    return found


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(2, 4), st.sets(st.integers(0, 3)), st.integers(1, 3), st.sets(st.integers(0, 3)), steps)
def test_fam02_whatever_two_guardians_do_bound_children_have_one_list_and_true_receipts(
    town, gardens, size, shared, bound, handed_in, acts
):
    family, second = town.family("周"), town.family("王")
    children = [town.child(f"周{n}", family=family) for n in "甲乙丙丁"[:size]]
    for at in shared:
        if at < size:
            town.second_guardian(children[at], other=second)
    town.wish(children[0], gardens[0], gardens[1])
    if bound > 1:
        town.bind(*children[:bound])
    for at in handed_in:
        if at < min(bound, size):
            town.submit(children[at])
    check(town, children, lists_of(town, children), set())
    for step in acts:
        before, named = lists_of(town, children), set()
        try:
            with town.session.begin_nested():
                named = act(town, step, children, gardens, second)
        except (Refused, NotFound, Stale):
            pass
        check(town, children, before, named)
