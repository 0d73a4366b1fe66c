"""What the writing thread does with a group of posts, and in its idle moments.

Synchronous. Knows three states: it works; it is full, and tries again with each group; it is
damaged, and stays so until somebody has looked at the disk.
"""

from collections.abc import Sequence
from contextlib import suppress

from aios.errors import Damaged, NoSpace
from aios.journal.database import Database, Outcome, Post
from aios.journal.reserve import Reserve
from aios.journal.witness import Witness

FREEING_BYTES_MAX = 64 << 10  # values of a post that may still be written on a full disk


class Writer:
    """Applies posts; nobody else writes."""

    def __init__(self, database: Database, witness: Witness, reserve: Reserve) -> None:
        self._database = database
        self._witness = witness
        self._reserve = reserve
        self._full: NoSpace | None = None
        self._damaged: Damaged | None = None

    def begin(self) -> None:
        """Hold the reserve, or begin as one whose disk is full."""
        try:
            self._reserve.take()
        except NoSpace as problem:
            self._full = problem
        else:
            self._note()
        with suppress(OSError):
            self._witness.sync()

    @property
    def damaged(self) -> Damaged | None:
        """Why nothing is written any more."""
        return self._damaged

    def write(self, posts: Sequence[Post]) -> Sequence[Outcome]:
        """Durable, or an error, for each of the posts."""
        if self._damaged is None and self._full is not None:
            self._try_again()
        if self._damaged is not None:
            return [self._damaged] * len(posts)
        if self._full is None:
            return self._apply(posts)
        allowed = [post for post in posts if _is_freeing(post)]
        outcomes = iter(self._apply(allowed) if allowed else ())
        return [next(outcomes) if _is_freeing(post) else self._full for post in posts]

    def rest(self) -> None:
        """Bring the log into the database and the witness onto the disk."""
        if self._damaged is None:
            self._checkpoint()
            with suppress(OSError):  # It is written again with the next commit.
                self._witness.sync()

    def close(self) -> None:
        """Leave an empty log behind, if the disk lets us."""
        self.rest()
        if self._damaged is None:
            with suppress(NoSpace, Damaged):
                self._database.settle()
        self._database.close()

    def _apply(self, posts: Sequence[Post]) -> Sequence[Outcome]:
        try:
            outcomes = self._database.apply(posts)
        except NoSpace as problem:
            self._suffer(problem)
            return [problem] * len(posts)
        except Damaged as problem:
            self._damaged = problem
            return [problem] * len(posts)
        self._note()
        if self._database.is_log_long:
            self._checkpoint()
        return outcomes

    def _note(self) -> None:
        try:
            self._witness.note(self._database.commits)
        except OSError as problem:
            # What was written is durable and is told so; but no more without a witness.
            self._full = NoSpace(f"the commit was not noted: {problem}")

    def _suffer(self, problem: NoSpace) -> None:
        """The disk took nothing: make room for what frees more, and refuse the rest."""
        self._full = problem
        self._reserve.release()
        # Frames of the failed commit may lie in the log, whole; another commit overwrites them.
        with suppress(NoSpace, Damaged):
            self._database.apply([])
            self._note()

    def _try_again(self) -> None:
        try:
            self._reserve.take()
            if self._database.is_log_long:
                self._database.checkpoint()
            self._database.apply([])
        except NoSpace as problem:
            self._full = problem
            self._reserve.release()
        except Damaged as problem:
            self._damaged = problem
        else:
            self._full = None
            self._note()

    def _checkpoint(self) -> None:
        try:
            self._database.checkpoint()
        except NoSpace as problem:
            self._full = problem
            self._reserve.release()
        except Damaged as problem:
            self._damaged = problem


def _is_freeing(post: Post) -> bool:
    """Deletions and the little that is written along with them."""
    size = sum(
        len(value) for _, values in post for value in values if isinstance(value, bytes | str)
    )
    return size <= FREEING_BYTES_MAX and any(
        change.statement.sql.lstrip().startswith("DELETE") for change in post
    )
