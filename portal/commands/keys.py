"""`flask keys …`: create, add, rotate and remove the keys of the encrypted columns."""

from collections.abc import Callable
from pathlib import Path

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.orm import Session

from enrollment.ground import key_rotation, vault
from enrollment.ground.vault import Keys, VaultError
from enrollment.maintenance import reindexing
from portal.operations import overdue_work
from portal.operations.printing import answer, as_json_option
from portal.web.clock import now
from portal.web.unit_of_work import db, services

cli = AppGroup("keys", help="The keys of the encrypted columns.")

FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
OLD_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))


@cli.command("new")
@FILE
@click.option("--name", default="k1", show_default=True, help="The id of the key.")
@as_json_option
def new(file: Path, name: str, as_json: bool) -> None:
    """Create a key file that only its owner may read.  Without it the encrypted columns cannot be read."""
    try:
        Keys.write_new(file, name)
    except FileExistsError:
        raise click.ClickException(f"{file} is there already and is not replaced") from None
    except OSError as fault:
        raise click.ClickException(f"{file} cannot be written: {fault.strerror}") from fault
    line = f"{file} is made; keep a copy of it apart from the database's copies"
    answer({"file": file, "key": name, "done": "made"}, [line], as_json=as_json)


@cli.command("add")
@OLD_FILE
@click.argument("name")
@as_json_option
def add(file: Path, name: str, as_json: bool) -> None:
    """Add a key to FILE without using it yet.  Then restart every process, so that each can decrypt with it."""
    _changed(file, lambda keys: keys.with_new(name))
    line = (
        f"{name} is in {file} and not used yet: keep a copy, restart every process, then `flask keys use {file} {name}`"
    )
    answer({"file": file, "key": name, "done": "added"}, [line], as_json=as_json)


@cli.command("use")
@OLD_FILE
@click.argument("name")
@as_json_option
def use(file: Path, name: str, as_json: bool) -> None:
    """Encrypt new values with the named key after the next restart."""
    _changed(file, lambda keys: keys.using(name))
    line = f"{name} is used from the next start on: restart every process, then `flask keys rotate`"
    answer({"file": file, "key": name, "done": "used"}, [line], as_json=as_json)


@cli.command("rotate")
@as_json_option
@with_appcontext
def rotate(as_json: bool) -> None:
    """Encrypt all values again that use an older key.  It can be stopped and continued."""
    progress, batches = not as_json, {}
    _say(f"sealing with {vault.current_key_name()}", progress)
    for sealed in key_rotation.sealed_columns():
        done = 0
        after: tuple | None = ()
        while after is not None:
            with Session(services().engine) as session, session.begin():
                moment = now(session, demo=services().config.demo)
                after = key_rotation.rotate_batch(session, sealed, after=after, now=moment)
            done += after is not None
        batches[sealed.name] = done
        _say(f"{sealed.name}: {'nothing to do' if not done else 'done'}", progress)
    if as_json:
        answer({"key": vault.current_key_name(), "batches": batches}, [], as_json=True)


@cli.command("reindex")
@as_json_option
@with_appcontext
def reindex(as_json: bool) -> None:
    """Write the blind indexes of numbers and names again, after an upgrade that changed them.  It can be repeated."""
    for name, batch in reindexing.TABLES.items():
        after, done = None, False
        while not done:
            with Session(services().engine) as session, session.begin():
                after = batch(session, after, now(session, demo=services().config.demo))
            done = after is None
        _say(f"{name}: done", not as_json)
    if as_json:
        answer({"reindexed": list(reindexing.TABLES)}, [], as_json=True)


@cli.command("remove")
@OLD_FILE
@click.argument("name")
@as_json_option
@with_appcontext
def remove(file: Path, name: str, as_json: bool) -> None:
    """Remove an old key from FILE, if no value is encrypted with it."""
    left = key_rotation.count_sealed_with(db(), name)
    if left:
        remaining = ", ".join(f"{column} {count}" for column, count in sorted(left.items()))
        raise click.ClickException(f"still sealed with {name}: {remaining}; {overdue_work.until_key_is_free(left)}")
    _changed(file, lambda keys: keys.without(name))
    line = f"{name} is out of {file}: restart every process; older copies of the database still need the old file"
    answer({"file": file, "key": name, "done": "removed"}, [line], as_json=as_json)


def _say(line: str, progress: bool) -> None:
    """A line while the work goes on; a script gets one document at the end."""
    if progress:
        click.echo(line)


def _changed(file: Path, change: Callable[[Keys], Keys]) -> None:
    try:
        change(Keys.from_file(file)).write_over(file)
    except VaultError as fault:
        raise click.ClickException(str(fault)) from fault
    except OSError as fault:
        raise click.ClickException(f"{file} cannot be written: {fault.strerror}") from fault
