"""The solver of linear and integer programs, with the settings that all of them in a process have to share."""

import highspy


def open_solver() -> highspy.Highs:
    """A silent HiGHS with one thread.

    All solvers of a process share one pool of threads, which has the size that the first one asked for: one that asks for another
    size later solves nothing.  So every solver is opened here.
    """
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy has no types
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    return solver
