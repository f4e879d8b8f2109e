"""DRW05, DRW09: what a family reads between the seed, the signatures and the hour; nothing of the result one second before."""

import contextlib
import datetime as dt
import io
import itertools
import uuid
import zipfile

import pytest
from pypdf import PdfReader
from sqlalchemy import select, text
from werkzeug.routing import BuildError

from enrollment.draw.publication import hours
from enrollment.draw.publication.rows import PreparedNotice, PreparedOffer
from enrollment.reports.season_desk.readiness import OF_ROWS
from enrollment.results.hall import Scene
from tests.support.letters import drawn_letter
from tests.support.signing_in import sign_in
from tests.support.worker import let_the_worker_work

SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def drawn(town):
    town.garden, town.other = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=1)
    town.ana, town.ben = (town.child(name, wishes=[town.garden, town.other]) for name in ("安娜", "本本"))
    town.everyone_is_reviewed()
    town.freeze()
    town.seed_in_order(town.ana, town.ben)
    town.session.commit()
    return town


def ids_of(town, run) -> dict[str, list]:
    """The values of the town's objects for each part of an address."""
    programmes = [town.programme_of(each) for each in (town.garden, town.other)]
    return {
        "application_id": [town.ana.id, town.ben.id],
        "round_id": [town.the_round.id],
        "run_id": [run.id],
        "kindergarten_id": [town.garden.id, town.other.id],
        "programme_id": [each.id for each in programmes],
        "account_id": [town.parent_of(town.ana).account_id],
        "child_id": [town.ana.child_id],
        "year": [2026],
        "number": [1],
        "rank": [1],
        "area": [town.garden.area_code],
        "level": ["lower"],
        "kind": ["kindergartens", "appeal"],
        "step": ["results", "confirmation", "answer", "supplementary"],
        "code": ["ABCDEFGHJKLM", town.garden.code, town.garden.area_code],
        "answer": ["confirm", "decline"],
        "form": ["csv", "xlsx"],
        "version": [1],
        "target_year": [2026],
        "rest": ["rounds"],
        "sheet": ["labels"],
        "document": ["hukou_booklet"],
        "class_id": [town.roll(town.other, "lower", 12).id],
        "name": ["faults.csv", "marked.xlsx", "figures.csv", "figures.xlsx"],
        "table": ["areas", "history", "forecast", "accuracy"],
        "suffix": ["csv", "json", "csv-metadata.json"],
        "scene": list(Scene),
        "check": list(OF_ROWS),
        "day": [town.now.date().isoformat()],
    } | {kind: [NOBODYS] for kind in WITHOUT_AN_OBJECT}


NOBODYS = uuid.UUID(int=1)
WITHOUT_AN_OBJECT = {
    "case_id", "export_id", "file_id", "grant_id", "hint_id", "invitation_id", "mandate_id", "offer_id", "page_id", "request_id", "return_id", "selection_id", "token",
    "held_id", "study_id", "transfer_id", "open_day_id", "slot_id", "message_id", "plan_id", "measure_id",
    "search_id", "batch_id", "announcement_id", "paper_id",
}  # fmt: skip
"""What the town has none of: papers, rows and proposals that nobody has made, among them a change of
kindergarten, and before the hour no offer."""


def read_text(answer) -> str:
    """What a reader of the answer sees, also in a PDF, a workbook or an archive."""
    match answer.mimetype:
        case "application/pdf":
            return "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages)
        case "application/zip" | "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":
            with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
                return "".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
        case _:
            return answer.text


def addresses(app, ids: dict[str, list]) -> list[str]:
    """Every address that can be read, with every object of the town that it can name."""
    found = []
    bound = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if "GET" not in rule.methods or rule.endpoint in NOT_READ:
            continue
        assert rule.arguments <= ids.keys(), f"{rule.rule}: say in ids_of what stands in the address"
        names = sorted(rule.arguments)
        for values in itertools.product(*(ids[name] for name in names)):
            with contextlib.suppress(BuildError, ValueError):  # a name of a file that this address does not have
                found.append(bound.build(rule.endpoint, dict(zip(names, values, strict=True))))
    return found


NOT_READ = {"static", "parents.events", "public.map_tile"}


def test_drw05_one_second_before_the_hour_no_address_says_who_got_which_place(
    drawn, app, client, another_client, frozen_clock
):
    nobody_reads_a_result(drawn, app, client, another_client, frozen_clock, papers=False)


def nobody_reads_a_result(drawn, app, client, another_client, frozen_clock, *, papers: bool) -> None:
    """Every address that can be read × the five readers, with every object of the town: no code, no result.

    `papers`: the PDFs, which take long, instead of everything else.
    """
    town = drawn
    run = town.run()
    town.sign(run)
    town.session.commit()
    codes = [*town.session.scalars(select(PreparedOffer.notice_code))]
    assert len(codes) == 2
    frozen_clock.set(hours.publication_of(town.session, run.id).hour - SECOND)
    auditor = town.account_of_staff("auditor", "审计", "auditor").id
    town.session.commit()
    readers = {
        "family": sign_in(client, town.parent_of(town.ana).account_id),
        "kindergarten": sign_in(another_client(), town.clerk_of(town.garden).account_id),
        "public": another_client(),
        "official": sign_in(another_client(), town.city_pair()[0].account_id),
        "auditor": sign_in(another_client(), auditor),
    }
    town.session.commit()
    asked = addresses(app, ids_of(town, run))
    assert len(asked) > 200
    leaks, read = [], 0
    for name, reader in readers.items():
        for address in asked:
            if address.endswith(".pdf") != papers or not address.startswith(READ_BY[name]):
                continue
            answer = reader.get(address, inspect=False)
            if answer.status_code == 202:
                answer = drawn_letter(reader, town.session.get_bind(), frozen_clock, address)
            if answer.status_code != 200:
                continue
            read += 1
            said = read_text(answer)
            if any(code in said for code in codes):
                leaks.append((name, address, "code"))
            if address not in EXPLAINS and any(each in said for each in TOLD_AFTER):
                leaks.append((name, address, "result"))
    assert read > (2 if papers else 100)
    assert leaks == []


