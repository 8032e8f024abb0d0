"""`stlflow doctor`: what would stop the service, before it does."""

import click

from workflow.cli.output import json_option, print_json


@click.command()
@json_option
def doctor(as_json: bool) -> int:
    """Check all that could stop the service, with a fix for each.

    Changes nothing, except for probe files that are removed again. Works before `init`, beside a running
    service, and without a network. Exit codes: 0 all well, or warnings only; 1 a check failed; 2 settings,
    keys or rules are wrong; 3 Eiger can't be reached or refuses the keys.
    """
    from workflow.cli.doctor_output import findings_document, print_findings
    from workflow.doctor import overall_exit_code, run_all_checks
    from workflow.logs import set_up_logs

    set_up_logs("CRITICAL", as_json=False, folder=None)  # what matters is a finding
    if not as_json:
        return overall_exit_code(print_findings(run_all_checks()))
    findings = list(run_all_checks())
    print_json(findings_document(findings))
    return overall_exit_code(findings)
