"""`flask import kindergartens|programmes|roll|service-areas|births|area-history|estates|named-places|measures|staff FILE`: import a list completely or not at all."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session
from tqdm import tqdm

from enrollment.ground.accounts import SYSTEM, Account
from enrollment.places.imports import importer, marked_workbook, templates
from enrollment.places.imports.changes import PARTS, ChangedSinceCheck, Difference, Overwrite
from enrollment.places.imports.faults import ImportFault, ImportFaults
from enrollment.places.imports.records import Progress
from enrollment.season import seasons
from portal.operations.printing import as_json_option
from portal.text import import_messages
from portal.text.words import word
from portal.web.clock import now as now_of
from portal.web.unit_of_work import services

cli = AppGroup("import", help="Import lists of district offices (xlsx or csv).")
TEXTS = {
    "zh": templates.Texts(
        ("列名", "必填", "示例", "说明"),
        "带 * 的列必须填写。",
        "请从列表中选择，或按说明填写。",
        "示例（导入时不读这一行）",
    ),
    "en": templates.Texts(
        ("Column", "Needed", "Example", "Meaning"),
        "Columns with * must be filled in.",
        "Choose from the list, or see the explanations.",
        "Example (an import does not read this row)",
    ),
}
MOST_PRINTED = 5
"""Faults of one kind that are printed; `--faults` writes all of them."""


@dataclass(frozen=True)
class Options:
    """What was typed.  `conflicts` is `keep`, `file` or None; `faults` the file for the list of all faults."""

    dry_run: bool
    as_json: bool
    year: int | None
    lang: str
    conflicts: str | None
    faults: Path | None


def _import_command(kind: str, what: str) -> None:
    @cli.command(kind, help=f"Import {what}.")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--dry-run", is_flag=True, help="Print the changes and write nothing.")
    @as_json_option
    @click.option(
        "--year", type=int, help="Admission year of plans without a year; by default that of the current season."
    )
    @click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
    @click.option(
        "--conflicts",
        type=click.Choice(["keep", "file"]),
        help="Where somebody changed the data by hand since the last import: keep that, or take the file.",
    )
    @click.option(
        "--faults",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write all faults to this file: .csv for a list, .xlsx for a copy of the list with its faults marked.",
    )
    def command(file: Path, **options: Any) -> None:
        _run(kind, file, Options(**options))


for _kind, _what in {
    "kindergartens": "kindergartens and their sites",
    "programmes": "admission plans: classes, places, reserves",
    "roll": "the roll, child by child or as a number for each class",
    "service-areas": "service areas",
    "births": "births by area and school year, as the register says them on a day",
    "area-history": "the children of past school years by area, level and nature",
    "estates": "new housing estates: dwellings, and the children that they bring",
    "staff": "teachers and carers of each kindergarten on a day",
    "named-places": "streets, communities and estates with their points on the map",
    "measures": "measures that officials could take: places to build, to turn and to close",
}.items():
    _import_command(_kind, _what)


def _run(kind: str, file: Path, options: Options) -> None:
    with Session(services().engine) as session:
        now = now_of(session, demo=services().config.demo)
        year = options.year
        if year is None:
            season = seasons.main_season(session, now)
            year = season.year if season else now.year
        content = file.read_bytes()
        overwrite: Overwrite = None if options.conflicts == "file" else ()
        try:
            with _bar(options.as_json) as progress:
                if options.dry_run:
                    difference = importer.compare(
                        session, kind, content, by=SYSTEM, now=now, year=year, overwrite=overwrite, progress=progress
                    )
                else:
                    importer.wait_for_turn(session, by=SYSTEM, told=_waiting(session.get_bind(), options))
                    difference = importer.import_file(
                        session, kind, file.name, content, by=SYSTEM, now=now, year=year, overwrite=overwrite,
                        progress=progress, approve=_require_decision if options.conflicts is None else None,
                    )  # fmt: skip
                    session.commit()
        except ImportFaults as found:
            _print_faults(found, content, options)
            raise SystemExit(1) from found
        except ChangedSinceCheck as changed:
            if options.as_json:
                click.echo(json.dumps({"written": False, "changed_meanwhile": True}))
            _complain(word("import_report", "changed_meanwhile", in_language=options.lang), options)
            raise SystemExit(1) from changed
        except Undecided as undecided:
            _print_difference(undecided.difference, options, written=False)
            _complain(word("import_report", "undecided", in_language=options.lang), options)
            raise SystemExit(2) from undecided
    _print_difference(difference, options, written=not options.dry_run)


class Undecided(Exception):
    """The file contradicts what somebody entered by hand, and nobody said which of the two counts."""

    def __init__(self, difference: Difference):
        super().__init__()
        self.difference = difference


def _require_decision(difference: Difference) -> None:
    if difference.conflicts:
        raise Undecided(difference)


@contextlib.contextmanager
def _bar(is_quiet: bool) -> Iterator[Progress]:
    """A progress bar on a terminal."""
    with tqdm(disable=True if is_quiet else None, unit=" rows", file=sys.stderr) as bar:

        def progress(done: int, of: int, step: str) -> None:
            bar.set_description(word("import_step", step, in_language="en"))
            if of:
                bar.total = of
                bar.update(done - bar.n)

        yield progress


def _waiting(engine: Any, options: Options) -> Callable[[str | None], None]:
    """Say once who imports."""
    told: set[str | None] = set()

    def tell(holder: str | None) -> None:
        if holder in told:
            return
        told.add(holder)
        person = importer.person_of(holder)
        with Session(engine) as session:
            account = session.get(Account, person) if person else None
        step = f"waiting:{holder or ''}"
        click.echo(import_messages.step_words(step, account.name if account else None, options.lang), err=True)

    return tell


def _complain(text: str, options: Options) -> None:
    if not options.as_json:
        click.echo(text, err=True)


def _print_faults(found: ImportFaults, content: bytes, options: Options) -> None:
    lang = options.lang

    def words(fault: ImportFault) -> str:
        return import_messages.fault_words(fault, lang)

    if options.faults is not None:
        headings = import_messages.list_headings(lang)
        marked = (
            marked_workbook.marked(content, found, words, headings[2]) if options.faults.suffix == ".xlsx" else None
        )
        options.faults.write_bytes(marked or marked_workbook.fault_list(found, words, headings))
    groups = found.list.groups
    if options.as_json:
        plain = [
            {"code": g.code, "column": g.heading, "count": g.count, "examples": [_plain(f, words) for f in g.examples]}
            for g in groups
        ]
        faults = [_plain(fault, words) for fault in found.faults]
        answer = {"written": False, "total": found.list.total, "groups": plain, "faults": faults}
        click.echo(json.dumps(answer, ensure_ascii=False, indent=1))
        return
    for group in groups:
        for fault in group.examples[:MOST_PRINTED]:
            click.echo(f"{fault.cell or '-':8}{fault.heading}\t{words(fault)}", err=True)
        if group.count > len(group.examples):
            more = word("import_report", "more", in_language=lang, n=group.count - len(group.examples))
            click.echo(f"{'…':8}{group.heading}\t{more}", err=True)
    total = found.list.total
    click.echo(word("import_report", "nothing_written", in_language=lang, n=total), err=True)


def _plain(fault: ImportFault, words: Callable[[ImportFault], str]) -> dict[str, Any]:
    return {
        "row": fault.row,
        "cell": fault.cell,
        "column": fault.heading,
        "code": fault.code,
        "words": words(fault),
    }


def _print_difference(difference: Difference, options: Options, *, written: bool) -> None:
    report, lang = difference.as_plain(), options.lang
    if options.as_json:
        click.echo(json.dumps({"written": written} | report, ensure_ascii=False, indent=1))
        return
    if not written:
        for sign, part in (("+", difference.added), ("~", difference.changed), ("-", difference.removed)):
            for change in part:
                click.echo(f"{sign} {change.key} {change.title}")
                if sign == "~" or not change.line:
                    _print_fields(difference.kind, change.fields, lang)
            left = difference.counts[PARTS[("+", "~", "-").index(sign)]] - len(part)
            if left:
                click.echo(f"{sign} {word('import_report', 'more', in_language=lang, n=left)}")
    for conflict in difference.conflicts:
        reason = word("import_conflict", conflict.reason, in_language=lang, **conflict.details)
        click.echo(f"! {conflict.key} {conflict.title} ({conflict.line}): {reason}")
        _print_fields(difference.kind, conflict.fields, lang)
    for text, examples in import_messages.report_lines(report, lang):
        click.echo(text)
        for example in examples:
            click.echo(f"    {example}")
    click.echo("; ".join(f"{name} {n}" for name, n in import_messages.counts(difference.counts, lang)) or "0")


def _print_fields(kind: str, fields: Mapping[str, tuple[Any, Any]], lang: str) -> None:
    for key, (before, after) in fields.items():
        name = import_messages.field_name(kind, key, lang)
        was, becomes = (import_messages.value_words(key, value, lang) for value in (before, after))
        click.echo(f"    {name}: {was} → {becomes}")


@cli.command("template", help="Write an empty list with an explanation of every column.")
@click.argument("kind", type=click.Choice(tuple(importer.MODULES)))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="By default KIND.xlsx in this folder.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
def template(kind: str, out: Path | None, lang: str) -> None:
    out = out or Path(f"{kind}.xlsx")
    out.write_bytes(templates.template(kind, import_messages.explanations(kind, lang), TEXTS[lang]))
    click.echo(out)
