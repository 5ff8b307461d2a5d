"""Which of the things that a stage was seen to do count, and which should have been declared."""

import os
import time

import pytest

from pivot.hashing import hash_bytes
from pivot.lock.observed import names_hash, variable_hash
from pivot.paths import RepoPath
from pivot.run.observation import Observation, Stamp
from pivot.run.sifting import Beyond, Sifter
from pivot.run.use import ChangedMeanwhileError, UndeclaredError, Use
from pivot.state import State
from pivot.track.listings import Listings
from pivot.workspace import Workspace

ONE = RepoPath("data/one.csv")
OUT = RepoPath("data/made.csv")


@pytest.fixture
def place(tmp_path):
    (tmp_path / ".pivot").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / ONE).write_text("1")
    return tmp_path


@pytest.fixture
def sift(place):
    state = State.open(str(place / ".pivot/state.db"))
    workspace = Workspace(str(place), state)

    def run(*, beyond=None, environ=None, ignored=(), began_ns=None, outs=(), tracked=(), **seen):
        found = beyond or Beyond()
        listings = Listings(str(place), lambda: outs, lambda: tracked)
        sifter = Sifter(
            workspace, lambda symbol, observation: found, environ or {}, listings, ignored
        )
        return sifter.sift("m:f", Observation(began_ns or time.time_ns(), **seen))

    yield run
    state.close()


def stamp(place, path=ONE):
    return Stamp.of(str(place / path))


def test_a_file_that_was_read_counts_by_its_bytes_and_should_be_a_dep(sift, place):
    use = sift(reads={ONE: stamp(place)})
    assert use.observed.files == {ONE: str(hash_bytes(b"1"))}
    assert (use.reads, use.writes) == ((ONE,), ())


def test_a_file_that_was_looked_for_in_vain_counts_as_absent_and_needs_no_dep(sift):
    use = sift(reads={"absent": None})
    assert use.observed.files == {"absent": None}
    assert not use


def test_a_file_that_changed_since_it_was_opened_is_not_vouched_for(sift, place):
    before = stamp(place)
    (place / ONE).write_text("22")
    with pytest.raises(ChangedMeanwhileError, match=r"data/one\.csv changed"):
        sift(reads={ONE: before})


def test_a_file_that_came_to_be_after_it_was_looked_for_is_not_vouched_for(sift):
    with pytest.raises(ChangedMeanwhileError):
        sift(reads={ONE: None})


def test_what_a_started_process_may_have_changed_is_left_out(sift, place):
    before = stamp(place)
    (place / ONE).write_text("22")
    assert sift(reads={ONE: before}, processes=True).observed.files == {}


def test_what_a_started_process_may_have_made_is_left_out(sift, place):
    began = time.time_ns()
    os.utime(place / ONE, ns=(began, began))
    assert sift(reads={ONE: stamp(place)}, processes=True, began_ns=began).reads == ()
    assert sift(reads={ONE: stamp(place)}, began_ns=began).reads == (ONE,)


def test_the_state_that_a_stage_keeps_for_itself_is_named_and_does_not_count(sift, place):
    use = sift(reads={ONE: stamp(place)}, writes=(ONE,))
    assert (use.reads, use.writes, use.observed.files) == ((ONE,), (ONE,), {})


def test_written_files_are_named_if_they_are_still_there(sift):
    assert sift(writes=("gone.txt", ONE)).writes == (ONE,)


def test_names_that_no_lock_can_hold_are_left_out(sift):
    assert not sift(reads={"a\nb": None, "u\u0308": None}, writes=("c\nd",)).observed.files


def names(*found):
    return names_hash(found)


def test_a_folder_that_was_listed_counts_by_its_names_and_should_be_a_dep(sift):
    use = sift(listings={"data": ("one.csv", ".hidden")})
    assert use.observed.folders == {RepoPath("data"): names("one.csv")}
    assert (use.reads, use.listed) == ((), (RepoPath("data"),))
    assert use


def test_results_of_stages_are_no_names_of_a_folder(sift):
    use = sift(listings={"data": ("one.csv", "made.csv"), "absent": None}, outs=(ONE, OUT))
    assert use.observed.folders == {RepoPath("data"): names(), RepoPath("absent"): None}
    assert not use


def test_names_count_as_they_were_listed(sift, place):
    (place / "data/later.csv").touch()
    assert sift(listings={"data": ("one.csv",)}).observed.folders == {
        RepoPath("data"): names("one.csv")
    }


def test_what_the_stage_wrote_or_removed_counts_as_it_is_now(sift, place):
    (place / "data/left.csv").touch()
    use = sift(
        listings={"data": ("one.csv", "gone.csv", "old.csv")},
        writes=("data/left.csv", "data/gone.csv"),
        changes=("data/old.csv", "data/made"),
    )
    assert use.observed.folders == {RepoPath("data"): names("left.csv", "one.csv")}


@pytest.mark.parametrize("changed", ["data", "data/made"])
def test_folders_that_the_stage_made_are_its_own_state(sift, changed):
    use = sift(listings={"data/made": ("x",)}, changes=(changed,))
    assert not use
    assert use.observed.folders == {}


