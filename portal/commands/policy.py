"""`flask policy`: check a policy file before it is uploaded, and print templates."""

import json
from pathlib import Path

import click
from flask.cli import AppGroup, with_appcontext

from enrollment.season import policy_approval, policy_file
from enrollment.season.policy_file import PolicyFaults
from portal.text import languages
from portal.text.policy_rules import fault_words, priority_lists

cli = AppGroup("policy", help="Policy files of admission rules.")


@cli.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--area", help="The area that the file is meant for.")
@click.option("--year", type=int, help="The year that the file is meant for.")
@click.option("--json", "as_json", is_flag=True, help="Faults as JSON.")
@with_appcontext
def check(file: Path, area: str | None, year: int | None, as_json: bool) -> None:
    """Read FILE and list every fault with its line, or print the rules in words.  Exit status 2 on faults."""
    with languages.speaking("en"):
        try:
            rules = policy_file.read(file.read_text("utf-8-sig"), area=area, year=year)
        except UnicodeDecodeError as fault:
            raise click.ClickException(f"{file} is not UTF-8 text") from fault
        except PolicyFaults as refused:
            _list_faults(file, refused, as_json)
            raise SystemExit(2) from refused
        if as_json:
            click.echo(json.dumps({"area": rules.area, "year": rules.year, "faults": []}))
            return
        click.echo(f"{rules.area} {rules.year}: {len(rules.rules)} rules, {len(rules.examples)} examples, no faults.")
        for each in priority_lists(rules):
            click.echo(f"\n{each.natures}")
            for line in each.lines:
                click.echo(f"  {line.tier + 1:>2}  {' / '.join(line.ways)}")


def _list_faults(file: Path, refused: PolicyFaults, as_json: bool) -> None:
    lines = [
        {"line": fault.line, "key": fault.path, "code": fault.code, "text": fault_words(fault)}
        for fault in refused.faults
    ]
    if as_json:
        click.echo(json.dumps({"faults": lines}, ensure_ascii=False))
        return
    for each in lines:
        click.echo(f"{file}:{each['line'] or 1}: {each['key']}: {each['text']}")


@cli.command("template")
@click.argument("family", type=click.Choice([*policy_file.FAMILIES, "example"]))
@click.option("--area", required=True)
@click.option("--year", required=True, type=int)
def template(family: str, area: str, year: int) -> None:
    """Print a policy template, or the complete example, for an area and a year."""
    text = policy_approval.worked_example() if family == "example" else policy_approval.template(family, area, year)
    click.echo(policy_file.adapt_to_area(text, area, year), nl=False)
