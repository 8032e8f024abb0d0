"""What people are told: the notes beside their files."""

from workflow.feedback.beside import has_note, is_note, note_path, remove_note, write_note
from workflow.feedback.inbox import CROWD_NOTE, crowd_text, stranger_text
from workflow.feedback.note import note_text

__all__ = [
    "CROWD_NOTE",
    "crowd_text",
    "has_note",
    "is_note",
    "note_path",
    "note_text",
    "remove_note",
    "stranger_text",
    "write_note",
]
