"""Windows: instructions for WinSW, and for the Task Scheduler where nothing may be installed."""

from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

from workflow.hosting.plan import ServicePlan

_SERVICE_NAME = "stlflow"
ACCOUNT = "DOMAIN\\account"
WINSW_FILE, TASK_FILE = f"{_SERVICE_NAME}-service.xml", f"{_SERVICE_NAME}-task.xml"
STATUS_WORDS = ("schtasks", "/Query", "/TN", _SERVICE_NAME, "/V", "/FO", "LIST")
DELETE_WORDS = ("schtasks", "/Delete", "/TN", _SERVICE_NAME, "/F")


def windows_files(plan: ServicePlan) -> Mapping[str, bytes]:
    """Return the files for the plan's folder by name: one for WinSW, one for the Task Scheduler (UTF-16)."""
    return {WINSW_FILE: winsw_xml(plan).encode(), TASK_FILE: task_xml(plan).encode("utf-16")}


def windows_commands(plan: ServicePlan) -> tuple[str, ...]:
    """Return the commands that are left to a person, as administrator; they hold no key."""
    lost = ", ".join(plan.variables)
    return (
        f'schtasks /Create /TN {_SERVICE_NAME} /XML "{plan.folder / TASK_FILE}" /RU {ACCOUNT} /RP *',
        f"schtasks /Run /TN {_SERVICE_NAME}",
        *(
            [f"rem A task has no variables of its own: write into stlflow.toml what {lost} say."]
            if lost
            else []
        ),
    )


def task_xml(plan: ServicePlan) -> str:
    """Return the task for `schtasks /Create /XML`: at boot, without a time limit, again after a failure."""
    program, *words = plan.command
    return f"""\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>From a folder of STL files to the queues of Eiger</Description>
  </RegistrationInfo>
  <Triggers><BootTrigger><Enabled>true</Enabled><Delay>PT30S</Delay></BootTrigger></Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>{escape(ACCOUNT)}</UserId>
      <LogonType>Password</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <Enabled>true</Enabled>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>5</Priority>
    <RestartOnFailure><Interval>PT1M</Interval><Count>255</Count></RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{escape(program)}</Command>
      <Arguments>{escape(" ".join(words))}</Arguments>
      <WorkingDirectory>{escape(str(plan.folder))}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
"""


def windows_instructions(plan: ServicePlan) -> str:
    """Return the instructions; they hold no key."""
    commands = "\n".join(f"       {each}" for each in windows_commands(plan))
    return f"""\
stlflow as a Windows service. Nobody has tried these steps yet: please report what is wrong with them.

1. The account. Take one of the domain (or a group managed one) that may read and write the share;
   LocalSystem has no rights on shares. Name the share as \\\\server\\share\\folder in stlflow.toml: a service
   has none of the drive letters that people have mapped.
2. The keys. Put them into .env in {plan.folder}
   and let only that account read the file:
       icacls .env /inheritance:r /grant:r "DOMAIN\\account:R"
3. Ask, as that account:
       runas /user:DOMAIN\\account "cmd /k cd /d {plan.folder} && {plan.command[0]} doctor"

With WinSW (one program, MIT licence: https://github.com/winsw/winsw/releases):

4. Put WinSW-x64.exe into {plan.folder} as {_SERVICE_NAME}-service.exe,
   and beside it {_SERVICE_NAME}-service.xml:

{winsw_xml(plan)}
5. As administrator, in that folder:
       {_SERVICE_NAME}-service.exe install --user DOMAIN\\account
       {_SERVICE_NAME}-service.exe start
       {_SERVICE_NAME}-service.exe status
   Messages of stlflow are in {_SERVICE_NAME}-service.err.log there,
   and in logs\\stlflow.log of the state folder.

Without WinSW, by the Task Scheduler (as administrator; it stops stlflow without a warning, which is as safe
as a power cut). `stlflow service install --kind windows` writes {TASK_FILE} into the folder:

{commands}
"""


def winsw_xml(plan: ServicePlan) -> str:
    """Return the file for WinSW: Ctrl-C to stop, a restart after each failure, logs of limited size."""
    program, *words = plan.command
    variables = "".join(
        f"  <env name={quoteattr(name)} value={quoteattr(value)}/>\n"
        for name, value in plan.variables.items()
    )
    return f"""\
<service>
  <id>{_SERVICE_NAME}</id>
  <name>{_SERVICE_NAME}</name>
  <description>From a folder of STL files to the queues of Eiger</description>
  <executable>{escape(program)}</executable>
  <arguments>{escape(" ".join(words))}</arguments>
  <workingdirectory>{escape(str(plan.folder))}</workingdirectory>
{variables}  <startmode>Automatic</startmode>
  <delayedAutoStart>true</delayedAutoStart>
  <depend>LanmanWorkstation</depend>
  <onfailure action="restart" delay="30 sec"/>
  <stoptimeout>90 sec</stoptimeout>
  <log mode="roll-by-size"><sizeThreshold>10240</sizeThreshold><keepFiles>8</keepFiles></log>
</service>
"""
