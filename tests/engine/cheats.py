"""What a cheating office could publish, and who finds it: anybody, the family that is harmed, or an auditor.

Each cheat is made on an honest draw. ``finds`` names the readers, each with a part of the command's line and the word of
the page's sentence. An auditor has the full bundle and the public file.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.engine.cheats_in_commitments import (
    another_digest,
    another_seed,
    another_witnessed_number,
    digests_in_another_order,
    drop_a_family_from_the_digests,
    false_hidden_line,
    first_tier,
    forged_as_a_whole,
    leave_a_pool_out,
    other_facts,
    other_form,
    other_number_of_children,
    other_salt,
    other_spelling,
    raise_places,
    salts_ground_again,
)
from tests.engine.cheats_in_openings import (
    hidden_line_kept_back,
    keep_the_elder_back,
    other_hidden_line,
    other_ticket,
    result_in_the_full_file,
    result_in_the_opening,
    take_a_wish_away,
    ticket_in_the_full_result,
)
from tests.engine.cheats_in_orders import (
    drop_a_child,
    favour_one,
    leave_a_place_empty,
    move_the_line,
    move_the_position_of_the_line,
    nullifier_for_a_refused_child,
    over_fill,
    over_fill_as_if_guaranteed,
    over_fill_with_a_reason,
    seat_a_child_twice,
    swap_across_the_line,
    swap_behind_the_line,
    take_a_guaranteed_place,
)
from tests.engine.honest_draws import Published

PUBLIC, FAMILY, AUDITOR = "public", "family", "auditor"


@dataclass(frozen=True)
class Cheat:
    """One cheat; ``finds`` maps a reader to a part of the command's line and the word of the page."""

    make: Callable[[], Published]
    finds: dict[str, tuple[str, str]]


OFFICE_FILE = ("the commitment is not that of this market", "wrong_commitment")
NOT_AGAIN = ("public file: ", "wrong_row")
NOT_COMMITTED = ("are not among those that were committed", "wrong_facts")
COMMITMENT = ("the commitment is not that of these files", "wrong_commitment")
OUTCOME = (", its line gives ", "wrong_outcome")
SEED = ("the seed does not come from", "wrong_seed")
FORM = ("the form in draw.json is not the one", "wrong_form")
PART = ("beacon is not written in its one form", "wrong_part")
OTHER_DRAW = ("is not about the published commitment", "wrong_site")

