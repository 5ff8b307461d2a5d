"""How commands that move data end."""

import json
from types import SimpleNamespace

import pytest

from pivot.cli.progress import Progress
from pivot.cli.transferring import Transfer, partly, show_foreseen, show_summary
from pivot.errors import ExitCode, MissingDataError, PartialError
from pivot.sync.summary import Summary

SUMMARY = Summary(5, 12_000_000, 2572, 3_400_000_000, 4, 0.9)


def test_closing_line_tells_how_much_was_there_already(capsys):
    show_summary("Pushed", SUMMARY, as_json=False)
    assert capsys.readouterr().out == (
        "Pushed 5 of 2,572 objects, 12 MB of 3.4 GB, 4 requests, 0.9 s.\n"
    )


def test_what_is_foreseen_says_so(capsys):
    show_foreseen("push", SUMMARY, as_json=False)
    assert capsys.readouterr().out == "Would push 5 of 2,572 objects, 12 MB of 3.4 GB.\n"
    show_foreseen("push", SUMMARY, as_json=False, to="/disk")
    assert capsys.readouterr().out.startswith("Would push 5 of 2,572 objects to /disk, 12 MB")


def test_json_has_whole_numbers(capsys):
    show_summary("Pushed", SUMMARY, as_json=True)
    value = json.loads(capsys.readouterr().out)
    assert (value["objects"], value["total_bytes"]) == (5, 3_400_000_000)


def test_missing_data_of_all_branches_is_a_part_done():
    with pytest.raises(PartialError) as caught, partly(True):
        raise MissingDataError("gone", why="collected", hint="push")
    assert caught.value.exit_code is ExitCode.PARTIAL
    assert (caught.value.why, caught.value.hint) == ("collected", "push")
    with pytest.raises(MissingDataError), partly(False):
        raise MissingDataError("gone")


def test_a_push_shows_progress_notes_the_project_and_keeps_to_its_jobs(monkeypatch):
    asked = {}
    noted = []

    def push(*_, **options):
        asked.update(options)
        return SUMMARY

    monkeypatch.setattr("pivot.cli.transferring.push", push)
    projects = SimpleNamespace(note=lambda clone, pusher, clock: noted.append(clone))
    project = SimpleNamespace(store=None, root="/work", pusher=None)
    remote = SimpleNamespace(address="/remote", projects=projects)
    transfer = Transfer(project, {}, remote, jobs=3, dry_run=False, as_json=False)
    assert transfer.send() is SUMMARY
    assert asked["jobs"] == 3
    assert isinstance(asked["progress"], Progress)
    asked["note"]()
    assert noted == ["/work"]
