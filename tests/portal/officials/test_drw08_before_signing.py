"""DRW08: before signing, a run is compared with what came before it, and its record is a letter for the notary."""

import hashlib
import io

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader
from sqlalchemy import select

from enrollment.draw import draws, requests, runs
from enrollment.draw.comparison import dry_runs
from enrollment.draw.comparison.last_year import RulePart
from enrollment.draw.draws import Snapshot
from enrollment.draw.run_rows import Run
from enrollment.ground.audit import AuditEntry
from enrollment.results import run_comparison
from enrollment.results.run_causes import Cause
from enrollment.results.run_comparison import Group, Measure, Range, Share
from enrollment.season import policy_approval
from enrollment.season.round_rows import Round
from tests.support.letters import drawn_letter
from tests.support.signing_in import choices_of, fill_in, sign_in
from tests.support.town_season import at

MANY = 12


@pytest.fixture
def corrected(town, frozen_clock):
    """The first run was made with places for all; then the kindergarten lost most of them, and the list was frozen again."""
    garden = town.kindergarten("金苹果", places=MANY)
    town.garden = garden
    town.children = [town.child(f"小{sign}", wishes=[garden]) for sign in "甲乙丙丁戊己庚辛壬癸子丑"]
    town.everyone_is_reviewed()
    town.freeze()
    town.seed()
    town.first = town.run()
    runs.set_aside(town.session, town.first.id, reason="减班", by=town.city_pair()[0], now=town.now)
    town.change_places(town.programme_of(garden), places=4)
    town.freeze(reason="减班")
    town.second = town.run()
    town.session.commit()
    frozen_clock.set(town.now)
    return town


@pytest.fixture
def record(client, portal_engine, frozen_clock):
    """A function that gives the text of a record: asked for, drawn by the worker, fetched."""
    return lambda address: sheet(drawn_letter(client, portal_engine, frozen_clock, address))


def sheet(response) -> str:
    assert response.status_code == 200, response.text
    assert response.mimetype == "application/pdf"
    return "".join("".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(response.data)).pages)


def test_drw08_what_differs_from_the_run_before_is_marked(corrected):
    found = run_comparison.of_run(corrected.session, corrected.second)
    assert found.before.id == corrected.first.id and found.last_year is None
    marked = {(line.group, line.measure): (line.now, line.before) for line in found.marked}
    assert marked[Group.ALL, Measure.PLACED] == (Share(4, MANY), Share(MANY, MANY))
    assert (Group.NATURE, Measure.OF_NATURE) not in marked, "all of them are at the same kindergarten, as before"


def test_drw08_a_signer_says_that_the_differences_were_seen(corrected, client):
    town = corrected
    sign_in(client, town.city_pair()[0].account_id)
    address = f"/officials/2026/draws/runs/{town.second.id}"
    page = client.get(f"{address}?lang=zh")
    assert "处差 3 个百分点以上" in page.text and "100.0%" in page.text and "33.3%" in page.text
    assert "%(" not in page.text and "{name}" not in page.text
    listed = choices_of(client, address, "read")
    title = BeautifulSoup(page.text, "lxml").h1.text
    assert title == f"签之前，有 {len(listed) - 1} 处不同要您看过", "the page is called what the signer has to know"
    assert "第 2 次派位" in page.text and "项独立核验全部通过" in page.text
    area = town.garden.area_code
    assert listed[-2:] == [f"rules/{area}", "digest"] and "all//placed" in listed and len(listed) > 4
    refused = fill_in(client, address, f"{address}/sign")
    assert refused.status_code == 200 and f"还有 {len(listed)} 条没有打勾" in refused.text
    for left_out in listed:  # each has its own tick
        rest = [key for key in listed if key != left_out]
        answer = fill_in(client, address, f"{address}/sign", read=rest, note="减班")
        assert "还有 1 条没有打勾" in answer.text
        kept = BeautifulSoup(answer.text, "lxml").select('input[name="read"]')
        assert [box["value"] for box in kept if box.has_attr("checked")] == rest, "nothing ticked is lost"
    assert "请写明为什么不同" in fill_in(client, address, f"{address}/sign", read=listed).text
    assert runs.signed_by(town.session, town.second) == []
    signed = fill_in(client, address, f"{address}/sign", read=listed, note="减了两个班，批复已核对")
    assert signed.status_code == 303
    (entry,) = town.session.scalars(select(AuditEntry).where(AuditEntry.act == "read_differences"))
    assert entry.details["read"] == listed and entry.details["digest"] == town.second.digest
    assert runs.notes(town.session, town.second) == [(town.city_pair()[0].name, "减了两个班，批复已核对")]


