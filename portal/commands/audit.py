"""`flask audit`: verify the audit trail, and check the invariants of the data."""

import json
from dataclasses import asdict
from pathlib import Path

import click
from flask.cli import AppGroup, with_appcontext

from enrollment.ground.audit_chain import copies, sealing, verification
from enrollment.maintenance import invariants
from portal.operations.printing import as_json_option
from portal.text.words import word
from portal.web.unit_of_work import db, services

cli = AppGroup("audit", help="The audit trail.")
MOST_LINES = 20


@cli.command("verify")
@click.option(
    "--against",
    "file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A copy of a head: of a backup, or from the public page.  Without it, the copy of AUDIT_HEAD_FILE.",
)
@as_json_option
@with_appcontext
def verify(file: Path | None, as_json: bool) -> None:
    """Verify the whole audit trail, and compare it with a copy of its head; exit status 1 if something is found."""
    config = services().config
    if file is None and config.audit_head_file is not None and config.audit_head_file.exists():
        file = config.audit_head_file
    try:
        copy = copies.read_copy(file) if file else None
    except (OSError, ValueError) as fault:
        raise click.ClickException(f"{file} is not a head of the audit trail: {fault}") from fault
    verification.read_one_moment(db())
    result = verification.verify(db(), copy, demo=config.demo)
    if as_json:
        click.echo(json.dumps(asdict(result) | {"compared_with": str(file) if file else None}))
    else:
        for finding in result.findings[:MOST_LINES]:
            click.echo(f"{word('audit_finding', finding.kind, in_language='en')}: {finding.where}")
        whole = "the chain is whole" if result.is_whole else f"the chain is broken: {len(result.findings)} findings"
        compared = f"compared with {file}" if file else "not compared with a copy of a head"
        click.echo(
            f"{whole}; {result.links} sealed, {result.waiting} not yet, {result.gaps} numbers unused; {compared}"
        )
    raise SystemExit(0 if result.is_whole else 1)


@cli.command("head")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_appcontext
def head(file: Path) -> None:
    """Seal what waits, and write the head of the audit trail to FILE, for a copy that is kept elsewhere."""
    newest = sealing.seal_all(db())
    db().commit()
    if newest is None:
        raise click.ClickException("the audit trail is empty")
    try:
        continues = copies.write_copy(db(), file)
    except (OSError, ValueError) as fault:
        raise click.ClickException(f"{file} cannot be written: {fault}") from fault
    if not continues:
        raise click.ClickException(f"the audit trail does not continue {file}, which stays: run `flask audit verify`")
    click.echo(f"{newest.day}: {newest.link} sealed, {newest.digest}")


@cli.command("impossible")
@with_appcontext
def impossible() -> None:
    """List violated invariants; exit status 1 if there is one."""
    found = list(invariants.find_violations(db()))
    for each in found:
        click.echo(f"{word('impossible', each.code, in_language='en')}: {each.subject}")
    click.echo(f"{len(found)} found")
    raise SystemExit(1 if found else 0)
