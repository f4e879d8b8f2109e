"""Every `flask` command is invoked once on a real database, and a city of production begins with them."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click
import pyotp
import pytest
from sqlalchemy import func, select

from enrollment.ground import vault
from enrollment.ground.accounts import Account
from enrollment.ground.vault import Keys
from enrollment.season import policy_approval
from portal.app import create_app
from portal.config import from_environment
from tests.operations.serving import ROOT, environment
from tests.support.inspecting_client import InspectingClient
from tests.support.keys import KEYS
from tests.support.office_files import csv_file, xlsx
from tests.support.servers import Addresses
from tests.support.signing_in import fill_in
from tests.support.town import Town

PASSWORD = "a long enough password"


@dataclass
class World:
    """What a case may use: a town on the portal's database and a folder for files."""

    town: Town
    folder: Path

    def file(self, name: str, content: bytes) -> str:
        (self.folder / name).write_bytes(content)
        return str(self.folder / name)


@dataclass(frozen=True)
class Invocation:
    """What follows the command's name, a word of its answer, and its exit status."""

    arguments: tuple[str, ...] = ()
    answer: str = ""
    status: int = 0


CASES: dict[str, Callable[[World], Invocation]] = {}


def case(command: str):
    def register(prepare):
        CASES[command] = prepare
        return prepare

    return register


@case("account add")
def account_add(world):
    given = ("he.wei", "--name", "何处", "--role", "area_official", "--area", "510104", "--password", PASSWORD)
    return Invocation(given, "otpauth://totp/")


@case("account disable")
def account_disable(world):
    world.town.city_official(login="he.wei")
    return Invocation(("he.wei",), "he.wei is closed, 0 sessions ended")


@case("audit verify")
def audit_verify(world):
    world.town.child("安娜", wishes=[world.town.kindergarten("锦官园", places=1)])
    return Invocation((), "the chain is whole")


@case("audit head")
def audit_head(world):
    world.town.child("安娜", wishes=[world.town.kindergarten("锦官园", places=1)])
    return Invocation((str(world.folder / "head.json"),), "sealed, ")


@case("audit impossible")
def audit_impossible(world):
    world.town.child("安娜", wishes=[world.town.kindergarten("锦官园", places=1)])
    return Invocation((), "0 found")


@case("backup")
def backup(world):
    return Invocation(("--folder", str(world.folder / "copies")), "SHA-256")


@case("restore")
def restore(world):
    # tests/operations/test_tru15_backup.py restores, and is refused where the database has rows
    return Invocation((world.file("a.backup", b""),), "not a backup of the portal", status=1)


@case("demo")
def demo(world):
    return Invocation(("--children", "100", "--through", "places"), "demo city: 100 children, through places")


@case("doctor")
def doctor(world):
    # no worker runs beside this test, which the doctor has to say
    return Invocation((), "no worker serves", status=1)


@case("import kindergartens")
def import_kindergartens(world):
    return Invocation((world.file("名册.xlsx", xlsx()),), "新增 3")


@case("migrate")
def migrate(world):
    return Invocation((), "the tables are up to date")


@case("keys new")
def keys_new(world):
    return Invocation((str(world.folder / "keys.json"),), "keys.json is made")


def _keys(world) -> str:
    file = world.folder / "keys.json"
    Keys.write_new(file, "k1")
    Keys.from_file(file).with_new("k2").write_over(file)
    return str(file)


@case("keys add")
def keys_add(world):
    return Invocation((_keys(world), "k3"), "k3 is in")


@case("keys use")
def keys_use(world):
    return Invocation((_keys(world), "k2"), "k2 is used from the next start on")


@case("keys rotate")
def keys_rotate(world):
    return Invocation((), "sealing with test")


@case("keys reindex")
def keys_reindex(world):
    return Invocation((), "child: done")


@case("keys remove")
def keys_remove(world):
    return Invocation((_keys(world), "k2"), "k2 is out of")


@case("policy check")
def policy_check(world):
    return Invocation((world.file("rules.toml", policy_approval.worked_example().encode()),), "no faults")


@case("policy template")
def policy_template(world):
    return Invocation(("example", "--area", "510115", "--year", "2027"), "510115")


@case("retention run")
def retention_run(world):
    return Invocation(("--dry-run",), "0 rows would go")


@case("import template")
def import_template(world):
    return Invocation(("roll", "--out", str(world.folder / "roll.xlsx")), "roll.xlsx")


