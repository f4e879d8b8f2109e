"""`flask export`: reports without names, and the open data of the two shares, as the pages give them.

A report with names needs a second person at the desk, so no command writes one.
"""

from pathlib import Path

import click
from flask.cli import AppGroup, with_appcontext

from enrollment.coverage import open_data
from enrollment.coverage.forecast import outlook
from enrollment.coverage.indicator import Definition
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.city_time import today
from enrollment.places import kindergartens
from enrollment.places.areas import Area
from enrollment.reports.tables.catalogue import OFFICIAL_REPORTS, REPORTS
from enrollment.reports.tables.report import Question, Report, read
from enrollment.season import seasons
from portal.operations.printing import answer, as_json_option
from portal.text import languages
from portal.text.words import word
from portal.web.shared_views import coverage_tables, coverage_views, report_views
from portal.web.unit_of_work import clock, db

cli = AppGroup("export", help="Reports and open data as files.")
FORMS = ("xlsx", "csv")


def _without_names() -> dict[str, Report]:
    return {code: each for code, each in (REPORTS | OFFICIAL_REPORTS).items() if not each.has_names}


def _year(year: int | None) -> int:
    if year is not None:
        return year
    season = seasons.main_season(db(), clock())
    return season.year if season else clock().year


@cli.command("list")
@as_json_option
@with_appcontext
def list_exports(as_json: bool) -> None:
    """What can be exported."""
    with languages.speaking("en"):
        reports = [{"code": code, "title": word("report_title", code)} for code in _without_names()]
        lines = [f"report {each['code']}: {each['title']}" for each in reports]
        lines += [f"coverage {name}" for name in open_data.NAMES]
        answer({"reports": reports, "coverage": list(open_data.NAMES)}, lines, as_json=as_json)


@cli.command("report")
@click.argument("code")
@click.option("--year", type=int, help="Admission year; by default that of the current season.")
@click.option("--kindergarten", help="School identification code; by default every kindergarten.")
@click.option("--area", help="Code of an area; by default all.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file, .xlsx or .csv.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
@with_appcontext
def report(
    code: str, year: int | None, kindergarten: str | None, area: str | None, out: Path | None, lang: str, as_json: bool
) -> None:
    """The report CODE as a file, as JSON, or as lines.  The audit trail records it."""
    found = _without_names().get(code)
    if found is None:
        reason = "has names, which a second person has to agree to at the desk" if code in REPORTS else "is not known"
        raise click.ClickException(f"the report {code} {reason}")
    form = out.suffix.removeprefix(".") if out else ""
    if out and form not in FORMS:
        raise click.ClickException("--out ends with .xlsx or .csv")
    if area and db().get(Area, area) is None:
        raise click.ClickException(f"there is no area {area}")
    here = kindergartens.by_code(db(), kindergarten) if kindergarten else None
    if kindergarten and here is None:
        raise click.ClickException(f"there is no kindergarten {kindergarten}")
    with languages.speaking(lang):
        question = Question(db(), _year(year), SYSTEM, clock(), here.id if here else None, area)
        table = read(found, question, how="file" if out else "command")
        head, rows = report_views.head(table), report_views.cells(table)
        db().commit()
        if out:
            about = " ".join(filter(None, (kindergarten, area, str(question.year))))
            out.write_bytes(report_views.content(table, form, scope=about, reader="flask export"))
            answer({"file": str(out), "rows": len(rows)}, [f"{out}: {len(rows)} rows"], as_json=as_json)
            return
        codes = [column.code for column in table.report.columns]
        plain = [dict(zip(codes, row, strict=True)) for row in rows]
        answer(plain, ["\t".join(map(str, row)) for row in (head, *rows)], as_json=as_json)


@cli.command("coverage")
@click.argument("table", type=click.Choice(list(open_data.NAMES)))
@click.option("--year", type=int, help="The intake's year; by default that of the current season.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The CSV file.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
@with_appcontext
def coverage(table: str, year: int | None, out: Path | None, as_json: bool) -> None:
    """A table of the two shares by the usual definition, today, as the public page offers it."""
    figures = coverage_views.city_shares(Definition(today(clock())), year=_year(year))
    found = open_data.tables(figures, outlook.outlook(db(), figures))[table]
    if out:
        out.write_bytes(coverage_tables.csv(found))
        answer({"file": str(out), "rows": len(found.rows)}, [f"{out}: {len(found.rows)} rows"], as_json=as_json)
        return
    rows = coverage_tables.rows(found)
    answer(rows, ["\t".join(str(cell) for cell in row.values()) for row in rows], as_json=as_json)
