"""`python -m tests.guards.lint_migrations`: squawk reads the SQL of every migration; part of `make lint`.

Alembic writes the SQL without a database (`upgrade --sql`), one file for each revision, with the time limits that
`migrations/env.py` sets.  squawk names what locks a table for long, loses data or breaks the version that still runs.
"""

import io
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

MIGRATIONS = Path(__file__).parents[2] / "migrations"
SQUAWK = Path(sysconfig.get_path("scripts")) / "squawk"
POSTGRES = "18"

LAST_OF_SQUASH = "0009_coverage"
"""The migrations up to this one make new tables in an empty database."""

NEVER_ASKED = {
    "prefer-bigint-over-int": "integers are years, ranks and counts of one city's children; identity columns are bigint",
}
NOT_ASKED_OF_SQUASH = {
    "adding-foreign-key-constraint": "the table that gets the foreign key is empty, so nothing is locked for long",
    "constraint-missing-not-valid": "the table that gets the constraint is empty, so nothing is scanned",
    "prefer-identity": "season.year is a primary key of integers, which SQLAlchemy makes a SERIAL",
    "prefer-text-field": "alembic_version is Alembic's own table",
}


def main(migrations: Path = MIGRATIONS, since: str | None = None) -> int:
    """Print what squawk says of the migrations of this folder, or of those `since` a revision; 0 if it finds nothing."""
    with tempfile.TemporaryDirectory() as folder:
        squash, added = write_sql(migrations, Path(folder), since)
        codes = [squawk(squash, [*NEVER_ASKED, *NOT_ASKED_OF_SQUASH]), squawk(added, list(NEVER_ASKED))]
    return int(any(codes))


def write_sql(migrations: Path, folder: Path, since: str | None = None) -> tuple[list[Path], list[Path]]:
    """The SQL of each revision, in order: of those of the squash, and of those that were added since."""
    ini = str(migrations / "alembic.ini")
    revisions = list(ScriptDirectory.from_config(Config(ini)).walk_revisions())[::-1]
    names = [revision.revision for revision in revisions]
    first = names.index(since) + 1 if since else 0
    files = []
    for revision in revisions[first:]:
        sql = io.StringIO()
        command.upgrade(
            Config(ini, output_buffer=sql), f"{revision.down_revision or 'base'}:{revision.revision}", sql=True
        )
        files.append(folder / f"{revision.revision}.sql")
        files[-1].write_text(sql.getvalue(), "utf-8")
    end = max(names.index(LAST_OF_SQUASH) + 1 - first, 0)
    return files[:end], files[end:]


def squawk(files: list[Path], excluded: list[str]) -> int:
    if not files:
        return 0
    arguments = [SQUAWK, "--pg-version", POSTGRES, "--exclude", ",".join(excluded), "--reporter", "gcc"]
    said = subprocess.run(
        [*arguments, *(file.name for file in files)], cwd=files[0].parent, capture_output=True, text=True, check=False
    )
    if said.returncode:
        print(said.stdout + said.stderr, end="", file=sys.stderr)
    return said.returncode


if __name__ == "__main__":
    raise SystemExit(main())
