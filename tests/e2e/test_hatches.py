"""Telling Pivot more about code than it can see, or less than it sees."""

import json

import pytest

from pivot.hashing import hash_bytes
from pivot.lock.lock import decode

USES = """
@stage(outs=["o"], extra_code=[{}])
def make():
    mark("make")
    open("o", "w").write("o")
"""


def lock(project, stage="make"):
    return decode(project.lock(stage).read_bytes(), stage)


@pytest.fixture
def using(stages):
    """A stage with these entries of `extra_code`, which ran."""

    def make(entries, **files):
        project = stages(USES.format(entries))
        for name, text in files.items():
            project.write(name.replace("__", "/").replace("_", "."), text)
        project.pivot("repro")
        assert project.ran() == ["make"]
        return project

    return make


def reasons(project):
    value = json.loads(project.pivot("status", "--json").out)
    return [(r["kind"], r["what"]) for s in value["stages"] for r in s["reasons"]]


def test_a_file_counts_byte_by_byte(using):
    project = using('"q.sql"', q_sql="select 1")
    assert lock(project).extra == ("./q.sql",)
    assert lock(project).declared.code["./q.sql"] == hash_bytes(b"select 1").hex()
    assert project.pivot("repro").statuses == {"make": "unchanged"}
    project.write("q.sql", "select 2")
    assert reasons(project) == [("code", "./q.sql")]
    assert "q.sql" in project.pivot("status", "--explain").out
    assert project.pivot("repro").statuses == {"make": "ran"}
    project.write("q.sql", "select 1")
    assert project.pivot("repro").statuses == {"make": "restored"}


def test_a_folder_counts_with_all_files_but_hidden_ones_and_caches(using):
    project = using('"sql/"', sql__a_sql="a", sql__deep__b_sql="b")
    project.write("sql/.hidden", "1")
    project.write("sql/__pycache__/x.pyc", "1")
    assert reasons(project) == []
    assert sorted(e for e in lock(project).declared.code if e[0] == ".") == [
        "./sql/a.sql",
        "./sql/deep/b.sql",
    ]
    project.write("sql/deep/c.sql", "c")
    (project.path / "sql/a.sql").unlink()
    assert reasons(project) == [("code", "./sql/a.sql"), ("code", "./sql/deep/c.sql")]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.sql", ["t.sql"]),
        ("d/*.sql", ["d/a.sql"]),
        ("**/*.sql", ["d/a.sql", "d/e/b.sql", "t.sql"]),
    ],
)
def test_a_pattern_counts_with_what_it_matches(using, pattern, found):
    files = {"t_sql": "t", "d__a_sql": "a", "d__e__b_sql": "b", "d__n_txt": "n"}
    project = using(repr(pattern), **files)
    assert sorted(e for e in lock(project).declared.code if e[0] == ".") == [
        f"./{path}" for path in found
    ]


def test_a_symbol_counts_with_all_that_it_leads_to(using):
    plugin = "from h import factor\ndef run(x):\n    return x * factor()\ndef other(): return 0"
    project = using('"p:run"', p_py=plugin, h_py="def factor():\n    return 2")
    assert {"p:run", "h:factor"} <= lock(project).declared.code.keys()
    assert "p:other" not in lock(project).declared.code
    project.replace("p.py", "return 0", "return 1")
    assert reasons(project) == []
    project.replace("h.py", "return 2", "return 3")
    assert reasons(project) == [("code", "h:factor")]


def test_functions_classes_and_modules_can_be_given_themselves(stages):
    project = stages("""
        import p, q

        @stage(outs=["a"], extra_code=[p.run, p.Kind])
        def a():
            open("a", "w").close()

        @stage(outs=["b"], extra_code=[q])
        def b():
            open("b", "w").close()
    """)
    project.write("p.py", "def run(): ...\nclass Kind: ...\ndef other(): ...\n")
    project.write("q.py", "K = 1\ndef f(): ...\n")
    project.pivot("repro")
    assert lock(project, "a").extra == ("p:Kind", "p:run")
    assert lock(project, "a").declared.code.keys() == {"pipeline:a", "p:Kind", "p:run"}
    assert lock(project, "b").extra == ("q:<module>",)
    assert lock(project, "b").declared.code.keys() == {"pipeline:b", "q:K", "q:f"}


def test_two_stages_of_one_function_each_have_their_own(stages):
    project = stages("""
        def work():
            pass

        for name in ("one", "two"):
            stage(name=name, extra_code=[f"p:{name}"])(work)
    """)
    project.write("p.py", "def one():\n    return 1\ndef two():\n    return 2\n")
    project.pivot("repro")
    project.replace("p.py", "return 2", "return 3")
    assert project.pivot("repro").statuses == {"one": "unchanged", "two": "ran"}


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("q.sqll", "extra_code of stage 'make' can't be used: there is no file or folder 'q.sqll'"),
        ("no/*.sql", "extra_code of stage 'make' can't be used: no file matches 'no/*.sql'"),
        ("probe", 'If you mean the module, write "probe:<module>"'),
        ("no_such:thing", "extra_code 'no_such:thing' of pipeline:make can't be used"),
        ("probe:markk", 'Did you mean "probe:mark"?'),
        ("../q.sql", "it leaves the project"),
        (".", "extra_code can't be the whole project"),
        ("o", "o is an out of make"),
        ("*", "o is an out of make"),
    ],
)
def test_what_is_named_in_vain_is_told(stages, entry, why):
    project = stages(USES.format(repr(entry)))
    project.write("q.sql", "")
    told = project.pivot("repro", code=2).err
    assert why in told
    assert "hint: " in told


