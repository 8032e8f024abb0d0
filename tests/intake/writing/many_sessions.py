"""Writers that close the file and open it again, or put another in its place."""

import os
from collections.abc import Iterator
from io import FileIO

from tests.intake.writing.job import Job, Steps, slowly, write_at
from tests.intake.writing.one_session import RESERVED_COUNTS


def save(job: Job) -> FileIO:
    """Open a file as a program does that saves again: made anew where it was taken meanwhile."""
    return FileIO(job.place, "r+", opener=lambda place, _: os.open(place, os.O_RDWR | os.O_CREAT, 0o644))


def in_sessions(job: Job, pieces: list[tuple[int, bytes]]) -> Iterator[float]:
    """Open and close the file for each piece; pause in between, but not after the last."""
    for number, (start, piece) in enumerate(pieces):
        if number:
            yield job.pause()
        with FileIO(job.place, "r+") if number else save(job) as file:
            write_at(file, start, piece)


def appended(job: Job) -> Steps:
    content = job.binary()
    yield from in_sessions(job, job.pieces(content))
    job.whole(content)


def size_first_in_sessions(job: Job) -> Steps:
    content = job.binary()
    with FileIO(job.place, "w") as file:
        os.truncate(file.fileno(), len(content))
    yield job.pause()
    yield from in_sessions(job, job.pieces(content))
    job.whole(content)


def count_last_reopened(job: Job) -> Steps:
    content = job.binary()
    with FileIO(job.place, "w") as file:
        yield from slowly(job, file, [(0, content[:80] + job.chance.choice(RESERVED_COUNTS))])
        write_at(file, 84, content[84:])
    yield job.pause()
    with FileIO(job.place, "r+") as file:
        write_at(file, 80, content[80:84])
    job.whole(content)


def ascii_solids_in_sessions(job: Job) -> Steps:
    solids = [job.ascii(20) for _ in range(job.chance.randint(2, 4))]
    starts = [sum(map(len, solids[:number])) for number in range(len(solids))]
    yield from in_sessions(job, list(zip(starts, solids, strict=True)))
    job.whole(b"".join(solids))


def overwritten(job: Job) -> Steps:
    first = job.binary()
    job.place.write_bytes(first)
    job.whole(first)
    yield job.pause()
    second = job.binary(like=first)
    with save(job) as file:
        yield from slowly(job, file, job.pieces(second))
    job.whole(second)


def overwritten_in_sessions(job: Job) -> Steps:
    """Whole at every moment, but a mix of two versions until the last session is over."""
    first = job.binary()
    job.place.write_bytes(first)
    job.whole(first)
    yield job.pause()
    second = job.binary(like=first)
    yield from in_sessions(job, job.pieces(second))
    job.whole(second)


def truncated_and_rewritten(job: Job) -> Steps:
    first, second = job.binary(), job.binary()
    job.place.write_bytes(first)
    job.whole(first)
    yield job.pause()
    with FileIO(job.place, "w") as file:
        yield from slowly(job, file, job.pieces(second))
    job.whole(second)


def deleted_and_made_again(job: Job) -> Steps:
    first, second = job.binary(), job.binary()
    with FileIO(job.place, "w") as file:
        write_at(file, 0, first[: len(first) // 2])
    yield job.pause()
    job.place.unlink()
    yield job.pause()
    with FileIO(job.place, "w") as file:
        yield from slowly(job, file, job.pieces(second))
    job.whole(second)


def touched_first(job: Job) -> Steps:
    content = job.binary()
    job.place.touch()
    yield job.pause()
    with FileIO(job.place, "w") as file:
        yield from slowly(job, file, job.pieces(content))
    job.whole(content)
