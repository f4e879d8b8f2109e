"""Random families and offices in one season: each rule is an act of somebody, with what the act may change."""

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import initialize

from tests.domain.families.answer_acts import AnswerActs
from tests.domain.families.application_acts import ApplicationActs
from tests.domain.families.correction_acts import CorrectionActs
from tests.domain.families.draws import ORDER
from tests.domain.families.guardian_acts import GuardianActs
from tests.domain.families.office_steps import OfficeSteps

START = ("registration", "registration", "review", "answers", "handed_on", "supplementary")


class Season(ApplicationActs, CorrectionActs, GuardianActs, AnswerActs, OfficeSteps):
    """The beginning of a play; the acts and steps that follow are rules of the classes above."""

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
