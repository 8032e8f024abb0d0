"""Ways in which programs put an STL into a folder: thirty-six, from `cp` to a copy that dies half-way.

Each is a generator that writes and gives the seconds it pauses for. A kind whose last content is
complete says so by `job.whole`; of a kind that never does, nothing may be taken.
"""

import os
from collections.abc import Callable
from io import FileIO

from tests.intake.writing.job import Job, Steps, slowly
from tests.intake.writing.many_sessions import (
    appended,
    ascii_solids_in_sessions,
    count_last_reopened,
    deleted_and_made_again,
    overwritten,
    overwritten_in_sessions,
    size_first_in_sessions,
    touched_first,
    truncated_and_rewritten,
)
from tests.intake.writing.one_session import (
    RESERVED_COUNTS,
    allocated,
    ascii_in_chunks,
    ascii_solids,
    at_once,
    by_cp,
    count_last,
    in_chunks,
    mapped,
    out_of_order,
    size_first,
    with_trailing_bytes,
)

Kind = Callable[[Job], Steps]


# -- put in place by a name -----------------------------------------------------------------------


def renamed_from(job: Job, name: str) -> Steps:
    content, loading = job.binary(), job.beside(name)
    with FileIO(loading, "w") as file:
        yield from slowly(job, file, job.pieces(content))
    yield job.pause()
    loading.rename(job.place)
    job.whole(content)


def downloaded(job: Job) -> Steps:
    return renamed_from(job, job.place.name + job.chance.choice([".part", ".crdownload", ".filepart"]))


def by_rsync(job: Job) -> Steps:
    return renamed_from(job, f".{job.place.name}.Ab12Cd")


def downloaded_over_a_placeholder(job: Job) -> Steps:
    job.place.touch()
    yield from renamed_from(job, f"{job.place.name}.crdownload")


def renamed_while_open(job: Job) -> Steps:
    """The name it has at first ends in .stl, too."""
    content, temporary = job.binary(), job.beside(f"tmp {job.place.name}")
    pieces = job.pieces(content)
    with FileIO(temporary, "w") as file:
        yield from slowly(job, file, pieces[:1])
        temporary.rename(job.place)
        yield from slowly(job, file, pieces[1:])
    job.whole(content)


def moved_in(job: Job) -> Steps:
    content, outside = job.binary(), job.place.parents[2] / job.place.name
    outside.write_bytes(content)
    yield job.pause()
    outside.rename(job.place)
    job.whole(content)


def moved_in_while_open(job: Job) -> Steps:
    content, outside = job.ascii(), job.place.parents[2] / job.place.name
    pieces = job.pieces(content)
    with FileIO(outside, "w") as file:
        yield from slowly(job, file, pieces[:1])
        outside.rename(job.place)
        yield from slowly(job, file, pieces[1:])
    job.whole(content)


def linked_then_unlinked(job: Job) -> Steps:
    """As careful savers do that must not replace a file."""
    content, temporary = job.binary(), job.beside(f".{job.place.name}.tmp")
    temporary.write_bytes(content)
    job.place.hardlink_to(temporary)
    yield job.pause()
    temporary.unlink()
    job.whole(content)


def folder_moved_in(job: Job) -> Steps:
    content, name = job.binary(), job.place.stem
    outside, inside = job.place.parents[2] / name, job.place.parent / name
    outside.mkdir()
    (outside / job.place.name).write_bytes(content)
    yield job.pause()
    outside.rename(inside)
    job.place = inside / job.place.name
    job.whole(content)


# -- never finished, or no file of its own --------------------------------------------------------


def dead_in_chunks(job: Job) -> Steps:
    pieces = job.pieces(job.binary())
    with FileIO(job.place, "w") as file:
        yield from slowly(job, file, pieces[: job.chance.randrange(1, len(pieces))])


def dead_after_size_first(job: Job) -> Steps:
    content = job.binary()
    with FileIO(job.place, "w") as file:
        os.truncate(file.fileno(), len(content))
        yield from slowly(job, file, [(0, content[: len(content) // 2])])


def dead_with_a_hole(job: Job) -> Steps:
    content = job.binary()
    middle = len(content) // 2
    with FileIO(job.place, "w") as file:
        yield from slowly(job, file, [(0, content[: middle - 60]), (middle, content[middle:])])


def dead_in_ascii(job: Job) -> Steps:
    content = job.ascii()
    with FileIO(job.place, "w") as file:
        yield from slowly(job, file, [(0, content[: job.chance.randrange(20, len(content) - 40)])])


def dead_before_the_count(job: Job) -> Steps:
    content = job.binary()
    with FileIO(job.place, "w") as file:
        yield from slowly(job, file, [(0, content[:80] + job.chance.choice(RESERVED_COUNTS) + content[84:])])


def link_to_elsewhere(job: Job) -> Steps:
    outside = job.place.parents[2] / f"kept {job.place.name}"
    outside.write_bytes(job.binary())
    job.place.symlink_to(outside)
    yield 0


def second_name_of_elsewhere(job: Job) -> Steps:
    outside = job.place.parents[2] / f"kept {job.place.name}"
    outside.write_bytes(job.binary())
    job.place.hardlink_to(outside)
    yield 0


def pipe(job: Job) -> Steps:
    os.mkfifo(job.place)
    yield 0


# fmt: off
SINGLE: tuple[Kind, ...] = (
    at_once, by_cp, in_chunks, size_first, allocated, out_of_order, count_last, mapped, downloaded, by_rsync,
    moved_in,
)
"""Whole binary files written in one session: those that need not wait."""
TEXT: tuple[Kind, ...] = (ascii_in_chunks, ascii_solids, ascii_solids_in_sessions, moved_in_while_open)
SEVERAL: tuple[Kind, ...] = (
    appended, size_first_in_sessions, count_last_reopened, overwritten, overwritten_in_sessions,
    truncated_and_rewritten, deleted_and_made_again, touched_first, downloaded_over_a_placeholder,
    linked_then_unlinked, folder_moved_in, with_trailing_bytes, renamed_while_open,
)
DEAD: tuple[Kind, ...] = (
    dead_in_chunks, dead_after_size_first, dead_with_a_hole, dead_in_ascii, dead_before_the_count,
)
LINKS: tuple[Kind, ...] = (link_to_elsewhere, second_name_of_elsewhere, pipe)
# fmt: on
KINDS: dict[str, Kind] = {kind.__name__: kind for kind in (*SINGLE, *TEXT, *SEVERAL, *DEAD, *LINKS)}
