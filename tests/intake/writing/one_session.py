"""Writers that keep the file open until they are done."""

import mmap
import os
import subprocess
from io import FileIO

from tests.intake.writing.job import Job, Steps, slowly, write_at

RESERVED_COUNTS = (bytes(4), b"\xff" * 4)
"""What programs write for the number of facets that they don't know yet."""


def at_once(job: Job) -> Steps:
    content = job.binary()
    job.place.write_bytes(content)
    job.whole(content)
    yield 0


def by_cp(job: Job) -> Steps:
    content, source = job.binary(), job.beside(f"{job.place.name}.source")
    source.write_bytes(content)
    os.utime(source, (1e9, 1e9))
    subprocess.run(["cp", "-p", source, job.place], check=True)
    job.whole(content)
    yield 0
    source.unlink()


def in_chunks(job: Job) -> Steps:
    content = job.binary()
    with FileIO(job.place, "w") as file:
        yield from slowly(job, file, job.pieces(content))
    job.whole(content)


def size_first(job: Job) -> Steps:
    """As Windows copies to a share: the end of the file is set before its bytes are sent."""
    content = job.binary()
    with FileIO(job.place, "w") as file:
        os.truncate(file.fileno(), len(content))
        yield job.pause()
        yield from slowly(job, file, job.pieces(content))
    job.whole(content)


def allocated(job: Job) -> Steps:
    content = job.binary()
    with FileIO(job.place, "w") as file:
        os.posix_fallocate(file.fileno(), 0, len(content))
        yield job.pause()
        yield from slowly(job, file, job.pieces(content))
    job.whole(content)


def out_of_order(job: Job) -> Steps:
    content = job.binary()
    pieces = job.pieces(content)
    job.chance.shuffle(pieces)
    with FileIO(job.place, "w") as file:
        yield from slowly(job, file, pieces)
    job.whole(content)


def count_last(job: Job) -> Steps:
    content = job.binary()
    with FileIO(job.place, "w") as file:
        write_at(file, 0, content[:80] + job.chance.choice(RESERVED_COUNTS))
        yield from slowly(job, file, [(84 + start, piece) for start, piece in job.pieces(content[84:])])
        write_at(file, 80, content[80:84])
        yield job.pause()
    job.whole(content)


def mapped(job: Job) -> Steps:
    """Writes through a memory map; the file itself is closed long before."""
    content = job.binary()
    with job.place.open("w+b") as file:
        file.truncate(len(content))
        room = mmap.mmap(file.fileno(), len(content))
    yield job.pause()
    for start, piece in job.pieces(content):
        room[start : start + len(piece)] = piece
        yield job.pause()
    room.close()
    job.whole(content)


def with_trailing_bytes(job: Job) -> Steps:
    content = job.binary() + job.chance.randbytes(job.chance.randint(1, 49))
    with FileIO(job.place, "w") as file:
        yield from slowly(job, file, job.pieces(content))
    job.whole(content)


def ascii_in_chunks(job: Job) -> Steps:
    content = job.ascii()
    with FileIO(job.place, "w") as file:
        yield from slowly(job, file, job.pieces(content))
    job.whole(content)


def ascii_solids(job: Job) -> Steps:
    solids = [job.ascii(20) for _ in range(job.chance.randint(2, 4))]
    with FileIO(job.place, "w") as file:
        for solid in solids:
            file.write(solid)
            yield job.pause()
    job.whole(b"".join(solids))
