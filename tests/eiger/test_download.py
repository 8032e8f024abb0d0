"""Fetching an STL: whole or not at all, never over another file, and without the keys."""

from pathlib import Path

import pytest

from tests.eiger.server import ID, Answer, Asked, as_json, client_of, serving
from workflow.errors import ContractBroken, NotFound, Unreachable

STL = b"solid bracket" * 10_000


class Cloud:
    """Hands out links, and the file behind them as `answers` say, in turn."""

    def __init__(self, *answers: Answer | None) -> None:
        self._answers = list(answers)
        self.url = ""

    def __call__(self, asked: Asked) -> Answer | None:
        if asked.path.endswith("/download"):
            return as_json({"url": f"{self.url}/signed?signature=abc"})
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def fetch(cloud: Cloud, target: Path, attempts: int = 1) -> tuple[int, list[Asked]]:
    with serving(cloud) as server, client_of(server.url, attempts=attempts) as client:
        cloud.url = server.url
        return client.download_part_version(ID, target), server.asked


def test_a_file_is_fetched_without_the_keys(tmp_path: Path) -> None:
    size, asked = fetch(Cloud(Answer(200, STL)), tmp_path / "part.stl")
    assert size == len(STL)
    assert (tmp_path / "part.stl").read_bytes() == STL
    assert "authorization" in asked[0].headers
    assert "authorization" not in asked[1].headers
    assert [path.name for path in tmp_path.iterdir()] == ["part.stl"]


def test_a_file_that_breaks_off_is_fetched_again_with_a_fresh_link(tmp_path: Path) -> None:
    cloud = Cloud(Answer(200, STL, cut_at=50_000), None, Answer(200, STL))
    size, asked = fetch(cloud, tmp_path / "part.stl", attempts=4)
    assert size == len(STL)
    assert (tmp_path / "part.stl").read_bytes() == STL
    assert sum(request.path.endswith("/download") for request in asked) == 3


def test_two_downloads_to_one_name_do_not_mix(tmp_path: Path) -> None:
    target, other = tmp_path / "part.stl", Cloud(Answer(200, b"solid other" * 20_000))
    fetched: list[int] = []

    def fetch_another_meanwhile(_done: int, _whole: int) -> None:
        if not fetched:
            fetched.append(fetch(Cloud(Answer(200, STL)), target)[0])

    with serving(other) as server, client_of(server.url, attempts=1) as client:
        other.url = server.url
        with pytest.raises(FileExistsError, match="came into being meanwhile"):
            client.download_part_version(ID, target, fetch_another_meanwhile)
    assert target.read_bytes() == STL
    assert list(tmp_path.iterdir()) == [target]


def test_half_a_file_is_left_nowhere(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="was cut during readSignedURL") as caught:
        fetch(Cloud(Answer(200, STL, cut_at=50_000)), tmp_path / "part.stl")
    assert "signature" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_link_that_has_expired_is_asked_for_again(tmp_path: Path) -> None:
    cloud = Cloud(Answer(403, b"<Error>expired</Error>"), Answer(200, STL))
    assert fetch(cloud, tmp_path / "part.stl", attempts=2)[0] == len(STL)
    with pytest.raises(ContractBroken, match="403: The link to the file at http://127") as caught:
        fetch(Cloud(Answer(403, b"")), tmp_path / "other.stl")
    assert "signature" not in str(caught.value)


def test_nothing_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "part.stl"
    target.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="exists already: nothing is replaced"):
        fetch(Cloud(Answer(200, STL)), target)
    assert target.read_bytes() == b"mine"
    link = tmp_path / "link.stl"
    link.symlink_to(tmp_path / "not mounted now")
    with pytest.raises(FileExistsError, match="came into being meanwhile: nothing is replaced"):
        fetch(Cloud(Answer(200, STL)), link)
    assert link.is_symlink()


def test_a_part_version_that_is_not_there(tmp_path: Path) -> None:
    with (
        serving(lambda _: as_json({"message": "not found"}, 500)) as server,
        client_of(server.url) as client,
        pytest.raises(NotFound),
    ):
        client.download_part_version(ID, tmp_path / "part.stl")
    assert list(tmp_path.iterdir()) == []


def test_a_length_in_other_digits_is_no_length(tmp_path: Path) -> None:
    answer = Answer(200, STL, {"Content-Length": "²"}, cut_at=len(STL))
    assert fetch(Cloud(answer), tmp_path / "part.stl")[0] == len(STL)
