"""Loading the demo city in the background, with progress in a job row; an interrupted loading starts again."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg

from enrollment.ground.jobs import JobState
from portal.operations.child_processes import Child
from portal.operations.doctor import plain

KEY = "demo_city"
"""The key of the job row with the loading's progress."""

ROOT = Path(__file__).parents[2]
PROGRESS = re.compile(r"demo city: (\S+) (\d+)/(\d+)")


def state(url: str) -> str:
    """`there`, `absent`, or `unfinished` if the loading was interrupted.  The database may be empty."""
    with psycopg.connect(plain(url)) as connection:
        if connection.execute("SELECT to_regclass('job'), to_regclass('kindergarten')").fetchone() == (None, None):
            return "absent"
        row = connection.execute("SELECT state FROM job WHERE dedupe_key = %s", [KEY]).fetchone()
        if row is not None:
            return "there" if row[0] == JobState.DONE else "unfinished"
        filled = connection.execute("SELECT EXISTS (SELECT 1 FROM kindergarten)").fetchone()
        return "there" if filled == (True,) else "absent"


class Loading:
    """One run of `flask demo` as a child of the supervisor."""

    def __init__(self, environ: dict[str, str], log: Path, say: Callable[[str], None]):
        self.url, self.say, self.shown, self.over = environ["DATABASE_URL"], say, 0, False
        log.unlink(missing_ok=True)
        # page requests have priority over the loading
        command = ["nice", "-n", "5", sys.executable, "-m", "flask", "--app", "wsgi", "demo"]
        self.child = Child("demo city", command, log=log, env=environ, folder=ROOT)

    def begin(self) -> None:
        self._write(
            "INSERT INTO job (id, kind, dedupe_key, args, state, attempts, fence, done_units, all_units, created_at, due_at)"
            " VALUES (gen_random_uuid(), %(key)s, %(key)s, '{}', 'running', 1, 1, 0, 0, now(), now())"
        )
        self.child.start()

    def poll(self) -> None:
        """Print each complete line of the loading's log, and save the last progress."""
        ended = not self.child.running
        lines = self.child.log.read_text(errors="replace").replace("\r", "\n").split("\n")
        lines = [line.strip() for line in (lines if ended else lines[:-1]) if line.strip()]
        fresh, self.shown = lines[self.shown :], len(lines)
        steps = [step for step in map(PROGRESS.search, fresh) if step]
        if steps:
            step, done, of = steps[-1].groups()
            self._write(
                "UPDATE job SET step = %(step)s, done_units = %(done)s, all_units = %(of)s WHERE dedupe_key = %(key)s",
                step=step,
                done=int(done),
                of=int(of),
            )
        # printed after saving, so that a reader of the line finds the progress in the row
        for line in fresh:
            self.say(line)
        if ended:
            self._end()

    def _end(self) -> None:
        self.over = True
        well = self.child.process is not None and self.child.process.returncode == 0
        self._write(
            "UPDATE job SET state = %(state)s, finished_at = now() WHERE dedupe_key = %(key)s",
            state=JobState.DONE if well else JobState.FAILED,
        )
        if not well:
            self.say(f"the demo city could not be loaded (see {self.child.log}): the next start tries again")

    def _write(self, statement: str, **values: object) -> None:
        try:
            with psycopg.connect(plain(self.url), connect_timeout=5) as connection:
                connection.execute(statement, {"key": KEY, **values})
        except psycopg.OperationalError:
            # the database may be restarting; the end of the loading is noticed anyway
            self.say("the progress of the demo city could not be noted")
