"""`flask keys new FILE`: the keys of the sealed columns."""

from pathlib import Path

import click
from flask.cli import AppGroup

from enrollment.ground.vault import Keys

cli = AppGroup("keys", help="The keys of the sealed columns.")


@cli.command("new")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--name", default="k1", show_default=True, help="The id of the key.")
def new(file: Path, name: str) -> None:
    """Make a key file that only its owner may read.  Without it the sealed columns can never be read again."""
    try:
        Keys.write_new(file, name)
    except FileExistsError:
        raise click.ClickException(f"{file} is there already and is not replaced") from None
    except OSError as fault:
        raise click.ClickException(f"{file} cannot be written: {fault.strerror}") from fault
    click.echo(f"{file} is made; keep a copy of it apart from the database's copies")
