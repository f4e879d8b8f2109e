"""Set-up that the tests of a file share: built once, and brought back before each of them (ADR 48).

`@prepared` stands where `@pytest.fixture` would.  The set-up of all prepared fixtures that a test asks for, with the town, the
session and the clients that these used, is one `SharedSetup`.  The tests that ask for the same ones run one after the other
(`pytest_collection_modifyitems`), and those of a file on one worker (`--dist loadfile`).  Each of them finds the same rows and objects, whatever those before it did.
"""

import inspect
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy import inspect as inspect_object
from sqlalchemy.orm import Session, make_transient

from tests.support.inspecting_client import InspectingClient
from tests.support.servers import KeptRows, empty
from tests.support.town import Town

Key = tuple[str, ...]

_builders: dict[tuple[str, str], Callable] = {}

OF_THE_SETUP = (
    *("town", "session", "portal_session", "client", "another_client", "now", "frozen_clock"),
    *("app", "portal_engine", "engine"),
)
"""What a prepared fixture may ask for, beside other prepared ones of its file."""


def prepared(builder: Callable) -> Any:
    """A fixture that is built once for the tests of its file that follow one another.

    It may ask for `OF_THE_SETUP` and for other prepared fixtures of the file.  Rows, objects of the session, attributes of
    the town, lists, dicts and data classes that it returns, sign-ins of its clients and the frozen time are brought back.
    What it changes elsewhere is not: patches, files, the queue.
    """
    asked = inspect.signature(builder)
    local = [name for module, name in _builders if module == builder.__module__]
    if unknown := [name for name in asked.parameters if name not in OF_THE_SETUP and name not in local]:
        raise TypeError(f"{builder.__name__} is prepared and may not ask for {', '.join(unknown)}")
    _builders[builder.__module__, builder.__name__] = builder

    def take(request, **_asked):
        setup = request.getfixturevalue("shared_setup")
        if setup is None or builder.__name__ not in setup.values:
            raise LookupError(f"a test names {builder.__name__} as an argument, or in usefixtures: it is prepared")
        return setup.values[builder.__name__]

    take.__signature__ = asked.replace(
        parameters=[inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD), *asked.parameters.values()]
    )
    take.__doc__ = builder.__doc__
    return pytest.fixture(take, name=builder.__name__)


def key_of(item: pytest.Item) -> Key:
    """The prepared fixtures of a test; empty if it has none."""
    module, names = getattr(item, "module", None), getattr(item, "fixturenames", ())
    where = getattr(module, "__name__", "")
    found = [name for name in names if (where, name) in _builders]
    # a test of pages has its rows committed, and another one of the same file has not
    return (where, "pages" if "app" in names else "rows", *found) if found else ()


class SharedSetup:
    """One set-up with the session on which it was built.  `restore` makes all of it as it was after `build`."""

    def __init__(self, key: Key, session: Session):
        self.key = key
        self.session = session
        self.town: Town | None = None
        self.values: dict[str, Any] = {}
        self.client: InspectingClient | None = None
        self.clients: list[InspectingClient] = []
        self._objects: list[tuple[Any, Any]] = []
        self._restorers: list[Callable[[], None]] = []

    def build(self, request: pytest.FixtureRequest) -> None:
        self.now = request.getfixturevalue("now")
        self.town = Town(self.session, self.now)
        self.request = request
        module, _kind, *names = self.key
        for name in names:
            self._value(module, name)
        del self.request
        self._keep_rows()
        self._objects = [(each, inspect_object(each).key) for each in self.session.identity_map.values()]
        clock = request.getfixturevalue("frozen_clock") if self._uses_clock(request) else None
        self.moment = clock and clock.now
        seen: set[int] = set()
        self._restorers = [restorer(each, seen) for each in (self.town, *self.values.values())]
        self._restorers += [restorer(client._cookies, seen) for client in self.clients]
        self._recall_objects()

    def restore(self, request: pytest.FixtureRequest) -> None:
        self.session.rollback()
        self._restore_rows()
        self._recall_objects()
        for restore in self._restorers:
            restore()
        if self._uses_clock(request):
            request.getfixturevalue("frozen_clock").now = self.moment

    @staticmethod
    def _uses_clock(request: pytest.FixtureRequest) -> bool:
        return "frozen_clock" in request.fixturenames

    def _value(self, module: str, name: str) -> Any:
        if name not in self.values:
            builder = _builders[module, name]
            asked = {each: self._asked(module, each) for each in inspect.signature(builder).parameters}
            self.values[name] = builder(**asked)
        return self.values[name]

    def _asked(self, module: str, name: str) -> Any:
        if (module, name) in _builders:
            return self._value(module, name)
        if name == "town":
            return self.town
        if name in ("session", "portal_session"):
            return self.session
        if name == "client":
            self.client = self.client or self._new_client()
            return self.client
        if name == "another_client":
            return self._new_client
        return self.request.getfixturevalue(name)

    def _new_client(self) -> InspectingClient:
        client = self.request.getfixturevalue("whole_app").test_client()
        client.rows_of_the_test = self.session
        self.clients.append(client)
        return client

    def _recall_objects(self) -> None:
        """The session holds the objects of the set-up and no others, and reads them anew."""
        self.session.expire_all()
        self.session.expunge_all()
        for each, key in self._objects:
            state = inspect_object(each)
            if state.key is None or state.was_deleted:
                make_transient(each)
                state.key = key
            self.session.add(each)
        self.session.expire_all()

    def _keep_rows(self) -> None:
        raise NotImplementedError

    def _restore_rows(self) -> None:
        raise NotImplementedError

    def discard(self) -> None:
        raise NotImplementedError


