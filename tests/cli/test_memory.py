"""What the service leaves out of its memory, in a process that has imported nothing yet."""

import subprocess
import sys

PROGRAM = """
import sys, typing
from workflow.cli.memory import forget_overloads, import_requests, use_one_heap

use_one_heap()
import_requests()
assert not {"chardet", "charset_normalizer"} & set(sys.modules)

import requests
reply = requests.Response()
reply._content = b'{"size": 1}'
assert reply.json() == {"size": 1}
assert reply.apparent_encoding == "utf-8"
import charset_normalizer

@typing.overload
def given(what: int) -> int: ...
def given(what): ...
assert typing.get_overloads(given)
forget_overloads()
assert not typing.get_overloads(given)
"""


def test_requests_works_without_a_guesser_of_encodings_and_others_still_find_it() -> None:
    command = [sys.executable, "-W", "error", "-c", PROGRAM]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")
