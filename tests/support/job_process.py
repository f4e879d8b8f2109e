"""`python -m tests.support.job_process DATABASE JOB`: one job in a process of its own, which a test may kill."""

import os
import sys
import uuid

from enrollment.ground import vault
from enrollment.ground.db import open_engine
from portal.jobs import runner
from portal.web.clock import real_now
from tests.support.keys import KEYS


def main() -> None:
    url, job = sys.argv[1:]
    vault.unlock(KEYS)
    runner.load_handlers()
    print(runner.run(open_engine(url), lambda _session: real_now(), uuid.UUID(job), f"process {os.getpid()}"))


if __name__ == "__main__":
    main()
