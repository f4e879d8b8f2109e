"""Who cares for a child, and the phones of these people."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select

from enrollment.applications.guardian_access import desk_access, guardian_joining, phone_change_course, phone_changes
from enrollment.people import invitations
from enrollment.people.person_rows import Guardian
from enrollment.review import guardian_requests
from enrollment.review.guardian_requests import Paper
from tests.domain.families.draws import CHILD, RARELY, WHO
from tests.domain.families.expectations import Expectations
from tests.domain.families.ledger import Act, any_value, exactly
from tests.support.town_families import Family
from tests.support.town_helping import photo_of_a_paper


class GuardianActs(Expectations):
    """Guardians join and are removed; phones change on the page and at the desk."""

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
