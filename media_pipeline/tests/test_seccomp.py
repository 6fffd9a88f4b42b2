"""The filter of system calls for both architectures, interpreted here as the kernel does it."""

import pytest

from media_pipeline.ffmpeg import seccomp
from media_pipeline.ffmpeg.seccomp import (
    ALLOWED,
    AND,
    ARCHITECTURES,
    CALLS_ON_A_PROCESS,
    CLONE,
    CLONE_THREAD,
    FORK_CALLS,
    HAS_BITS,
    IS_AT_LEAST,
    IS_EQUAL,
    LOAD,
    OPEN,
    ORDERS,
    OWN_PID,
    REFUSED,
    REFUSED_CALLS,
    RETURN,
    SETPRIORITY,
    SIGNAL_CALLS,
    UNKNOWN,
    UNKNOWN_CALLS,
    Numbers,
    filter_for,
)

PID, OTHER = 4711, 1
SIGCHLD, CLONE_NEWUSER, CLONE_VM = 17, 0x1000_0000, 0x100
MAX_INSTRUCTIONS = 4096  # the most that the kernel accepts
MACHINES = pytest.mark.parametrize("machine", sorted(ARCHITECTURES))


class Filter:
    def __init__(self, machine: str, *, may_start_programs: bool = False) -> None:
        self.architecture, self.column = ARCHITECTURES[machine]
        self.program = filter_for(machine, may_start_programs=may_start_programs)

    def answer(self, numbers: Numbers | int, *arguments: int, architecture: int | None = None) -> int:
        number = numbers if isinstance(numbers, int) else numbers[self.column]
        assert number is not None
        data = {0: number, 4: self.architecture if architecture is None else architecture}
        for position in range(6):
            value = arguments[position] if position < len(arguments) else 0
            data |= {16 + 8 * position: value & 0xFFFF_FFFF, 20 + 8 * position: value >> 32 & 0xFFFF_FFFF}
        return self.run(data)

    def run(self, data: dict[int, int]) -> int:
        held, at = 0, 0
        while True:
            code, if_true, if_false, value = self.program[at]
            value = PID if value == OWN_PID else value
            at += 1
            if code == RETURN:
                return value
            if code == LOAD:
                held = data[value]
            elif code == AND:
                held &= value
            else:
                is_true = {IS_EQUAL: held == value, IS_AT_LEAST: held >= value, HAS_BITS: bool(held & value)}[code]
                at += if_true if is_true else if_false


@MACHINES
def test_all_refused_calls_are_refused_and_all_numbers_differ(machine: str) -> None:
    tried = Filter(machine)
    named = [numbers[tried.column] for numbers in all_numbers() if numbers[tried.column] is not None]

    assert len(named) == len(set(named))
    for numbers in (*REFUSED_CALLS.values(), *FORK_CALLS.values()):
        if numbers[tried.column] is not None:
            assert tried.answer(numbers) == REFUSED
    assert {tried.answer(numbers) for numbers in UNKNOWN_CALLS.values()} == {UNKNOWN}
    assert len(tried.program) < MAX_INSTRUCTIONS


def all_numbers() -> list[Numbers]:
    plain = (*REFUSED_CALLS.values(), *UNKNOWN_CALLS.values(), *FORK_CALLS.values())
    with_argument = (*CALLS_ON_A_PROCESS.values(), *SIGNAL_CALLS.values(), *OPEN.values())
    with_orders = [numbers for numbers, _, _ in ORDERS.values()]
    return [*plain, CLONE, SETPRIORITY, *(numbers for numbers, _ in with_argument), *with_orders]


@MACHINES
def test_the_calls_of_a_decoder_are_allowed(machine: str) -> None:
    """Tried with read, write, mmap, futex, openat for reading, and exit_group."""
    tried = Filter(machine)
    numbers = {"x86_64": (0, 1, 9, 202, 257, 231), "aarch64": (63, 64, 222, 98, 56, 94)}[machine]

    assert {tried.answer(number) for number in numbers} == {ALLOWED}


@MACHINES
def test_calls_of_another_architecture_are_refused(machine: str) -> None:
    assert Filter(machine).answer(0, architecture=0x4000_0003) == REFUSED


def test_the_second_table_of_calls_is_unknown() -> None:
    assert Filter("x86_64").answer(0x4000_0000 | 39) == UNKNOWN


def test_an_unknown_architecture_has_no_filter() -> None:
    assert filter_for("riscv64", may_start_programs=False) == []


@MACHINES
@pytest.mark.parametrize("name", [*CALLS_ON_A_PROCESS, *SIGNAL_CALLS])
def test_calls_on_a_process_may_name_the_program_itself_only(machine: str, name: str) -> None:
    numbers, argument = {**CALLS_ON_A_PROCESS, **SIGNAL_CALLS}[name]
    tried, before = Filter(machine), [0] * argument

    assert [tried.answer(numbers, *before, pid) for pid in (PID, 0)] == [ALLOWED, ALLOWED]
    # -1 means all processes; the kernel ignores the upper half of the last one.
    assert {tried.answer(numbers, *before, pid) for pid in (OTHER, -1, OTHER | 1 << 32)} == {REFUSED}


@MACHINES
def test_a_program_may_change_its_own_priority_only(machine: str) -> None:
    tried = Filter(machine)
    process, group, user = 0, 1, 2

    assert [tried.answer(SETPRIORITY, process, pid) for pid in (0, PID, OTHER)] == [ALLOWED, ALLOWED, REFUSED]
    assert {tried.answer(SETPRIORITY, kind, 0) for kind in (group, user)} == {REFUSED}


@MACHINES
def test_a_program_that_may_start_others_may_send_them_signals(machine: str) -> None:
    tried = Filter(machine, may_start_programs=True)

    assert {tried.answer(numbers, OTHER) for numbers, _ in SIGNAL_CALLS.values()} == {ALLOWED}
    assert tried.answer(CLONE, SIGCHLD) == ALLOWED
    assert tried.answer(CLONE, SIGCHLD | CLONE_NEWUSER) == REFUSED


@MACHINES
def test_only_threads_may_be_started(machine: str) -> None:
    tried = Filter(machine)

    assert tried.answer(CLONE, CLONE_THREAD | CLONE_VM) == ALLOWED
    assert tried.answer(CLONE, SIGCHLD) == REFUSED
    assert tried.answer(CLONE, CLONE_VM | SIGCHLD) == REFUSED
    assert tried.answer(CLONE, CLONE_THREAD | CLONE_VM | CLONE_NEWUSER) == REFUSED


@MACHINES
@pytest.mark.parametrize("mode", range(4))
def test_a_file_is_emptied_only_where_it_is_opened_for_writing(machine: str, mode: int) -> None:
    tried = Filter(machine)
    for name, (numbers, argument) in OPEN.items():
        if numbers[tried.column] is None:
            assert name == "open"
            continue
        before = [0] * argument
        assert tried.answer(numbers, *before, mode) == ALLOWED
        emptied = tried.answer(numbers, *before, mode | seccomp.O_TRUNC | 0o100)
        assert emptied == (ALLOWED if mode in (seccomp.O_WRONLY, seccomp.O_RDWR) else REFUSED)


@MACHINES
def test_only_the_listed_operations_of_a_call_are_refused(machine: str) -> None:
    tried = Filter(machine)
    for numbers, argument, orders in ORDERS.values():
        before = [0] * argument
        assert {tried.answer(numbers, *before, order) for order in orders} == {REFUSED}
        assert {tried.answer(numbers, *before, order) for order in (2, 3, 4, 15 << 8)} == {ALLOWED}
