"""What the tests would not notice: small mistakes put into the decisions, one at a time.

    python -m tests.mutants [--sample 40] [--seed 1] [--jobs 2] [MODULE ...]

Each mutant is a copy of the package with one comparison, operator, condition, number or return changed.
The tests of its module run on the copy. A mutant that survives is printed with its line: either a test is
missing, or the change means the same (then its name goes into EQUIVALENT with the reason). One mutant takes
about 5 seconds, in the modules that send about 20. The exit code is 1 if fewer than 97 % are killed.
"""

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
LIMIT_SECONDS = 900
"""A mutant that makes the tests hang is noticed, too; slow tests on a busy machine are no hanging."""
LEAST_KILLED = 0.97
TESTED_BY = {
    "routing/evaluate.py": ("tests/routing",),
    "routing/conditions.py": ("tests/routing",),
    "routing/due.py": ("tests/routing/test_due.py",),
    "routing/choose_device.py": ("tests/routing/test_choose_device.py",),
    "mesh/watertight.py": (
        "tests/mesh/test_repeats.py",
        "tests/mesh/test_measures.py",
        "tests/mesh/test_report.py",
    ),
    "intake/stability.py": ("tests/intake/test_stability.py",),
    "eiger/retry.py": ("tests/eiger/test_retry.py",),
    "eiger/protocol.py": ("tests/eiger/test_protocol.py",),
    "pipeline/retry.py": ("tests/pipeline/test_retry.py", "tests/pipeline/test_stages.py"),
    "intake/fs.py": (
        "tests/intake/test_lost_answers.py",
        "tests/intake/test_folders.py",
        "tests/intake/test_moves.py",
        "tests/intake/test_folder_rights.py",
        "tests/intake/test_claim.py",
    ),
    "intake/moves.py": (
        "tests/intake/test_moves.py",
        "tests/intake/test_lost_answers.py",
        "tests/intake/test_claim.py",
        "tests/intake/test_outcome_folders.py",
    ),
    "ledger/sends.py": ("tests/ledger/test_sends.py", "tests/pipeline/test_unknown_outcomes.py"),
    "pipeline/attached_builds.py": ("tests/pipeline/test_attached_builds.py",),
    "pipeline/build_search.py": ("tests/pipeline/test_find_build.py", "tests/pipeline/test_clocks.py"),
    "pipeline/dispatch.py": (
        "tests/pipeline/test_send_window.py",
        "tests/pipeline/test_stages.py",
        "tests/pipeline/test_unknown_outcomes.py",
        "tests/pipeline/test_print_now.py",
        "tests/pipeline/test_late_effects.py",
        "tests/pipeline/test_refused_sends.py",
        "tests/pipeline/test_approval.py",
        "tests/pipeline/test_one_bed.py",
        "tests/pipeline/test_attached_builds.py",
        "tests/pipeline/test_reuse.py",
        "tests/pipeline/test_rules_at_work.py",
    ),
    "pipeline/find_build.py": (
        "tests/pipeline/test_find_build.py",
        "tests/pipeline/test_other_clouds.py",
        "tests/pipeline/test_clocks.py",
    ),
    "pipeline/local_queue.py": ("tests/pipeline/test_work_queue.py",),
    "pipeline/reconcile.py": (
        "tests/pipeline/test_reconcile.py",
        "tests/pipeline/test_print_now.py",
        "tests/pipeline/test_unknown_outcomes.py",
        "tests/pipeline/test_attached_builds.py",
        "tests/pipeline/test_clocks.py",
    ),
    "pipeline/recovery.py": ("tests/pipeline/test_recovery.py", "tests/pipeline/test_orphans.py"),
    "pipeline/stages.py": (
        "tests/pipeline/test_stage_edges.py",
        "tests/pipeline/test_stages.py",
        "tests/pipeline/test_work_queue.py",
        "tests/pipeline/test_unknown_outcomes.py",
    ),
    "pipeline/transitions.py": (
        "tests/pipeline/test_transitions.py",
        "tests/pipeline/test_stages.py",
        "tests/pipeline/test_commands.py",
    ),
}
"""The modules that decide, and the tests that have to notice a wrong decision."""
EQUIVALENT = frozenset(
    {
        # Where the one call is missing or refuses its flag, the reservation does the same.
        "intake/fs.py: sys.platform == 'darwin' -> sys.platform != 'darwin'",
        # A row that waits for a build has its time: the upload or the order to attach wrote it.
        "pipeline/find_build.py: submission.waiting_since or now() -> submission.waiting_since",
        # At the very microsecond of the limit.
        "pipeline/reconcile.py: age > context.retry_schedule.print_now_seconds"
        " -> age >= context.retry_schedule.print_now_seconds",
        # The queue wakes a tick (0.2 s) later, looks at the clock, and goes on.
        "pipeline/local_queue.py: until - self._clock() -> until + self._clock()",
    }
)
"""Mutants that mean the same as the code, as `file: before -> after`, each with its reason beside it."""
_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One changed expression of a module."""

    module: str
    line: int
    before: str
    after: str
    source: str

    @property
    def name(self) -> str:
        """The change without its line, which moves."""
        return f"{self.module}: {self.before} -> {self.after}"


def changed(node: ast.expr | ast.stmt) -> Iterator[ast.expr | ast.stmt]:
    """Return the wrong versions of one node."""
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in _COMPARED:
            yield _with(node, ops=[_COMPARED[type(operator)]()])
        case ast.BoolOp(op=operator):
            yield _with(node, op=ast.And() if isinstance(operator, ast.Or) else ast.Or())
            yield from node.values
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.BinOp(op=operator) if type(operator) in _COMPUTED:
            yield _with(node, op=_COMPUTED[type(operator)]())
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int() | float() as number):
            yield ast.Constant(number + 1)
        case ast.IfExp():
            yield _with(node, body=node.orelse, orelse=node.body)
        case ast.Return(value=ast.expr()) if not isinstance(node.value, ast.Constant):
            yield ast.Return(ast.Constant(None))


def _with(node: ast.expr, **fields: object) -> ast.expr:
    copy = deepcopy(node)
    for name, value in fields.items():
        setattr(copy, name, value)
    return copy


class _Replacing(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return ast.copy_location(self.new, node) if node is self.old else self.generic_visit(node)


def mutants_of(module: str) -> list[Mutant]:
    """Return all mutants of one module; only what is inside of functions is changed."""
    text = (ROOT / "workflow" / module).read_text("utf-8")
    found = []
    count = len(list(_inside_functions(ast.parse(text))))
    for at in range(count):
        variants = len(list(changed(_inside_functions_at(ast.parse(text), at))))
        for variant in range(variants):
            tree = ast.parse(text)
            node = _inside_functions_at(tree, at)
            new = list(changed(node))[variant]
            before, after = ast.unparse(node), ast.unparse(new)
            source = ast.unparse(ast.fix_missing_locations(_Replacing(node, new).visit(tree)))
            found.append(Mutant(module, node.lineno, before, after, source))
    return found


def _inside_functions_at(tree: ast.Module, at: int) -> ast.expr | ast.stmt:
    return list(_inside_functions(tree))[at]


def _inside_functions(tree: ast.Module) -> Iterator[ast.expr | ast.stmt]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for statement in function.body:
                yield from (node for node in ast.walk(statement) if isinstance(node, ast.expr | ast.stmt))


def survives(mutant: Mutant) -> bool:
    """True if the module's tests pass on a copy of the package with the mutant in it."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        for folder in ("workflow", "tests", "samples", "rules", "docs"):
            shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
        for file in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / file, copy / file)
        (copy / "workflow" / mutant.module).write_text(mutant.source, "utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider"]
        environment = {**os.environ, "PYTHONPATH": name, "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                [*command, *TESTED_BY[mutant.module]],
                cwd=copy, env=environment, capture_output=True, timeout=LIMIT_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return False
    return done.returncode == 0


def main() -> None:
    """Try a sample of mutants and print those that no test noticed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", default=list(TESTED_BY))
    parser.add_argument("--sample", type=int, default=40, help="how many mutants; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    every = [
        mutant for module in given.modules for mutant in mutants_of(module) if mutant.name not in EQUIVALENT
    ]
    chosen = random.Random(given.seed).sample(every, min(given.sample or len(every), len(every)))
    survived = 0
    with ThreadPoolExecutor(given.jobs) as pool:
        for mutant, lives in zip(chosen, pool.map(survives, chosen), strict=True):
            if lives:
                survived += 1
                change = f"{mutant.before} -> {mutant.after}"
                print(f"survived: workflow/{mutant.module}:{mutant.line}: {change}", flush=True)
    killed = 1 - survived / len(chosen)
    print(f"{len(chosen)} of {len(every)} mutants tried, {killed:.1%} killed")
    sys.exit(0 if killed >= LEAST_KILLED else 1)


if __name__ == "__main__":
    main()
