"""What people are told: the notes beside their files."""

from workflow.notes.files import has_note, is_note, note_path, remove_note, write_note
from workflow.notes.text import (
    MASS_ARRIVAL_NOTE,
    mass_arrival_note_text,
    submission_note_text,
    unsupported_file_note_text,
)

__all__ = [
    "MASS_ARRIVAL_NOTE",
    "has_note",
    "is_note",
    "mass_arrival_note_text",
    "note_path",
    "remove_note",
    "submission_note_text",
    "unsupported_file_note_text",
    "write_note",
]
