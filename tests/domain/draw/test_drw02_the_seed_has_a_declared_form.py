"""DRW02: nobody chooses a seed by spelling, order or value: the form is declared before, two witnesses enter it."""

import datetime as dt
import itertools
import json
import re
import uuid

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from allocation import lottery
from allocation.draw_form import DrawForm, DrawFormError
from allocation.files import bundle, verification
from enrollment.draw import draw_rooms, draws, market_files, run_input, snapshot
from enrollment.draw.draws import Draw, Snapshot
from enrollment.draw.seed import declared_forms, part_standings, seed_entries, seeding, witness_sessions
from enrollment.draw.seed.witness_rows import SeedEntry, SeedPart, WitnessOffice, WitnessSession
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import NotFound, Refused
from portal.demo.actors import simulated_witnesses
from tests.support.prepared import prepared

CEREMONY, BEACON = SeedPart.CEREMONY, SeedPart.BEACON
NUMBERS = "3 8 14 21 27 30 + 6"
MINUTE = dt.timedelta(minutes=1)


@prepared
def reviewed(town):
    garden = town.kindergarten("金苹果", places=1)
    for name in ("安娜", "本本"):
        town.child(name, wishes=[garden])
    town.everyone_is_reviewed()
    if town.the_round.stage == "open":
        town.close_registration()
    return town


@prepared
def frozen(reviewed):
    reviewed.freeze()
    reviewed.now += MINUTE
    return reviewed


class Witness:
    """A person with a browser of its own who was given link and code."""

    def __init__(self, town, part, name, *, office=WitnessOffice.NOTARY, reason="", officials=None):
        one, other = officials or town.city_pair()
        self.town, self.browser = town, uuid.uuid4().hex
        self.session, self.token = witness_sessions.request(
            town.session, town.the_round.id, part, name=name, office=office, reason=reason, by=one, now=town.now
        )
        self.code = witness_sessions.approve(town.session, self.session.id, by=other, now=town.now)

    def opens(self, *, code=None, browser=None, account_id=None):
        return seed_entries.open_with_code(
            self.town.session,
            self.token,
            code or self.code,
            browser=browser or self.browser,
            account_id=account_id,
            now=self.town.now,
        )

    def enters(self, value, *, browser=None):
        return seed_entries.enter(
            self.town.session, self.token, value, browser=browser or self.browser, now=self.town.now
        )


def two_enter(town, part, one_value, other_value=None, *, names=("公证员甲", "家长乙"), reason=""):
    for name, value in zip(names, (one_value, other_value or one_value), strict=True):
        witness = Witness(town, part, name, reason=reason)
        assert witness.opens()
        witness.enters(value)


def standing(town, part):
    draw = draws.waiting_for_seed(town.session, 2026)
    return next(each for each in part_standings.of_draw(town.session, draw, now=town.now) if each.part == part)


def set_seed(town):
    return seeding.set_seed(town.session, 2026, by=town.city_pair()[0], now=town.now)


def refused(town, code, call, *arguments, **named):
    with pytest.raises(Refused) as found, town.session.begin_nested():
        call(*arguments, **named)
    assert found.value.code == code


# the declared form


def test_drw02_no_freeze_without_a_form(reviewed):
    town = reviewed
    by = town.city_pair()[0]
    refused(town, "draw_form_missing", snapshot.freeze, town.session, town.the_round.id, by=by, now=town.now)
    town.declare_form()
    made = snapshot.freeze(town.session, town.the_round.id, by=by, now=town.now)
    draw = draws.waiting_for_seed(town.session, 2026)
    assert (draw.format, draw.draw_form) == ("draw/2", made.draw_form)
    head = json.loads(market_files.unpack(made.market)["market.json"])
    assert lottery.canonical(head["draw_form"]).decode() == draw.draw_form, "the commitment fixes the form too"