def test_drw08_the_other_signer_reads_the_cause_and_need_not_write_one(corrected, client, record):
    town = corrected
    requests.sign(town.session, town.second.id, by=town.city_pair()[0], now=town.now, note="减了两个班")
    town.session.commit()
    sign_in(client, town.city_pair()[1].account_id)
    address = f"/officials/2026/draws/runs/{town.second.id}"
    assert "减了两个班" in client.get(f"{address}?lang=zh").text
    assert fill_in(client, address, f"{address}/sign", read=choices_of(client, address, "read")).status_code == 303
    assert len(runs.signed_by(town.session, town.second)) == 2
    assert "减了两个班" in record(f"{address}/record.pdf?lang=zh")


def test_drw08_a_marked_figure_has_its_range_over_dry_runs_and_its_cause(corrected, client):
    """Four places for twelve children: no ticket changes that four are placed, and the places say why."""
    town = corrected
    (placed,) = [
        line
        for line in run_comparison.of_run(town.session, town.second).marked
        if line.group == Group.ALL and line.measure == Measure.PLACED
    ]
    assert placed.dry_runs == Range(4, 4, 4, MANY) and not placed.is_unusual
    assert placed.cause == Cause(places=(MANY, 4), children=None, demand=None, by_chance=False, unusual=False)
    sign_in(client, town.city_pair()[0].account_id)
    page = client.get(f"/officials/2026/draws/runs/{town.second.id}?lang=zh").text
    assert f"试算 {dry_runs.DRAWS} 次的范围" in page and "学位 12 → 4。" in page


@pytest.mark.parametrize(("part", "unusual"), [(40, False), (61, False), (66, True), (24, True)])
def test_drw08_a_figure_far_outside_its_dry_runs_is_marked(part, unusual):
    tried = {"draws": 200, "ranges": {"all//placed": [40, 50, 60]}}
    (line,) = run_comparison.lines_of({"children": 100, "placed": part, "dry_runs": tried}, {}, {})
    assert (line.is_unusual, line.is_marked) == (unusual, unusual)


def test_drw08_a_difference_that_other_tickets_can_make_is_called_one():
    tried = {"draws": 200, "ranges": {"all//placed": [40, 50, 60]}}
    (line,) = run_comparison.lines_of(
        {"children": 100, "placed": 55, "dry_runs": tried}, {"children": 100, "placed": 45}, {}
    )
    assert line.is_marked and line.dry_runs.holds(line.before)
    assert not line.dry_runs.holds(Share(30, 100))


def test_drw08_last_years_result_is_beside_this_years(corrected, client):
    """Last year's round gave what this year's first run gave: a place to each of twelve children."""
    town, year = corrected, 2025
    town.season(year)
    round_ = Round(
        year=year, number=1, kind="main", name="2025 主批次", stage="published",
        opens_at=at(5, 20, year=year), closes_at=at(5, 28, year=year), confirm_by=at(6, 10, year=year),
    )  # fmt: skip
    town.session.add(round_)
    town.session.flush()
    frozen = town.session.get_one(Snapshot, town.first.snapshot_id)
    kept = Snapshot(
        round_id=round_.id, number=1, commitment=frozen.commitment, market=frozen.market, children=MANY, wishes=MANY,
        made_at=at(5, 29, year=year),
    )  # fmt: skip
    town.session.add(kept)
    town.session.flush()
    last = Run(
        round_id=round_.id, number=1, snapshot_id=kept.id, state="published", digest=town.first.digest,
        summary=town.first.summary, started_at=at(5, 30, year=year), published_at=at(6, 5, year=year),
    )  # fmt: skip
    town.session.add(last)
    town.session.commit()
    found = run_comparison.of_run(town.session, town.second)
    assert found.last_year.id == last.id
    (placed,) = [line for line in found.lines if line.group == Group.ALL and line.measure == Measure.PLACED]
    assert (placed.now, placed.last_year) == (Share(4, MANY), Share(MANY, MANY))
    sign_in(client, town.city_pair()[0].account_id)
    page = BeautifulSoup(client.get(f"/officials/2026/draws/runs/{town.second.id}?lang=zh").text, "lxml")
    head, *rows = page.select("table.compared")[0].select("tr")
    column = [cell.get_text() for cell in head.select("th")].index("去年")
    assert rows[0].select("th, td")[column].get_text(" ", strip=True).startswith("100.0%")


