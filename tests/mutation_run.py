"""Tests that run in forks of one process that has imported and collected them all: no start is paid twice."""

import gc
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from importlib import import_module
from inspect import CO_OPTIMIZED
from itertools import groupby
from pathlib import Path
from statistics import fmean
from types import CodeType, FrameType, FunctionType
from typing import Any, TypeAlias

import pytest

from tests.mutants import MODULES, RAN, ROOT, Mutant, version_of, with_probes

ALSO_TESTED_IN = {"ledger": "pipeline"}
"""Rooms that are asked, too, beside the tests of the module's own room."""
SPARE_SECONDS, SLOWER = 10.0, 5.0
"""A test that takes longer than this much of its own time, and some seconds more, has noticed the mutant."""
FILE_SECONDS = 900.0
LONGEST_SECONDS = 60.0
"""Of a line that hundreds of tests run, so many seconds of tests are asked, the quickest first."""
FAILED, UNCHANGED, TOO_SLOW = 1, 3, 4
Covered: TypeAlias = dict[str, Any]
"""Of each test, by its id: `seconds`, and `lines` by module and its version."""


class MutationRun:
    """A run of pytest that tries mutants instead of running each test once."""

    def __init__(self, mutants: list[Mutant], kept: Path | None, tests: list[str] | None = None) -> None:
        self.mutants, self.kept, self.tests = mutants, kept, tests
        self.survived: list[Mutant] = []
        self.tried = 0

    def start(self) -> None:
        """Collect the tests, write down what each runs, then try every mutant."""
        rooms = {mutant.module.partition("/")[0] for mutant in self.mutants}
        rooms |= {ALSO_TESTED_IN[room] for room in rooms if room in ALSO_TESTED_IN}
        folders = [str(ROOT.parent / "tests" / room) for room in sorted(rooms)]
        with tempfile.TemporaryDirectory() as folder:
            options = ["-qq", "-s", "-n", "0", "-p", "no:cacheprovider", "--timeout=0"]
            options.append(f"--basetemp={folder}/tests")
            pytest.main([*options, *(self.tests or folders)], plugins=[self])

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Take the place of pytest's own loop."""
        items = {item.nodeid: item for item in session.items if not _needs_postgres(item)}
        functions_in_memory()
        covered = self._covered(items)
        for mutant in self.mutants:
            began = time.monotonic()
            tests = tests_of(mutant, covered)
            chosen = [(items[name], covered[name]["seconds"]) for name in tests if name in items]
            code = _forked(_try, mutant, chosen, seconds=60 + SLOWER * sum(each[1] for each in chosen))
            if code == UNCHANGED:
                continue
            self.tried += 1
            if code == 0:
                self.survived.append(mutant)
                print(
                    f"survived: workflow/{mutant.module}:{mutant.line}: {mutant.before} -> {mutant.after}",
                    flush=True,
                )
            took, how = time.monotonic() - began, {0: "survived", TOO_SLOW: "too slow"}.get(code, "killed")
            print(f"{self.tried}: {how}, {took:.1f} s, {mutant.name}", file=sys.stderr, flush=True)
        return True

    def _covered(self, items: dict[str, pytest.Item]) -> Covered:
        """Return what each test runs, file by file, so that a run that is stopped keeps what it has."""
        covered: Covered = {}
        if self.kept is not None and self.kept.exists():
            covered = json.loads(self.kept.read_text("utf-8"))
        current = {mutant.module: version_of(mutant.module) for mutant in self.mutants}
        new = [item for name, item in items.items() if _is_outdated(covered.get(name), current)]
        for path, tests in groupby(new, key=lambda item: item.path):
            began = time.monotonic()
            with tempfile.NamedTemporaryFile() as written:
                _forked(_trace, list(tests), Path(written.name), seconds=FILE_SECONDS)
                covered |= json.loads(Path(written.name).read_text("utf-8") or "{}")
            print(f"{path.name}: {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
            if self.kept is not None:
                self.kept.write_text(json.dumps(covered), "utf-8")
        return covered


def _is_outdated(test: dict[str, Any] | None, current: dict[str, str]) -> bool:
    """True if a module of these was changed since the test ran it, or the test never ran."""
    return test is None or any(
        version != current.get(version.partition("@")[0], version) for version in test["lines"]
    )


def tests_of(mutant: Mutant, covered: Covered) -> list[str]:
    """Return the tests that run the mutant's lines: files that import its module first, then the quickest.

    The tests of a file stay together: a service that they share is started once.
    """
    seconds: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for name, each in covered.items():
        if not set(mutant.statement).isdisjoint(each["lines"].get(version_of(mutant.module), ())):
            seconds[name.partition("::")[0]][name] = each["seconds"]
    chosen, total = list[str](), 0.0
    for _, tests in sorted(
        seconds.items(), key=lambda each: (not _imports(each[0], mutant.module), fmean(each[1].values()))
    ):
        for name in sorted(tests, key=tests.__getitem__):
            total += tests[name]
            if not chosen or total < LONGEST_SECONDS:
                chosen.append(name)
    return chosen


@cache
def _imports(file: str, module: str) -> bool:
    name = f"workflow.{module.removesuffix('.py').replace('/', '.')}"
    return f"from {name} import" in (ROOT.parent / file).read_text("utf-8")


def _needs_postgres(item: pytest.Item) -> bool:
    """True if each fork would start a server of its own for the test."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    return "postgres" in [*getattr(item, "fixturenames", ()), *parameters.values()]


def _forked(run: Callable[..., int], *arguments: object, seconds: float) -> int:
    """Return what the function returns in a fork; TOO_SLOW if it has to be ended."""

    def child() -> None:
        os.setsid()
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        code = FAILED
        with suppress(BaseException):  # whatever a mutant does, it is noticed
            code = run(*arguments)
        os._exit(code)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(seconds)
    with suppress(ProcessLookupError):  # what its tests started goes with it
        os.killpg(process.pid or 0, signal.SIGKILL)
    process.join()
    return TOO_SLOW if process.exitcode is None or process.exitcode < 0 else process.exitcode


def _try(mutant: Mutant, chosen: list[tuple[pytest.Item, float]]) -> int:
    if not put_in(mutant):
        return UNCHANGED
    signal.signal(signal.SIGALRM, _too_slow)
    items = [item for item, _ in chosen]
    for (item, seconds), following in zip(chosen, [*items[1:], None], strict=True):
        signal.setitimer(signal.ITIMER_REAL, SPARE_SECONDS + SLOWER * seconds)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if item.session.testsfailed:
            return FAILED
    return 0


def _too_slow(_signal: int, _frame: FrameType | None) -> None:
    os._exit(TOO_SLOW)


def put_in(mutant: Mutant) -> bool:
    """True if the mutant's function is changed in this process, wherever it is referred to."""
    return _exchange(mutant.module, mutant.code())


def _exchange(module: str, code: CodeType) -> bool:
    """True if a function of the module has other code in this version of it."""
    codes = {(each.co_qualname, each.co_firstlineno): each for each in _functions(code)}
    done = False
    for function in functions_in_memory()[module]:
        old = function.__code__
        new = codes.get((old.co_qualname, old.co_firstlineno), old)
        if new != old and new.co_freevars == old.co_freevars:
            function.__code__ = new
            done = True
    return done


@cache
def functions_in_memory() -> dict[str, list[FunctionType]]:
    """Return the functions and methods of each of MODULES; asked before the forks, which share the answer."""
    modules = {f"workflow.{module.removesuffix('.py').replace('/', '.')}": module for module in MODULES}
    for name in modules:
        import_module(name)
    found: dict[str, list[FunctionType]] = {module: [] for module in MODULES}
    gc.unfreeze()  # what the tests froze after they were imported is not among the objects
    for function in [each for each in gc.get_objects() if isinstance(each, FunctionType)]:
        module = modules.get(function.__globals__.get("__name__", ""))
        if module is not None:
            found[module].append(function)
    gc.freeze()  # a fork that collects garbage leaves these pages alone
    return found


def _functions(code: CodeType) -> Iterable[CodeType]:
    """Return the functions and methods of a module's or class's code, without those inside of functions."""
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from [each] if each.co_flags & CO_OPTIMIZED else _functions(each)


def _trace(items: list[pytest.Item], written: Path) -> int:
    """Run the tests once; write down which statements of MODULES each runs, in all its threads."""
    lines: dict[str, set[int]] = {module: set() for module in MODULES}
    for module, found in lines.items():
        functions_in_memory()[module][0].__globals__[RAN] = found.add
        _exchange(module, with_probes(module))
    covered: Covered = {}
    for item, following in zip(items, [*items[1:], None], strict=True):
        for found in lines.values():
            found.clear()
        failed, began = item.session.testsfailed, time.monotonic()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if item.session.testsfailed == failed:
            ran = {version_of(module): sorted(each) for module, each in lines.items() if each}
            covered[item.nodeid] = {"seconds": time.monotonic() - began, "lines": ran}
    written.write_text(json.dumps(covered), "utf-8")
    return 0
