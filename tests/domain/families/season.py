"""Random families and offices in one season: each rule is an act of somebody, with what the act may change."""

import datetime as dt
import os
import random
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import registration, sibling_binding
from enrollment.applications.application_rows import Application
from enrollment.applications.bonds import bond_notices
from enrollment.applications.guardian_access import desk_access, guardian_joining, phone_change_course, phone_changes
from enrollment.draw import runs
from enrollment.ground.accounts import SYSTEM, Actor
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.offers import (
    answer_deadlines,
    desk_answers,
    irrevocable_acts,
    joint_decisions,
    offers,
    withdrawals,
)
from enrollment.offers.arrivals import absences, arrival
from enrollment.offers.offer_rows import Offer
from enrollment.people import invitations
from enrollment.people.duplicate_rows import DuplicateHint
from enrollment.people.person_rows import Child, Guardian
from enrollment.review import cases, duplicates, guardian_requests, refusals
from enrollment.review.case_rows import Case
from enrollment.review.correction_rows import CorrectionKind, CorrectionRequest
from enrollment.review.guardian_requests import Paper
from enrollment.season import rounds
from enrollment.season.rounds import Round
from tests.domain.families import ledger
from tests.domain.families.ledger import Act, any_value, becomes, exactly
from tests.support.town import Town
from tests.support.town_families import Family
from tests.support.town_helping import photo_of_a_paper
from tests.support.town_season import at

WHO = st.integers(0, 9)
"""Which person of a family acts: mostly one of its guardians, sometimes a stranger."""
CHILD = st.integers(0, 11)
ORDER = st.permutations(range(3))
NAMES = ("周一一", "周二二", "周三三")
RARELY = st.integers(0, 2)
"""An act that few families make: it is left out unless this is 0."""
START = ("registration", "registration", "review", "answers", "handed_on", "supplementary")
DEAD = ("refused", "withdrawn")


def published(town: Town) -> None:
    """The one place where the play publishes: two people sign the newest run."""
    town.publish()


