"""Taking a file that is ready: a submission first, then the move, then the word that it is ours."""

from typing import Protocol

from loguru import logger

from workflow.errors import StlflowError
from workflow.intake.claim import claim, give_back
from workflow.intake.names import readable
from workflow.intake.share import Share
from workflow.intake.sight import Signature, signature_of


class Register(Protocol):
    """What the inbox asks of the ledger. All may raise StlflowError or OSError."""

    def open(self, path: str) -> int:
        """Begin a submission before its file is touched; gives its number."""

    def claimed(self, number: int, claimed_as: str) -> None:
        """The file stands in processing/ now."""

    def forget(self, number: int) -> None:
        """The file could not be taken after all."""


class CantTake(Exception):
    """The file stays in the inbox for now; the message says why."""


class Taking:
    """Claims files of a share, and writes each claim down as soon as the ledger allows it."""

    def __init__(self, share: Share, register: Register) -> None:
        self._share, self._register = share, register
        self._unrecorded: dict[int, str] = {}
        self._record_trouble = False

    def news(self, paths: frozenset[str]) -> frozenset[str]:
        """Give the paths that were not taken before: what was taken is no longer in the inbox."""
        return paths

    def take(self, path: str, seen: Signature) -> bool:
        """Open a submission, then move the file: a crash in between leaves the file where it was.

        False: somebody else took it, or it was swapped since it was seen. Raises CantTake.
        """
        try:
            number = self._register.open(readable(path))
        except (StlflowError, OSError) as error:
            raise CantTake(in_words(error)) from error
        try:
            claimed_as = claim(self._share, path, number)
        except OSError as error:
            self._forget(number)
            raise CantTake(in_words(error)) from error
        if claimed_as is None or self._swapped(path, claimed_as, seen):
            self._forget(number)
            return False
        self._unrecorded[number] = claimed_as
        self._record(number)
        return True

    def record_the_rest(self) -> bool:
        """Write down claims that could not be written down when they were made; tells whether all are."""
        for number in tuple(self._unrecorded):
            self._record(number)
        return not self._unrecorded

    def _swapped(self, path: str, claimed_as: str, seen: Signature) -> bool:
        """Tell whether another file took the name since the look; that one settles in the inbox first."""
        try:
            taken = signature_of((self._share.root / claimed_as).lstat())
            expected = seen._replace(ctime_ns=taken.ctime_ns)  # the rename itself changes it
            same = expected in {taken, taken._replace(inode=0)}  # 0: a mount, where inodes mean nothing
            return not same and give_back(self._share, claimed_as, path)
        except OSError:
            return False

    def _record(self, number: int) -> None:
        try:
            self._register.claimed(number, self._unrecorded[number])
        except (StlflowError, OSError) as error:
            if not self._record_trouble:
                logger.warning(
                    "Submission {} is taken, but can't be written down yet: {}.", number, in_words(error)
                )
            self._record_trouble = True
        else:
            del self._unrecorded[number]
            self._record_trouble = False

    def _forget(self, number: int) -> None:
        try:
            self._register.forget(number)
        except (StlflowError, OSError) as error:
            logger.debug("Submission {} was not forgotten: {}", number, in_words(error))


def in_words(error: Exception) -> str:
    """Give an error's own words, without a full stop."""
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return text.rstrip(".")
