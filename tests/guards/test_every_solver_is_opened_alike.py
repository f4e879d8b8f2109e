"""Every solver of a process has one size of its shared pool of threads: one that asks for another one solves nothing."""

from tests.guards.test_texts_of_codes import ROOT

THE_ONE = "allocation/planning/linear_solver.py"
CALL = "Highs" + "("


def test_every_solver_is_opened_in_one_place():
    folders = ("allocation", "enrollment", "portal", "bench", "tests")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert [str(path.relative_to(ROOT)) for path in files if CALL in path.read_text()] == [THE_ONE]
