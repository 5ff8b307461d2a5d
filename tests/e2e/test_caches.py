"""What is remembered stays true while commands run side by side, and packages change outside."""

import json
import shutil

from tests.e2e.conftest import Project

ROUNDS = 4
AT_ONCE = 2


def told(project: Project) -> object:
    return json.loads(project.pivot("status", "--explain", "--json").out)


def told_by_a_clone(project: Project) -> object:
    """What somebody says who has the same files, and remembers nothing."""
    place = project.path.with_name("remembers nothing")
    shutil.copytree(project.path, place, symlinks=True, ignore=shutil.ignore_patterns("state.db*"))
    try:
        return told(Project(place, project.marks, project.environment))
    finally:
        shutil.rmtree(place)


def test_commands_at_the_same_time_as_edits_leave_nothing_untrue_behind(story):
    """Sources are replaced, and written in place, while several commands look at them."""
    low = (story.path / "lib/low.py").read_text()
    middle = (story.path / "lib/middle.py").read_text()
    started = []
    for number in range(ROUNDS):
        started += [story.start("status", "--json") for _ in range(AT_ONCE)]
        story.write("lib/low.py", low.replace("2", str(number)))
        story.write("lib/beside.py", middle + f"\nNUMBER = {number}\n")
        (story.path / "lib/beside.py").replace(story.path / "lib/middle.py")
        story.finish(started[AT_ONCE * number], code=None)
    for process in started:
        if process.returncode is None:
            story.finish(process)
        assert process.returncode == 0
    assert told(story) == told_by_a_clone(story)
    story.write("lib/low.py", low)
    story.write("lib/middle.py", middle)
    assert told(story) == told_by_a_clone(story)


def test_a_run_at_the_same_time_as_commands_that_look(story):
    story.replace("lib/low.py", "return 2", "return 5")
    run = story.start("repro")
    looks = [story.start("status", "--json") for _ in range(2 * AT_ONCE)]
    for process in (run, *looks):
        story.finish(process)
    assert {stage["state"] for stage in told(story)["stages"]} == {"unchanged"}
    assert told(story) == told_by_a_clone(story)


def test_an_installed_distribution_that_is_upgraded_counts(story, tmp_path):
    """It is the same module, at the same place, under another version."""
    installed = tmp_path / "site-packages"
    (installed / "steady-1.0.dist-info").mkdir(parents=True)
    (installed / "steady.py").write_text("FACTOR = 2\n")
    story.environment["PYTHONPATH"] = str(installed)
    story.write("lib/low.py", "import steady\n\ndef factor():\n    return steady.FACTOR\n")
    _declare(installed, "1.0")
    story.pivot("repro")
    assert {stage["state"] for stage in told(story)["stages"]} == {"unchanged"}
    (installed / "steady-1.0.dist-info").rename(installed / "steady-2.0.dist-info")
    _declare(installed, "2.0")
    (stage,) = [stage for stage in told(story)["stages"] if stage["stage"] == "double"]
    reasons = {(reason["what"], reason["old"], reason["new"]) for reason in stage["reasons"]}
    assert reasons == {("steady", "1.0", "2.0")}
    assert told(story) == told_by_a_clone(story)


def _declare(installed, version):
    folder = installed / f"steady-{version}.dist-info"
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: steady\nVersion: {version}\n")
    (folder / "RECORD").write_text("steady.py,,\n")
    (folder / "top_level.txt").write_text("steady\n")


def test_a_plan_after_an_edit_of_a_body_loads_nothing_of_the_user(story):
    """What was only defined while definitions were loaded can't change them."""
    story.write("lib/noisy.py", "import probe\nprobe.mark('loaded')\n\ndef name():\n    return 1\n")
    story.replace("pipeline.py", "import json", "import json\nfrom lib import noisy")
    told(story)
    assert story.ran() == ["loaded"]
    story.replace("lib/noisy.py", "return 1", "number = 2\n    return number")
    story.replace("lib/low.py", "return 2", "return 1 + 2")
    story.replace("pipeline.py", 'out.write("alone\\n")', 'out.write("alone\\n" * 2)')
    assert told(story) == told(story)
    assert story.ran() == []
    assert told(story) == told_by_a_clone(story)
    assert story.ran() == ["loaded"]  # by the clone alone
