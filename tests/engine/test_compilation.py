"""The cache of compiled code is in a writable folder and is never used for other sources."""

import shutil
from pathlib import Path
from types import SimpleNamespace

from allocation import compilation as compiled


def test_the_folder_carries_the_digest_of_what_is_compiled(tmp_path):
    copy = tmp_path / "engine"
    shutil.copytree(compiled.ENGINE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    same = compiled.sources_digest(copy)
    assert same == compiled.sources_digest()
    (copy / "faults.py").write_text("# compiles nothing")
    assert compiled.sources_digest(copy) == same
    with (copy / "units.py").open("a") as source:
        source.write("\n")
    assert compiled.sources_digest(copy) != same


def test_the_first_folder_that_can_be_written_is_taken(tmp_path, monkeypatch):
    wanted, second = tmp_path / "wanted", tmp_path / "second"
    assert Path(compiled.cache_folder(str(wanted))).parent == wanted
    (tmp_path / "file").write_text("in the way")
    assert Path(compiled.cache_folder(str(tmp_path / "file"), (second,))).parent == second
    monkeypatch.setattr(compiled.os, "access", lambda path, mode: str(wanted) not in str(path))
    assert Path(compiled.cache_folder(str(wanted), (second,))).parent == second
    last = Path(compiled.cache_folder(None, (tmp_path / "file",)))
    assert last.is_dir() and last.name.startswith("allocation-")
    last.rmdir()


def test_who_has_compiled_everything_says_so_beside_the_binaries(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled.numba.config, "CACHE_DIR", str(tmp_path))
    assert not compiled.is_warm()
    compiled.note_warm()
    assert compiled.is_warm()


def test_eng12_freed_memory_is_kept_where_the_library_can_do_that(monkeypatch):
    asked = []
    library = SimpleNamespace(mallopt=lambda option, value: asked.append((option, value)))
    monkeypatch.setattr(compiled.ctypes, "CDLL", lambda name: library)
    compiled.keep_freed_memory(1024)
    assert asked == [(-3, 1024), (-1, 16 * 1024), (-8, 1)]
    del library.mallopt
    compiled.keep_freed_memory(1024)
    assert len(asked) == 3