def _one_kindergarten(world) -> None:
    world.town.kindergarten("锦官新城幼儿园", code="5151040001", licensed_classes=9)


@case("import programmes")
def import_programmes(world):
    _one_kindergarten(world)
    row = ["5151040001", "锦官新城幼儿园", "小班", 2, "", "50人", 5, "政策照顾"]
    headings = ["学校标识码", "园所名称", "年级段", "班数", "在园人数", "招生计划", "预留学位", "预留对象"]
    return Invocation((world.file("计划.xlsx", xlsx(headings, [row])), "--year", "2026"), "新增 1")


@case("import roll")
def import_roll(world):
    _one_kindergarten(world)
    content = csv_file(["学校标识码", "班级", "在园人数"], [["5151040001", "小一班", 28]])
    return Invocation((world.file("在园.csv", content),), "新增 1")


@case("import service-areas")
def import_service_areas(world):
    _one_kindergarten(world)
    content = csv_file(["学校标识码", "类型", "范围名称"], [["5151040001", "街道", "三圣街道"]])
    return Invocation((world.file("范围.csv", content),), "新增 1")


@case("import births")
def import_births(world):
    _one_kindergarten(world)
    content = csv_file(["区域", "出生学年", "出生人数"], [["锦江区", 2023, 4410]])
    return Invocation((world.file("出生.csv", content),), "新增 1")


@case("import area-history")
def import_area_history(world):
    _one_kindergarten(world)
    content = csv_file(["区域", "学年", "年级", "性质", "人数"], [["锦江区", 2024, "小班", "公办", 2310]])
    return Invocation((world.file("历年.csv", content),), "新增 1")


@case("import estates")
def import_estates(world):
    _one_kindergarten(world)
    content = csv_file(["区域", "小区名称", "首个9月", "套数", "每百套幼儿"], [["锦江区", "东湖苑", 2027, 1200, 12]])
    return Invocation((world.file("新小区.csv", content),), "新增 1")


@case("import named-places")
def import_named_places(world):
    content = csv_file(["区域", "类型", "地点名称", "经度", "纬度"], [["锦江区", "街道", "三圣街道", "104.13", "30.6"]])
    return Invocation((world.file("位置.csv", content),), "新增 1")


@case("import staff")
def import_staff(world):
    _one_kindergarten(world)
    content = csv_file(["学校标识码", "统计日期", "专任教师", "保育员"], [["5151040001", "2026-03-31", 20, 9]])
    return Invocation((world.file("教职工.csv", content),), "新增 1")


@case("season list")
def season_list(world):
    world.town.season()
    return Invocation((), "2026  Running")


@case("season show")
def season_show(world):
    world.town.season()
    return Invocation(("2026", "--json"), '"registration"')


def _open_round(world) -> None:
    world.town.kindergarten("锦官新城幼儿园", places=5)
    world.town.open_registration()


@case("round list")
def round_list(world):
    _open_round(world)
    return Invocation(("2026",), "Open")


@case("round show")
def round_show(world):
    _open_round(world)
    return Invocation(("2026", "1", "--json"), '"hindrances": []')


@case("round close")
def round_close(world):
    # the deadline of the town's round has not passed, and families rely on it
    _open_round(world)
    return Invocation(("2026", "1"), "Error", status=1)


@case("target list")
def target_list(world):
    return Invocation(("2026",), "no decisions for 2026")


@case("target show")
def target_show(world):
    return Invocation(("2026", "--on", "2026-06-01"), "national public -")


@case("export list")
def export_list(world):
    return Invocation((), "report readiness")


@case("export report")
def export_report(world):
    _one_kindergarten(world)
    out = world.folder / "readiness.xlsx"
    return Invocation(("readiness", "--area", "510104", "--out", str(out)), "5 rows")


@case("export coverage")
def export_coverage(world):
    _one_kindergarten(world)
    return Invocation(("areas", "--json"), '"area_code": "510104"')


@case("import measures")
def import_measures(world):
    _one_kindergarten(world)
    head = ["措施编号", "措施名称", "措施种类", "区域", "学位数", "一次性投入（万元）", "最早年份"]
    content = csv_file(head, [["JJ-01", "三圣公办园新建", "新建", "锦江区", 270, 2850, 2027]])
    return Invocation((world.file("措施.csv", content),), "新增 1")


@case("proxy")
def proxy(world):
    return Invocation(("nginx", "--listen", "127.0.0.1:8443", "--proxies", "1"), "upstream families")


