"""The command tree: every command by name, with the module that has it and its line of help.

`--help` of a group lists what stands here and imports nothing. A new command is one function in one
of the files and one line here; a test compares the lines with the functions' docstrings.
"""

from __future__ import annotations

_VALUES = "openclaw_cli.cli.secrets.values"
_LIFETIME = "openclaw_cli.cli.secrets.lifetime"
_COPYING = "openclaw_cli.cli.secrets.copying"
_LOOKING = "openclaw_cli.cli.secrets.looking"
_HISTORY = "openclaw_cli.cli.secrets.history"
_EXPECTING = "openclaw_cli.cli.secrets.expecting"
_GRANTING = "openclaw_cli.cli.secrets.granting"
_MOVING = "openclaw_cli.cli.secrets.moving"
_RUNNING = "openclaw_cli.cli.secrets.running"
_SCHEDULING = "openclaw_cli.cli.scheduling"
_ROTATING = "openclaw_cli.cli.secrets.rotating"
_AUDIT = "openclaw_cli.cli.secrets.audit"
_STORE = "openclaw_cli.cli.store"
_RESTORING = "openclaw_cli.cli.restoring"
_CONFIG = "openclaw_cli.cli.config"
_UPGRADING = "openclaw_cli.cli.upgrading"
_AGENTS = "openclaw_cli.cli.agents"
_GATEWAY = "openclaw_cli.cli.gateway"

# A line: the module that has the command (with a colon where its whole `app` is the command) or the
# table of a group, and the first line of its help.
Table = dict[str, tuple["str | Table", str]]

SCHEDULE: Table = {
    "install": (_SCHEDULING, "Have what is due rotated every hour."),
    "uninstall": (_SCHEDULING, "Take away what `install` put there, and nothing else."),
    "status": (_SCHEDULING, "Say whether rotations run by themselves."),
}

SECRETS: Table = {
    "create": (_VALUES, "Keep a new secret."),
    "set": (_VALUES, "Keep a new version of a secret, or a new secret."),
    "get": (_VALUES, "Give a secret's value: exact bytes when piped."),
    "edit": (_VALUES, "Change a value in your editor, in memory only."),
    "list": (_LOOKING, "Show all secrets, where they are and how old."),
    "status": (_HISTORY, "Show one secret's health."),
    "history": (_HISTORY, "Draw a secret's versions: made, promoted, last read, retired."),
    "rollback": (_LIFETIME, "Make an older version the current one again."),
    "delete": (_LIFETIME, "Delete a secret; it can be restored for 30 days."),
    "restore": (_LIFETIME, "Bring a deleted secret back."),
    "describe": (_LIFETIME, "Change what is known of a secret: its provider, its labels."),
    "expect": (_EXPECTING, "Say from where, by whom and when a secret is read."),
    "refresh": (_LIFETIME, "Fetch a secret again and replace the copy of it."),
    "rotate": (_ROTATING, "Give a secret a new value, now, or by a schedule."),
    "schedule": (SCHEDULE, "Have what is due rotated by itself."),
    "run": (_RUNNING, "Run a program with secrets, its output masked."),
    "inject": (_RUNNING, "Fill the references in a template."),
    "grant": (_GRANTING, "Let an agent read secrets, for a time or a number of uses."),
    "revoke": (_GRANTING, "Take grants away from an agent."),
    "grants": (_GRANTING, "Show which agent may read which secret, and when it last did."),
    "import": (_MOVING, "Take secrets over from a file."),
    "export": (_MOVING, "Write secrets in the format of another tool, or sealed for a job."),
    "copy": (_COPYING, "Copy secrets to another name or backend, and read them back."),
    "scan": ("openclaw_cli.cli.secrets.scanning", "Look for secrets in plain text."),
    "migrate": (
        "openclaw_cli.cli.secrets.migrating",
        "Move plain text of the OpenClaw gateway into the store.",
    ),
    "resolve": ("openclaw_cli.cli.secrets.resolving", "Answer the OpenClaw gateway's request."),
    "audit": (_AUDIT + ":", "Show who did what to which secret, and what looks wrong."),
    "__names": ("openclaw_cli.cli.completion", "Give a shell's completion the names."),
}

