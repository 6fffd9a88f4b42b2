"""The rounds of the reaper: a chore that fails or takes long does not affect the others."""

import logging
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models import ProtectedError
from django.utils.module_loading import import_string
from redis.exceptions import ConnectionError as NoRedis

from background import chores as background_chores
from background.chores import LOG_EVERY_S, MAX_REST, Housekeeping, chores

NAMES = ["first", "second", "third", "fourth"]
FAULTS = [
    OSError("no such disk"),
    OperationalError("away"),
    NoRedis("gone"),
    ProtectedError("kept", set()),
    KeyError(1),
]


class Board:
    """Doubles of the chores, with a clock: `done` lists those that ran, `failing` has the errors to raise."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.failing: dict[str, Exception] = {}
        self.now = 1000.0

    def find(self, name: str) -> Callable[[], None]:
        def do() -> None:
            self.done.append(name)
            if name in self.failing:
                raise self.failing[name]

        return do

    def keeping(self, **options: Any) -> Housekeeping:
        return Housekeeping(NAMES, clock=lambda: self.now, **options)

    def round(self, keeping: Housekeeping, *, after_s: float = 0) -> list[str]:
        self.now += after_s
        self.done.clear()
        keeping.run_round()
        return list(self.done)


def chore_in(record: logging.LogRecord) -> str:
    """Returns the name of the chore in a log line."""
    assert isinstance(record.args, tuple)
    return str(record.args[0])


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Board:
    board = Board()
    monkeypatch.setattr(background_chores, "import_string", board.find)
    return board


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
@pytest.mark.parametrize("name", NAMES)
def test_a_chore_that_fails_does_not_keep_the_others_from_running(name: str, fault: Exception, board: Board) -> None:
    board.failing = {name: fault}
    keeping = board.keeping(interval_s=5)
    for _ in range(3):
        assert [done for done in board.round(keeping, after_s=300) if done != name] == [n for n in NAMES if n != name]
    assert keeping.run_round().failing == [name]


def test_when_all_chores_fail_each_is_tried(board: Board) -> None:
    board.failing = dict.fromkeys(NAMES, OSError("full"))
    assert board.round(board.keeping()) == NAMES


def test_a_chore_that_fails_rests_longer_each_time_up_to_a_limit(board: Board) -> None:
    board.failing = {"second": OSError("full")}
    keeping = board.keeping(interval_s=5)
    tried_at = [second for second in range(0, 400, 5) if "second" in board.round(keeping, after_s=5)]
    pauses = [later - earlier for earlier, later in pairwise(tried_at)]
    assert pauses == [5, 10, 20, 40, *[5 * MAX_REST] * len(pauses[4:])]


def test_a_chore_that_works_again_has_its_turn_in_every_round(board: Board) -> None:
    board.failing = {"second": OSError("full")}
    keeping = board.keeping(interval_s=5)
    for _ in range(6):
        board.round(keeping, after_s=60)
    board.failing = {}
    assert board.round(keeping, after_s=60) == NAMES
    assert board.round(keeping, after_s=5) == NAMES
    assert keeping.run_round().failing == []


def test_a_chore_that_keeps_failing_is_logged_once_in_a_while(board: Board, caplog: pytest.LogCaptureFixture) -> None:
    board.failing = {"second": OSError("full"), "third": OSError("full")}
    keeping = board.keeping(interval_s=5)
    for _ in range(int(LOG_EVERY_S) // 5):
        board.round(keeping, after_s=5)
    assert [chore_in(record) for record in caplog.records] == ["second", "third"]
    board.round(keeping, after_s=60)
    assert len(caplog.records) == 4


def test_a_bug_is_logged_with_its_traceback_and_a_full_disk_without(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    board.failing = {"second": OSError("full"), "third": KeyError(1)}
    board.round(board.keeping())
    told = {chore_in(record): (record.levelno, bool(record.exc_info)) for record in caplog.records}
    assert told == {"second": (logging.WARNING, False), "third": (logging.ERROR, True)}


@pytest.fixture
def slow(board: Board, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The second chore ends when this is set."""
    may_end, find = threading.Event(), board.find

    def find_slow(name: str) -> Callable[[], None]:
        def wait() -> None:
            board.done.append(name)
            may_end.wait(60)

        return wait if name == "second" else find(name)

    monkeypatch.setattr(background_chores, "import_string", find_slow)
    yield may_end
    may_end.set()


def test_a_chore_that_takes_long_goes_on_alone_while_the_others_have_their_turns(
    board: Board, slow: threading.Event
) -> None:
    keeping = board.keeping(patience_s=0.05)
    assert board.round(keeping) == NAMES
    assert board.round(keeping) == ["first", "third", "fourth"]
    assert keeping.run_round().unfinished == ["second"]
    slow_run = keeping.chores[1].last_run
    assert slow_run is not None
    slow.set()
    slow_run.result(60)
    assert board.round(keeping) == NAMES
    assert keeping.run_round().unfinished == []


def test_every_registered_chore_can_be_imported() -> None:
    assert all(callable(import_string(name)) for name in chores)