def test_a_file_that_goes_away_is_told(using):
    project = using('"q.sql"', q_sql="1")
    (project.path / "q.sql").unlink()
    assert "no file or folder 'q.sql'" in project.pivot("repro", code=2).err


def test_a_file_that_changes_while_the_stage_runs_is_noticed(stages):
    project = stages("""
        @stage(outs=["o"], extra_code=["q.sql"])
        def make():
            open("o", "w").write(open("q.sql").read())
            mark("began")
            wait_for("go")
    """)
    project.write("q.sql", "1")
    process = project.start("repro")
    project.await_mark("began")
    project.write("q.sql", "22")
    project.mark("go")
    assert "code changed while it ran" in project.finish(process, 1).err
    assert not project.lock("make").exists()


def test_verify_and_commit_know_files_and_symbols_of_extra_code(using):
    project = using('"q.sql", "p:run"', q_sql="1", p_py="def run():\n    return 1\n")
    project.commit_all()
    project.pivot("verify")
    project.write("q.sql", "2")
    project.replace("p.py", "1", "2")
    told = project.pivot("verify", code=4).out
    assert "./q.sql" in told
    assert "p:run" in told
    project.pivot("repro")
    assert "sources that HEAD doesn't have: p.py, q.sql" in project.pivot("commit").err


def test_another_version_makes_the_stage_run(stages):
    project = stages('@stage(outs=["o"])\ndef make(): open("o", "w").close()')
    project.pivot("repro")
    plain = lock(project).key
    assert lock(project).declared.version is None
    for version, was in (("1", None), ("2", "1"), ('"2"', "2")):
        project.write(
            "pipeline.py",
            f'from pivot import stage\n@stage(outs=["o"], version={version})\n'
            'def make(): open("o", "w").close()',
        )
        (reason,) = json.loads(project.pivot("status", "--json").out)["stages"][0]["reasons"]
        assert (reason["kind"], reason["what"], reason["old"]) == ("declaration", "version", was)
        assert project.pivot("repro").statuses == {"make": "ran"}
    assert lock(project).declared.version == "2"
    project.write(
        "pipeline.py",
        'from pivot import stage\n@stage(outs=["o"])\ndef make(): open("o", "w").close()',
    )
    assert project.pivot("repro").statuses == {"make": "restored"}
    assert lock(project).key == plain


IGNORING = """
import lib

@stage(outs=["o"])
def make():
    mark("make")
    lib.log("made")
    open("o", "w").write("o")
"""


def test_what_is_ignored_stands_in_the_lock_and_changes_nothing(stages):
    project = stages(IGNORING)
    project.write("lib.py", "def log(text):  # pivot: ignore\n    print(text)\n")
    project.pivot("repro")
    assert lock(project).declared.code["lib:log"] == "ignored"
    project.replace("lib.py", "print(text)", "print(text, 1)")
    assert project.pivot("repro").statuses == {"make": "unchanged"}
    project.pivot("verify")
    project.replace("lib.py", "  # pivot: ignore", "")
    assert reasons(project) == [("code", "lib:log")]
    assert "Old: ignored" in project.pivot("status", "--explain").out


def test_doctor_names_comments_that_say_nothing(stages):
    project = stages(IGNORING)
    project.write(
        "lib.py",
        """
        def log(text):
            print(text)  # pivot: ignore


        def other():  # pivot: ingore
            pass
        """,
    )
    told = project.pivot("doctor").out
    assert "`# pivot: ignore` stands at no top-level definition: lib.py:2" in told
    assert "`# pivot: ingore` means nothing: lib.py:5" in told
    project.write("lib.py", "def log(text): ...  # pivot: ignore\n")
    assert "# pivot:" not in project.pivot("doctor").out


def test_what_only_ignored_code_runs_is_not_observed_either(stages):
    project = stages(IGNORING)
    project.write(
        "lib.py",
        """
        import importlib


        def log(text):  # pivot: ignore
            from far import deep

            deep(text)
            importlib.import_module("pl" + "ug").run()
        """,
    )
    project.write("far.py", "print('far')\n\n\ndef deep(text):\n    print(text)\n")
    project.write("plug.py", "def run():\n    print(1)\n")
    project.pivot("repro")
    assert "far:deep" not in lock(project).observed.code
    assert not [name for name in lock(project).observed.code if name.startswith("far")]
    project.replace("far.py", "print(text)", "print(text, 1)")
    assert reasons(project) == []


def test_files_of_extra_code_are_no_undeclared_reads(stages):
    project = stages("""
        @stage(outs=["o"], extra_code=["sql/*.sql"])
        def make():
            open("o", "w").write(open("sql/q.sql").read())
    """)
    project.write("sql/q.sql", "1")
    done = project.pivot("repro")
    assert "q.sql" not in done.err
    assert lock(project).observed.files == {}