def test_drw02_a_beacon_that_is_public_is_refused(reviewed):
    town = reviewed
    by = town.city_pair()[0]
    for early in (town.now, town.now - MINUTE):
        refused(town, "beacon_public_already", town.declare_form, early)
    town.declare_form(town.now + MINUTE)
    town.at(town.now + MINUTE)
    refused(town, "beacon_public_already", snapshot.freeze, town.session, town.the_round.id, by=by, now=town.now)


def test_drw02_a_form_without_a_time_or_with_few_results_is_refused(reviewed):
    town = reviewed
    by = town.city_pair()[0]
    digit = {"kind": "integers", "count": 5, "least": 0, "most": 9, "distinct": False, "order": "drawn"}
    untimed = DrawForm.parse({"ceremony": digit, "beacon": {"kind": "hex", "digits": 64, "name": "drand"}})
    weak = DrawForm.parse({"ceremony": digit, "beacon": None})
    for form, code in ((untimed, "beacon_needs_a_time"), (weak, "draw_form_too_few")):
        refused(town, code, declared_forms.declare, town.session, town.the_round.id, form, by=by, now=town.now)
    refused(town, "only_the_city", town_declares_as, town, town.area_official())


def town_declares_as(town, by):
    return simulated_witnesses.declare(town.session, town.the_round.id, town.now + MINUTE, by=by, now=town.now)


def test_drw02_a_form_declared_after_the_freeze_counts_for_the_next_one_alone(frozen):
    town = frozen
    before = draws.waiting_for_seed(town.session, 2026).draw_form
    town.declare_form(town.now + MINUTE)
    assert draws.waiting_for_seed(town.session, 2026).draw_form == before
    for statement in ("UPDATE declared_draw_form SET form = '{}'", "DELETE FROM declared_draw_form"):
        with pytest.raises(IntegrityError), town.session.begin_nested():
            town.session.execute(text(statement))


def test_drw02_a_freeze_after_the_beacon_needs_a_reason_and_a_new_beacon(reviewed):
    town = reviewed
    by = town.city_pair()[0]

    def declare(issue, beacon_at):
        form = simulated_witnesses.form(beacon_at, issue=issue)
        declared_forms.declare(town.session, town.the_round.id, form, by=by, now=town.now)

    def freeze(reason):
        return snapshot.freeze(town.session, town.the_round.id, by=by, now=town.now, reason=reason)

    declare("2026064", town.now + MINUTE)
    freeze("")
    town.now += 2 * MINUTE
    refused(town, "public_reason_missing", freeze, "")
    refused(town, "beacon_public_already", freeze, "学位有更正")
    declare("2026064", town.now + MINUTE)  # the same issue with a later time is a lie
    refused(town, "beacon_used_before", freeze, "学位有更正")
    declare("2026065", town.now + MINUTE)
    second = freeze("学位有更正")
    room = draw_rooms.of_round(town.session, town.the_round.id)
    assert declared_forms.after_public_beacon(room.snapshots) == {second.id}, "the record says so in public"


# the witnesses


def test_drw02_two_witnesses_who_agree_give_the_seed_that_anybody_computes(frozen):
    town = frozen
    two_enter(town, BEACON, "30,27,21 14 08 3 + 06", "3 8 14 21 27 30 ＋ 6")
    assert (standing(town, BEACON).state, standing(town, CEREMONY).state) == ("agreed", "waiting")
    refused(town, "seed_parts_missing", set_seed, town)
    two_enter(town, CEREMONY, "9 0 0 1 2 3", "９ 00 0 1　2 3", names=("公证员甲", "家长丙"))
    draw = set_seed(town)
    form = declared_forms.of_draw(draw)
    assert (draw.beacon, draw.ceremony) == (NUMBERS, "9 0 0 1 2 3")
    assert draw.seed == lottery.seed_bytes_2(draw.commitment, form, NUMBERS, "9 0 0 1 2 3").hex()
    assert part_standings.witnesses_of(town.session, draw) == [
        {"part": "ceremony", "names": ["公证员甲", "家长丙"]},
        {"part": "beacon", "names": ["公证员甲", "家长乙"]},
    ]


