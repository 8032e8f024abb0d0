"""What people are told: the notes beside their files."""

from workflow.feedback.beside import note_path, remove_note, write_note
from workflow.feedback.note import note_text

__all__ = ["note_path", "note_text", "remove_note", "write_note"]
