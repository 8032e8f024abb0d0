"""Windows: instructions for WinSW, and for the Task Scheduler where nothing may be installed."""

from xml.sax.saxutils import escape, quoteattr

from workflow.hosting.plan import Plan

_NAME = "stlflow"


def instructions(plan: Plan) -> str:
    """Give all that has to be done by hand; no key stands in it."""
    return f"""\
stlflow as a Windows service. Nobody has tried these steps yet: please report what is wrong with them.

1. The account. Take one of the domain (or a group managed one) that may read and write the share;
   LocalSystem has no rights on shares. Name the share as \\\\server\\share\\folder in stlflow.toml: a service
   has none of the drive letters that people have mapped.
2. The keys. Put them into .env in {plan.folder}
   and let nobody but that account read the file:
       icacls .env /inheritance:r /grant:r "DOMAIN\\account:R"
3. Ask, as that account:
       runas /user:DOMAIN\\account "cmd /k cd /d {plan.folder} && {plan.command[0]} doctor"

With WinSW (one program, MIT licence: https://github.com/winsw/winsw/releases):

4. Put WinSW-x64.exe into {plan.folder} as {_NAME}-service.exe, and beside it {_NAME}-service.xml:

{winsw(plan)}
5. As administrator, in that folder:
       {_NAME}-service.exe install --user DOMAIN\\account
       {_NAME}-service.exe start
       {_NAME}-service.exe status
   What stlflow says stands in {_NAME}-service.err.log there, and in logs\\stlflow.log of the state folder.

Without WinSW, by the Task Scheduler (PowerShell, as administrator; it stops without a word of warning to
stlflow, which is as safe as a power cut):

{scheduled(plan)}"""


def winsw(plan: Plan) -> str:
    """Give the file for WinSW: Ctrl-C first, a restart after each failure, logs that do not grow for ever."""
    program, *words = plan.command
    variables = "".join(
        f"  <env name={quoteattr(name)} value={quoteattr(value)}/>\n"
        for name, value in plan.variables.items()
    )
    return f"""\
<service>
  <id>{_NAME}</id>
  <name>{_NAME}</name>
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


def scheduled(plan: Plan) -> str:
    """Give commands for a task without the usual limit of three days."""
    program, *words = plan.command
    return f"""\
       $action = New-ScheduledTaskAction -Execute '{program}' -Argument '{" ".join(words)}' `
         -WorkingDirectory '{plan.folder}'
       $trigger = New-ScheduledTaskTrigger -AtStartup
       $settings = New-ScheduledTaskSettingsSet -ExecutionTimeLimit 0 -RestartCount 999 `
         -RestartInterval (New-TimeSpan -Minutes 1)
       Register-ScheduledTask {_NAME} -Action $action -Trigger $trigger -Settings $settings `
         -User 'DOMAIN\\account' -Password (Read-Host 'Password')
"""