TOLD_AFTER = ("被录取", "已录取到", "派位结果已经公布", "有学位，请", "学位留到")
"""What pages say once the result is open.  Officials read the figures of a run before; who got which place they do not."""


READ_BY = {
    "family": "/", "public": "/", "kindergarten": "/staff", "official": "/officials", "auditor": "/officials",
}  # fmt: skip
"""What each reader asks.  Who works in an office reads the public pages as everybody does; other desks refuse it
(`test_route_guards`)."""

EXPLAINS = {"/officials/2026/rounds/new"}
"""Pages that use these words to explain a rule."""


def test_drw05_a_copy_of_the_database_has_no_code_of_a_notice_before_the_hour(drawn):
    town = drawn
    town.sign(town.run())
    codes = [*town.session.scalars(select(PreparedOffer.notice_code))]
    stored = town.session.execute(text("SELECT row_to_json(prepared_offer)::text FROM prepared_offer")).scalars().all()
    stored += [
        bytes(each).decode("latin-1")
        for each in town.session.execute(text("SELECT notice_code FROM prepared_offer")).scalars()
    ]
    assert len(codes) == 2 and not any(code in each for code in codes for each in stored)


def test_drw09_a_family_sees_its_ticket_from_the_seed_on(drawn, client, frozen_clock):
    town = drawn
    frozen_clock.set(town.now)
    sign_in(client, town.parent_of(town.ben).account_id)
    for address in (f"/parents/applications/{town.ben.id}", f"/parents/applications/{town.ben.id}/result"):
        page = client.get(f"{address}?lang=zh").text
        assert "您家的派位号" in page and "全部 2 个号里的第 2 个" in page
        assert "number 2 of 2" in client.get(f"{address}?lang=en").text
    assert "6月5日" in client.get(f"/parents/applications/{town.ben.id}/result?lang=zh").text


def test_drw05_one_second_before_the_hour_nobody_reads_anything(drawn, client, another_client, frozen_clock):
    """Every page of the five readers is the same whether the run placed the child or not: no code, no message, no place."""
    town = drawn
    run = town.run()
    town.sign(run)
    town.session.commit()
    canaries = [*town.session.scalars(select(PreparedOffer.notice_code))]
    assert len(canaries) == 2 and town.session.scalars(select(PreparedNotice)).first() is not None
    hour = hours.publication_of(town.session, run.id).hour
    frozen_clock.set(hour - SECOND)
    assert let_the_worker_work(town.session.get_bind(), frozen_clock) in ([], ["refused"])
    family, clerk = sign_in(client, town.parent_of(town.ana).account_id), another_client()
    sign_in(clerk, town.clerk_of(town.garden).account_id)
    public = another_client()
    official = sign_in(another_client(), town.city_pair()[0].account_id)
    read = {
        family: ["/parents", "/parents/messages", f"/parents/applications/{town.ana.id}",
                 f"/parents/applications/{town.ana.id}/result", f"/parents/applications/{town.ana.id}/notice.pdf"],
        clerk: ["/staff", "/staff/applications", "/staff/arrivals"],
        public: ["/", "/draws", "/vacancies", f"/draws/{town.the_round.id}?ticket=1", f"/draws/{town.the_round.id}/bundle.zip",
                 f"/verify/{canaries[0]}", "/coverage"],
        official: ["/officials/2026/", "/officials/2026/unplaced", f"/officials/2026/draws/runs/{run.id}",
                   f"/officials/2026/rounds/{town.the_round.id}/draw"],
    }  # fmt: skip
    for reader, addresses in read.items():
        for address in addresses:
            answer = reader.get(address)
            said = answer.text.replace(f"/verify/{canaries[0]}", "").replace(canaries[0], "")
            assert canaries[1] not in said, address
            assert "派位结果已经公布" not in said and "待确认" not in said, address
    assert public.get(f"/draws/{town.the_round.id}/bundle.zip").status_code == 404
    assert family.get(f"/parents/applications/{town.ana.id}/notice.pdf").status_code != 200
    assert "录取到" not in public.get(f"/draws/{town.the_round.id}?ticket=1").text

    frozen_clock.set(hour)
    page = family.get(f"/parents/applications/{town.ana.id}/result").text
    assert "结果正在打开" in page, "the worker is late, and the page says so"
    assert let_the_worker_work(town.session.get_bind(), frozen_clock) == ["done"]
    assert "金苹果" in family.get(f"/parents/applications/{town.ana.id}/result").text
