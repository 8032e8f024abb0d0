"""The settings of shadow mode: the real inbox, and nobody is told or shown anything."""

from pathlib import Path

from workflow.settings import load_settings, shadow_settings


def test_nothing_leaves_the_folder_of_shadow_mode() -> None:
    Path("stlflow.toml").write_text(
        'share = "parts"\nstate = "state"\ndatabase_url = "postgresql://host/x"\n'
        '[notices.targets.shop]\nmail = "shop@example.com"\n',
        "utf-8",
    )
    settings = load_settings()
    assert settings.notices.targets
    shadow = shadow_settings(settings)
    assert shadow.notices.targets == {}
    assert (shadow.read_only_inbox, shadow.database_url) == (Path("parts/inbox"), None)
    assert shadow.share.is_relative_to("state/shadow")
    assert shadow.state.is_relative_to("state/shadow")
    assert (shadow.console_port, shadow.status_page, shadow.decide_by_moving) == (0, "off", False)