def test_drw02_the_bundle_names_form_and_witnesses_and_verifies(frozen, tmp_path):
    town = frozen
    for part, value in ((BEACON, NUMBERS), (CEREMONY, "1 2 3 4 5 6")):
        two_enter(town, part, value)
    draw = set_seed(town)
    run = town.run()
    packed = tmp_path / "draw.zip"
    packed.write_bytes(run.bundle)
    assert verification.verify(packed) == []
    record = bundle.unpack(packed).draw
    assert isinstance(record, bundle.DrawRecord2)
    assert record.form == declared_forms.of_draw(draw)
    assert [each["names"] for each in record.witnesses] == [["公证员甲", "家长乙"]] * 2


def test_drw02_406_spellings_give_one_seed(frozen):
    """The finding: tried at home, the spelling of six numbers moved a child from ticket 736 to 6."""
    town = frozen
    witness = Witness(town, CEREMONY, "公证员甲")
    witness.opens()
    part = declared_forms.of_draw(draws.waiting_for_seed(town.session, 2026)).ceremony
    gaps = itertools.product((" ", "  ", "\t", "\u3000"), repeat=5)
    spellings = {"".join(itertools.chain(*zip("416253", (*each, ""), strict=True))) for each in gaps}
    assert len(spellings) > 406
    assert {part.canonical_text(each) for each in spellings} == {"4 1 6 2 5 3"}
    assert witness.enters(sorted(spellings)[-1]).value == "4 1 6 2 5 3"


@pytest.mark.parametrize("value", ["1 2 3 4 5", "1 2 3 4 5 10", "1 2 3 4 5 -6", "1 2 3 4 5 ⑥", "1 2 3 4 5 6\u200b", ""])
def test_drw02_a_value_outside_the_form_is_not_entered(frozen, value):
    witness = Witness(frozen, CEREMONY, "公证员甲")
    witness.opens()
    with pytest.raises(DrawFormError), frozen.session.begin_nested():
        witness.enters(value)
    assert frozen.session.query(SeedEntry).count() == 0


def test_drw02_different_entries_stand_in_the_record_and_set_nothing(frozen):
    town = frozen
    two_enter(town, CEREMONY, "1 2 3 4 5 6")
    two_enter(town, BEACON, NUMBERS, "3 8 14 21 27 30 + 7")
    assert standing(town, BEACON).state == "different"
    assert [each.value for each in standing(town, BEACON).records] == [NUMBERS, "3 8 14 21 27 30 + 7"]
    refused(town, "seed_parts_differ", set_seed, town)
    refused(town, "say_why", Witness, town, BEACON, "公证员甲")
    two_enter(town, BEACON, NUMBERS, reason="家长看错了蓝球")
    record = standing(town, BEACON).records
    assert [(each.attempt, each.value) for each in record][:2] == [(1, NUMBERS), (1, "3 8 14 21 27 30 + 7")]
    assert {each.reason for each in record if each.attempt == 2} == {"家长看错了蓝球"}
    assert set_seed(town).beacon == NUMBERS


def test_drw02_nobody_reads_an_entry_before_the_other_witness_entered(frozen):
    town = frozen
    first, second = Witness(town, BEACON, "公证员甲"), Witness(town, BEACON, "家长乙")
    first.opens()
    first.enters(NUMBERS)
    (shown,) = [each for each in standing(town, BEACON).records if each.entered_at]
    assert (shown.value, standing(town, BEACON).value) == ("", "")
    trail = town.session.query(AuditEntry).all()
    digits = re.compile(r"3\D+8\D+14\D+21\D+27\D+30")  # in whatever form; an id holds single numbers of it by chance
    assert digits.search(NUMBERS) and not any(digits.search(json.dumps(each.details)) for each in trail)
    second.opens()
    second.enters(NUMBERS)
    assert {each.value for each in standing(town, BEACON).records} == {NUMBERS}


