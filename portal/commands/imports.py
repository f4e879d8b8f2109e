"""`flask import kindergartens|programmes|roll|service-areas FILE`: import a list completely or not at all."""

import json
from pathlib import Path

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from enrollment.ground.accounts import SYSTEM
from enrollment.places.imports import importer, templates
from enrollment.places.imports.changes import Difference
from enrollment.places.imports.faults import ImportFaults
from enrollment.season import calendar
from portal.text import import_messages
from portal.text.words import word
from portal.web.clock import now as now_of
from portal.web.unit_of_work import services

cli = AppGroup("import", help="Import lists of district offices (xlsx or csv).")
HEADINGS = {"zh": ("列名", "必填", "示例", "说明"), "en": ("Column", "Needed", "Example", "Meaning")}


def _import_command(kind: str, what: str) -> None:
    @cli.command(kind, help=f"Import {what}.")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--dry-run", is_flag=True, help="Print the changes and write nothing.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @click.option(
        "--year", type=int, help="Admission year of plans without a year; by default that of the current season."
    )
    @click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
    def command(file: Path, dry_run: bool, as_json: bool, year: int | None, lang: str) -> None:
        _run(kind, file, dry_run=dry_run, as_json=as_json, year=year, lang=lang)


for _kind, _what in {
    "kindergartens": "kindergartens and their sites",
    "programmes": "admission plans: classes, places, reserves",
    "roll": "the roll, child by child or as a number for each class",
    "service-areas": "service areas",
}.items():
    _import_command(_kind, _what)


def _run(kind: str, file: Path, *, dry_run: bool, as_json: bool, year: int | None, lang: str) -> None:
    with Session(services().engine) as session:
        now = now_of(session, demo=services().config.demo)
        if year is None:
            season = calendar.current_season(session, now)
            year = season.year if season else now.year
        try:
            content = file.read_bytes()
            if dry_run:
                difference = importer.compare(session, kind, content, by=SYSTEM, now=now, year=year)
            else:
                difference = importer.import_file(session, kind, file.name, content, by=SYSTEM, now=now, year=year)
                session.commit()
        except ImportFaults as found:
            _print_faults(found, as_json, lang)
            raise SystemExit(1) from found
    _print_difference(difference, dry_run, as_json, lang)


def _print_faults(found: ImportFaults, as_json: bool, lang: str) -> None:
    lines = [
        {
            "row": fault.row,
            "cell": fault.cell,
            "column": fault.heading,
            "code": fault.code,
            "words": import_messages.fault_words(fault, lang),
        }
        for fault in found.faults
    ]
    if as_json:
        click.echo(json.dumps({"written": False, "faults": lines}, ensure_ascii=False, indent=1))
        return
    for line in lines:
        click.echo(f"{line['cell'] or '-':8}{line['column']}\t{line['words']}", err=True)
    total = {"zh": f"共 {len(lines)} 处需要修改，什么都没有写入。", "en": f"{len(lines)} faults; nothing was written."}
    click.echo(total[lang], err=True)


def _print_difference(difference: Difference, dry_run: bool, as_json: bool, lang: str) -> None:
    if as_json:
        answer = {"written": not dry_run} | difference.as_plain()
        click.echo(json.dumps(answer, ensure_ascii=False, indent=1))
        return
    if dry_run:
        for sign, part in (("+", difference.added), ("~", difference.changed), ("-", difference.removed)):
            for change in part:
                click.echo(f"{sign} {change.key} {change.title}")
                for key, (before, after) in change.fields.items() if sign == "~" or not change.line else ():
                    name = import_messages.field_name(difference.kind, key, lang)
                    was, becomes = (import_messages.value_words(key, value, lang) for value in (before, after))
                    click.echo(f"    {name}: {was} → {becomes}")
    for note in difference.notes:
        click.echo(word("import_note", note, in_language=lang))
    click.echo("; ".join(f"{name} {n}" for name, n in import_messages.counts(difference, lang)) or "0")


@cli.command("template", help="Write an empty list with an explanation of every column.")
@click.argument("kind", type=click.Choice(tuple(importer.MODULES)))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="By default KIND.xlsx in this folder.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
def template(kind: str, out: Path | None, lang: str) -> None:
    out = out or Path(f"{kind}.xlsx")
    out.write_bytes(templates.template(kind, import_messages.explanations(kind, lang), HEADINGS[lang]))
    click.echo(out)
