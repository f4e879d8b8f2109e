"""DRW03: three files of a run for three readers; a family proves its own result with the public file and its opening."""

import json
import time
import zlib

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from allocation import verify
from allocation.files import opening_verification, public_reader
from enrollment.draw import runs
from enrollment.draw.draws import Snapshot
from enrollment.draw.run_rows import OPENING, CutOff, Opening, Run
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import NotFound
from enrollment.ground.vault import row_name, seal_file
from enrollment.results import cut_offs, family_files, published_runs
from enrollment.season.facts import Fact
from tests.support.prepared import prepared


@prepared
def season(town):
    """A main run with a pool for policy care and bound twins, a replay after a family gave up, and a late joiner's round."""
    jinpingguo, mudan = town.kindergarten("金苹果", places=2), town.kindergarten("牡丹", places=2)
    town.pool(jinpingguo, "care", 1, ["policy_care"], name="政策照顾")
    town.ana, town.ben = (town.child(name, wishes=[jinpingguo, mudan]) for name in ("安娜", "本本"))
    town.cared = town.child("翠翠", wishes=[jinpingguo, mudan], grounds={"policy_care": "soldier"})
    town.pair = town.twins("宁宁", "静静", wishes=[mudan])
    town.registration_is_over()
    town.clerk_confirms(town.cared, facts={Fact.POLICY_CARE: "soldier"})
    town.made = [town.drawn(town.ana, town.ben)]
    return town


def as_files(run, tmp_path):
    (tmp_path / "public.zip").write_bytes(run.public_file)
    (tmp_path / "full.zip").write_bytes(run.bundle)
    return tmp_path / "public.zip", tmp_path / "full.zip"


def commitment_of(town, run):
    return town.session.get_one(Snapshot, run.snapshot_id).commitment


def opening_of(town, child):
    return json.loads(family_files.of_application(town.session, child, by=town.parent_of(child), now=town.now))


def test_every_family_proves_its_result_and_a_forged_one_does_not(season, tmp_path):
    town, [run] = season, season.made
    public, full = as_files(run, tmp_path)
    commitment = commitment_of(town, run)
    assert verify(public, commitment=commitment) == [] == verify(full, commitment=commitment, public=public)
    opened = public_reader.open_public(public)
    for child in town.everybody():
        told = opening_of(town, child)
        assert opening_verification.verify_opening(opened, told) == []
        assert told["facts"]["child"] == child.child_code and told["ticket"] == town.ticket_of(child)
    forged = opening_of(town, town.ben)
    forged["facts"]["wishes"][0][2] = 0
    assert opening_verification.verify_opening(opened, forged)


def test_an_opening_that_was_stored_compressed_is_read_as_before(season):
    """Openings of runs from before they were packed stay as they are."""
    town, [run] = season, season.made
    told = opening_of(town, town.ana)
    row = row_name(run.id, town.ana.id)
    compressed = zlib.compress(json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
    town.session.execute(
        update(Opening).where(Opening.application_id == town.ana.id).values(content=seal_file(compressed, OPENING, row))
    )
    assert opening_of(town, town.ana) == told


def test_a_replay_and_a_late_joiner_have_their_files_too(town, tmp_path):
    jinpingguo, mudan = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=2)
    ana, ben, cui = (town.child(name, wishes=[jinpingguo, mudan]) for name in ("安娜", "本本", "翠翠"))
    twins = town.twins("宁宁", "静静", wishes=[mudan])
    made = [town.drawn(ana, ben, cui, twins[0])]
    town.decline(ana)
    town.confirm(ben, wait=True)
    town.silence()
    made.append(town.replay())
    assert opening_of(town, ben)["run"] != opening_of(town, ana)["run"]
    town.silence_if_any()
    town.round(kind="supplementary")
    town.open_registration()
    town.programme(town.kindergarten("腊梅"), places=1)
    late = town.child("晚晚", wishes=[jinpingguo])
    made.append(town.drawn())
    told = {ben.id: opening_of(town, ben), late.id: opening_of(town, late)}
    assert told[late.id]["ticket"] == town.ticket_of(late) == 6 and told[late.id]["digest"]
    for run, child in zip(made[1:], (ben, late), strict=True):
        public, full = as_files(run, tmp_path)
        commitment = commitment_of(town, run)
        assert verify(public, commitment=commitment) == [] == verify(full, commitment=commitment, public=public)
        assert opening_verification.verify_opening(public_reader.open_public(public), told[child.id]) == []
    first, again = (commitment_of(town, run) for run in made[:2])
    assert standings(town, made[0]) == {first: "counts", again: "other"}
    assert standings(town, made[1]) == {first: "other", again: "counts"}
    nobody = select(Opening.run_id).where(Opening.run_id == made[1].id, Opening.application_id == ana.id)
    assert town.session.scalar(nobody) is None, "who gave up takes no part in the replay"


