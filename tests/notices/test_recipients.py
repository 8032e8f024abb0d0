"""Who hears of what."""

import pytest

from workflow.model import NoticeEvent
from workflow.notices import FileOrigin, find_recipients
from workflow.settings.notices_reading import parse_notices

SETTINGS = parse_notices(
    {
        "targets": {
            "shop": {"slack": "https://hooks.slack.com/services/x"},
            "administrator": {"mail": "it@example.com"},
            "lab": {"teams": "https://example.com/hook", "events": ["sent", "printed"]},
            "archive": {
                "webhook": "https://example.com/all",
                "every_file": True,
                "events": list(NoticeEvent),
            },
        },
        "folders": {"anna": "anna@example.com", "lab": "lab", "lab/metal": "metal@example.com"},
        "owners": {"EXAMPLE\\bob": "bob@example.com"},
    },
    (),
    "test",
)
HELD, SENT, PRINTED = NoticeEvent.HELD, NoticeEvent.SENT, NoticeEvent.PRINTED


@pytest.mark.parametrize(
    ("event", "origin", "expected"),
    [
        (HELD, FileOrigin("a.stl"), {"shop", "archive"}),
        (HELD, FileOrigin("anna/a.stl"), {"shop", "archive", "anna@example.com"}),
        (HELD, FileOrigin("Anna/deep/a.stl"), {"shop", "archive", "anna@example.com"}),
        (HELD, FileOrigin("annabel/a.stl"), {"shop", "archive"}),
        (SENT, FileOrigin("lab/a.stl"), {"archive", "lab"}),
        (SENT, FileOrigin("anna/a.stl"), {"archive"}),
        (PRINTED, FileOrigin("lab/metal/a.stl"), {"archive", "metal@example.com"}),
        (PRINTED, FileOrigin("a.stl", r"example\BOB"), {"archive", "bob@example.com"}),
        (
            PRINTED,
            FileOrigin("a.stl", "root", ("lab", "eva@example.com")),
            {"archive", "lab", "eva@example.com"},
        ),
        (HELD, FileOrigin("a.stl", None, ("nobody",)), {"shop", "archive"}),
        (NoticeEvent.TROUBLE, None, {"administrator", "archive"}),
    ],
)
def test_who_hears(event: NoticeEvent, origin: FileOrigin | None, expected: set[str]) -> None:
    heard = find_recipients(event, origin, SETTINGS)
    assert set(heard) == expected
    assert len(heard) == len(expected), "nobody hears twice"
