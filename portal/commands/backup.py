"""`flask backup` and `flask restore`: copies of everything in the database, and back."""

import json
from dataclasses import asdict
from pathlib import Path

import click
from flask.cli import with_appcontext

from enrollment.ground.operations import backups
from portal.backup import copies, making
from portal.backup.faults import BackupFault
from portal.operations import database_roles, doctor
from portal.operations import restore as restoring
from portal.operations.printing import as_json_option
from portal.web.unit_of_work import clock, db, services

MOST_LINES = 20


@click.command("backup")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Where; else BACKUP_FOLDER.")
@click.option("--keep", type=click.IntRange(1), help="How many backups stay in the folder; else BACKUP_KEEP.")
@as_json_option
@with_appcontext
def backup(folder: Path | None, keep: int | None, as_json: bool) -> None:
    """Write an encrypted backup of the database while the portal works, and delete the oldest ones.

    It is sealed with the current key of KEY_FILE and cannot be read without it: keep a copy of the key file in another place.
    """
    config = services().config
    folder = folder or config.backup_folder
    if folder is None:
        raise click.ClickException("no folder: set BACKUP_FOLDER, or name one with --folder")
    try:
        made = making.make(services().engine, config.keys, folder)
    except BackupFault as fault:
        raise click.ClickException(str(fault)) from fault
    backups.record(db(), made, now=clock())
    db().commit()
    gone = copies.keep_newest(folder, keep or config.backup_keep, now=made.taken_at)
    if as_json:
        told = {"taken_at": made.taken_at.isoformat(), "digest": made.digest.hex(), "path": str(folder / made.file)}
        click.echo(json.dumps(asdict(made) | told | {"deleted": [path.name for path in gone]}))
    else:
        click.echo(f"{folder / made.file}: {made.size / 1e6:.1f} MB, SHA-256 {made.digest.hex()}")
        click.echo(f"taken at {made.taken_at:%Y-%m-%d %H:%M:%S} UTC; {len(gone)} older backups deleted")


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@as_json_option
@with_appcontext
def restore(file: Path, as_json: bool) -> None:
    """Restore FILE into the empty database of DATABASE_URL, as its owner of OWNER_DATABASE_URL, upgrade and verify it.

    Exit status 1 if something is found.  Nothing may run on the database meanwhile.
    """
    config = services().config
    url = config.owner_database_url or config.database_url
    try:
        role = database_roles.role_of(config.database_url) if config.owner_database_url else None
        found = restoring.restore(
            file,
            config.keys,
            url,
            demo=config.demo,
            head_file=config.audit_head_file,
            say=lambda line: click.echo(line, err=True),
            role=role,
        )
    except (BackupFault, doctor.Unwell) as fault:
        raise click.ClickException(str(fault)) from fault
    click.echo(json.dumps(asdict(found)) if as_json else report(found))
    raise SystemExit(1 if found.faults else 0)


def report(found: restoring.Restored) -> str:
    """What was restored and verified, in lines."""
    lines = [
        f"restored as of {found.taken_at}; revision {found.revision}, now {found.upgraded_to}",
        f"verified: the whole file, {found.rows} rows of {found.tables} tables, {found.links} links of the audit trail with the head "
        "of the backup, all invariants",
        f"{sum(found.seconds.values()):.1f} s",
    ]
    if found.lost:
        lines.append(
            f"AUDIT_HEAD_FILE is {found.lost} entries ahead of this backup: what was done after it is lost. Move that file to a safe "
            "place as evidence, then start the portal"
        )
    shown = [f"fault: {fault}" for fault in found.faults[:MOST_LINES]]
    more = [f"and {len(found.faults) - MOST_LINES} more faults"] if len(found.faults) > MOST_LINES else []
    return "\n".join([*lines, *shown, *more])


commands = (backup, restore)
