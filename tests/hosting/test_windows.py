"""The instructions for Windows; only read here, never tried."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from tests.hosting.test_systemd import PLAN
from workflow.hosting import windows_instructions
from workflow.hosting.windows import TASK_FILE, windows_commands, windows_files, winsw_xml


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
    assert "schtasks /Create /TN stlflow /XML" in said


TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


def test_the_task_is_the_xml_that_the_scheduler_reads() -> None:
    awkward = replace(PLAN, folder=Path("C:/Shop & Sons"), variables={"STLFLOW_SHARE": "x"})
    task = ElementTree.fromstring(windows_files(awkward)[TASK_FILE])  # UTF-16, as the scheduler writes it
    assert (task.tag, task.get("version")) == (f"{TASK}Task", "1.2")
    assert [each.tag.removeprefix(TASK) for each in task] == [
        "RegistrationInfo", "Triggers", "Principals", "Settings", "Actions",
    ]  # fmt: skip
    found = {each.tag.removeprefix(TASK): each.text for each in task.iter() if each.text}
    assert found["Command"] == "/opt/stlflow/bin/stlflow"
    assert found["Arguments"] == "run"
    assert found["WorkingDirectory"] == str(Path("C:/Shop & Sons"))
    assert found["ExecutionTimeLimit"] == "PT0S"
    assert found["UserId"] == "DOMAIN\\account"
    actions, principal = task.find(f"{TASK}Actions"), task.find(f"{TASK}Principals/{TASK}Principal")
    assert actions is not None
    assert principal is not None
    assert actions.get("Context") == principal.get("id")
    assert any("STLFLOW_SHARE" in each for each in windows_commands(awkward))
