"""The table of commands: `pivot --help` reads it, and nothing else is imported for that."""

from typing import NamedTuple


class Row(NamedTuple):
    """A command: its section of the help, where it is defined, and its summary."""

    section: str
    home: str
    summary: str


COMMANDS: dict[str, Row] = {
    "init": Row("Start", "pivot.cli.init:init", "Make this folder a Pivot project"),
    "list": Row("Run", "pivot.cli.list:list_", "List the stages"),
    "status": Row("Run", "pivot.cli.status:status", "Show what would run, and why"),
    "fingerprint": Row(
        "Run", "pivot.cli.fingerprint:fingerprint", "Show what a stage's key is made of"
    ),
    "repro": Row("Run", "pivot.cli.repro:repro", "Bring stages up to date"),
    "record": Row("Run", "pivot.cli.record:record", "Take results as they are, without running"),
    "metrics": Row("Results", "pivot.cli.metrics:metrics", "Show and compare metrics"),
    "commit": Row("Results", "pivot.cli.commit:commit", "Commit locks and metrics to Git"),
    "track": Row("Data", "pivot.cli.track:track", "Keep data that no stage makes"),
    "untrack": Row("Data", "pivot.cli.untrack:untrack", "Let go of tracked data"),
    "checkout": Row("Data", "pivot.cli.checkout:checkout", "Put data in place from the cache"),
    "remote": Row("Data", "pivot.cli.remote:remote", "Manage remotes, and test them"),
    "push": Row("Data", "pivot.cli.push:push", "Send data to a remote"),
    "fetch": Row("Data", "pivot.cli.fetch:fetch", "Get data from a remote into the cache"),
    "pull": Row("Data", "pivot.cli.pull:pull", "Get data from a remote into place"),
    "gc": Row("Data", "pivot.cli.gc:gc", "Remove what nothing needs from the cache or a remote"),
    "cache": Row("Data", "pivot.cli.cache:cache", "Show where the cache is and what it holds"),
    "verify": Row("Data", "pivot.cli.verify:verify", "Check locks, outs and stored data"),
    "config": Row("Set up", "pivot.cli.config:config", "Show and change settings"),
    "doctor": Row("Set up", "pivot.cli.doctor:doctor", "Check the project, and mend its cache"),
    "completion": Row("Set up", "pivot.cli.completion:completion", "Print shell completion"),
}
