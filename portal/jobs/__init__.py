"""Background jobs: registry, runner, worker and scheduler; the handlers are in `handlers/`.

May import `letters`, `demo`, `web` and everything below them.
"""