CHEATS: dict[str, Cheat] = {
    "two children swapped across the line": Cheat(swap_across_the_line, {
        PUBLIC: ("is refused, but position", "wrong_order"), FAMILY: ("does not say what block", "wrong_told"), AUDITOR: NOT_AGAIN}),
    "two children swapped behind the line": Cheat(swap_behind_the_line, {
        FAMILY: ("does not say what block", "wrong_told"), AUDITOR: NOT_AGAIN}),
    "the last place given to a child behind the line": Cheat(favour_one, {
        PUBLIC: ("is refused, but position", "wrong_order"), FAMILY: OUTCOME, AUDITOR: NOT_AGAIN}),
    "a better tier after the commitment": Cheat(other_facts(first_tier(0)), {FAMILY: NOT_COMMITTED, AUDITOR: OFFICE_FILE}),
    "a worse tier after the commitment": Cheat(other_facts(first_tier(4)), {FAMILY: NOT_COMMITTED, AUDITOR: OFFICE_FILE}),
    "another salt after the commitment": Cheat(other_facts(other_salt), {FAMILY: NOT_COMMITTED, AUDITOR: OFFICE_FILE}),
    "salts ground again, with a new root": Cheat(salts_ground_again, {PUBLIC: COMMITMENT, AUDITOR: OFFICE_FILE}),
    "another ticket in an opening": Cheat(other_ticket, {FAMILY: ("is not the one that the seed gives", "wrong_ticket")}),
    "another ticket in the full result": Cheat(ticket_in_the_full_result, {AUDITOR: ("result/reasons.csv differs", "wrong_row")}),
    "a child dropped from an order": Cheat(drop_a_child, {
        FAMILY: ("is not in the order of block", "wrong_no_entry"), AUDITOR: NOT_AGAIN}),
    "a family dropped from the digests": Cheat(drop_a_family_from_the_digests, {
        PUBLIC: ("digests.csv has 299 children", "wrong_digests"), AUDITOR: NOT_AGAIN}),
    "a forged digest": Cheat(another_digest, {
        FAMILY: ("is not the one that the seed gives", "wrong_ticket"), AUDITOR: NOT_AGAIN}),
    "digests in another order": Cheat(digests_in_another_order, {
        PUBLIC: ("not in the order of the digests", "wrong_digests"), AUDITOR: NOT_AGAIN}),
    "a child with two places": Cheat(seat_a_child_twice(lambda seat: seat), {
        PUBLIC: ("a child has two places", "wrong_two_places"), FAMILY: OUTCOME, AUDITOR: NOT_AGAIN}),
    "a child with two places and two nullifiers": Cheat(seat_a_child_twice(lambda seat: "ab" * 16), {
        FAMILY: OUTCOME, AUDITOR: NOT_AGAIN}),
    "one child more than places": Cheat(over_fill, {
        PUBLIC: ("54 children in 53 places", "wrong_overfull"), FAMILY: OUTCOME, AUDITOR: NOT_AGAIN}),
    "one child more, with a false reason": Cheat(over_fill_with_a_reason, {FAMILY: OUTCOME, AUDITOR: NOT_AGAIN}),
    "one child more, as if guaranteed": Cheat(over_fill_as_if_guaranteed, {
        PUBLIC: ("stand over by a guarantee, 0 have one", "wrong_guarantees"), FAMILY: OUTCOME, AUDITOR: NOT_AGAIN}),
    "a wanted place left empty": Cheat(lambda: leave_a_place_empty(""), {
        PUBLIC: ("refused while 1 places are free", "wrong_empty"), FAMILY: OUTCOME, AUDITOR: NOT_AGAIN}),
    "a wanted place left empty, with a false reason": Cheat(lambda: leave_a_place_empty("closed_by_unit"), {
        PUBLIC: ("refused while 1 places are free", "wrong_empty"), FAMILY: OUTCOME, AUDITOR: NOT_AGAIN}),
    "another ticket in a line": Cheat(move_the_line, {FAMILY: OUTCOME, AUDITOR: NOT_AGAIN}),
    "another position of a line": Cheat(move_the_position_of_the_line, {
        PUBLIC: ("the line is at position", "wrong_line"), AUDITOR: NOT_AGAIN}),
    "a false hidden line, committed": Cheat(false_hidden_line, {
        FAMILY: ("does not open the line", "wrong_line_closed"), AUDITOR: NOT_AGAIN}),
    "more places than committed": Cheat(raise_places, {PUBLIC: COMMITMENT, AUDITOR: NOT_AGAIN}),
    "a pool left out": Cheat(leave_a_pool_out, {PUBLIC: ("the pool is in no block", "wrong_blocks"), AUDITOR: NOT_AGAIN}),
    "another seed": Cheat(another_seed, {PUBLIC: SEED, AUDITOR: SEED}),
    "a number of the seed in another spelling": Cheat(other_spelling, {PUBLIC: PART, AUDITOR: PART}),
    "another ceremony than witnessed": Cheat(another_witnessed_number, {PUBLIC: SEED, AUDITOR: SEED}),
    "another form of the draw": Cheat(other_form, {PUBLIC: FORM, AUDITOR: FORM}),
    "a wish taken out of an opening": Cheat(take_a_wish_away, {FAMILY: NOT_COMMITTED}),
    "another result in an opening": Cheat(result_in_the_opening, {FAMILY: ("the result is no place", "wrong_result")}),
    "another hidden line in an opening": Cheat(other_hidden_line, {
        FAMILY: ("is not the one that was published with its commitment", "wrong_hidden_line")}),
    "a hidden line kept back": Cheat(hidden_line_kept_back, {FAMILY: ("does not open the line", "wrong_line_closed")}),
    "the elder's place kept back": Cheat(keep_the_elder_back, {FAMILY: ("the opening says tier", "wrong_tier")}),
    "a guaranteed place taken away": Cheat(take_a_guaranteed_place, {
        PUBLIC: ("refused while 1 places are free", "wrong_empty"), FAMILY: ("the place was guaranteed", "wrong_guaranteed"),
        AUDITOR: NOT_AGAIN}),
    "two children exchanged in the full result": Cheat(result_in_the_full_file, {
        AUDITOR: ("result/placements.csv differs", "wrong_row")}),
    "a place for a refused child": Cheat(nullifier_for_a_refused_child, {
        PUBLIC: ("a nullifier stands at an entry that was not admitted", "wrong_seats"), AUDITOR: NOT_AGAIN}),
    "another number of children": Cheat(other_number_of_children, {
        PUBLIC: ("different numbers of children", "wrong_children"), AUDITOR: NOT_AGAIN}),
    "a whole forged draw": Cheat(forged_as_a_whole, {PUBLIC: OTHER_DRAW, AUDITOR: OTHER_DRAW}),
}  # fmt: skip
