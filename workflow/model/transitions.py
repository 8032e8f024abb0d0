"""The state machine of a submission: the changes of state that are allowed, in one table.

The ledger checks each change against the table before it writes it.
"""

from collections.abc import Mapping

from workflow.model.states import SubmissionState

_S = SubmissionState
_RESUMED = frozenset({_S.CLAIMED, _S.SLICED, _S.ROUTED, _S.DISPATCHED})
"""Where a retry continues: with the file, the sliced part, a send that may have worked, or the sent build."""
_STOPPED = frozenset({_S.HELD, _S.CANCELED})

ALLOWED_TRANSITIONS: Mapping[SubmissionState, frozenset[SubmissionState]] = {
    _S.CLAIMED: frozenset({_S.INSPECTED, _S.REJECTED}) | _STOPPED,
    _S.INSPECTED: frozenset({_S.UPLOADED, _S.SLICING, _S.SLICED, _S.REJECTED}) | _STOPPED,
    _S.UPLOADED: frozenset({_S.SLICING}) | _STOPPED,
    _S.SLICING: frozenset({_S.SLICED}) | _STOPPED,
    _S.SLICED: frozenset({_S.ROUTED}) | _STOPPED,
    _S.ROUTED: frozenset({_S.DISPATCHED}) | _STOPPED,
    _S.HELD: _RESUMED | {_S.CANCELED},
    _S.REJECTED: _RESUMED,
    _S.CANCELED: _RESUMED,
    _S.DISPATCHED: frozenset({_S.PRINTING, _S.PRINTED}),
    _S.PRINTING: frozenset({_S.PRINTED}),
    _S.PRINTED: frozenset(),
}
"""From each state, the states that may follow. A change to the same state is always allowed."""


class IllegalTransition(ValueError):
    """A change of state that is not in the table: a fault of stlflow itself."""


def is_allowed_transition(before: SubmissionState, after: SubmissionState) -> bool:
    """True if a submission may go from one state to the other."""
    return before is after or after in ALLOWED_TRANSITIONS[before]


def check_transition(before: SubmissionState, after: SubmissionState) -> None:
    """Raise IllegalTransition if a submission may not go from one state to the other."""
    if not is_allowed_transition(before, after):
        raise IllegalTransition(f"A submission can't go from {before} to {after}.")