# hostile officials and witnesses


def test_drw02_one_official_cannot_open_a_session_alone(frozen):
    town = frozen
    one, _other = town.city_pair()
    refused(town, "second_person_needed", Witness, town, BEACON, "公证员甲", officials=(one, one))
    opened, token = witness_sessions.request(
        town.session, town.the_round.id, BEACON, name="公证员甲", office=WitnessOffice.NOTARY, by=one, now=town.now
    )
    open_ = seed_entries.open_with_code
    more = {"browser": "b", "account_id": None, "now": town.now}
    refused(town, "witness_not_approved_yet", open_, town.session, token, "00000000", **more)
    with pytest.raises(IntegrityError), town.session.begin_nested():
        town.session.execute(
            text("UPDATE witness_session SET approved_by = requested_by, approved_at = :now, code_digest = 'x'"),
            {"now": town.now},
        )
    refused(
        town, "only_the_city", witness_sessions.approve, town.session, opened.id, by=town.area_official(), now=town.now
    )


def test_drw02_the_opener_has_no_code_and_the_approver_no_link(frozen):
    town = frozen
    witness = Witness(town, BEACON, "公证员甲")
    for _ in range(witness_sessions.MOST_WRONG_CODES):
        assert not witness.opens(code="00000000" if witness.code != "00000000" else "1")
    refused(town, "witness_session_over", witness.opens)
    stored = town.session.query(WitnessSession).one()
    assert witness.token.encode() not in stored.token_digest and witness.code.encode() not in stored.code_digest
    with pytest.raises(NotFound):
        seed_entries.of_link(town.session, stored.token_digest.hex())


def test_drw02_an_official_is_no_witness(frozen):
    town = frozen
    one, _other = town.city_pair()
    refused(town, "witness_is_an_official", Witness, town, BEACON, f" {one.name} ")
    witness = Witness(town, BEACON, "公证员甲")
    refused(town, "official_is_no_witness", witness.opens, account_id=one.account_id)
    assert witness.opens(account_id=town.parent_of(town.everybody()[0]).account_id), "a parent may be signed in"


def test_drw02_the_same_person_does_not_enter_twice(frozen):
    town = frozen
    first = Witness(town, BEACON, "张三")
    refused(town, "witness_named_already", Witness, town, BEACON, "张 三")
    second = Witness(town, BEACON, "李四")
    refused(town, "witnesses_enough", Witness, town, BEACON, "王五")
    first.opens()
    refused(town, "witness_same_browser", second.opens, browser=first.browser)
    assert Witness(town, CEREMONY, "张三").opens(browser=first.browser), "another part is another session"
    first.enters(NUMBERS)
    refused(town, "witness_entered_already", first.enters, NUMBERS)  # the other tab
    refused(town, "witness_entered_already", witness_sessions.revoke, town.session, first.session.id, by=town.city_pair()[0], now=town.now)  # fmt: skip


def test_drw02_a_link_works_in_one_browser_until_it_expires_or_is_revoked(frozen):
    town = frozen
    witness, other = Witness(town, BEACON, "公证员甲"), Witness(town, BEACON, "家长乙")
    refused(town, "witness_code_first", witness.enters, NUMBERS)
    witness.opens()
    assert witness.opens(), "the same browser again"
    refused(town, "witness_other_browser", witness.opens, browser="another")
    refused(town, "witness_other_browser", witness.enters, NUMBERS, browser="another")
    witness_sessions.revoke(town.session, other.session.id, by=town.city_pair()[1], now=town.now)
    refused(town, "witness_session_over", other.opens)
    town.now += witness_sessions.LIFETIME
    refused(town, "witness_session_over", witness.enters, NUMBERS)
    two_enter(town, BEACON, NUMBERS)  # others take their place
    assert {each.state for each in standing(town, BEACON).records} == {"expired", "revoked", "entered"}


