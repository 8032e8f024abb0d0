"""The page in the share: written once, brought up to date, and never onto a text of a person."""

from pathlib import Path

from workflow.notes import HOW_TO_NAME, how_to_text, write_how_to

PLACE = f"{HOW_TO_NAME}.txt"


def test_it_says_whom_to_ask_and_how_to_decide() -> None:
    page = how_to_text("Kim, phone 4711", decides_by_moving=True)
    assert "Whom to ask\n  Kim, phone 4711\n" in page
    assert "move the file to approved/" in page
    assert max(map(len, page.splitlines())) <= 100
    without = how_to_text("", decides_by_moving=False)
    assert "Whom to ask" not in without
    assert "approved/" not in without
    assert "STATUS.html" not in without
    assert "STATUS.html shows" in how_to_text("", decides_by_moving=False, with_status_page=True)


def test_it_is_brought_up_to_date_and_otherwise_left_alone(tmp_path: Path) -> None:
    for contact in ("", "Kim", "Kim"):
        write_how_to(tmp_path, contact, decides_by_moving=True)
    assert [found.name for found in tmp_path.iterdir()] == [PLACE]
    before = (tmp_path / PLACE).stat().st_mtime_ns
    write_how_to(tmp_path, "Kim", decides_by_moving=True)
    assert (tmp_path / PLACE).stat().st_mtime_ns == before
    assert "Kim" in (tmp_path / PLACE).read_text("utf-8-sig")


def test_what_a_person_wrote_stays(tmp_path: Path) -> None:
    write_how_to(tmp_path, decides_by_moving=True)
    with (tmp_path / PLACE).open("a", encoding="utf-8") as page:
        page.write("Ask Kim first!\n")
    mine = (tmp_path / PLACE).read_bytes()
    write_how_to(tmp_path, "Kim", decides_by_moving=True)
    assert (tmp_path / PLACE).read_bytes() == mine
    assert [found.name for found in tmp_path.iterdir()] == [PLACE]
