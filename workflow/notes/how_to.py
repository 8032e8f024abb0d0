"""The page for people who find the shared folder: what to do here, in a minute."""

from contextlib import suppress
from pathlib import Path

from workflow.notes.files import note_path, remove_note_file, says, write_note
from workflow.notes.text import NOTE_PREFIX

HOW_TO_NAME = "HOW TO USE THIS FOLDER"
_APPROVED = """\
  - In held/: a person has to decide. The note says what about.
    To let it go on: move the file to approved/. To end it: move it to rejected/.
"""
_BY_COMMAND = "  - In held/: a person has to decide. The note says what about, and how.\n"


_AGAIN = """\
  Drag its note from done/ into inbox/: the same sliced part is sent again. For more copies, call
  the note 3x bracket.stl.txt, or write the line copies: 3 into it.
"""
_AGAIN_BY_FILE = "  Drag the file from done/ back into inbox/.\n"
_STATUS_PAGE = "  - STATUS.html shows the last files and what waits for a person. Open it in a browser.\n"


def how_to_text(contact: str, *, decides_by_moving: bool, with_status_page: bool = False) -> str:
    """Return the page; `contact` is whom to ask, left out if empty."""
    return f"""\
{NOTE_PREFIX}: how to use this folder

To print a part
  Put its STL file into inbox/. Folders in there are fine.
  The file leaves the inbox when it is taken. A note in its place, like bracket.stl.txt,
  says what is known: print time, material, when it is ready, or why it waits.

Where it is afterwards
  - In done/: it was sent to print. The note says where, and about when it is ready.
{_APPROVED if decides_by_moving else _BY_COMMAND}\
  - In rejected/: it can't be printed as it is. The note says why. Correct it and drop it again.
{_STATUS_PAGE if with_status_page else ""}\

To print something again
{_AGAIN if decides_by_moving else _AGAIN_BY_FILE}\

Good to know
  - Nothing is ever deleted or overwritten here. A file of the same name gets a number.
  - Lengths in an STL file are taken as mm.
  - STEP, 3MF and archives are not taken: export an STL.
  - Please leave processing/ alone. What is in there is being worked on.
{
        f'''
Whom to ask
  {contact}
'''
        if contact
        else ""
    }"""


def write_how_to(
    root: Path, contact: str = "", *, decides_by_moving: bool, with_status_page: bool = False
) -> None:
    """Write the page into a share, unless a person has put a text of theirs there.

    An older page is replaced; one that says the same stays. If it can't be written, there is none.
    """
    place = note_path(root / HOW_TO_NAME)
    text = how_to_text(contact, decides_by_moving=decides_by_moving, with_status_page=with_status_page)
    with suppress(OSError):
        if not says(root / HOW_TO_NAME, text) and (not place.exists() or remove_note_file(place)):
            write_note(place, text)