def test_drw08_the_same_children_and_tickets_under_last_years_rules(town, client, frozen_clock):
    """Six of twelve have an elder sibling there.  Last year that gave nothing, so the six lowest tickets had the places."""
    garden = town.kindergarten("金苹果", places=6)
    siblings = [town.child(f"弟{sign}", wishes=[garden], grounds={"elder_sibling": garden}) for sign in "甲乙丙丁戊己"]
    others = [town.child(f"小{sign}", wishes=[garden]) for sign in "庚辛壬癸子丑"]
    town.everyone_is_reviewed()
    town.freeze()
    town.seed()
    text = policy_approval.template("whole_district", garden.area_code, 2025)
    for now, then in (
        ('[["elder_sibling"], ["special_need"]]', '[["special_need"]]'),
        ('[["local_hukou"], ["collective_hukou"]]', '[["local_hukou"], ["collective_hukou"], ["elder_sibling"]]'),
        (
            '{ sibling_at = "here" }\nnature = "public"\ntier = 1',
            '{ sibling_at = "here" }\nnature = "public"\ntier = 5',
        ),
    ):
        assert text.count(now) == 1
        text = text.replace(now, then)
    town.policy(garden.area_code, text, year=2025)
    run = town.run()
    numbers = draws.ticket_numbers(town.session, 2026)
    lowest = sorted((each.child_code for each in (*siblings, *others)), key=numbers.__getitem__)[:6]
    better = sum(each.child_code not in lowest for each in siblings)
    found = run_comparison.of_run(town.session, run).last_rules
    assert better and (found.year, found.children, found.better, found.worse) == (2025, MANY, better, better)
    assert found.grounds == {}, "so few children of a ground are not told"
    assert [(part.part, part.told) for part in found.parts] == [(RulePart.TIERS, (6,))]
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, town.city_pair()[0].account_id)
    address = f"/officials/2026/draws/runs/{run.id}"
    page = client.get(f"{address}?lang=zh").text
    assert "和 2025 年的规则比" in page and f"{better} 个孩子派得更好，{better} 个不如" in page
    rest = [key for key in choices_of(client, address, "read") if key != "last_rules"]
    assert "还有 1 条没有打勾" in fill_in(client, f"{address}?lang=zh", f"{address}/sign", read=rest, note="规则").text


def test_drw08_every_part_of_last_years_rules_is_tried_and_ticked(town, client, frozen_clock, record):
    """Last year four of six places were reserved for collective hukou, families had one wish, and pairs closed a list."""
    near, far = town.kindergarten("金苹果", places=6), town.kindergarten("银杏", places=4)
    town.pool(near, "home", places=1, groups=["home_owner"])
    town.season(2025)
    town.programme(near, places=6, year=2025)
    town.programme(far, places=4, year=2025)
    town.pool(near, "collective", places=4, groups=["collective_hukou"], unclaimed="locked", year=2025)
    town.session.add(Round(
        year=2025, number=1, kind="main", name="2025 主批次", stage="published", max_wishes=1, pair_rule="close",
        opens_at=at(5, 20, year=2025), closes_at=at(5, 28, year=2025), confirm_by=at(6, 10, year=2025),
    ))  # fmt: skip
    town.season(2026)
    children = [town.child(f"小{sign}", wishes=[near, far]) for sign in "甲乙丙丁戊己庚辛"]
    town.everyone_is_reviewed()
    town.freeze()
    town.seed_in_order(*children)
    run = town.run()
    found = run_comparison.of_run(town.session, run).last_rules
    said = {each.part: (each.told, each.better, each.worse) for each in found.parts}
    # six of eight have the first wish, two the second; with locked places two have the first and four the second
    assert said == {
        RulePart.POOLS: ((1, 4, 1), 6, 0),
        RulePart.PAIR_RULE: (("close", "overhang"), 0, 0),
        RulePart.MAX_WISHES: ((1, 5), 2, 0),
    }
    assert (found.children, found.better, found.worse) == (8, 6, 0), "one wish and locked places: two are placed at all"
    town.session.commit()
    frozen_clock.set(town.now)
    address = f"/officials/2026/draws/runs/{run.id}"
    for official in town.city_pair():
        sign_in(client, official.account_id)
        listed = choices_of(client, address, "read")
        assert {"last_rules", "last_rules/pools", "last_rules/max_wishes"} <= set(listed)
        assert fill_in(client, address, f"{address}/sign", read=listed, note="规则改了").status_code == 303
    for language, sentence in (("zh", "预留学位4→1"), ("en", "reservedplaces4→1")):
        paper = record(f"{address}/record.pdf?lang={language}")
        assert sentence in paper
        for official in town.city_pair():
            assert paper.count(official.name.replace(" ", "")) > len(listed), "each tick has its name"