def test_drw02_no_value_before_the_commitment_or_before_the_beacon(reviewed):
    town = reviewed
    refused(town, "no_draw_is_open", Witness, town, BEACON, "公证员甲")
    town.declare_form(town.now + 10 * MINUTE)
    snapshot.freeze(town.session, town.the_round.id, by=town.city_pair()[0], now=town.now)
    witness = Witness(town, BEACON, "公证员甲")
    witness.opens()
    refused(town, "beacon_not_public_yet", witness.enters, NUMBERS)
    early = Witness(town, CEREMONY, "公证员甲")
    early.opens()
    refused(town, "seed_before_commitment", early.enters, "1 2 3 4 5 6")  # in the very second of the commitment


def test_drw02_a_new_commitment_ends_the_sessions_and_their_numbers(frozen):
    town = frozen
    two_enter(town, CEREMONY, "1 2 3 4 5 6")
    stale = Witness(town, BEACON, "公证员甲")
    stale.opens()
    town.now += MINUTE
    town.freeze(reason="学位有更正")
    town.now += MINUTE
    refused(town, "witness_commitment_replaced", stale.enters, NUMBERS)
    refused(town, "witness_session_over", witness_sessions.revoke, town.session, stale.session.id, by=town.city_pair()[0], now=town.now)  # fmt: skip
    assert standing(town, CEREMONY).records == ()
    again = Witness(town, CEREMONY, "公证员甲")
    again.opens()
    refused(town, "value_of_earlier_commitment", again.enters, "1 2 3 4 5 6")
    assert town.session.query(SeedEntry).count() == 2, "what was entered stays"


# the database


def test_drw02_the_database_refuses_a_seed_that_witnesses_did_not_enter(frozen):
    town = frozen
    two_enter(town, BEACON, NUMBERS)
    two_enter(town, CEREMONY, "1 2 3 4 5 6")
    draw = draws.waiting_for_seed(town.session, 2026)
    form = declared_forms.of_draw(draw)

    def force(beacon, ceremony, seed=None):
        ours = lottery.tagged_hash(
            "seed/2",
            bytes.fromhex(draw.commitment),
            form.text().encode(),
            (beacon or "").encode(),
            (ceremony or "").encode(),
        )
        town.session.execute(
            text("UPDATE draw SET beacon = :b, ceremony = :c, seed = :s, seeded_at = :at"),
            {"b": beacon, "c": ceremony, "s": seed or ours.hex(), "at": town.now},
        )

    for beacon, ceremony, what in (
        ("03 8 14 21 27 30 + 6", "1 2 3 4 5 6", "declared form"),
        ("8 3 14 21 27 30 + 6", "1 2 3 4 5 6", "declared form"),
        (NUMBERS, "1  2 3 4 5 6", "declared form"),
        (NUMBERS, "1 2 3 4 5 ６", "declared form"),
        (NUMBERS, None, "declared form"),
        (NUMBERS, "6 5 4 3 2 1", "two witnesses"),
        ("4 8 14 21 27 30 + 6", "1 2 3 4 5 6", "two witnesses"),
    ):
        with pytest.raises(IntegrityError, match=what), town.session.begin_nested():
            force(beacon, ceremony)
    with pytest.raises(IntegrityError, match="hash of its parts"), town.session.begin_nested():
        force(NUMBERS, "1 2 3 4 5 6", lottery.seed_bytes(draw.commitment, NUMBERS, "1 2 3 4 5 6").hex())
    with pytest.raises(IntegrityError, match="set with the seed"), town.session.begin_nested():
        town.session.execute(text("UPDATE draw SET beacon = '1'"))
    for column, value in (("draw_form", "{}"), ("format", "draw/1"), ("committed_at", "2030-01-01")):
        with pytest.raises(IntegrityError), town.session.begin_nested():
            town.session.execute(text(f"UPDATE draw SET {column} = '{value}'"))
    force(NUMBERS, "1 2 3 4 5 6")
    town.session.expire_all()
    for column in ("beacon", "ceremony", "draw_form", "seed"):
        with pytest.raises(IntegrityError, match="never changes"), town.session.begin_nested():
            town.session.execute(text(f"UPDATE draw SET {column} = NULL"))