def standings(town, run) -> dict[str, str]:
    """What a page that shows this result says of each commitment of its round."""
    return {one.commitment: one.standing for one in published_runs.commitments(town.session, run.round_id, run)}


def test_a_commitment_that_a_correction_replaced_does_not_count_for_the_result(town):
    """The file of the earlier list is right in itself, has the same seed, and is not the result."""
    garden = town.kindergarten("金苹果", places=2)
    for name in ("安娜", "本本", "翠翠"):
        town.child(name, wishes=[garden])
    town.everyone_is_reviewed()
    town.freeze()
    town.seed()
    old = town.run()
    runs.set_aside(town.session, old.id, reason="减班", by=town.city_pair()[0], now=town.now)
    town.change_places(town.programme_of(garden), places=1)
    town.freeze(reason="减班")
    town.publish(town.run())
    found = runs.first_published(town.session, town.the_round.id)
    assert standings(town, found) == {commitment_of(town, old): "replaced", commitment_of(town, found): "counts"}


def test_nothing_before_the_publication_and_nothing_for_others(town):
    garden = town.kindergarten("锦官园", places=1)
    child, other = (town.child(name, wishes=[garden]) for name in ("安娜", "本本"))
    town.everyone_is_reviewed()
    town.freeze()
    town.seed()
    run = town.run()
    assert run.public_file, "it is made with the result"
    assert published_runs.result_run(town.session, town.the_round.id) is None
    with pytest.raises(NotFound):
        opening_of(town, child)
    town.publish(run)
    assert opening_of(town, child)["facts"]["child"] != opening_of(town, other)["facts"]["child"]
    stored = town.session.scalars(select(Opening.content)).all()
    assert len(stored) == 2 and all(child.child_code.encode() not in each for each in stored), "they are sealed"
    acts = town.session.scalars(select(AuditEntry.act).where(AuditEntry.act == "open_own_file")).all()
    assert len(acts) == 2


def test_the_database_keeps_what_is_published(season):
    with pytest.raises(IntegrityError), season.session.begin_nested():
        season.session.execute(text("UPDATE run SET public_file = 'x'"))


def test_the_lines_on_pages_are_those_of_the_public_file(season):
    town, [run] = season, season.made
    shown = published_runs.lines(town.session, run).rows
    assert {(each.kindergarten, each.line.pools, each.line.state) for each in shown} == {
        ("金苹果", 2, "hidden"), ("牡丹", 1, "hidden"),
    }  # fmt: skip
    assert all(each.line.tier is None and each.line.ticket is None for each in shown)
    [garden] = town.kindergartens_by_name("金苹果")
    [line] = cut_offs.published_of(town.session, garden.id)
    assert (line.line.pools, line.line.filled, line.line.tier) == (2, 2, None)
    assert {row.line_public for row in town.session.scalars(select(CutOff))} == {False}


def test_an_opening_is_there_at_once(season):
    begun = time.perf_counter()
    opening_of(season, season.ana)
    assert time.perf_counter() - begun < 0.3


def test_a_run_that_is_repeated_gives_the_same_public_file(town):
    garden = town.kindergarten("锦官园", places=1)
    for name in ("安娜", "本本"):
        town.child(name, wishes=[garden])
    town.everyone_is_reviewed()
    town.freeze()
    town.seed()
    first, second = town.run(), town.run()
    assert first.public_file == second.public_file and isinstance(first, Run)
    assert runs.one(town.session, first.id).bundle == second.bundle
