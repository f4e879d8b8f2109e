"""`python -m tests.support.job_process DATABASE JOB AHEAD`: one job in a process of its own, which a test may kill.

`AHEAD` are the seconds by which its clock is ahead, so that a lease that ended with another process is over.
"""

import datetime as dt
import sys
import uuid

from enrollment.ground import vault
from enrollment.ground.db import open_engine
from portal.jobs import runner
from portal.web.clock import real_now
from tests.support.keys import KEYS


def main() -> None:
    url, job, ahead = sys.argv[1:]
    vault.unlock(KEYS)
    runner.load_handlers()
    later = dt.timedelta(seconds=float(ahead))
    print(runner.run(open_engine(url), lambda _session: real_now() + later, uuid.UUID(job), f"process {ahead}"))


if __name__ == "__main__":
    main()
