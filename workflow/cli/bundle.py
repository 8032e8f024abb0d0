"""`stlflow bundle`: one file for a maintainer, without secrets and people."""

from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def bundle(file: Path) -> None:
    """Write a support bundle to a new FILE, a zip.

    In it: what the doctor finds, settings, rules, releases, counts, the latest submissions with their
    history, and the end of the log. Keys, people and names of files are cut out. stlflow may run meanwhile.
    """
    from workflow.doctor import run_all_checks
    from workflow.doctor.bundle import make_bundle
    from workflow.errors import SettingsError, error_reason
    from workflow.logs import set_up_logs
    from workflow.operations import open_ledger_if_any
    from workflow.settings import load_settings

    set_up_logs("CRITICAL", as_json=False, folder=None)  # what matters is a finding
    settings = load_settings()
    with open_ledger_if_any(settings) as ledger:
        content = make_bundle(settings, ledger, run_all_checks())
    try:
        with file.open("xb") as new:
            new.write(content)
    except FileExistsError:
        raise SettingsError(f"{file} exists. Name a new file.") from None
    except OSError as error:
        raise SettingsError(f"{file} can't be written: {error_reason(error)}.") from None
    click.echo(f"{file} is written, {len(content) / 1000:,.0f} kB. Look through it before you send it.")