STORE: Table = {
    "init": (_STORE, "Make the store and choose how it is unlocked."),
    "check": (_STORE, "Verify every byte of the store and of the trail."),
    "rekey": (_STORE, "Give the store a new data key; the values stay."),
    "backup": (_RESTORING, "Write a sealed copy of the store."),
    "restore": (_RESTORING, "Put a backup in place."),
    "slots": ("openclaw_cli.cli.slots:", "Show, add and remove the keys that open the store."),
    "unlock": (_STORE, "Keep the store unlocked for a while."),
    "lock": (_STORE, "Forget an unlocked store's key."),
    "accept-rollback": (_RESTORING, "Accept a store or trail that you put back yourself."),
}

CONFIG: Table = {
    "show": (_CONFIG, "Show the settings and where each comes from."),
    "check": (_CONFIG, "Check a settings file before it is used."),
    "set": (_CONFIG, "Change a setting."),
    "path": (_CONFIG, "Say where the settings are."),
    "trust": (_CONFIG, "Use a project's own settings file, or use it no longer."),
    "upgrade": (
        _UPGRADING,
        "Take the state directory to the present: formats, and older spellings in openclaw.json.",
    ),
    "convert": (_UPGRADING, "Write a configuration in another language, without its comments."),
}


INTEROP: Table = {
    "setup": ("openclaw_cli.cli.interop", "Make the OpenClaw gateway fetch its keys from here."),
    "reload": ("openclaw_cli.cli.interop", "Have the running OpenClaw gateway take new values."),
}

AGENTS: Table = {
    "list": (_AGENTS, "Show the agents of the settings."),
    "status": (_AGENTS, "Show the agents of the running gateway and what they do."),
    "run": (_AGENTS, "Give an agent one request and print its answer; no gateway is needed."),
    "node": (
        _AGENTS,
        "Take requests from the broker for the gateway here: one machine of several.",
    ),
    "spawn": (_AGENTS, "Bind a thread to an instance, before its first request."),
    "close": (_AGENTS, "End a session, when its present turn has ended."),
    "restart": (_AGENTS, "Start an agent anew, or all of them; nothing that was accepted is lost."),
    "stop": (_AGENTS, "End a thread now, or all of an agent until it is restarted."),
    "logs": (_AGENTS, "Show the agents' log, of one agent, thread or request."),
    "top": (_AGENTS, "Watch the instances: what each does, for how long, with how much memory."),
    "cleanup": (_AGENTS, "End sessions that have been idle for a while."),
}

GATEWAY: Table = {
    "run": (_GATEWAY, "Run the gateway here until it is stopped: for systemd, containers, CI."),
    "start": (_GATEWAY, "Start the gateway in the background; it serves when this returns."),
    "stop": (_GATEWAY, "Stop the gateway when what it accepted is answered."),
    "restart": (
        _GATEWAY,
        "Begin the gateway anew in its place: nobody is refused, what was accepted is answered.",
    ),
    "reload": (
        _GATEWAY,
        "Read the settings again; agents that changed are started anew, nothing is refused.",
    ),
    "status": (_GATEWAY, "Show whether the gateway runs, where, and what its agents do."),
    "install": (
        _GATEWAY,
        "Write a systemd unit for this user, so that the gateway starts with the machine.",
    ),
    "uninstall": (
        _GATEWAY,
        "Stop the gateway that systemd runs for this user, and take its unit away.",
    ),
    "alert-rules": (
        _GATEWAY,
        "Print the alerts as a rules file for Prometheus, or what else it and Grafana need.",
    ),
    "link": (_GATEWAY, "Print a link that opens the status page in a browser, once and soon."),
}


TOP: Table = {
    "secrets": (SECRETS, "Keep, read, change and give away secrets."),
    "store": (STORE, "Look after the encrypted store."),
    "agents": (AGENTS, "Run agents, each request in a process of its own."),
    "gateway": (GATEWAY, "Run the gateway, which answers for the agents."),
    "status": ("openclaw_cli.cli.status", "Show what there is and what needs a hand."),
    "config": (CONFIG, "Show, check and change settings."),
    "interop": (INTEROP, "Serve the OpenClaw gateway (Node)."),
    "doctor": ("openclaw_cli.cli.doctor", "Find what is wrong here, and say the mend."),
    "completion": ("openclaw_cli.cli.completion", "Print the completion script of a shell."),
}


IN_PROJECT = {
    "secrets": (
        *("create", "set", "get", "edit", "list", "status", "history", "delete", "refresh"),
        *("run", "inject", "import", "export", "copy", "__names"),
    ),
    "config": ("show",),
}
"""The commands that a project's own file may choose names and backends for."""

OTHER_WORDS = {"rm": "delete", "remove": "delete", "show": "get", "add": "create", "ls": "list"}
