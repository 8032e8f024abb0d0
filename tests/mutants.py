"""What the tests would not notice: small mistakes put into the decisions, one at a time.

    python -m tests.mutants [--sample 130] [--seed 1] [--lines FILE] [--tests PATH] [MODULE ...]

Each mutant changes one comparison, operator, condition, number or return. First the tests run once, and each
line's tests are written down with their seconds. Then a process that has imported everything forks once a
mutant, changes the one function in memory, and runs the tests of that line, the quickest first, until one
fails. A mutant that survives is printed with its line: either a test is missing, or the change means the same
(then its name goes into `equivalent_mutants.py` with the reason). The exit code is 1 if fewer than 97 % are
killed. The first part takes minutes, a mutant about a second; `--lines` keeps the first for later runs.
"""

import argparse
import ast
import hashlib
import random
import sys
from collections.abc import Collection, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

from tests.equivalent_mutants import EQUIVALENT

ROOT = Path(__file__).parent.parent / "workflow"
LEAST_KILLED = 0.97
RAN = "__ran__"
"""The name of the function that statements with probes call."""
MODULES = (
    "eiger/protocol.py",
    "eiger/retry.py",
    "intake/fs.py",
    "intake/moves.py",
    "intake/stability.py",
    "ledger/sends.py",
    "mesh/watertight.py",
    "pipeline/attached_builds.py",
    "pipeline/build_search.py",
    "pipeline/dispatch.py",
    "pipeline/find_build.py",
    "pipeline/local_queue.py",
    "pipeline/reconcile.py",
    "pipeline/recovery.py",
    "pipeline/retry.py",
    "pipeline/stages.py",
    "pipeline/transitions.py",
    "routing/choose_device.py",
    "routing/conditions.py",
    "routing/due.py",
    "routing/evaluate.py",
)
"""The modules that decide."""
_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One changed expression of a module: the `variant`-th change of its `at`-th node."""

    module: str
    at: int
    variant: int
    line: int
    statement: range
    """The lines that run when the changed expression does."""
    before: str
    after: str

    @property
    def name(self) -> str:
        """The change without its line, which moves."""
        return f"{self.module}: {self.before} -> {self.after}"

    def code(self) -> CodeType:
        """Return the compiled module with the change in it, every line where it was."""
        tree = _parsed(self.module)
        node = _inside_functions(tree)[self.at][0]
        new = list(changed(node))[self.variant]
        _Replacing(node, new).visit(tree)
        return compile(ast.fix_missing_locations(tree), str(ROOT / self.module), "exec", dont_inherit=True)


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


class _Probing(ast.NodeTransformer):
    """Puts a call before each statement of the functions that says its line."""

    inside = False

    def visit(self, node: ast.AST) -> Any:
        was, self.inside = self.inside, self.inside or isinstance(node, ast.FunctionDef)
        self.generic_visit(node)
        self.inside = was
        if not was or not isinstance(node, ast.stmt):
            return node
        probe = ast.Expr(ast.Call(ast.Name(RAN, ast.Load()), [ast.Constant(node.lineno)], []))
        return [ast.fix_missing_locations(ast.copy_location(probe, node)), node]


def with_probes(module: str) -> CodeType:
    """Return the compiled module; each statement of its functions calls RAN with its line before it runs.

    A hundred times cheaper than a trace function, which Python calls for every line of every module.
    """
    return compile(_Probing().visit(_parsed(module)), str(ROOT / module), "exec", dont_inherit=True)


@cache
def source_of(module: str) -> str:
    """Return the text of a module as it was at the first call: somebody may edit it while mutants run."""
    return (ROOT / module).read_text("utf-8")


@cache
def version_of(module: str) -> str:
    """Return the module with a hash of its text."""
    return f"{module}@{hashlib.sha256(source_of(module).encode()).hexdigest()[:12]}"


def _parsed(module: str) -> ast.Module:
    return ast.parse(source_of(module))


def mutants_of(module: str) -> Iterator[Mutant]:
    """Return all mutants of one module; only what is inside of functions is changed."""
    for at, (node, statement) in enumerate(_inside_functions(_parsed(module))):
        lines = range(statement.lineno, (node.end_lineno or node.lineno) + 1)
        for variant, new in enumerate(changed(node)):
            before, after = ast.unparse(node), ast.unparse(new)
            if isinstance(node, ast.Constant):  # a number alone names no place
                after += f" in {ast.unparse(statement).splitlines()[0]}"
            yield Mutant(module, at, variant, node.lineno, lines, before, after)


def _inside_functions(tree: ast.Module) -> list[tuple[ast.expr | ast.stmt, ast.stmt]]:
    """Return each statement and expression of the functions, with the statement that it belongs to."""

    def below(node: ast.AST, statement: ast.stmt | None) -> Iterator[tuple[ast.expr | ast.stmt, ast.stmt]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef):
                for each in child.body:
                    yield (each, each)
                    yield from below(each, each)
            elif isinstance(child, ast.stmt) and statement is not None:
                yield (child, child)
                yield from below(child, child)
            else:
                if isinstance(child, ast.expr) and statement is not None:
                    yield (child, statement)
                yield from below(child, statement)

    return list(below(tree, None))


def sample_of(modules: Collection[str], count: int, seed: int) -> list[Mutant]:
    """Return a sample of the mutants, all where `count` is 0; those that mean the same are left out."""
    every = [mutant for module in modules for mutant in mutants_of(module)]
    outdated = {name for name in EQUIVALENT if name.partition(": ")[0] in modules} - {m.name for m in every}
    print(*(f"no such mutant, take it off the list: {name}" for name in sorted(outdated)), sep="\n", end="")
    every = [mutant for mutant in every if mutant.name not in EQUIVALENT]
    return random.Random(seed).sample(every, min(count or len(every), len(every)))


def main() -> None:
    """Try a sample of mutants and print those that no test noticed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", default=list(MODULES))
    parser.add_argument("--sample", type=int, default=130, help="how many mutants; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lines", type=Path, help="a file that keeps which tests run which line")
    parser.add_argument("--tests", action="append", help="only these tests; may be given several times")
    given = parser.parse_args()
    from tests.mutation_run import MutationRun  # imports pytest, and then all the tests

    chosen = sample_of(given.modules, given.sample, given.seed)
    run = MutationRun(chosen, given.lines, given.tests)
    run.start()
    killed = 1 - len(run.survived) / max(1, run.tried)
    print(f"{run.tried} of {len(chosen)} mutants tried, {killed:.1%} killed")
    sys.exit(0 if run.tried and killed >= LEAST_KILLED else 1)


if __name__ == "__main__":
    main()
