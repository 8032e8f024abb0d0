"""What shadow mode would have sent, beside what the shop sent."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import click

from workflow.cli.output import json_option, print_json
from workflow.cli.param_types import WholeNumber
from workflow.errors import EXIT_OK


@click.command()
@click.option("--days", type=WholeNumber(1), help="Only files of the last N days; default: all.")
@click.option("--all", "shows_all", is_flag=True, help="Also list the files that agree or can't be compared.")
@json_option
def shadow(days: int | None, shows_all: bool, as_json: bool) -> int:
    """Compare a shadow run with what the shop sent by hand.

    `stlflow run --shadow` watches while the shop sends its parts by hand. This reads Eiger, changes nothing,
    and uses the rules that are set now: change them and ask again.
    """
    from workflow.assembly import open_ledger, rules_file
    from workflow.cli.shadow_output import shadow_document, shadow_lines
    from workflow.eiger import make_client
    from workflow.pipeline.shadow_report import compare_with_own_jobs
    from workflow.routing import load_rules
    from workflow.settings import load_settings, shadow_settings

    settings = shadow_settings(load_settings())
    since = None if days is None else datetime.now(UTC) - timedelta(days=days)
    with (
        closing(open_ledger(settings)) as ledger,
        make_client(settings, reads_only=True) as client,
    ):
        rows = list(
            compare_with_own_jobs(
                ledger,
                client,
                load_rules(rules_file(settings)),
                settings.zone,
                since=since,
                print_now_armed=settings.print_now_armed,
            )
        )
    if as_json:
        print_json(shadow_document(rows))
    else:
        for line in shadow_lines(rows, settings.zone, shows_all=shows_all):
            click.echo(line)
    return EXIT_OK
