"""What the cloud was asked a moment ago is not asked again."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from tests.cloud import Cloud, simulated
from workflow.eiger import Build, BuildDetail, EigerClient, Preset, RateLimiter, User
from workflow.pipeline.cloud_cache import (
    CONTENTS_TTL_SECONDS,
    PRESETS_TTL_SECONDS,
    REFRESH_SECONDS,
    CloudCache,
    NotInCloud,
)


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
    with EigerClient(cloud.url, SecretStr("demo"), SecretStr("demo"), budget=RateLimiter(1000)) as client:
        yield client


def listed(client: EigerClient) -> tuple[Build, BuildDetail]:
    build = next(client.list_builds())
    return build, client.read_build(build.id)


def test_a_list_is_asked_for_once_in_a_while(cloud: Cloud, client: EigerClient) -> None:
    dial = Dial()
    catalog = CloudCache(client, dial)

    def asked() -> int:
        catalog.presets()
        return sum(entry["operation"] == "getOrgSettingsPresets" for entry in cloud.journal())

    before = asked()
    assert asked() == before
    dial.now += PRESETS_TTL_SECONDS + 1
    assert asked() == before + 1


def test_presets_and_people_are_found_by_what_they_are_called(client: EigerClient) -> None:
    catalog = CloudCache(client)
    assert catalog.preset("onyx").title == "Onyx"
    assert catalog.preset(catalog.preset("Onyx").id).title == "Onyx"
    assert catalog.user_id("ada.anvil@example.com") == catalog.user_id("Ada Anvil")


def test_what_is_not_there_is_said_with_the_nearest(client: EigerClient) -> None:
    with pytest.raises(NotInCloud, match=r"^Eiger has no preset called 'Onix'\. The nearest are: Onyx"):
        CloudCache(client).preset("Onix")


class TwoOfAName(EigerClient):
    """Lists as Eiger may well give them; each question counts."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9", SecretStr("demo"), SecretStr("demo"), budget=RateLimiter(1))
        self.asked = 0

    def get_org_settings_presets(self) -> tuple[Preset, ...]:
        self.asked += 1
        more = () if self.asked == 1 else (Preset(id="p-9", title="Made just now"),)
        return (Preset(id="p-1", title="Twin"), Preset(id="p-2", title="TWIN"), *more)

    def list_users(self, *_: object, **__: object) -> Iterator[User]:
        return iter((User(id="u-1", name="Kim"), User(id="u-2", name="kim"), User(name="Kim")))


def test_a_name_that_two_have_is_refused_and_an_id_decides() -> None:
    catalog = CloudCache(TwoOfAName())
    with pytest.raises(
        NotInCloud, match=r"^2 presets in Eiger are called 'twin'\. Name the one meant by its id"
    ):
        catalog.preset("twin")
    with pytest.raises(NotInCloud, match=r"^2 users in Eiger are called 'Kim'\."):
        catalog.user_id("Kim")
    assert (catalog.preset("p-2").title, catalog.user_id("U-2")) == ("TWIN", "u-2")


def test_what_was_made_just_now_is_found_and_a_wrong_name_does_not_ask_again_and_again() -> None:
    dial, lists = Dial(), TwoOfAName()
    catalog = CloudCache(lists, dial)
    catalog.presets()
    dial.now += REFRESH_SECONDS + 1
    assert catalog.preset("Made just now").id == "p-9"
    for _ in range(3):
        with pytest.raises(NotInCloud):
            catalog.preset("Gold")
    assert lists.asked == 2


def test_a_build_that_was_looked_into_is_not_read_again_for_a_part_it_lacks(client: EigerClient) -> None:
    dial = Dial()
    catalog = CloudCache(client, dial)
    build, content = listed(client)
    assert catalog.may_contain(build, "some other part")
    catalog.cache_contents(content)
    assert not catalog.may_contain(build, "some other part")
    assert all(catalog.may_contain(build, version.id) for version in content.part_versions)
    dial.now += CONTENTS_TTL_SECONDS + 1
    assert catalog.may_contain(build, "some other part")


def test_a_build_that_changed_is_read_again(client: EigerClient) -> None:
    catalog = CloudCache(client, Dial())
    build, content = listed(client)
    catalog.cache_contents(content)
    changed = build.model_copy(update={"updated_at": None})
    assert catalog.may_contain(changed, "some other part")
