"""What would stop the service, told before it does."""

import click

from workflow.cli.output import as_json, print_json


@click.command()
@as_json
def doctor(as_json: bool) -> int:
    """Check all that could stop the service, with a fix for each.

    Nothing is changed but for probe files, which go again. Works before `init`, beside a running service,
    and without a network. Exit codes: 0 all well, or warnings only; 1 a check failed; 2 settings, keys or
    rules are wrong; 3 Eiger can't be reached or refuses the keys.
    """
    from workflow.cli.findings import document, show
    from workflow.doctor import examine, outcome
    from workflow.logs import set_up_logs

    set_up_logs("CRITICAL", as_json=False, folder=None)  # what matters is a finding
    if not as_json:
        return outcome(show(examine()))
    findings = list(examine())
    print_json(document(findings))
    return outcome(findings)
