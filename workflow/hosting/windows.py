"""Windows: instructions for WinSW, and for the Task Scheduler where nothing may be installed."""

from xml.sax.saxutils import escape, quoteattr

from workflow.hosting.plan import ServicePlan

_SERVICE_NAME = "stlflow"


def windows_instructions(plan: ServicePlan) -> str:
    """Return the instructions; they hold no key."""
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

Without WinSW, by the Task Scheduler (PowerShell, as administrator; it stops without a word of warning to
stlflow, which is as safe as a power cut):

{task_scheduler_script(plan)}"""


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


def task_scheduler_script(plan: ServicePlan) -> str:
    """Return commands for a task without the usual limit of three days."""
    program, *words = plan.command
    return f"""\
       $action = New-ScheduledTaskAction -Execute '{program}' -Argument '{" ".join(words)}' `
         -WorkingDirectory '{plan.folder}'
       $trigger = New-ScheduledTaskTrigger -AtStartup
       $settings = New-ScheduledTaskSettingsSet -ExecutionTimeLimit 0 -RestartCount 999 `
         -RestartInterval (New-TimeSpan -Minutes 1)
       Register-ScheduledTask {_SERVICE_NAME} -Action $action -Trigger $trigger -Settings $settings `
         -User 'DOMAIN\\account' -Password (Read-Host 'Password')
"""
