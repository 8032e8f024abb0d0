"""Approving a build beside those that are, while another machine does the same."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from tests.pipeline.conftest import Open
from workflow.ledger import Ledger
from workflow.pipeline.context import Context
from workflow.pipeline.dispatch import approve_build


def test_two_machines_that_approve_at_once_keep_each_others_approval(
    open_shop: Open, postgres_url: str
) -> None:
    """Eiger knows only how to replace the whole set: who is slow would write the other's approval away."""
    context = open_shop()
    builds = context.cloud.world_builds()[:4]
    context.cloud.approve()
    context.cloud.fault("approveBuilds", "delay", times=8, delay_seconds=0.2)
    machines = [replace(context.service.context, ledger=Ledger(postgres_url)) for _ in range(2)]

    def sign(machine: Context, build_id: str) -> None:
        made = machine.ledger.get(machine.ledger.open("a.stl"))
        approve_build(machine, machine.ledger.update_submission(made, build_id=build_id, approve_first=True))

    with ThreadPoolExecutor(4) as at_once:
        list(at_once.map(sign, machines * 2, builds))
    assert context.cloud.approved() == set(builds)
    for machine in machines:
        machine.ledger.close()