def test_names_that_a_started_process_may_have_made_are_left_out(sift, place):
    (place / "data/later.csv").touch()
    assert sift(listings={"data": ("one.csv",)}, processes=True).observed.folders == {}
    found = sift(listings={"data": ("one.csv", "later.csv")}, processes=True).observed.folders
    assert found == {RepoPath("data"): names("one.csv", "later.csv")}


@pytest.mark.parametrize("found", [("__init__.py", "deep"), ("a.py", "b.py")])
def test_folders_of_sources_count_and_need_no_dep(sift, found):
    use = sift(listings={"lib": found})
    assert use.observed.folders == {RepoPath("lib"): names(*found)}
    assert not use


def test_the_project_itself_is_a_folder_and_no_dep(sift):
    use = sift(listings={".": ("data", "notes.txt")})
    assert use.observed.folders == {RepoPath.ROOT: names("data", "notes.txt")}
    ((message, hint),) = use.undeclared(RepoPath.ROOT)
    assert message == "listed ./, which is not among its deps"
    assert hint == "Declare the files that it takes from there"


def test_packages_of_code_that_only_ran_count_by_their_versions(sift):
    use = sift(beyond=Beyond(packages={"pyyaml": "6.0"}))
    assert use.observed.packages == {"pyyaml": "6.0"}
    assert not use


def test_code_counts_unless_the_stage_wrote_it_itself(sift, place):
    (place / "made.py").write_text("")
    began = time.time_ns() + 10**9
    places = {"made:f": RepoPath("made.py")}
    beyond = Beyond({"made:f": "1"}, places, {RepoPath("made.py")})
    assert sift(beyond=beyond, began_ns=began).observed.code == {"made:f": "1"}
    assert sift(beyond=beyond, began_ns=began, writes=("made.py",)).observed.code == {}


def test_code_that_changed_since_the_process_began_is_not_vouched_for(sift, place):
    began = time.time_ns() - 10**9
    (place / "late.py").write_text("")
    beyond = Beyond({"late:f": "1"}, {"late:f": RepoPath("late.py")}, {RepoPath("late.py")})
    with pytest.raises(ChangedMeanwhileError, match=r"late\.py"):
        sift(beyond=beyond, began_ns=began)


def test_sources_whose_code_ran_are_no_data(sift, place):
    (place / "ran.py").write_text("")
    (place / "script.py").write_text("x")
    seen = {name: stamp(place, name) for name in ("ran.py", "script.py")}
    beyond = Beyond(sources={RepoPath("ran.py")}, foreign={RepoPath("script.py")})
    use = sift(beyond=beyond, reads=seen)
    assert use.observed.files == {"script.py": str(hash_bytes(b"x"))}
    assert not use


def test_variables_count_by_a_hash_of_their_value(sift):
    use = sift(env=("UNSET", "REGION"), environ={"REGION": "eu"})
    assert use.observed.env == {"UNSET": None, "REGION": variable_hash("eu")}


@pytest.mark.parametrize("name", ["HOME", "XDG_CACHE_HOME", "APP_TOKEN", "DB_PASSWORD", "API_KEY"])
def test_variables_of_a_person_or_machine_do_not_count(sift, name):
    assert sift(env=(name,), environ={name: "x"}).observed.env == {}


def test_further_variables_can_be_ignored(sift):
    use = sift(env=("RUN_NAME", "RUNS"), environ={}, ignored=("RUN_*",))
    assert set(use.observed.env) == {"RUNS"}


def test_messages_name_some_paths_as_the_declaration_would():
    paths = tuple(RepoPath(f"work/{n}.csv") for n in range(5))
    ((message, hint),) = Use(reads=paths).undeclared(RepoPath("work/deep"))
    assert message == (
        "read work/0.csv, work/1.csv, work/2.csv and 2 more, which are not among its deps"
    )
    assert '`deps=["../0.csv", "../1.csv", "../2.csv", ...]`' in hint


def test_strictness_says_what_it_can_not_see():
    use = Use(writes=(ONE,), unseen=("child processes",))
    with pytest.raises(UndeclaredError) as error:
        use.refuse(RepoPath.ROOT)
    assert error.value.message == "it wrote data/one.csv, which is not among its outs"
    assert "native readers such as pyarrow, child processes" in (error.value.why or "")
    Use(unseen=("child processes",)).refuse(RepoPath.ROOT)


def test_strictness_says_how_to_declare_everything():
    use = Use(reads=(ONE,), listed=(RepoPath("parts"),))
    with pytest.raises(UndeclaredError) as error:
        use.refuse(RepoPath.ROOT)
    assert '`deps=["data/one.csv"]`' in (error.value.hint or "")
    assert '`deps=["parts"]`' in (error.value.hint or "")


def test_people_are_told_of_what_was_not_seen_but_of_processes_only_where_all_is_declared():
    use = Use(unseen=("child processes", "more than 9 files were read"))
    partial = ("was not seen as a whole: more than 9 files were read", None)
    assert list(use.messages(RepoPath.ROOT, strict=False)) == [partial]
    processes = ("was not seen as a whole: child processes", None)
    assert list(use.messages(RepoPath.ROOT, strict=True)) == [processes, partial]
