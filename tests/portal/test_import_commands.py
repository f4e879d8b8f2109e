"""`flask import`: what an operator types, and what the machine answers."""

import json

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from enrollment.places.imports import programmes
from enrollment.places.imports.importer import MODULES
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from tests.support.office_files import HEADINGS, ROWS, xlsx


@pytest.fixture
def flask(app, town, tmp_path):
    """Write a file and run a command on it; gives exit code, what it printed and what it complained."""
    town.area()
    town.session.commit()
    file = tmp_path / "名册.xlsx"

    def run(*args, content=None, kind="kindergartens"):
        file.write_bytes(xlsx() if content is None else content)
        result = app.test_cli_runner().invoke(args=["import", kind, str(file), *args])
        return result.exit_code, result.stdout, result.stderr

    return run


def how_many(town):
    town.session.expire_all()
    return town.session.scalar(select(func.count(Kindergarten.id)))


def faulty():
    rows = [list(row) for row in ROWS]
    rows[0][HEADINGS.index("班数")] = "九"
    return xlsx(rows=rows)


def test_a_list_comes_in_and_a_second_time_changes_nothing(flask, town):
    code, out, _err = flask()
    assert (code, out.splitlines()) == (0, ["没有用到的列：序号。", "新增 3"])
    assert how_many(town) == 3
    code, out, _err = flask()
    assert (code, out.splitlines()[-1]) == (0, "没有变化 3")


def test_a_dry_run_prints_the_difference_and_writes_nothing(flask, town):
    code, out, _err = flask("--dry-run")
    assert code == 0
    assert "+ 5151040001 锦官新城幼儿园" in out
    assert how_many(town) == 0
    flask()
    rows = [[*ROWS[0][:6], 12, *ROWS[0][7:]]]
    _code, out, _err = flask("--dry-run", content=xlsx(rows=rows))
    assert "~ 5151040001 锦官新城幼儿园" in out
    assert "班数: 9 → 12" in out


def test_a_plan_that_is_changed_while_a_list_is_written_stays(flask, town, monkeypatch):
    def plan(classes):
        return xlsx(["学校标识码", "年级段", "班数"], [["5151040001", "小班", classes]], title=None)

    def prepare(*args, **more):
        made = compare(*args, **more)
        with Session(town.session.get_bind()) as another:
            another.execute(update(Programme).values(withheld=5, places=45, version=Programme.version + 1))
            another.commit()
        return made

    flask()
    assert flask(content=plan(2), kind="programmes")[0] == 0
    compare = programmes.prepare
    monkeypatch.setattr(programmes, "prepare", prepare)
    code, out, err = flask(content=plan(1), kind="programmes")
    assert (code, out, err.strip()) == (1, "", "城市数据刚刚变了，什么都没有写入。请再运行一次。")
    code, out, _err = flask("--json", content=plan(1), kind="programmes")
    assert (code, json.loads(out)) == (1, {"written": False, "changed_meanwhile": True})
    monkeypatch.undo()
    town.session.expire_all()
    found = town.session.scalars(select(Programme)).one()
    assert (found.planned_classes, found.places) == (2, 45)


def test_faults_are_listed_by_cell_and_the_command_fails(flask, town):
    code, _out, err = flask(content=faulty())
    assert code == 1
    assert "G3" in err
    assert "“九”不是数字" in err
    assert "什么都没有写入" in err
    assert how_many(town) == 0


def test_json_for_scripts(flask):
    code, out, _err = flask("--json", content=faulty())
    answer = json.loads(out)
    assert (code, answer["written"], answer["faults"][0]["cell"]) == (1, False, "G3")
    code, out, _err = flask("--json", "--dry-run")
    answer = json.loads(out)
    assert (code, answer["written"], answer["counts"]["added"]) == (0, False, 3)


def test_english_for_those_who_ask(flask):
    _code, _out, err = flask("--lang", "en", content=faulty())
    assert "is not a number" in err


@pytest.mark.parametrize("kind", MODULES)
def test_a_template_for_each_kind(app, tmp_path, kind):
    file = tmp_path / "template.xlsx"
    result = app.test_cli_runner().invoke(args=["import", "template", kind, "--out", str(file)])
    assert result.exit_code == 0
    assert file.read_bytes().startswith(b"PK")
