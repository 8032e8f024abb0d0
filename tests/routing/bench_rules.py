"""How fast rules are read and decided: 200 rules in each list, 1,000 files.

    python -m tests.routing.bench_rules

Every file is looked at by 110 rules on the average; CPU time, so that a busy machine counts less.
"""

import time
from collections.abc import Callable
from datetime import date

from workflow.model import Facts
from workflow.routing import decide_intake, decide_route, parse_rules

RULES, FILES = 200, 1000
TODAY = date(2026, 12, 17)


def rule(number: int, fact: str, action: str) -> str:
    """Return one rule with two conditions."""
    conditions = f'path: "folder {number}/**", {fact}: "> {number / 100}"'
    return f"  - name: rule {number}\n    when: {{{conditions}}}\n    {action}\n"


def rules() -> str:
    """Return a rules file."""
    intake = "".join(rule(number, "longest_mm", "preset: Onyx") for number in range(RULES - 1))
    routing = "".join(rule(number, "build.print_hours", "send_to: backlog") for number in range(RULES - 1))
    ends = "  - {name: rest, preset: Onyx}\n", "  - {name: rest, send_to: job_request}\n"
    return f"version: 1\nintake:\n{intake}{ends[0]}routing:\n{routing}{ends[1]}"


def files() -> list[Facts]:
    """Return the facts of the files, a tenth of which only the last rule takes."""
    return [
        {"path": f"folder {n % 220}/part {n}.stl", "longest_mm": float(n), "build.print_hours": n / 10}
        for n in range(FILES)
    ]


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of some work."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Print one line per figure."""
    text, facts = rules(), files()
    book = parse_rules(text, "rules.yaml")
    reading = cpu_seconds(lambda: parse_rules(text, "rules.yaml"))
    intake = cpu_seconds(lambda: [decide_intake(book, each) for each in facts])
    routing = cpu_seconds(lambda: [decide_route(book, each, (), TODAY) for each in facts])
    print(f"reading {2 * RULES} rules: {reading:.2f} s")
    print(f"intake decisions over {RULES} rules: {FILES / intake:,.0f} per second")
    print(f"routing decisions over {RULES} rules: {FILES / routing:,.0f} per second")


if __name__ == "__main__":
    main()
