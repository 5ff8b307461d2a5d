"""`pivot remote test`: whether a remote can be used from here, and how fast it is."""

import os
import tempfile
from collections.abc import Iterator, Sequence

import click

from pivot.cli.completing import remotes as complete_remotes
from pivot.cli.progress import Progress
from pivot.cli.terminal import emit, json_option, note, open_project, say
from pivot.config import RemoteConfig
from pivot.errors import ExitCode
from pivot.printable import printable
from pivot.project.project import Project
from pivot.project.remotes import absolute_url, allow, choose, is_read_only, shown_url
from pivot.transfer.check import Check, Mark
from pivot.transfer.jobs import JOBS
from pivot.transfer.pace import Rate
from pivot.transfer.probing import Probe, Target, opened


@click.command()
@click.argument("name", required=False, shell_complete=complete_remotes)
@click.option("--yes", is_flag=True, help="Trust an address that came with Git.")
@json_option
def test(name: str | None, yes: bool, as_json: bool) -> int:
    """Test remote NAME: credentials, rights, ranges, clock and speed.

    What is written for that lies below `tmp/probe-…` there, and is removed at the end. A read-only
    remote is only read. Exits with 12 if something isn't allowed, with 1 if something else fails.
    """
    with open_project() as project, tempfile.TemporaryDirectory(prefix="pivot-test-") as folder:
        remote = choose(project.config, os.environ, name)
        allow(remote, project.root, os.environ, yes=yes)
        probe = opened(_target(project, remote, folder))
        checks: list[Check] = []
        with Progress("tested") as progress:
            for check in _run(probe, progress):
                checks.append(check)
                if not as_json:
                    progress.clear()
                    _show(check)
        bad = [check for check in checks if check.mark is Mark.FAILED]
        if as_json:
            found = probe if isinstance(probe, Probe) else None
            emit(_as_json(remote, shown_url(remote.url, project.root), checks, found))
        elif bad:
            note(f"Remote {remote.name} fails: {', '.join(check.name for check in bad)}.")
        else:
            say(f"Remote {remote.name} can be used.")
    if any(check.denied for check in bad):
        return ExitCode.DENIED
    return ExitCode.FAILED if bad else ExitCode.DONE


def _target(project: Project, remote: RemoteConfig, folder: str) -> Target:
    return Target(
        absolute_url(remote.url, project.root),
        remote.options,
        remote.allowed,
        folder,
        project.config.number("remote.jobs") or JOBS,
        is_read_only(remote),
    )


def _run(probe: Probe | Check, progress: Progress) -> Iterator[Check]:
    if isinstance(probe, Check):
        yield probe
    else:
        yield from probe.run(lambda name: progress.phase(f"testing {name}"))


def _show(check: Check) -> None:
    mark = "FAILED" if check.mark is Mark.FAILED else check.mark
    say(f"{mark:7}  {check.name}: {printable(check.text)}")
    if check.hint is not None:
        say(f"{'hint:':>8} {printable(check.hint)}")


def _as_json(
    remote: RemoteConfig, url: str, checks: Sequence[Check], probe: Probe | None
) -> dict[str, object]:
    store = probe.store if probe is not None else None
    return {
        "name": remote.name,
        "url": url,
        "usable": all(check.mark is not Mark.FAILED for check in checks),
        "store": None if store is None else {"id": store.text, "format": store.format},
        "checks": [
            {"name": check.name, "status": check.mark, "text": check.text, "hint": check.hint}
            for check in checks
        ],
        "requests_per_s": _per_second(probe.requests if probe is not None else None),
        "upload_bytes_per_s": _per_second(probe.up if probe is not None else None),
        "download_bytes_per_s": _per_second(probe.down if probe is not None else None),
    }


def _per_second(rate: Rate | None) -> float | None:
    return None if rate is None else round(rate.per_second, 1)
