"""`docs/decisions.md`: `python -m tests.domain.every_act.page` writes it from the tables."""

from pathlib import Path

from enrollment.applications.application_rows import STAGES
from tests.domain.every_act import at_once
from tests.domain.every_act.decision_tables import (
    OF_A_SINGLE_GUARDIAN,
    OF_APPLICATIONS,
    OF_OFFERS,
    OFFER_STATES,
    lines_of,
)

PAGE = Path(__file__).parents[3] / "docs" / "decisions.md"

HEAD = """# Every act in every state

Generated from the tables in `tests/domain/every_act/decision_tables.py`, which a test walks with the services of the product;
`python -m tests.domain.every_act.page` writes it again.

The mother proposed what waits in the states whose name says that something waits. An empty *when* or *who* means always
and whichever guardian. Whatever changes is told to every guardian, each with who did it; a refusal and a second time change
nothing and tell nobody. Helpers get `only_the_guardian`, everybody else finds nothing. The rules behind it are in
[policy.md](policy.md#decisions-of-two-guardians).
"""


def drawn() -> str:
    parts = [
        ("An offer, with two guardians", "state", OF_OFFERS),
        ("An offer, with one guardian: what cannot be undone takes effect at once", "state", OF_A_SINGLE_GUARDIAN),
        ("An application, with two guardians", "stage", OF_APPLICATIONS),
    ]
    text = HEAD
    for title, noun, table in parts:
        text += f"\n## {title}\n\n| {noun} | act | when | who | outcome | messages |\n|---|---|---|---|---|---|\n"
        text += "".join(f"| {' | '.join(cells)} |\n" for cells in lines_of(table))
    return text + AT_ONCE + _offers_at_once() + OF_PAGES + _applications_at_once()


AT_ONCE = """
## At once, and from a page that was opened before

Two guardians opened their pages in the same state; one acts, and the other in the same second. The acts take turns at the
child's lock, so that the second finds the state that the first one left: the outcome is the line of *that* state above. The
column *from the page* is what the second person gets whose page was opened before the first act and sends along what it showed:
an answer is refused, with what is newer; a withdrawal whose consequence has changed is shown that consequence first. No pair ends
in an act that nobody is told of. Derived by `tests/domain/every_act/at_once.py` and walked.

| state | first | by | second, by the other | outcome | from the page |
|---|---|---|---|---|---|
"""

OF_PAGES = """
## An application: a page that was opened before another act

Every form sends the version that it showed, and the version is compared under the lock, so that *at once* and *from a stale page*
are one column. Registration is open; the second act is the other guardian's.

| stage | first, by the mother | second, by the father | outcome |
|---|---|---|---|
"""


def _offers_at_once() -> str:
    text = ""
    for state in OFFER_STATES:
        for first, who in at_once.firsts(state):
            other = at_once.other_than(who)
            for second in at_once.seconds(state, first, who):
                then = at_once.then(state, first, who, second, other)[0]
                stale = at_once.from_a_stale_page(state, first, who, second, other)[0]
                text += (
                    f"| {state} | {first} | {who} | {second} | {then} | {'the same' if stale == then else stale} |\n"
                )
    return text


def _applications_at_once() -> str:
    pairs = ((stage, *pair) for stage in STAGES for pair in at_once.pairs_of_an_application(stage))
    return "".join(
        f"| {stage} | {first} | {second} | {at_once.then_of_an_application(stage, first, second)[0]} |\n"
        for stage, first, second in pairs
    )


if __name__ == "__main__":
    PAGE.write_text(drawn(), "utf-8")
