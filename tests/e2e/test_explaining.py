"""`status --explain`, `--diff` and `fingerprint` say what changed, where, and how it is reached."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys

import pytest

from tests.e2e.conftest import PIVOT, Project
from tests.e2e.schemas import conforms

SOURCES = {
    "pipeline.py": """
        from pivot import stage
        from pydantic import BaseModel

        from lib.features import build


        class Params(BaseModel):
            depth: int = 4


        @stage(deps=["raw.csv", "texts"], outs=["model.txt"], params=Params)
        def train(params: Params):
            with open("raw.csv") as f, open("model.txt", "w") as out:
                out.write(build(f.read(), params.depth))


        @stage(deps=["model.txt"], outs=["report.txt"])
        def report():
            with open("report.txt", "w") as out:
                out.write("done")
        """,
    "lib/__init__.py": "",
    "lib/features.py": """
        from lib.utils import clip, normalize


        def build(text, depth):
            return clip(normalize(text)) * depth
        """,
    "lib/utils.py": """
        EPS = 1


        def normalize(text):
            \"\"\"Scale.\"\"\"
            return text.strip() + str(EPS)


        def clip(text):
            return bound(text)


        def bound(text):
            return text[:3]
        """,
    "raw.csv": "a,b\n1,2\n",
    "texts/one": "1\n",
    "texts/two": "2\n",
}


@pytest.fixture(scope="session")
def ran_template(template, tmp_path_factory):
    """The project of `project`, to be copied."""
    base = tmp_path_factory.mktemp("ran")
    shutil.copytree(template, base / "project", symlinks=True)
    made = Project(base / "project", base)
    made.write_all(SOURCES)
    made.pivot("repro", env={"XDG_STATE_HOME": str(base / "state")})
    made.git("add", "--all")
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    made.git(*identity, "commit", "--quiet", "-m", "Run")
    return made.path


@pytest.fixture
def project(ran_template, empty):
    """Two stages that have run, committed with their locks as `Run`."""
    shutil.rmtree(empty.path)
    shutil.copytree(ran_template, empty.path, symlinks=True)
    return empty


def masked(project, text):
    """A text with each hash as `#1`, `#2` ... by its first appearance, and commits by subject."""
    for line in project.git("log", "--all", "--format=%h %H %s", "--abbrev=10").splitlines():
        short, whole, subject = line.split(" ", 2)
        text = text.replace(whole, f"<{subject}>").replace(short, f"<{subject}>")
    seen = {}

    def number(match):
        return f"#{seen.setdefault(match[0][:8], len(seen) + 1)}"

    return re.sub(r"\b[0-9a-f]{64}\b|(?<=@)[0-9a-f]{10}\b|(?<=: )[0-9a-f]{8}\b", number, text)


def told(project, *arguments):
    """What `status` prints, masked."""
    return masked(project, project.pivot("status", *arguments).out)


def test_edits_of_code_are_told_with_the_way_to_each_and_nothing_else(project):
    project.replace("lib/utils.py", "text[:3]", "text[:5]")
    project.replace("lib/utils.py", "EPS = 1", "EPS = 2")
    assert told(project, "--explain", "train") == (
        "Stage: train\n"
        "  Status: WILL RUN\n"
        "  Reason: Code dependency changed\n"
        "\n"
        "  Changes:\n"
        "    func:bound\n"
        "      Old: #1\n"
        "      New: #2\n"
        "      File: lib/utils.py:13\n"
        "      Via: train -> lib.features.build -> lib.utils.clip -> lib.utils.bound\n"
        "    const:EPS\n"
        "      Old: #3\n"
        "      New: #4\n"
        "      File: lib/utils.py:1\n"
        "      Via: train -> lib.features.build -> lib.utils.normalize -> lib.utils.EPS\n"
    )


def test_diff_shows_old_and_new_source_of_each_symbol(project):
    project.replace("lib/utils.py", "text[:3]", "text[:5]")
    project.replace("lib/utils.py", "EPS = 1", "# More.\nEPS = 2")
    assert told(project, "--diff", "train") == (
        "Stage: train\n"
        "  Status: WILL RUN\n"
        "  Reason: Code dependency changed\n"
        "\n"
        "  Changes:\n"
        "    func:bound\n"
        "      Old: #1\n"
        "      New: #2\n"
        "      File: lib/utils.py:14\n"
        "      Via: train -> lib.features.build -> lib.utils.clip -> lib.utils.bound\n"
        "      --- lib/utils.py@<Run>\n"
        "      +++ lib/utils.py\n"
        "      @@ -13,2 +14,2 @@\n"
        "       def bound(text):\n"
        "      -    return text[:3]\n"
        "      +    return text[:5]\n"
        "    const:EPS\n"
        "      Old: #3\n"
        "      New: #4\n"
        "      File: lib/utils.py:2\n"
        "      Via: train -> lib.features.build -> lib.utils.normalize -> lib.utils.EPS\n"
        "      --- lib/utils.py@<Run>\n"
        "      +++ lib/utils.py\n"
        "      @@ -1 +2 @@\n"
        "      -EPS = 1\n"
        "      +EPS = 2\n"
    )


def test_symbols_that_are_gone_and_new_ones_are_told_with_their_place(project):
    text = project.read("lib/utils.py")
    project.write(
        "lib/utils.py", text[: text.index("def clip")] + "def clip(text):\n    return cut(text)\n"
    )
    with (project.path / "lib/utils.py").open("a") as f:
        f.write("\n\ndef cut(text):\n    return text[:3]\n")
    out = told(project, "--diff", "train")
    assert out.endswith(
        "    func:cut\n"
        "      Old: (absent)\n"
        "      New: #3\n"
        "      File: lib/utils.py:13\n"
        "      Via: ... -> lib.utils.clip -> lib.utils.cut\n"
        "      --- lib/utils.py@<Run>\n"
        "      +++ lib/utils.py\n"
        "      @@ -0,0 +13,2 @@\n"
        "      +def cut(text):\n"
        "      +    return text[:3]\n"
        "      Note: it is what lib.utils.bound was\n"
        "    func:bound\n"
        "      Old: #3\n"
        "      New: (absent)\n"
        "      Was: lib/utils.py:13 in <Run>\n"
        "      --- lib/utils.py@<Run>\n"
        "      +++ lib/utils.py\n"
        "      @@ -13,2 +0,0 @@\n"
        "      -def bound(text):\n"
        "      -    return text[:3]\n"
    )
    assert "    code:bound\n      Old: #3\n      New: (absent)\n" in told(
        project, "--explain", "train"
    )


def test_symbols_that_only_are_not_reached_any_more_are_not_told_as_removed(project):
    project.replace("lib/features.py", "clip(normalize(text))", "normalize(text)")
    out = told(project, "--diff", "train")
    assert out.endswith(
        "    func:clip\n"
        "      Old: #4\n"
        "      New: (absent)\n"
        "      Was: lib/utils.py:9 in <Run>\n"
        "      Note: it is still there, but the stage doesn't reach it any more\n"
    )
    project.pivot("repro")
    project.commit_all("Without clip")
    project.replace("lib/features.py", "normalize(text)", "clip(normalize(text))")
    assert (
        "      Via: train -> lib.features.build -> lib.utils.clip\n"
        "      Note: it was there before, but the stage didn't reach it\n"
    ) in told(project, "--diff", "train")


def test_name_that_stands_for_something_else_shows_the_imports(project):
    project.write("lib/other.py", "def clip(text):\n    return text\n")
    project.write(
        "lib/features.py",
        """
        from lib.other import clip
        from lib.utils import normalize


        def build(text, depth):
            return clip(normalize(text)) * depth
        """,
    )
    assert (
        "      Via: train -> lib.features.build\n"
        "      --- lib/features.py@<Run>\n"
        "      +++ lib/features.py\n"
        "      @@ -1 +1,2 @@\n"
        "      -from lib.utils import clip, normalize\n"
        "      +from lib.other import clip\n"
        "      +from lib.utils import normalize\n"
    ) in told(project, "--diff", "train")


def test_file_that_is_read_at_import_is_named_and_compared(project):
    project.write("conf.json", '{"eps": 1}')
    text = "import json\nimport pathlib\n\nHERE = pathlib.Path(__file__).parent\n"
    text += 'EPS = json.loads((HERE.parent / "conf.json").read_text())["eps"]'
    project.replace("lib/utils.py", "EPS = 1", text)
    project.pivot("repro")
    project.git("add", "--all")
    project.git("-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "--quiet", "-m", "Read")
    project.write("conf.json", '{"eps": 2}')
    out = project.pivot("status", "--diff", "train").out
    assert "    const:EPS\n" in out
    assert "      Reads: conf.json\n" in out
    assert '      -{"eps": 1}\n      +{"eps": 2}\n' in out
    assert "Note: conf.json, which it reads when it is imported, changed" in out
    assert "stands for something else" not in out
    (told,) = project.pivot("fingerprint", "train", "--json").lines
    conforms(told, "fingerprint")
    (row,) = [row for row in told["code"] if row["symbol"] == "lib.utils:EPS"]
    assert [read["path"] for read in row["reads"]] == ["conf.json"]


def test_effects_of_a_module_are_compared_as_well(project):
    project.write("lib/__init__.py", "import os\nos.environ.setdefault('A', '1')\n")
    project.pivot("repro")
    project.commit_all("With effects")
    project.replace("lib/__init__.py", "'1'", "'2'")
    assert told(project, "--diff", "train") == (
        "Stage: train\n"
        "  Status: WILL RUN\n"
        "  Reason: Code dependency changed\n"
        "\n"
        "  Changes:\n"
        "    effects:lib\n"
        "      Old: #1\n"
        "      New: #2\n"
        "      File: lib/__init__.py:2\n"
        "      Via: train -> lib.<effects>\n"
        "      --- lib/__init__.py@<With effects>\n"
        "      +++ lib/__init__.py\n"
        "      @@ -2 +2 @@\n"
        "      -os.environ.setdefault('A', '1')\n"
        "      +os.environ.setdefault('A', '2')\n"
    )


def test_parameters_packages_and_files_are_told_without_git(project):
    project.write("params.yaml", "train:\n  depth: 5\n")
    project.pivot("config", "set", "fingerprint.python", "ignore")
    project.write("raw.csv", "a,b\n1,3\n")
    python = ".".join(map(str, sys.version_info[:2]))
    assert told(project, "--explain", "train") == (
        "Stage: train\n"
        "  Status: WILL RUN\n"
        "  Reason: Package version changed\n"
        "\n"
        "  Changes:\n"
        "    package:python\n"
        f"      Old: {python}\n"
        "      New: (absent)\n"
        "      Note: the configuration says to ignore it\n"
        "    param:depth\n"
        "      Old: 4\n"
        "      New: 5\n"
        "    dep:raw.csv\n"
        "      Old: #1\n"
        "      New: #2\n"
    )


def test_diff_of_a_file_has_its_old_bytes_from_git_and_is_proven_by_its_id(project):
    project.write("raw.csv", "a,b\n1,3\n")
    (old,) = re.findall(
        r'"raw.csv", "type": "f", "id": "([0-9a-f]{10})', project.lock("train").read_text()
    )
    assert project.pivot("status", "--diff", "train").out.endswith(
        f"      --- raw.csv@{old}\n"
        "      +++ raw.csv\n"
        "      @@ -1,2 +1,2 @@\n"
        "       a,b\n"
        "      -1,2\n"
        "      +1,3\n"
    )


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (b"\0\1", "no diff: it isn't text"),
        (b"\xff", "no diff: it isn't text"),
        (b"x" * 100_001, "no diff: it is larger than 100,000 bytes"),
        (b"a,b\n1,2", "only the end of its last line, or its mode, differs"),
    ],
)
def test_files_without_a_diff_say_why(project, data, note):
    project.write("raw.csv", data)
    assert project.pivot("status", "--diff", "train").out.endswith(f"      Note: {note}\n")


def test_directory_in_git_tells_which_files_differ(project):
    project.write("texts/one", "one\n")
    (project.path / "texts/two").unlink()
    project.write("texts/inner/three", "3\n")
    assert told(project, "--diff", "train") == (
        "Stage: train\n"
        "  Status: WILL RUN\n"
        "  Reason: Input dependency changed\n"
        "\n"
        "  Changes:\n"
        "    dep:texts\n"
        "      Old: #1\n"
        "      New: #2\n"
        "      Files: 1 added, 1 changed, 1 removed\n"
        "        A inner/three\n"
        "        M one\n"
        "        D two\n"
        "      --- texts/one@#3\n"
        "      +++ texts/one\n"
        "      @@ -1 +1 @@\n"
        "      -1\n"
        "      +one\n"
    )


def test_tracked_directory_tells_which_files_differ_without_git(empty):
    empty.write_all({"data/a": "1\n", "data/b": "2\n"})
    empty.write(
        "pipeline.py",
        """
        from pivot import stage

        @stage(deps=["data"], outs=["out"])
        def use():
            open("out", "w").close()
        """,
    )
    empty.pivot("track", "data")
    empty.pivot("repro")
    empty.write("data/b", "3\n")
    empty.write("data/c", "4\n")
    explained = told(empty, "--explain", "use")
    assert explained.partition("\n\nuse")[0].startswith(
        "Stage: use\n"
        "  Status: WILL RUN\n"
        "  Reason: Input dependency changed\n"
        "\n"
        "  Changes:\n"
        "    dep:data\n"
        "      Old: #1\n"
        "      New: #2\n"
        "      Files: 1 added, 1 changed\n"
        "        A c\n"
        "        M b\n"
    )
    assert "      -2\n      +3\n" in told(empty, "--diff", "use")


def test_each_stage_has_its_own_account_and_waiting_ones_name_whom_for(project):
    project.replace("lib/utils.py", "EPS = 1", "EPS = 2")
    assert told(project, "--explain").partition("Stage: report")[2] == (
        "\n"
        "  Status: WAITS\n"
        "  Reason: Upstream stage will change\n"
        "\n"
        "  Changes:\n"
        "    upstream:train\n"
        "\n"
        "2 stages: 1 will run, 1 waiting\n"
    )


def test_lock_that_is_not_committed_has_no_source_to_compare_with(project):
    project.replace("lib/utils.py", "EPS = 1", "EPS = 2")
    project.pivot("repro")
    project.replace("lib/utils.py", "EPS = 2", "EPS = 3")
    note = "      Note: the lock isn't committed: no source to compare with\n"
    assert told(project, "--diff", "train").endswith(note)
    (value,) = project.pivot("status", "--diff", "--json", "train").lines
    conforms(value, "status")
    (reason,) = value["stages"][0]["reasons"]
    assert (reason["diff"], reason["notes"]) == (
        None, ["the lock isn't committed: no source to compare with"]
    )  # fmt: skip


def test_source_that_is_committed_is_found_by_its_hash_though_the_lock_is_not(project):
    project.replace("lib/utils.py", "EPS = 1", "EPS = 2")
    project.commit_all("Edit")
    project.pivot("repro")
    project.replace("lib/utils.py", "EPS = 2", "EPS = 3")
    assert told(project, "--diff", "train").endswith(
        "      --- lib/utils.py@<Edit>\n"
        "      +++ lib/utils.py\n"
        "      @@ -1 +1 @@\n"
        "      -EPS = 2\n"
        "      +EPS = 3\n"
    )


def test_source_that_was_committed_after_its_lock_is_found(project):
    project.replace("lib/utils.py", "EPS = 1", "EPS = 2")
    project.pivot("repro", "--commit", "-m", "Lock alone")
    project.commit_all("Code after it")
    project.replace("lib/utils.py", "EPS = 2", "EPS = 3")
    project.commit_all("And more")
    assert told(project, "--diff", "train").endswith(
        "      --- lib/utils.py@<Code after it>\n"
        "      +++ lib/utils.py\n"
        "      @@ -1 +1 @@\n"
        "      -EPS = 2\n"
        "      +EPS = 3\n"
    )


def test_source_that_was_never_committed_is_said_to_be_other_code(project):
    project.replace("lib/utils.py", "EPS = 1", "EPS = 2")
    project.pivot("repro")
    project.replace("lib/utils.py", "EPS = 2", "EPS = 3")
    project.commit_all("Too late")
    assert told(project, "--diff", "train").endswith(
        "      Note: commit <Too late> has the lock, but the code that is here now\n"
    )
    project.replace("lib/utils.py", "EPS = 3", "EPS = 4")
    assert told(project, "--diff", "train").endswith(
        "      -EPS = 3\n"
        "      +EPS = 4\n"
        "      Note: commit <Too late> has the lock, but other code than it was made of\n"
    )


def test_lock_that_came_through_a_merge_leads_to_the_side_that_made_it(project):
    project.git("checkout", "--quiet", "-b", "side")
    project.replace("lib/utils.py", "EPS = 1", "EPS = 2")
    project.pivot("repro")
    project.commit_all("Side")
    project.git("checkout", "--quiet", "main")
    project.write("notes.txt", "x")
    project.commit_all("Main")
    project.git("merge", "--quiet", "-m", "Merge", "side")
    project.replace("lib/utils.py", "EPS = 2", "EPS = 3")
    assert "--- lib/utils.py@<Side>\n" in told(project, "--diff", "train")


def test_detached_head_is_where_history_begins(project):
    project.replace("lib/utils.py", "EPS = 1", "EPS = 2")
    project.pivot("repro")
    project.commit_all("Second")
    project.git("checkout", "--quiet", "--detach", "HEAD~1")
    project.replace("lib/utils.py", "EPS = 1", "EPS = 7")
    assert told(project, "--diff", "train").endswith(
        "      --- lib/utils.py@<Run>\n"
        "      +++ lib/utils.py\n"
        "      @@ -1 +1 @@\n"
        "      -EPS = 1\n"
        "      +EPS = 7\n"
    )


def test_without_commits_or_a_repository_the_rest_is_told(empty):
    empty.write_all(SOURCES)
    empty.pivot("repro")
    empty.replace("lib/utils.py", "EPS = 1", "EPS = 2")
    start = told(empty, "--explain", "train")
    note = "      Note: the lock isn't committed: no source to compare with\n"
    assert empty.pivot("status", "--diff", "train").out == start_of(empty, "train") + note
    assert start.startswith("Stage: train\n  Status: WILL RUN\n")
    subprocess.run(["rm", "-r", ".git"], cwd=empty.path, check=True)
    note = "      Note: the project is in no Git repository: no source to compare with\n"
    assert empty.pivot("status", "--diff", "train").out == start_of(empty, "train") + note


def start_of(project, stage):
    return project.pivot("status", "--explain", stage).out


def test_source_that_git_has_lost_takes_away_nothing_but_the_diff(project):
    blob = project.git("rev-parse", "HEAD:lib/utils.py").strip()
    project.replace("lib/utils.py", "EPS = 1", "EPS = 2")
    before = told(project, "--explain", "train")
    (project.path / ".git/objects" / blob[:2] / blob[2:]).unlink()
    note = "      Note: no diff: lib/utils.py can't be read from Git\n"
    assert told(project, "--diff", "train") == before + note


def test_renamed_stage_was_never_run_and_is_restored(empty):
    empty.write_all(SOURCES)
    empty.pivot("repro")
    empty.replace("pipeline.py", 'outs=["model.txt"]', 'outs=["model.txt"], name="fit"')
    assert told(empty, "--diff", "fit") == (
        "Stage: fit\n  Status: WILL RESTORE\n  Reason: Never run\n"
    )


def test_project_below_the_root_of_its_repository_is_compared_as_well(project, tmp_path):
    outer = tmp_path / "outer"
    outer.mkdir()
    project.path.rename(outer / "inner")
    project.path = outer / "inner"
    (outer / "inner/.git").rename(outer / ".git")
    project.commit_all("Moved")
    project.replace("lib/utils.py", "EPS = 1", "EPS = 2")
    project.write("texts/one", "one\n")
    out = told(project, "--diff", "train")
    assert "--- lib/utils.py@<Moved>\n" in out
    assert "Files: 1 changed\n        M one\n" in out


def test_json_has_the_whole_chain_places_and_diff(project):
    project.replace("lib/utils.py", "text[:3]", "text[:5]")
    (plain,) = project.pivot("status", "--json", "train").lines
    (value,) = project.pivot("status", "--diff", "--json", "train").lines
    for each in (plain, value):
        conforms(each, "status")
    (reason,) = value["stages"][0]["reasons"]
    assert json.loads(masked(project, json.dumps(reason))) == {
        "kind": "code",
        "what": "lib.utils:bound",
        "old": "#1",
        "new": "#2",
        "file": "lib/utils.py",
        "line": 13,
        "chain": ["pipeline:train", "lib.features:build", "lib.utils:clip", "lib.utils:bound"],
        "reads": [],
        "files": None,
        "former": None,
        "diff": "--- lib/utils.py@<Run>\n+++ lib/utils.py\n@@ -13,2 +13,2 @@\n"
        " def bound(text):\n-    return text[:3]\n+    return text[:5]\n",
        "notes": [],
    }
    assert plain["stages"][0]["reasons"] == [{**reason, "diff": None}]


def test_json_says_where_a_symbol_that_is_gone_stood(project):
    project.replace("lib/utils.py", "return bound(text)", "return text")
    (value,) = project.pivot("status", "--diff", "--json", "train").lines
    conforms(value, "status")
    gone = next(r for r in value["stages"][0]["reasons"] if r["what"] == "lib.utils:bound")
    assert gone["former"] == {
        "commit": project.git("rev-parse", "HEAD").strip(),
        "file": "lib/utils.py",
        "line": 13,
        "kind": "func",
        "chain": ["pipeline:train", "lib.features:build", "lib.utils:clip", "lib.utils:bound"],
    }


def on_terminal(project, *arguments, **env):
    """What a command writes to a terminal of 60 columns."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, **project.environment, "COLUMNS": "60", **env}
    with subprocess.Popen(
        [PIVOT, *arguments], cwd=project.path, env=environment, stdout=theirs,
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # how Linux tells that the other end was closed
                break
            if not part:
                break
            parts.append(part)
        _, err = process.communicate()
    os.close(ours)
    assert process.returncode == 0, err
    return b"".join(parts).decode().replace("\r\n", "\n")


def test_terminals_get_colours_and_short_chains_and_pipes_neither(project):
    project.replace("lib/utils.py", "text[:3]", "text[:5]")
    piped = project.pivot("status", "--diff", "train", env={"COLUMNS": "60"}).out
    assert "Via: train -> lib.features.build -> lib.utils.clip -> lib.utils.bound\n" in piped
    assert "\x1b" not in piped
    shown = on_terminal(project, "status", "--diff", "train")
    assert "      Via: train -> ... -> lib.utils.clip -> lib.utils.bound\n" in shown
    assert "\x1b[31m-    return text[:3]" in shown
    assert "\x1b[32m+    return text[:5]" in shown
    plain = on_terminal(project, "status", "--diff", "train", NO_COLOR="1")
    assert "\x1b" not in plain
    assert "      +    return text[:5]\n" in plain


def test_nothing_is_run_or_written_by_explaining(project):
    project.replace("pipeline.py", "from pivot import stage", "from pivot import stage  # x")
    project.pivot("status")
    project.replace("lib/utils.py", "EPS = 1", "EPS = 2")
    before = project.snapshot()
    project.git("update-index", "--refresh", check=False)
    project.pivot("status", "--diff")
    project.pivot("fingerprint", "train")
    assert project.snapshot() == before


HATCHES = """
    def log(text):  # pivot: ignore
        print(text)

    @stage(outs=["out.txt"], extra_code=["sql"], version=2)
    def train():
        log(os.environ.get("MODE"))
        plugin = __import__("".join(["plug", "in"]))
        with open("extra.txt") as f, open("out.txt", "w") as out:
            out.write(f.read() + plugin.run())
"""


@pytest.fixture
def hatched(stages):
    """A stage that names what can't be seen, and was seen to use more; committed as `Run`."""
    project = stages(HATCHES)
    project.write_all(
        {
            "sql/query.sql": "select 1\n",
            "plugin.py": 'def run():\n    return "1"\n',
            "extra.txt": "hi\n",
        }
    )
    project.pivot("repro", env={"MODE": "a"})
    project.commit_all("Run")
    return project


def test_named_files_and_what_was_observed_are_compared_as_well(hatched):
    hatched.replace("sql/query.sql", "1", "2")
    hatched.replace("plugin.py", '"1"', '"2"')
    hatched.write("extra.txt", "ho\n")
    hatched.replace("pipeline.py", "version=2", "version=3")
    assert told(hatched, "--diff") == (
        "Stage: train\n"
        "  Status: WILL RUN\n"
        "  Reason: Code dependency changed\n"
        "\n"
        "  Changes:\n"
        "    file:sql/query.sql\n"
        "      Old: #1\n"
        "      New: #2\n"
        "      --- sql/query.sql@#1\n"
        "      +++ sql/query.sql\n"
        "      @@ -1 +1 @@\n"
        "      -select 1\n"
        "      +select 2\n"
        "    declaration:version\n"
        "      Old: 2\n"
        "      New: 3\n"
        "    observed:code:plugin:<module>\n"
        "      Old: #3\n"
        "      New: #4\n"
        "      --- plugin.py@<Run>\n"
        "      +++ plugin.py\n"
        "      @@ -1,2 +1,2 @@\n"
        "       def run():\n"
        '      -    return "1"\n'
        '      +    return "2"\n'
        "    observed:env:MODE\n"
        "      Old: #5\n"
        "      New: (absent)\n"
        "    observed:file:extra.txt\n"
        "      Old: #6\n"
        "      New: #7\n"
        "      --- extra.txt@#6\n"
        "      +++ extra.txt\n"
        "      @@ -1 +1 @@\n"
        "      -hi\n"
        "      +ho\n"
    )


def test_fingerprint_shows_what_is_named_ignored_and_observed(hatched):
    out = re.sub(r"\b[0-9a-f]{8}\b", "HASHHASH", hatched.pivot("fingerprint", "train").out)
    line = hatched.read("pipeline.py").splitlines().index("def train():") + 1
    assert (
        "  Code:\n"
        f"    func:train          HASHHASH  pipeline.py:{line}\n"
        f"      func:log          ignored   pipeline.py:{line - 4}\n"
        "    file:sql/query.sql  HASHHASH\n"
    ) in out
    assert "  Also declared:\n    version  2\n" in out
    assert (
        "  Observed by the last run, not part of the key:\n"
        "    code:plugin:<module>  HASHHASH\n"
        "    env:MODE              HASHHASH\n"
        "    file:extra.txt        HASHHASH\n"
    ) in out
    (value,) = hatched.pivot("fingerprint", "train", "--json").lines
    conforms(value, "fingerprint")
    assert value["more"] == {"version": 2}
    assert set(value["observed"]["files"]) == {"extra.txt"}


# -- fingerprint --------------------------------------------------------------------------------


def test_fingerprint_shows_all_that_the_key_is_made_of(project):
    key = re.search(r'"key": "([0-9a-f]{64})"', project.lock("train").read_text())[1]
    done = project.pivot("fingerprint", "train")
    text = re.sub(r"(?<= )[0-9a-f]{8}(?= |$)", "HASH", done.out, flags=re.MULTILINE)
    pydantic = project.pivot("fingerprint", "train", "--json").lines[0]["packages"]["pydantic"]
    python = ".".join(map(str, sys.version_info[:2]))
    assert text == (
        "Stage: train\n"
        f"  Key: {key}\n"
        "  Scheme: 1\n"
        "\n"
        "  Code:\n"
        "    func:train          HASH  pipeline.py:12\n"
        "      func:build        HASH  lib/features.py:4\n"
        "        func:normalize  HASH  lib/utils.py:4\n"
        "          const:EPS     HASH  lib/utils.py:1\n"
        "        func:clip       HASH  lib/utils.py:9\n"
        "          func:bound    HASH  lib/utils.py:13\n"
        "      class:Params      HASH  pipeline.py:7\n"
        "\n"
        "  Packages:\n"
        f"    pydantic  {pydantic}\n"
        f"    python    {python}\n"
        "\n"
        "  Params:\n"
        "    depth  4\n"
        "\n"
        "  Deps:\n"
        "    raw.csv  HASH\n"
        "    texts    HASH\n"
        "\n"
        "  Outs:\n"
        "    model.txt  out\n"
    )


def test_fingerprint_lists_what_cannot_be_followed(project):
    project.replace("lib/features.py", "* depth", "* depth + getattr(utils, text, '')")
    project.replace("lib/features.py", "from lib.utils", "from lib import utils\nfrom lib.utils")
    out = project.pivot("fingerprint", "train").out
    assert "\n  Not followed:\n    lib/features.py:6  " in out
    (value,) = project.pivot("fingerprint", "train", "--json").lines
    conforms(value, "fingerprint")
    assert {(o["file"], o["line"]) for o in value["opaque"]} == {("lib/features.py", 6)}


def test_json_of_a_fingerprint_has_whole_hashes_and_the_key_of_the_lock(project):
    (value,) = project.pivot("fingerprint", "train", "--json").lines
    conforms(value, "fingerprint")
    lock = json.loads(project.lock("train").read_text())
    assert (value["root"], value["key"]) == (lock["root"], lock["key"])
    assert {row["symbol"]: row["hash"] for row in value["code"]} == lock["code"]
    assert {row["symbol"]: row["via"] for row in value["code"]}["lib.utils:bound"] == (
        "lib.utils:clip"
    )
    assert value["modules"] == ["lib", "lib.features", "lib.utils", "pipeline"]


def test_key_is_not_known_before_upstream_stages_have_run(project):
    project.replace("lib/utils.py", "EPS = 1", "EPS = 2")
    out = project.pivot("fingerprint", "report").out
    assert "  Key: not known before the stages that it reads from have run\n" in out
    assert "    model.txt  not known\n" in out
    (value,) = project.pivot("fingerprint", "report", "--json").lines
    conforms(value, "fingerprint")
    assert (value["key"], value["deps"]) == (None, [{"path": "model.txt", "id": None}])
    (project.path / "raw.csv").unlink()
    out = project.pivot("fingerprint", "train").out
    assert "  Key: not known while raw.csv is missing\n" in out


@pytest.mark.parametrize("name", ["bound", "lib.utils:bound", "lib.utils.bound"])
def test_why_shows_only_the_way_to_a_symbol(project, name):
    out = project.pivot("fingerprint", "train", "--why", name).out
    assert re.sub(r"\b[0-9a-f]{8}\b", "HASH", out) == (
        "func:train        HASH  pipeline.py:12\n"
        "  func:build      HASH  lib/features.py:4\n"
        "    func:clip     HASH  lib/utils.py:9\n"
        "      func:bound  HASH  lib/utils.py:13\n"
    )


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (["trian"], "there is no stage 'trian'", "Did you mean 'train'?"),
        ([], "Missing argument 'STAGE'.", "See `pivot fingerprint --help`"),
        (
            ["train", "--why", "bond"],
            "stage train reaches no symbol or package 'bond'",
            "mean 'bound'?",
        ),
        (
            ["train", "--why", "@"],
            "stage train reaches no symbol or package '@'",
            "`pivot fingerprint train`",
        ),
    ],
)
def test_names_that_are_none_are_answered_with_what_is_near(project, arguments, error, hint):
    done = project.pivot("fingerprint", *arguments, code=2)
    first, second = done.err.splitlines()
    assert first == f"error: {error}"
    assert hint in second
    assert done.out == ""