def test_drw02_the_database_keeps_the_record_of_witnesses(frozen):
    town = frozen
    two_enter(town, BEACON, NUMBERS)
    for statement in (
        "UPDATE seed_entry SET value = '1 2 3 4 5 6 + 7'",
        "DELETE FROM seed_entry",
        "UPDATE witness_session SET name = '别人'",
        "UPDATE witness_session SET browser_digest = 'x'",
        "UPDATE witness_session SET wrong_codes = -1",
        "DELETE FROM witness_session",
        "INSERT INTO seed_entry (session_id, value, entered_at)"
        " SELECT id, '1 2 3 4 5 6 + 7', requested_at FROM witness_session WHERE false"
        " UNION ALL SELECT gen_random_uuid(), '1 2 3 4 5 6 + 7', now()",
    ):
        with pytest.raises(IntegrityError), town.session.begin_nested():
            town.session.execute(text(statement))


def test_drw02_the_database_agrees_with_the_engine_about_spellings(frozen):
    session = frozen.session
    form = declared_forms.of_draw(draws.waiting_for_seed(session, 2026))
    hexadecimal = DrawForm.parse({"ceremony": None, "beacon": {"kind": "hex", "digits": 6, "name": "drand"}})
    tried = [
        (form.beacon, [NUMBERS, "3 8 14 21 27 30+6", "3 8 14 21 27 30", "3 8 14 21 27 34 + 6", "3 3 14 21 27 30 + 6", f"{NUMBERS}\n", f" {NUMBERS}", "8 3 14 21 27 30 + 6"]),
        (form.ceremony, ["0 0 0 0 0 0", "00 0 0 0 0 0", "9 8 7 6 5 4", "1 2 3 4 5", "1 2 3 4 5 6 7", "1 2 3 4 5 99999999999"]),
        (hexadecimal.beacon, ["00ffa9", "00FFA9", "00ffa", "00ffa90", "0x00ff"]),
    ]  # fmt: skip
    for part, values in tried:
        for value in values:
            try:
                ours = part.canonical_text(value) == value
            except DrawFormError:
                ours = False
            asked = text("SELECT draw_part_is_canonical(CAST(:part AS jsonb), :value)")
            theirs = session.scalar(asked, {"part": json.dumps(part.declared()), "value": value})
            assert theirs == ours, (part, value)
    assert sum(1 for _part, values in tried for _value in values) == 19


def test_drw02_a_draw_of_the_older_format_stays_readable(frozen):
    """A draw that was seeded before the forms has none; it is shown and recorded as it was."""
    draw = Draw(
        year=2026, number=7, format="draw/1", commitment="0" * 64, committed_at=frozen.now, beacon_name="双色球",
        beacon="03 08", ceremony="", seed="1" * 64, seeded_at=frozen.now + MINUTE,
    )  # fmt: skip
    assert run_input._record(draw).beacon == "03 08"
    assert part_standings.of_draw(frozen.session, draw, now=frozen.now) == ()
    waiting = frozen.session.get_one(Snapshot, draws.waiting_for_seed(frozen.session, 2026).snapshot_id)
    formless = Draw(
        year=2026, number=8, snapshot_id=waiting.id, commitment="0" * 64, committed_at=frozen.now, beacon_name=""
    )
    frozen.session.add(formless)
    with pytest.raises(IntegrityError, match="has a declared form"):
        frozen.session.flush()