class InTransaction(SharedSetup):
    """For tests without pages: a transaction that is never committed, with a savepoint after the set-up."""

    def __init__(self, key: Key, engine: Engine):
        self.connection = engine.connect()
        self.outer = self.connection.begin()
        super().__init__(
            key, Session(self.connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
        )

    def _keep_rows(self) -> None:
        self.session.commit()
        self.savepoint = self.connection.begin_nested()

    def _restore_rows(self) -> None:
        self.savepoint.rollback()
        self.savepoint = self.connection.begin_nested()

    def discard(self) -> None:
        self.session.close()
        self.outer.rollback()
        self.connection.close()


class Committed(SharedSetup):
    """For tests of pages: committed rows, of which a copy is kept."""

    def __init__(self, key: Key, engine: Engine):
        self.engine = engine
        super().__init__(key, Session(engine, expire_on_commit=False))

    def _keep_rows(self) -> None:
        self.session.commit()
        with self.engine.connect() as connection:
            self.rows = KeptRows(connection)

    def _restore_rows(self) -> None:
        with self.engine.connect() as connection:
            self.rows.restore(connection)

    def discard(self) -> None:
        self.session.close()
        with self.engine.connect() as connection:
            empty(connection)


class Setups:
    """The one set-up that this worker keeps."""

    def __init__(self) -> None:
        self.kept: SharedSetup | None = None

    def take(self, request: pytest.FixtureRequest, kind: type[SharedSetup], engine: Engine) -> SharedSetup:
        key = key_of(request.node)
        if self.kept is not None and self.kept.key == key and self.kept.now == request.getfixturevalue("now"):
            self.kept.restore(request)
            return self.kept
        self.discard()
        self.kept = kind(key, engine)
        try:
            self.kept.build(request)
        except BaseException:
            self.discard()
            raise
        return self.kept

    def discard(self) -> None:
        if self.kept is not None:
            kept, self.kept = self.kept, None
            kept.discard()


def restorer(value: Any, seen: set[int]) -> Callable[[], None]:
    """A function that gives a value, and what it holds, the content of now.  Rows are the session's."""
    if id(value) in seen:
        return lambda: None
    seen.add(id(value))
    if isinstance(value, tuple):
        inner = [restorer(each, seen) for each in value]
        return lambda: [restore() for restore in inner]
    if isinstance(value, list):
        return _content(value, list(value), value, list.extend, seen)
    if isinstance(value, set):
        return _content(value, set(value), value, set.update, seen)
    if isinstance(value, dict):
        return _content(value, dict(value), value.values(), dict.update, seen)
    if is_plain_object(value):
        return restorer(vars(value), seen)
    return lambda: None


def _content(value: Any, kept: Any, inside: Iterable, refill: Callable[[Any, Any], Any], seen: set[int]) -> Callable:
    inner = [restorer(each, seen) for each in inside]

    def restore() -> None:
        value.clear()
        refill(value, kept)
        for each in inner:
            each()

    return restore


def is_plain_object(value: Any) -> bool:
    """A town, a data class of the tests, a namespace."""
    if isinstance(value, SimpleNamespace):
        return True
    return (
        type(value).__module__.startswith("tests.")
        and hasattr(value, "__dict__")
        and not isinstance(value, FlaskClient)
    )
