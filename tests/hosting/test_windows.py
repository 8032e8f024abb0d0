"""The instructions for Windows; only read here, never tried."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from tests.hosting.test_systemd import PLAN
from workflow.hosting import windows_instructions
from workflow.hosting.windows import winsw_xml


def test_the_file_for_winsw_is_xml_with_everything_in_its_place() -> None:
    awkward = replace(
        PLAN, folder=Path("C:/Shop & Sons"), variables={"STLFLOW_SHARE": '\\\\nas\\"parts" & <more>'}
    )
    service = ElementTree.fromstring(winsw_xml(awkward))
    assert service.findtext("executable") == "/opt/stlflow/bin/stlflow"
    assert service.findtext("arguments") == "run"
    assert service.findtext("workingdirectory") == str(Path("C:/Shop & Sons"))
    env = service.find("env")
    assert env is not None
    assert dict(env.attrib) == {"name": "STLFLOW_SHARE", "value": '\\\\nas\\"parts" & <more>'}


def test_it_says_that_nobody_has_tried_it_and_what_goes_wrong_most() -> None:
    said = windows_instructions(PLAN)
    for words in (
        "Nobody has tried these steps yet",
        "LocalSystem has no rights on shares",
        "\\\\server\\share",
    ):
        assert words in said
    assert "-ExecutionTimeLimit 0" in said
