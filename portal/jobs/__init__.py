"""Background work: registry and runner of jobs, worker, scheduler; the handlers stand in `handlers/`.

May import `letters`, `demo`, `web` and everything below them.
"""