def test_drw08_the_dry_run_of_the_rules_is_beside_the_families_of_the_run(corrected):
    town = corrected
    area = town.garden.area_code
    made = policy_approval.policies_in_force(town.session, 2026)[area]
    (tried,) = [each for each in run_comparison.of_run(town.session, town.second).rules if each.area == area]
    assert (tried.version, tried.tried_at) == (made.version, made.dry_run_at)
    assert (tried.applications_now, tried.wishes_now) == (MANY, MANY)
    assert tried.applications == 0 and tried.is_marked, "the rules were tried before anybody had applied"


def test_drw08_counts_of_a_sensitive_ground_are_not_told_beside_nearly_the_same_ones():
    def summary(children: int, placed: int) -> dict:
        ground = {"children": children, "placed": placed, "first": placed}
        return {"children": 100, "placed": 90, "by_ground": {"special_need": ground, "local_hukou": ground}}

    lines = {
        (line.code, line.measure): line
        for line in run_comparison.lines_of(summary(30, 20), summary(29, 20), summary(60, 40))
        if line.group == Group.GROUND
    }
    hidden = lines["special_need", Measure.PLACED]
    assert (hidden.before, hidden.last_year) == (Share(None, 29), Share(40, 60))
    assert lines["local_hukou", Measure.PLACED].before == Share(20, 29)


def test_drw08_the_record_of_a_published_run(town, client, frozen_clock, record):
    garden = town.kindergarten("金苹果", places=1)
    ana, ben = (town.child(name, wishes=[garden]) for name in ("安娜", "本本"))
    run = town.drawn(ana, ben)
    run_file, public = run.bundle, run.public_file
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, town.account_of_staff("auditor", "审计", "auditor").id)
    address = f"/officials/2026/draws/runs/{run.id}/record.pdf"
    said = record(f"{address}?lang=zh")
    for digest in (run.digest, hashlib.sha256(run_file).hexdigest(), hashlib.sha256(public).hexdigest()):
        assert digest in said
    for part in ("公证员签名", "见证人", "allocation1.0", "通过", f"/draws/{town.the_round.id}", "存证公布", "种子"):
        assert part in said, part
    for name, _at in runs.signers(town.session, run):
        assert name.replace(" ", "") in said
    assert "安娜" not in said and ana.registration_code not in said
    assert "Signature1" in record(f"{address}?lang=en")


def test_drw08_a_replay_has_a_record(town, client, frozen_clock, record):
    garden = town.kindergarten("金苹果", places=1)
    ana, ben = (town.child(name, wishes=[garden]) for name in ("安娜", "本本"))
    town.drawn(ana, ben)
    town.decline(ana)
    again = town.replay()
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, town.city_pair()[0].account_id)
    said = record(f"/officials/2026/draws/runs/{again.id}/record.pdf?lang=zh")
    assert "递补派位记录" in said and "第1次派位" in said


def test_drw08_a_central_run_has_a_record_of_its_own(town, client, frozen_clock, record):
    home = {"home_longitude": 104.10, "home_latitude": 30.60}
    popular = town.kindergarten("金苹果", places=1, longitude=104.10, latitude=30.60)
    town.kindergarten("近处普惠", nature="inclusive", places=1, longitude=104.11, latitude=30.60)
    town.drawn(*[town.child(name, wishes=[popular], **home) for name in ("安娜", "本本")])
    run = town.place_centrally()
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, town.city_pair()[0].account_id)
    said = record(f"/officials/2026/draws/runs/{run.id}/record.pdf?lang=zh")
    assert "统筹安排记录" in said and "还没有人签署" in said and run.digest[:8] in said
    assert "有建议" in said and "种子" in said, "the tickets of the draw decide among equals"


def test_drw08_a_run_that_is_not_checked_has_no_record(town, client, frozen_clock):
    garden = town.kindergarten("金苹果", places=1)
    for name in ("安娜", "本本"):
        town.child(name, wishes=[garden])
    town.everyone_is_reviewed()
    town.freeze()
    town.seed()
    run = runs.start(town.session, town.the_round.id, by=town.city_pair()[0], now=town.now)
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, town.city_pair()[0].account_id)
    answer = client.get(f"/officials/2026/draws/runs/{run.id}/record.pdf?lang=zh")
    assert answer.mimetype != "application/pdf" and answer.status_code in (409, 422), answer.status_code
    assert "公证用的 PDF 记录" not in client.get(f"/officials/2026/draws/runs/{run.id}?lang=zh").text
