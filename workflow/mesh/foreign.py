"""Which kind of file it really is, when it is no STL."""

import re

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive, or a 3MF file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\xd0\xcf\x11\xe0", "a CAD or Office document (SolidWorks, Inventor)"),
    (b"ISO-10303-21", "a STEP file"),
    (b"ply\n", "a PLY mesh"),
    (b"ply\r", "a PLY mesh"),
    (b"OFF\n", "an OFF mesh"),
    (b"OFF\r", "an OFF mesh"),
    (b"glTF", "a glTF model"),
    (b"\x00\x05\x16\x07", "a macOS companion file (AppleDouble)"),
    (b"version https://git-lfs", "a Git LFS pointer: the part itself was not downloaded"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a Linux program"),
)
_TEXTS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"\s*(<!--.*?-->\s*)*<(!doctype html|html|head|body)\b", re.I | re.S), "an HTML page"),
    (re.compile(rb"\s*<\?xml\b|\s*<\w", re.I), "an XML file"),
    (re.compile(rb"\s*[\[{]\s*[\"\[{}\]]"), "a JSON file"),
    (re.compile(rb"(\s*(#[^\n]*|mtllib [^\n]*|o [^\n]*|g [^\n]*)\n)*\s*v +[-+.\d]", re.I), "an OBJ mesh"),
    (re.compile(rb"(\s*;[^\n]*\n)*\s*([GM]\d+\b[^\n]*\n\s*){1,}", re.I), "G-code"),
)
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF16_SOLID = ("solid".encode("utf-16-le"), "solid".encode("utf-16-be"))


def foreign_kind(head: bytes) -> str | None:
    """Name the kind of file that begins like this, or None when it is not known."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if is_utf16(head):
        return "text in UTF-16"
    text = head.removeprefix(b"\xef\xbb\xbf")
    return next((kind for pattern, kind in _TEXTS if pattern.match(text)), None)


def is_utf16(head: bytes) -> bool:
    """Tell whether this is text in two bytes per character, marked or beginning with `solid`."""
    return head.startswith(_UTF16_MARKS) or head.lower().startswith(_UTF16_SOLID)