PROCESSES = [
    ("worker", "all"),
    ("scheduler",),
    ("sender",),
    (
        "line",
        "--bind",
        "{folder}/line",
        "--families",
        "{folder}/families",
        "--workers",
        "1",
        "--pages",
        "{folder}/pages",
    ),
]
"""The commands that run until they are told to end."""


def commands_of(group: click.Group, *before: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands_of(command, *before, name)
        else:
            yield " ".join((*before, name))


def test_off13_every_registered_command_is_invoked_by_a_test(whole_app):
    """Whoever adds a command adds a case above, which runs it; `tests/operations/test_off13_processes.py` starts the processes."""
    assert set(commands_of(whole_app.cli)) == set(CASES) | {command for command, *_ in PROCESSES}


@pytest.mark.parametrize("command", CASES)
def test_off13_each_command_answers(command, new_connections, app, town, tmp_path, redis_url):
    town.area()
    invocation = CASES[command](World(town, tmp_path))
    town.session.commit()
    done = app.test_cli_runner().invoke(args=[*command.split(), *invocation.arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    assert done.exit_code == invocation.status, done.output
    assert invocation.answer in done.output


@pytest.fixture
def empty_database(addresses, worker_number):
    """The address of a database without any table."""
    name = f"empty_{worker_number}"
    yield addresses.create(name, template="template0")
    addresses.drop(name)


def settings_of_a_city(addresses: Addresses, database: str, queue: str, key_file: Path) -> dict[str, str]:
    """What a city that is not a demo sets."""
    return {
        "DATABASE_URL": addresses.as_portal(database),
        "REDIS_URL": queue,
        "SECRET_KEY": "0123456789abcdef0123456789abcdef",
        "KEY_FILE": str(key_file),
        "MESSAGE_GATEWAY": "http://127.0.0.1:9",
        "PUBLIC_URL": "http://localhost",
    }


@pytest.fixture
def flask_of_a_city(addresses, empty_database, redis_url, tmp_path):
    """Type `flask …` as the operator of a city that is not a demo; what it answered."""
    key_file = tmp_path / "keys.json"
    settings = settings_of_a_city(addresses, empty_database, redis_url, key_file)

    def run(*words: str, **more: str) -> str:
        ended = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            env=environment(tmp_path, **settings | more),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    run("portal.operations.keys", str(key_file))
    run.settings = settings
    yield run
    vault.unlock(KEYS)


def test_off13_a_city_begins_with_an_official_who_signs_in_with_the_factor_that_was_shown(
    flask_of_a_city, empty_database
):
    run = flask_of_a_city
    assert "up to date" in run("flask", "--app", "wsgi", "migrate", OWNER_DATABASE_URL=empty_database)
    given = ("--name", "何处", "--role", "city_official", "--password", PASSWORD)
    shown = run("flask", "--app", "wsgi", "account", "add", "He.Wei", *given)
    factor = pyotp.parse_uri(re.search(r"otpauth://\S+", shown)[0])
    assert (factor.name, factor.issuer) == ("he.wei", "Chengdu Kindergarten Admission")

    app = create_app(replace(from_environment(run.settings), testing=True))
    app.test_client_class = InspectingClient
    client = app.test_client()
    answer = fill_in(client, "/sign-in/staff", login="he.wei", password=PASSWORD)
    assert answer.headers["Location"] == "/sign-in/staff/code"
    assert fill_in(client, "/sign-in/staff/code", code=factor.now()).headers["Location"] == "/officials"
    assert client.get("/officials", follow_redirects=True).status_code == 200
    app.extensions["services"].engine.dispose()


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        (("he.wei", "--role", "city_official", "--password", "short"), "fewer than 12 characters"),
        (("ＴＡＫＥＮ", "--role", "city_official", "--password", PASSWORD), "is taken"),
        (("he.wei", "--role", "area_official", "--area", "999999", "--password", PASSWORD), "a known code"),
        (("he.wei", "--role", "clerk", "--kindergarten", "1", "--password", PASSWORD), "a known code"),
    ],
)
def test_off13_an_account_that_cannot_be_is_refused_in_one_line_and_not_added(app, town, given, answer):
    town.city_official(login="taken")
    town.session.commit()
    before = town.session.scalar(select(func.count(Account.id)))
    done = app.test_cli_runner().invoke(args=["account", "add", "--name", "何处", *given])
    assert done.exit_code == 1, done.output
    assert answer in done.output
    assert town.session.scalar(select(func.count(Account.id))) == before