class Season(RuleBasedStateMachine):
    """The families' acts and the offices' steps; `make` checks each against the model."""

    engine: Any = None
    now: dt.datetime

    def __init__(self) -> None:
        super().__init__()
        self.chance = pytest.MonkeyPatch()
        chance = random.Random(0)  # the same ids, codes and salts, so the same draw, when a play is repeated
        self.chance.setattr(os, "urandom", chance.randbytes)  # `uuid`, and the defaults of columns
        self.chance.setattr(random, "_urandom", chance.randbytes)  # `secrets`
        self.connection = self.engine.connect()
        self.outer = self.connection.begin()
        self.session = Session(self.connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
        self.town = Town(self.session, self.now)
        self.families: list[dict[str, Any]] = []
        self.children: list[Application] = []
        self.pages: dict[tuple[uuid.UUID, uuid.UUID], tuple[int, Any]] = {}
        self.serial = 0

    def teardown(self) -> None:
        self.chance.undo()
        self.session.close()
        self.outer.rollback()
        self.connection.close()

    # --- the beginning -------------------------------------------------------------------------------------------

    @initialize(
        sizes=st.lists(
            st.tuples(st.integers(1, 3), st.booleans(), st.booleans(), st.sets(st.integers(0, 2)), ORDER, st.booleans()),
            min_size=2, max_size=4,
        ),
        start=st.sampled_from(START),
    )  # fmt: skip
    def families_register(self, sizes, start):
        town = self.town
        self.gardens = [town.kindergarten(f"园{n}", places=places) for n, places in enumerate((2, 1, 1))]
        town.open_registration()
        town.child("邻家", wishes=[self.gardens[1], self.gardens[0]])
        for letter, (size, twins, bound, shared, order, handed_in) in zip("东南西北", sizes, strict=False):
            mother, father = town.family(f"母{letter}"), town.family(f"父{letter}") if shared else None
            names = [f"孩{letter}{each}" for each in "甲乙丙"[:size]]
            if twins and size > 1:
                mine = town.twins(*names[:2], family=mother, bound=False)
                mine += [town.child(name, family=mother) for name in names[2:]]
            else:
                mine = [town.child(name, family=mother) for name in names]
            for each in shared:
                if each < size:
                    town.second_guardian(mine[each], other=father)
            for each in mine:
                town.wish(each, *[self.gardens[place] for place in order])
            if twins and bound and size > 1:
                town.bind(*mine[:2])
            for each in mine if handed_in or start != "registration" else mine[:1]:
                town.submit(each)
            self.families.append({"mother": mother, "father": father, "children": mine})
            self.children += mine
        self.offices_open()
        self.look_again()
        self.check_all()
        self.go_to(start)

    def look_again(self) -> None:
        """What is true before the next act."""
        self.known, self.told = ledger.standing(self.session), ledger.messages(self.session)

    def offices_open(self) -> None:
        """The people of the desks exist before any act, so that an act that is refused does not take them away."""
        town = self.town
        town.city_pair()
        self.clerks = {each.id: town.clerk_of(each) for each in self.gardens}
        self.heads = {each.id: town.head_of(each) for each in self.gardens}
        town.__dict__["_reviewers"] = self.clerks

    def go_to(self, start: str) -> None:
        """Let the offices work until the season is where this play begins."""
        reached: dict[str, Callable[[], bool]] = {
            "registration": lambda: True,
            "review": lambda: self.stage == "closed",
            "answers": lambda: self.stage == "published",
            "handed_on": lambda: self.tried is not None,
            "supplementary": lambda: self.stage == "open" and self.town.the_round.kind == "supplementary",
        }
        for _ in range(20):
            if reached[start]():
                return
            self.the_office_goes_on()
        raise AssertionError(f"the offices never came to {start}, stage {self.stage}")

    @property
    def stage(self) -> str:
        return self.town.the_round.stage

    def latest_is_a_replay(self) -> bool:
        latest = runs.published(self.session, self.town.the_round.id) if self.stage == "published" else None
        return latest is not None and latest.replays is not None

    # --- one act, and the model -----------------------------------------------------------------------------------

    def make(self, act: Act, perform: Callable[[], object]) -> bool:
        """Whether the act was done.  One that is refused changes nothing and tells nobody."""
        session, before, told, audited = self.session, self.known, self.told, ledger.last_audited(self.session)
        try:
            with session.begin_nested():
                perform()
                session.flush()
        except (Refused, NotFound, Stale) as refusal:
            session.expire_all()
            act.why = getattr(refusal, "code", type(refusal).__name__)
            assert ledger.standing(session) == before, f"{act.name} was refused and changed something"
            assert ledger.messages(session).keys() == told.keys(), f"{act.name} was refused and told somebody"
            return False
        session.expire_all()
        after = ledger.standing(session)
        assert act.possible or after == before, f"{act.name} had to be refused"
        self.told = ledger.messages(session)
        fresh = [each for id_, each in self.told.items() if id_ not in told]
        ledger.check_changes(act, before, after)
        ledger.check_messages(session, act, before, after, fresh)
        ledger.check_audit(session, act, before, after, audited)
        if after != before:
            self.known = after
            self.check_all()
        return True

    def check_all(self) -> None:
        ledger.check_facts(self.session)
        ledger.check_receipts(self.session, self.known)
        ledger.check_ways_on(self.session, self.known, self.town.now)

    # --- who, and about whom --------------------------------------------------------------------------------------

    def child(self, number: int) -> Application:
        return self.children[number % len(self.children)]

    def family_of(self, child: Application) -> dict[str, Any]:
        return next(each for each in self.families if child in each["children"])

    def person(self, child: Application, who: int) -> Actor:
        own = self.family_of(child)
        if who == 9:
            return next(each for each in self.families if each is not own)["mother"].actor
        father = own["father"]
        if father and who > 5 and (who == 8 or father.account.id in self.known["guardians", child.child_id]):
            return father.actor
        return own["mother"].actor

    def cares(self, actor: Actor, *children: uuid.UUID) -> bool:
        return all(actor.account_id in self.known["guardians", self.known["of", each]] for each in children)

    def unit(self, child: Application) -> frozenset[uuid.UUID]:
        return self.known["bond", child.id] | {child.id}

    def open_round(self) -> Round | None:
        """The round that takes wishes, by its dates and stage alone."""
        found = self.town.the_round
        return found if found.stage == "open" and found.opens_at <= self.town.now < found.closes_at else None

    def lists(self, child: Application, round_: Round, order: list[int]) -> tuple[str, ...]:
        """What is stored when these kindergartens are wished in the round: lists of other rounds stay."""
        others = [each for each in self.known["list", child.id] if not each.startswith(f"{round_.number} ")]
        mine = [f"{round_.number} {self.gardens[place].code}/lower" for place in order]
        return tuple(sorted(others + mine, key=lambda each: int(each.split()[0])))

    def stages(self, ids, *values: str) -> dict[ledger.Key, Callable[[Any, Any], bool]]:
        return {("stage", each): becomes(self.known["stage", each], *values) for each in ids}

    def takes_edits(self) -> bool:
        """Families edit while a round is open, and some of them try it afterwards."""
        return not self.over and (self.open_round() is not None or len(self.told) % 4 == 0)

    over = False

    # --- families: before the deadline ----------------------------------------------------------------------------

    @precondition(lambda self: self.takes_edits())
    @rule(number=CHILD, who=WHO, order=ORDER, many=st.integers(0, 3), stale=st.booleans())
    def wish_from_a_page(self, number, who, order, many, stale):
        self.wish(number, who, order, many, stale)

    def wish(self, number: int, who: int, order: list[int], many: int, stale: bool) -> None:
        child, round_ = self.child(number), self.town.the_round
        actor, unit, wanted = self.person(child, who), self.unit(child), order[:many]
        page = self.pages.get((actor.account_id, child.id)) if stale else None
        new = self.lists(child, round_, wanted)
        open_ = self.open_round() is not None and not any(self.known["hold", each] for each in unit)
        fresh = page is None or page[1] == self.seen(child)
        act = Act(
            "wish", actor, who=frozenset({actor.account_id}),
            may={("list", each): exactly(new) for each in unit} | self.stages(unit, "submitted"),
            must={("list", each): new for each in unit},
            possible=self.cares(actor, *unit) and open_ and self.known["stage", child.id] not in DEAD and fresh,
        )  # fmt: skip
        from enrollment.applications import wishes

        ids = [self.town.programme_of(self.gardens[place]).id for place in wanted]
        version = page[0] if page else None
        self.make(act, lambda: wishes.set_wishes(
            self.session, child.id, round_.id, ids, version=version, by=actor, now=self.town.now))  # fmt: skip

    @precondition(lambda self: self.takes_edits())
    @rule(number=CHILD, first=st.integers(0, 8), second=st.integers(0, 8), orders=st.tuples(ORDER, ORDER))
    def two_open_pages(self, number, first, second, orders):
        """Two people, or one in two windows, open the page; both save it, the second without having seen the first."""
        self.open_page(number, second)
        self.wish(number, first, orders[0], 2, stale=False)
        self.wish(number, second, orders[1], 3, stale=True)

    def seen(self, child: Application) -> Any:
        return tuple(self.known[field, child.id] for field in ("list", "bond", "stage"))

    @precondition(lambda self: self.takes_edits())
    @rule(number=CHILD, who=st.integers(0, 8))
    def leave_a_page_open(self, number, who):
        self.open_page(number, who)

    def open_page(self, number: int, who: int) -> None:
        """Somebody opens the page of the wishes and leaves it open."""
        child = self.child(number)
        actor = self.person(child, who)
        self.session.refresh(child)
        self.pages[actor.account_id, child.id] = (child.version, self.seen(child))

    @precondition(lambda self: self.takes_edits())
    @rule(number=CHILD, who=WHO, again=st.booleans())
    def submit(self, number, who, again):
        child = self.child(number)
        actor, stage = self.person(child, who), self.known["stage", child.id]
        act = Act(
            "submit", actor, who=frozenset({actor.account_id}), may=self.stages([child.id], "submitted"),
            possible=self.cares(actor, child.id) and stage not in DEAD,
        )  # fmt: skip
        done = self.make(act, lambda: self.town.submit(child, by=actor))
        if done and again:
            twice = Act("submit twice", actor)
            assert self.make(twice, lambda: self.town.submit(child, by=actor)), twice.why

    @precondition(lambda self: self.takes_edits())
    @rule(number=CHILD, who=WHO, which=st.integers(0, 2), source=st.integers(0, 2))
    def bind(self, number, who, which, source):
        child = self.child(number)
        actor, mine = self.person(child, who), self.family_of(child)["children"]
        other, of = mine[which % len(mine)], mine[source % len(mine)]
        together = self.unit(child) | {other.id}
        lists = self.known["list", of.id]
        act = Act(
            "bind", actor, who=frozenset({actor.account_id}),
            may={("list", each): any_value for each in together}
            | {("bond", each): exactly(together - {each}) for each in together}
            | self.stages(together, "submitted"),
            possible=self.cares(actor, *together) and self.open_round() is not None,
        )  # fmt: skip
        if of.id in together:
            act.may |= {("list", each): exactly(lists) for each in together}
        self.make(act, lambda: sibling_binding.bind(
            self.session, sorted(together), list_of=of.id, by=actor, now=self.town.now))  # fmt: skip

    @precondition(lambda self: self.takes_edits())
    @rule(number=CHILD, who=WHO)
    def separate(self, number, who):
        child = self.child(number)
        actor, others = self.person(child, who), self.known["bond", child.id]
        act = Act(
            "separate", actor, who=frozenset({actor.account_id}),
            may=self.leaves_bond(child.id), must={("bond", child.id): frozenset()},
            possible=self.cares(actor, child.id) and (not others or self.open_round() is not None),
        )  # fmt: skip
        self.make(act, lambda: sibling_binding.separate(self.session, child.id, by=actor, now=self.town.now))

    def leaves_bond(self, application_id: uuid.UUID) -> dict[ledger.Key, Callable[[Any, Any], bool]]:
        others = self.known["bond", application_id]
        left = {("bond", each): exactly(others - {each}) for each in others}
        return {("bond", application_id): exactly(frozenset())} | left

    @rule(number=CHILD, who=WHO, rarely=RARELY)
    def withdraw(self, number, who, rarely):
        if rarely:
            return
        child = self.child(number)
        actor, stage, place = self.person(child, who), self.known["stage", child.id], self.known["place", child.id]
        may = self.leaves_bond(child.id) | self.stages([child.id], "withdrawn")
        may["decision", child.id] = any_value
        if place[0]:
            may["place", child.id] = lambda _was, is_now: is_now[:2] == (None, "declined")
        act = Act(
            "withdraw", actor, may=may, who=self.deciders(child.id, actor),
            possible=self.cares(actor, child.id) and not (self.known["hold", child.id] and stage not in DEAD)
            and place[1] != "arrived",
        )  # fmt: skip
        self.make(act, lambda: withdrawals.withdraw(self.session, child.id, by=actor, now=self.town.now))
        if not self.waits_for_nobody(child, actor) and self.known["stage", child.id] == "withdrawn" != stage:
            decision = joint_decisions.history(self.session, child.id)
            undoable = not place[0] and (self.open_round() is not None or stage == "draft")
            assert undoable or (decision and decision[0].state == "agreed"), "one of two withdrew for good alone"

    def waits_for_nobody(self, child: Application, actor: Actor) -> bool:
        return self.known["guardians", child.child_id] <= {actor.account_id}

    def deciders(self, application_id: uuid.UUID, actor: Actor) -> frozenset[Any]:
        """Who may be named when this person acts: it, and who proposed what waits."""
        waiting = self.known["decision", application_id]
        units = self.known["bond", application_id]
        more = [self.known["decision", each] for each in units] + [waiting]
        return frozenset({actor.account_id, *(each[1] for each in more if each)})

    @precondition(lambda self: self.takes_edits())
    @rule(number=CHILD, who=WHO)
    def apply_again(self, number, who):
        child = self.child(number)
        actor = self.person(child, who)
        from enrollment.applications import applications

        act = Act(
            "apply again", actor, who=frozenset({actor.account_id}),
            may=self.stages([child.id], "draft"), possible=self.cares(actor, child.id),
        )  # fmt: skip
        if self.known["stage", child.id] == "withdrawn":
            self.make(act, lambda: applications.start(
                self.session, child.child_id, child.year, by=actor, now=self.town.now))  # fmt: skip

    @precondition(lambda self: self.takes_edits())
    @rule(number=CHILD, who=WHO, name=st.sampled_from(NAMES))
    def rename(self, number, who, name):
        """The form of the child's page, with another name."""
        child = self.child(number)
        actor = self.person(child, who)
        row = self.session.get_one(Child, child.child_id)
        new = (name, row.born, row.sex, row.id_kind, row.id_number)
        act = Act(
            "rename", actor, who=frozenset({actor.account_id}),
            may={("child", child.child_id): exactly(new)} | self.stages([child.id], "submitted"),
            must={("child", child.child_id): new},
            possible=self.cares(actor, child.id) and not self.ever_frozen(child),
        )  # fmt: skip
        relation = "mother" if actor == self.family_of(child)["mother"].actor else "father"
        self.make(act, lambda: registration.correct_child(
            self.session, child.id, name=name, id_kind=row.id_kind, id_number=row.id_number, relation=relation,
            by=actor, now=self.town.now))  # fmt: skip

    def ever_frozen(self, child: Application) -> bool:
        """Whether a list with this child was frozen: it had wishes in a round that is past its freeze."""
        numbers = {int(each.split()[0]) for each in self.known["list", child.id]}
        past = ("frozen", "drawn", "published")
        found = self.session.execute(select(Round.number, Round.stage)).all()
        return any(number in numbers and stage in past for number, stage in found)

    # --- corrections ------------------------------------------------------------------------------------------------

    @rule(number=CHILD, who=WHO, name=st.sampled_from(NAMES))
    def ask_for_a_correction(self, number, who, name):
        child = self.child(number)
        actor = self.person(child, who)
        act = Act("ask for a correction", actor, possible=self.cares(actor, child.id))
        self.make(act, lambda: self.town.requests_correction(child, CorrectionKind.NAME, by=actor, name=name))

    @precondition(lambda self: self.corrections_waiting())
    @rule(agrees=st.booleans(), number=CHILD)
    def decide_a_correction(self, agrees, number):
        waiting = self.corrections_waiting()
        request = waiting[number % len(waiting)]
        child = self.session.get_one(Application, request.application_id)
        if child.review_kindergarten_id is None:
            return
        clerk, head = self.desk(child)
        by = clerk if request.state == "open" else head
        if not agrees:
            act = Act("refuse a correction", by)
            self.make(act, lambda: self.town.refuses(request, by))
            return
        was = self.known["child", child.child_id]
        said = requests_after(request)
        new = (said["name"], *was[1:])
        act = Act("agree to a correction", by, who=frozenset({"kindergarten"}))
        if request.state == "signed":
            act.may = {("child", child.child_id): exactly(new)}
            act.must = {("child", child.child_id): new}
        self.make(act, lambda: self.town.agrees(request, by))

    def corrections_waiting(self) -> list[CorrectionRequest]:
        undecided = select(CorrectionRequest).where(CorrectionRequest.state.in_(("open", "signed")))
        order = {each.id: number for number, each in enumerate(self.children)}
        found = self.session.scalars(undecided)
        return sorted(found, key=lambda each: (each.requested_at, order[each.application_id], each.kind))

    def desk(self, child: Application) -> tuple[Actor, Actor]:
        """A clerk and the head of the kindergarten that reviews the application."""
        return self.clerks[child.review_kindergarten_id], self.heads[child.review_kindergarten_id]

    # --- guardians and phones -------------------------------------------------------------------------------------

    @rule(rarely=RARELY, number=CHILD, who=WHO)
    def invite(self, rarely, number, who):
        """The other guardian of another child of the family, or one whom nobody knew, is invited and accepts."""
        if rarely:
            return
        child = self.child(number)
        actor, family = self.person(child, who), self.family_of(child)
        if family["father"] is None:
            family["father"] = self.town.family("后父")
            self.look_again()
        other: Family = family["father"]
        before = self.known["guardians", child.child_id]
        act = Act(
            "invite", actor, who=frozenset({actor.account_id, other.account.id}),
            may={("guardians", child.child_id): exactly(before | {other.account.id})},
            possible=self.cares(actor, child.id),
        )  # fmt: skip

        def perform():
            now = self.town.now
            made = invitations.invite(self.session, child.child_id, other.phone, by=actor, now=now)
            guardian_joining.accept_invitation(self.session, made.id, relation="father", by=other.actor, now=now)

        if other.account.id not in before:
            self.make(act, perform)

    @rule(rarely=RARELY, number=CHILD, protected=st.booleans())
    def remove_father(self, rarely, number, protected):
        """A court paper, one official who proposes and one who confirms."""
        if rarely:
            return
        child = self.child(number)
        family = self.family_of(child)
        if family["father"] is None or family["father"].account.id not in self.known["guardians", child.child_id]:
            return
        father, mother = family["father"], family["mother"].actor
        guardian = self.session.scalars(select(Guardian).where(Guardian.account_id == father.account.id)).one()
        first, second = self.town.city_pair()
        left = self.known["guardians", child.child_id] - {father.account.id}
        act = Act(
            "remove the father", second, who=frozenset({"city_office", mother.account_id, "system"}),
            may={("guardians", child.child_id): exactly(left), ("decision", child.id): any_value},
            must={("guardians", child.child_id): left},
        )  # fmt: skip

        def perform():
            here: dict[str, Any] = {"now": self.town.now}
            case = guardian_requests.request_removal(
                self.session, child.id, guardian.id, Paper(photo_of_a_paper()), protected=protected, text="判决书",
                by=mother, **here,
            )  # fmt: skip
            guardian_requests.propose_removal(self.session, case.id, reason="判决书", by=first, **here)
            guardian_requests.confirm_removal(self.session, case.id, reason="判决书", by=second, **here)

        self.make(act, perform)

    @rule(rarely=RARELY, number=CHILD, who=st.integers(0, 8), old=st.booleans())
    def change_phone(self, rarely, number, who, old):
        if rarely:
            return
        child = self.child(number)
        actor, new = self.person(child, who), f"+86139{self.next():08d}"
        act = Act(f"change a phone, old code {old}", actor, who=frozenset({actor.account_id}))
        if old:
            act.may = {("phone", actor.account_id): exactly(new)}

        def perform():
            now = self.town.now
            codes = phone_changes.send_codes(self.session, actor.account_id, new, by=actor, now=now)
            asked = phone_changes.request_change(
                self.session, new, codes.new or "", codes.old or "" if old else "", by=actor, now=now
            )
            if asked.change is not None:
                phone_change_course.take_effect_now(self.session, asked.change, by=actor, now=now)

        if self.make(act, perform) and not old:
            self.phones_waiting[actor.account_id] = new

    @property
    def phones_waiting(self) -> dict[uuid.UUID, str]:
        return self.__dict__.setdefault("_phones_waiting", {})

    @precondition(lambda self: self.phones_waiting)
    @rule(number=CHILD, who=st.integers(0, 8))
    def stop_phone_change(self, number, who):
        actor = self.person(self.child(number), who)
        act = Act("stop a phone change", actor)
        if self.make(act, lambda: phone_change_course.stop_own(self.session, by=actor, now=self.town.now)):
            self.phones_waiting.pop(actor.account_id, None)

    @rule(rarely=RARELY, number=CHILD, who=st.integers(0, 8), same=st.booleans())
    def change_phone_at_desk(self, rarely, number, who, same):
        """A clerk checks the document and asks; a second person confirms, and a second time the same one may not."""
        if rarely:
            return
        child = self.child(number)
        actor, new = self.person(child, who), f"+86137{self.next():08d}"
        if child.review_kindergarten_id is None or not self.cares(actor, child.id):
            return
        clerk, head = self.desk(child)
        guardian = self.session.scalars(select(Guardian).where(Guardian.account_id == actor.account_id)).one()
        act = Act("change a phone at the desk", head, possible=not same)

        def perform():
            here: dict[str, Any] = {"now": self.town.now}
            desk_access.check_identity(
                self.session, child.id, actor.account_id, document_kind=guardian.id_kind or "",
                document_end=(guardian.id_number or "")[-4:], purpose="phone", by=clerk, **here,
            )  # fmt: skip
            codes = phone_changes.send_codes(self.session, actor.account_id, new, by=clerk, **here)
            asked = phone_changes.request_at_desk(
                self.session, child.id, actor.account_id, new, codes.new or "", "", by=clerk, **here
            )
            assert asked.change is not None
            phone_changes.confirm_at_desk(self.session, asked.change.id, by=clerk if same else head, **here)

        if self.make(act, perform):
            self.phones_waiting[actor.account_id] = new

    def next(self) -> int:
        self.serial += 1
        return self.serial

    # --- answers ----------------------------------------------------------------------------------------------------

    def answered_with(self, child: Application, actor: Actor) -> list[uuid.UUID]:
        """The child, and those bound to it at the same kindergarten in this person's care."""
        place = self.known["place", child.id]
        return [
            each for each in self.unit(child)
            if each == child.id or (self.known["place", each][:1] == place[:1] and self.cares(actor, each)
                                    and self.known["place", each][1] in ("offered", "confirmed", "confirmed_waiting"))
        ]  # fmt: skip

    @precondition(lambda self: self.has("place"))
    @rule(
        number=CHILD,
        who=WHO,
        what=st.sampled_from(("confirm", "confirm", "confirm_and_wait", "decline", "decline")),
        desk=st.booleans(),
    )
    def answer(self, number, who, what, desk):
        self.answer_with(number, who, what, desk)

    def answer_with(self, number: int, who: int, what: str, desk: bool) -> None:
        placed = [each for each in self.children if self.known["place", each.id][1]]
        if not placed:
            return
        live = [each for each in placed if self.known["place", each.id][0]]
        child = live[number % len(live)] if live and number % 4 else placed[number % len(placed)]
        place = self.known["place", child.id]
        actor, offer = self.person(child, who), self.town.last_offer_for(child)
        together = self.answered_with(child, actor)
        late = place[2] is not None and self.town.now >= place[2]
        live = place[0] is not None and place[1] != "arrived"
        state = {"confirm": "confirmed", "confirm_and_wait": "confirmed_waiting", "decline": "declined"}[what]
        may: dict[ledger.Key, Callable[[Any, Any], bool]] = {("decision", each): any_value for each in together}
        may |= {("decision", each): any_value for each in self.unit(child)}
        may |= {("hold", each): any_value for each in self.unit(child)}
        for each in together:
            kept = None if what == "decline" else self.known["place", each][0]
            may["place", each] = lambda _was, is_now, kept=kept: is_now[:2] == (kept, state)
        act = Act(
            f"{what}", actor, may=may, who=self.deciders(child.id, actor),
            possible=self.cares(actor, child.id) and live and not any(self.known["hold", each] for each in together)
            and (what == "decline" or not late or (what == "confirm" and place[1] == "confirmed_waiting")),
        )  # fmt: skip
        alone = all(self.known["guardians", self.known["of", each]] <= {actor.account_id} for each in together)
        agrees = (self.known["decision", child.id] or (None, actor.account_id))[:2]
        if what == "decline" and not alone and agrees[1] == actor.account_id:
            for each in together:
                may.pop(("place", each))  # it waits for the other guardian
        elif what == "decline" and agrees[0] == "decline":
            # it agrees to what the other guardian proposed, also about a bound child that is in their care alone
            for each in self.of_one_act(self.known["decision", child.id][2]):
                may["place", each] = lambda _was, is_now: is_now[:2] == (None, "declined")
        if desk and child.review_kindergarten_id is not None and self.cares(actor, child.id):
            act.by = actor
            self.make(act, lambda: self.answer_at_desk(child, actor, what))
            return
        if what == "decline":
            self.make(act, lambda: offers.decline(self.session, offer.id, by=actor, now=self.town.now))
        else:
            wait = what == "confirm_and_wait"
            self.make(act, lambda: offers.confirm(self.session, offer.id, wait=wait, by=actor, now=self.town.now))

    @precondition(lambda self: self.has("place"))
    @rule(number=CHILD, who=st.integers(0, 8), what=st.sampled_from(("confirm", "confirm_and_wait", "decline")))
    def answer_on_the_page(self, number, who, what):
        """Most acts after a result are answers."""
        self.answer_with(number, who, what, desk=False)

    def answer_at_desk(self, child: Application, actor: Actor, what: str) -> None:
        clerk, _head = self.desk(child)
        guardian = self.session.scalars(select(Guardian).where(Guardian.account_id == actor.account_id)).one()
        desk_access.check_identity(
            self.session, child.id, actor.account_id, document_kind=guardian.id_kind or "",
            document_end=(guardian.id_number or "")[-4:], purpose="answer", by=clerk, now=self.town.now,
        )  # fmt: skip
        desk_answers.answer(self.session, child.id, actor.account_id, what, by=clerk, now=self.town.now)

    def of_one_act(self, act_id: uuid.UUID) -> list[uuid.UUID]:
        """The applications of all children about whom one decision waits."""
        decisions = [(each, value) for (name, each), value in self.known.items() if name == "decision"]
        return [each for each, value in decisions if value and value[2] == act_id]

    @precondition(lambda self: self.has("decision"))
    @rule(number=CHILD, who=WHO, what=st.sampled_from(("agree", "object", "take_back")))
    def answer_decision(self, number, who, what):
        undecided = [each for each in self.children if self.known["decision", each.id]]
        if not undecided:
            return
        child = undecided[number % len(undecided)]
        waiting = self.known["decision", child.id]
        actor, (kind, proposer, act_id, _) = self.person(child, who), waiting
        concerned = self.of_one_act(act_id)
        may: dict[ledger.Key, Callable[[Any, Any], bool]] = {("decision", each): any_value for each in concerned}
        if what == "agree":
            for each in concerned:
                may["place", each] = lambda _was, is_now: is_now[:2] == (None, "declined")
                if kind == "withdraw":
                    may |= self.leaves_bond(each) | self.stages([each], "withdrawn")
        if what == "object":
            may |= {("hold", each): becomes(True) for each in concerned}
        act = Act(
            f"{what}", actor, may=may, who=frozenset({actor.account_id, proposer}),
            possible=(actor.account_id == proposer) == (what == "take_back")
            and any(self.cares(actor, each) for each in concerned),
        )  # fmt: skip
        perform = {
            "agree": lambda: irrevocable_acts.agree(self.session, act_id, by=actor, now=self.town.now),
            "object": lambda: irrevocable_acts.object_to(
                self.session, act_id, text="不同意", by=actor, now=self.town.now
            ),
            "take_back": lambda: irrevocable_acts.take_back(self.session, act_id, by=actor, now=self.town.now),
        }
        self.make(act, perform[what])

    # --- offices ----------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.stage == "closed")
    @rule(number=CHILD, what=st.sampled_from(("confirm", "send_back", "refuse")))
    def clerk_reviews(self, number, what):
        child = self.child(number)
        if self.known["stage", child.id] != "submitted":
            return
        clerk, head = self.desk(child)
        becomes_ = {"confirm": "confirmed", "send_back": "returned", "refuse": "refused"}[what]
        act = Act(f"{what}", clerk, may=self.stages([child.id], becomes_), who=frozenset({"kindergarten"}))
        if what == "refuse":
            act.may |= self.leaves_bond(child.id)

        def perform():
            if what == "confirm":
                self.town.clerk_confirms(child, by=clerk)
            elif what == "send_back":
                self.town.clerk_sends_back(child, "hukou_booklet", by=clerk)
            else:
                proposal = self.town.clerk_proposes_refusal(child, by=clerk)
                refusals.decide_refusal(self.session, proposal.id, upheld=True, by=head, now=self.town.now)

        assert self.make(act, perform), act.why

    def has(self, name: str) -> bool:
        """Whether something of this kind waits or stands for some child; an act without it would be idle."""
        return any(key[0] == name and bool(value[1] if name == "place" else value) for key, value in self.known.items())

    @precondition(lambda self: self.has("hold"))
    @rule()
    def settle_case(self):
        case = self.session.scalars(
            select(Case).where(Case.settled_at.is_(None), Case.kind == "guardians_dispute").order_by(Case.opened_at)
        ).first()
        if case is None:
            return
        official = self.town.city_pair()[0]
        may = {} if case.application_id is None else {("hold", case.application_id): becomes(False, True)}
        act = Act("settle a case", official, may=may, who=frozenset({"city_office"}))
        assert self.make(act, lambda: cases.settle(
            self.session, case.id, outcome="settled", reason="已协商", by=official, now=self.town.now)), act.why  # fmt: skip

    @rule(hours=st.sampled_from((1, 25, 25, 73)))
    def time_passes(self, hours):
        self.tick(self.town.now + dt.timedelta(hours=hours))

    def tick(self, moment: dt.datetime) -> None:
        """The clock goes on, and the scheduled jobs run, each as the worker runs it."""
        town, session = self.town, self.session
        town.at(max(town.now, moment))
        now, phones = town.now, self.phones_waiting

        def remind() -> None:
            rounds.close_if_due(session, town.the_round.id, by=SYSTEM, now=now)
            bond_notices.remind_due(session, now=now)
            answer_deadlines.remind_due(session, now=now)

        self.make(Act("remind", None, may=self.later_answers()), remind)
        if phones:
            act = Act("phone waits end", None, may={("phone", each): exactly(new) for each, new in phones.items()})
            self.make(act, lambda: phone_change_course.end_waiting_times(session, now=now))
        if self.has("decision"):
            self.decisions_take_effect()
        if self.has("place"):
            self.make(self.silence(), lambda: answer_deadlines.expire_due(session, now=now))

    def decisions_take_effect(self) -> None:
        town, session = self.town, self.session
        waiting = {each: value for (name, each), value in self.known.items() if name == "decision" and value}
        names = frozenset(value[1] for value in waiting.values()) | {"system"}
        again = {("decision", each): any_value for each in waiting} | self.later_answers()
        self.make(
            Act("renew", None, may=again, who=names), lambda: irrevocable_acts.renew_after_holds(session, now=town.now)
        )
        for act_id in joint_decisions.due(session, now=town.now):
            act = Act("a decision takes effect", None, who=names)
            for each, (kind, _proposer, of, takes_effect_at) in waiting.items():
                if of == act_id:
                    assert takes_effect_at <= town.now, "too soon"
                    assert not self.known["hold", each], "in spite of a dispute"
                    act.may["decision", each] = any_value
                    act.may["place", each] = lambda _was, is_now: is_now[:2] == (None, "declined")
                    if kind == "withdraw":
                        act.may |= self.leaves_bond(each) | self.stages([each], "withdrawn")
            self.make(act, lambda act_id=act_id: irrevocable_acts.take_effect(session, act_id, now=town.now))

    def later_answers(self) -> dict[ledger.Key, Callable[[Any, Any], bool]]:
        """An answer may become due later, never sooner."""
        places = [each for (name, each), value in self.known.items() if name == "place" and value[0]]
        return {("place", each): lambda was, is_now: was[:2] == is_now[:2] and is_now[2] >= was[2] for each in places}

    def silence(self) -> Act:
        act = Act("answers_due", None, may=self.later_answers(), who=frozenset({"system"}))
        for (name, each), value in self.known.items():
            if name == "place" and value[1] == "offered" and value[2] <= self.town.now and not self.known["hold", each]:
                act.may["place", each] = lambda was, is_now: (
                    is_now[:2] == (None, "expired") or (is_now[:2] == was[:2] and is_now[2] > was[2]) or is_now == was
                )
        return act

    @precondition(lambda self: not self.over)
    @rule()
    def the_office_goes_on(self):
        """The next step of the season, made by the officials whose step it is."""
        town = self.town
        self.session.refresh(town.the_round)
        if self.stage == "open":
            if town.now < town.the_round.closes_at:
                self.tick(town.the_round.closes_at - dt.timedelta(hours=2))
                self.tick(town.the_round.closes_at + dt.timedelta(minutes=1))
            if self.stage == "open":
                self.office("close", town.close_registration)
        elif self.stage == "closed":
            self.freeze()
        elif self.stage == "frozen":
            self.office("seed", town.seed)
        elif self.stage == "drawn":
            self.draw_and_publish()
        elif self.stage == "published":
            self.after_the_result()

    def office(self, name: str, perform: Callable[[], object], **what: Any) -> None:
        act = Act(name, None, who=frozenset({"city_office", "system", "kindergarten"}), **what)
        assert self.make(act, perform), f"{name} was refused: {act.why}"

    def freeze(self) -> None:
        """The list is frozen when everybody is reviewed; a supplementary round that nobody wished in ends the rounds."""
        self.everybody_is_reviewed()
        self.office("judge the pairs that look like one child", self.pairs_are_judged)
        act = Act("freeze", None)
        if not self.make(act, self.town.freeze):
            assert act.why == "nobody_takes_part", act.why
            self.children_arrive()

    def pairs_are_judged(self) -> None:
        """Children whom families gave one name and one birth date are different ones here."""
        official = self.town.city_pair()[0]
        for hint in self.session.scalars(select(DuplicateHint).where(DuplicateHint.decided_at.is_(None))).all():
            said = {"verdict": "different", "reason": "父母不同"}
            duplicates.judge(self.session, hint.id, **said, by=official, now=self.town.now)

    def everybody_is_reviewed(self) -> None:
        waiting = [
            each
            for (name, each), stage in self.known.items()
            if name == "stage" and stage in ("submitted", "in_review")
        ]
        may = self.stages(waiting, "confirmed")
        self.office("review everybody", self.town.everyone_is_reviewed, may=may)

    def draw_and_publish(self) -> None:
        town = self.town
        self.office("run", town.run)
        may: dict[ledger.Key, Callable[[Any, Any], bool]] = {}
        for name, each in list(self.known):
            if name == "place" and self.known["stage", each] in ("confirmed", "returned"):
                may["place", each] = self.better(each)
        self.office("publish", lambda: published(town), may=may | self.voided() | self.looser_bonds())
        for (name, each), stage in self.known.items():
            if name == "stage" and stage in ("confirmed", "returned"):
                assert self.has_heard(each, "result_published"), "a result, and the family was not told"

    def has_heard(self, application_id: uuid.UUID, kind: str) -> bool:
        number = self.town.the_round.number
        if not any(each.startswith(f"{number} ") for each in self.known["list", application_id]):
            return True  # it takes no part in this round
        accounts = self.known["guardians", self.known["of", application_id]]
        told = {
            m.account_id
            for m in ledger.messages(self.session).values()
            if m.kind == kind and str(application_id) in m.about
        }
        return accounts <= told

    def looser_bonds(self) -> dict[ledger.Key, Callable[[Any, Any], bool]]:
        """Children who are placed apart are not bound any more; nobody is bound anew."""
        bonds = [key for key, value in self.known.items() if key[0] == "bond" and value]
        return {key: lambda was, is_now: is_now < was for key in bonds}

    def voided(self) -> dict[ledger.Key, Callable[[Any, Any], bool]]:
        return {key: any_value for key, value in self.known.items() if key[0] == "decision" and value}

    def better(self, application_id: uuid.UUID) -> Callable[[Any, Any], bool]:
        """A draw gives a place of the child's list, and takes one only for a better one."""
        codes = {self.town.programme_of(each).id: f"{each.code}/lower" for each in self.gardens}
        listed = [each.split()[1] for each in self.known["list", application_id]]

        def rule(was, is_now):
            if is_now[0] is None or codes[is_now[0]] not in listed:
                return False
            if was[0] is None:
                return was[1] != "declined" or self.town.the_round.number > 1
            return was[1] in ("offered", "confirmed_waiting") and listed.index(codes[is_now[0]]) < listed.index(
                codes[was[0]]
            )

        return rule

    def after_the_result(self) -> None:
        town = self.town
        due = [
            value[2]
            for (name, each), value in self.known.items()
            if name == "place" and value[1] == "offered" and not self.known["hold", each]
        ]
        if due and max(due) > town.now:
            self.tick(max(due) - dt.timedelta(hours=20))
            self.tick(max(due) + dt.timedelta(minutes=5))
        elif not self.latest_is_a_replay() and self.tried != town.the_round.id:
            self.hand_on()
            self.tried = town.the_round.id
        elif town.the_round.kind == "main":
            self.tick(at(6, 15))
            town.the_round.stage = "published"
            self.office("supplementary", self.open_supplementary)
        else:
            self.children_arrive()

    tried: uuid.UUID | None = None

    def open_supplementary(self) -> None:
        self.town.round(
            kind="supplementary",
            **(
                {"opens_at": self.town.now, "closes_at": self.town.now + dt.timedelta(days=4)}
                if self.town.now > at(6, 15)
                else {}
            ),
        )
        self.town.open_registration()

    def hand_on(self) -> None:
        """A replay, if there is a free place that somebody in line wants."""
        may = {("place", each): self.better(each) for (name, each), _ in self.known.items() if name == "place"}
        may |= self.looser_bonds() | self.voided()
        act = Act("replay", None, may=may, who=frozenset({"city_office", "system"}))
        done = self.make(act, lambda: self.town.replay())
        assert done or act.why == "nothing_to_hand_on", act.why

    def children_arrive(self) -> None:
        town, self.over = self.town, True
        self.tick(at(8, 25))
        for (name, each), value in list(self.known.items()):
            if name != "place" or value[1] not in ("confirmed", "confirmed_waiting"):
                continue
            offer = self.session.scalars(
                select(Offer).where(Offer.application_id == each, Offer.state == value[1])
            ).one()
            garden = next(one for one in self.gardens if town.programme_of(one).id == value[0])
            comes = self.next() % 3 != 0
            state = (value[0], "arrived") if comes else (None, "no_show")
            head = self.heads[garden.id]
            act = Act(
                "arrival", head, may={("place", each): lambda _was, is_now, state=state: is_now[:2] == state} | self.voided(),
                who=frozenset({"kindergarten"}),
            )  # fmt: skip
            how: dict[str, Any] = {"by": head, "now": town.now}
            if comes:
                self.make(act, lambda offer=offer, how=how: arrival.mark_arrived(self.session, offer.id, **how))
            else:
                self.make(act, lambda offer=offer, how=how: absences.mark_no_show(
                    self.session, offer.id, reason="家长来电", **how))  # fmt: skip
            assert not act.why, act.why


def requests_after(request: CorrectionRequest) -> dict[str, Any]:
    """The corrected values that the family asked for."""
    import json

    return json.loads(request.after)
