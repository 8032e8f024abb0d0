"""What the cloud was asked a moment ago is not asked again."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from tests.cloud import Cloud, simulated
from workflow.eiger import Build, BuildDetail, EigerClient, RequestBudget
from workflow.pipeline.catalog import CONTENTS_SECONDS, PRESETS_SECONDS, Catalog, Unlisted


class Dial:
    """A clock that is turned by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with simulated() as cloud:
        yield cloud


@pytest.fixture
def client(cloud: Cloud) -> Iterator[EigerClient]:
    with EigerClient(cloud.url, SecretStr("demo"), SecretStr("demo"), budget=RequestBudget(1000)) as client:
        yield client


def listed(client: EigerClient) -> tuple[Build, BuildDetail]:
    build = next(client.list_builds())
    return build, client.read_build(build.id)


def test_a_list_is_asked_for_once_in_a_while(cloud: Cloud, client: EigerClient) -> None:
    dial = Dial()
    catalog = Catalog(client, dial)

    def asked() -> int:
        catalog.presets()
        return sum(entry["operation"] == "getOrgSettingsPresets" for entry in cloud.journal())

    before = asked()
    assert asked() == before
    dial.now += PRESETS_SECONDS + 1
    assert asked() == before + 1


def test_presets_and_people_are_found_by_what_they_are_called(client: EigerClient) -> None:
    catalog = Catalog(client)
    assert catalog.preset("onyx").title == "Onyx"
    assert catalog.preset(catalog.preset("Onyx").id).title == "Onyx"
    assert catalog.user_id("ada.anvil@example.com") == catalog.user_id("Ada Anvil")


def test_what_is_not_there_is_said_with_the_nearest(client: EigerClient) -> None:
    with pytest.raises(Unlisted, match=r"^Eiger has no preset called 'Onix'\. The nearest are: Onyx"):
        Catalog(client).preset("Onix")


def test_a_build_that_was_looked_into_is_not_read_again_for_a_part_it_lacks(client: EigerClient) -> None:
    dial = Dial()
    catalog = Catalog(client, dial)
    build, content = listed(client)
    assert catalog.may_hold(build, "some other part")
    catalog.remember_contents(content)
    assert not catalog.may_hold(build, "some other part")
    assert all(catalog.may_hold(build, version.id) for version in content.part_versions)
    dial.now += CONTENTS_SECONDS + 1
    assert catalog.may_hold(build, "some other part")


def test_a_build_that_changed_is_read_again(client: EigerClient) -> None:
    catalog = Catalog(client, Dial())
    build, content = listed(client)
    catalog.remember_contents(content)
    changed = build.model_copy(update={"updated_at": None})
    assert catalog.may_hold(changed, "some other part")
