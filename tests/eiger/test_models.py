"""What Eiger answers, in every shape that was seen: absent keys, open words, more fields."""

import json
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from tests.eiger.server import ID
from workflow.eiger import Build, Device, Preset, PrintJobDetail, QueuedPrintJob, SliceStatus, User, models
from workflow.eiger.models import ApiModel, BuildCosts, QueueEntry

BUILD = {"id": ID, "title": "bracket", "part_count": 1, "sliced": True}
DEVICE = {"id": ID, "name": "X7-2", "device_type": "X7", "device_series": "Industrial Series"}
SIGNED = "https://bucket.example/p.png?X-Amz-Security-Token=abc"


def test_a_build_of_the_real_service() -> None:
    build = Build.model_validate(
        BUILD
        | {
            "secondary_material": "None",
            "primary_material": "ULTEM™ 9085 Filament",
            "ccs_fiber_required": 1.5,
            "approved": None,
            "created_at": "2026-08-01T10:00:00+02:00",
            "standard_costs": {"total": 3},
        }
    )
    assert build.standard_costs == BuildCosts(total=3)
    assert build.secondary_material is None
    assert build.primary_material == "ULTEM™ 9085 Filament"
    assert build.ccs_fiber_required == 1.5
    assert build.created_at == datetime(2026, 8, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize("costs", [None, [], "3 USD", {}, {"total": None}, {"total": "3"}, {"total": True}])
def test_costs_in_another_form_are_no_costs(costs: object) -> None:
    """The contract does not know them: a build must be readable whatever they are."""
    assert Build.model_validate(BUILD | {"standard_costs": costs}).standard_costs is None


def test_a_time_without_a_zone_is_utc() -> None:
    assert Build.model_validate(BUILD | {"updated_at": "2026-08-01T10:00:00"}).updated_at == datetime(
        2026, 8, 1, 10, tzinfo=UTC
    )


def test_links_are_secrets() -> None:
    build = Build.model_validate(BUILD | {"preview_url": SIGNED})
    assert SIGNED not in repr(build)
    assert SIGNED not in build.model_dump_json()
    assert build.preview_url is not None
    assert build.preview_url.get_secret_value() == SIGNED


def test_no_data_is_not_nothing_left() -> None:
    offline = Device.model_validate(DEVICE | {"state": "Offline"})
    empty = Device.model_validate(DEVICE | {"ccs_primary_remaining": 0, "loaded_primary_material": None})
    assert offline.ccs_primary_remaining is None
    assert not offline.says("loaded_primary_material")
    assert empty.ccs_primary_remaining == 0
    assert empty.says("loaded_primary_material")


def test_words_outside_the_enums_are_kept_as_they_are() -> None:
    device = Device.model_validate(
        DEVICE | {"device_type": "FX10", "device_series": "FX10", "state": "Warming Up"}
    )
    assert (device.device_series, device.state) == ("FX10", "Warming Up")


def test_personal_data_is_dropped_at_the_border() -> None:
    person = {"id": ID, "email": "ada@example.com", "name": "Ada"}
    print_job = PrintJobDetail.model_validate(
        {"id": ID, "state": "Printing", "build": BUILD, "device": None, "source": "Device"}
        | {"initiator": person, "requester": person}
    )
    assert "ada@example.com" not in print_job.model_dump_json() + repr(print_job)
    assert print_job.device is None
    assert print_job.says("device")
    assert print_job.source == "Device"


def test_a_user_may_be_nothing_at_all() -> None:
    assert User.model_validate({}) == User(id=None, name=None, email=None)


@pytest.mark.parametrize(
    ("word", "ended", "completed"),
    [
        ("REQUESTED", False, False),
        ("IN_PROGRESS", False, False),
        ("Completed", True, True),
        ("ERROR", True, False),
        ("CANCELED", True, False),
        ("SOMETHING_NEW", False, False),
    ],
)
def test_slice_status(word: str, ended: bool, completed: bool) -> None:
    status = SliceStatus(status=word)
    assert (status.ended, status.completed) == (ended, completed)


def test_an_entry_of_a_whole_queue_has_its_build() -> None:
    alone = {"id": ID, "state": "Queued", "queued_at": None, "updated_at": None}
    assert QueuedPrintJob.model_validate(alone).build is None
    with pytest.raises(ValidationError):
        QueueEntry.model_validate(alone)


@pytest.mark.parametrize("missing", ["id", "title", "part_count", "sliced"])
def test_what_everything_depends_on_must_be_there(missing: str) -> None:
    with pytest.raises(ValidationError):
        Build.model_validate({key: value for key, value in BUILD.items() if key != missing})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("primary_material", ["Onyx"]),
        ("secondary_material", {"a": 1}),
        ("created_at", "0001-01-01T00:00:00+14:00"),
        ("created_at", "yesterday"),
        ("part_count", 1.5),
        ("title", None),
    ],
)
def test_nonsense_is_refused_as_nonsense(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Build.model_validate_json(json.dumps(BUILD | {field: value}))


def test_a_number_is_a_number() -> None:
    with pytest.raises(ValidationError):
        Build.model_validate_json(json.dumps(BUILD | {"estimated_print_seconds": float("nan")}))


EVERY_MODEL = [
    model
    for model in vars(models).values()
    if isinstance(model, type) and issubclass(model, ApiModel) and "[" not in model.__name__
]
HOSTILE = "a\x1b]0;x\x07\r\nERROR forged \u202e"


@pytest.mark.parametrize("model", EVERY_MODEL, ids=lambda model: model.__name__)
def test_every_text_of_every_answer_is_cleaned(model: type[ApiModel]) -> None:
    """A field of plain `str` would let control characters in."""
    plain = [
        name
        for name, field in model.model_fields.items()
        if "str" in str(field.annotation) and "SecretStr" not in str(field.annotation)
        if "AfterValidator" not in str(field.annotation) + str(field.metadata)
    ]
    assert plain == []


def test_names_titles_and_words_come_on_one_line() -> None:
    device = Device.model_validate(
        {"id": "d", "name": HOSTILE, "device_type": HOSTILE, "device_series": HOSTILE, "state": HOSTILE}
    )
    for text in (device.name, device.device_type, device.device_series, device.state):
        assert text == "a ]0;x ERROR forged  "
    assert User.model_validate({"name": "n" * 1000}).name == "n" * 399 + "…"


@pytest.mark.parametrize("odd", ["", "a b", "a\x1b[2J", "x" * 129, "a\n"])
def test_what_can_be_no_id_is_refused(odd: str) -> None:
    with pytest.raises(ValidationError):
        Preset.model_validate({"id": odd, "title": "Onyx"})


@pytest.mark.parametrize("absurd", [-1, 1e9, 1e300, 10**30])
def test_a_time_or_count_that_no_shop_has_is_unknown(absurd: float) -> None:
    """A date can't be reckoned with it, and no database stores it: one printer would stop all."""
    device = {**DEVICE, "queue_length": int(absurd), "queue_estimated_time_seconds": absurd}
    read = Device.model_validate(device)
    assert (read.queue_length, read.queue_estimated_time_seconds) == (None, None)
