"""The managed blocks of `.gitignore` and `.gitattributes`, and Git's own reading of them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pivot.errors import PivotError
from pivot.git.attributes import update_attributes_block, write_attributes
from pivot.git.ignore import (
    END,
    START,
    add_ignored,
    drop_ignored,
    update_ignore_block,
    write_ignore,
    write_private_ignore,
)
from pivot.git.repository import WorkPath
from pivot.paths import PathError, RepoPath

ODD = [
    "plain.csv",
    "with space",
    "trailing ",
    "two trailing  ",
    "#hash",
    "!bang",
    "star*",
    "qu?estion",
    "[ab]",
    "quo\"te'",
    "größe/数据",
    "a]b{c}",
    "deep/er/x",
]


def repo(*names):
    return [RepoPath(name) for name in names]


def block(*lines, newline="\n"):
    return newline.join([START, ".pivot-tmp-*", *lines, END]) + newline


def test_paths_are_sorted_anchored_and_named_once():
    assert update_ignore_block("", repo("b", "a/x", "b")) == block("/a/x", "/b")


def test_text_around_stays_and_the_block_keeps_its_place():
    text = "*.pyc\n\n" + block("/old") + "# mine\nlast, without line end"
    expected = "*.pyc\n\n" + block("/new") + "# mine\nlast, without line end"
    assert update_ignore_block(text, repo("new")) == expected


@pytest.mark.parametrize(("text", "separator"), [("a\n", ""), ("a", "\n"), ("a\n\n", "")])
def test_a_new_block_goes_to_the_end(text, separator):
    assert update_ignore_block(text, repo("x")) == text + separator + block("/x")


def test_windows_line_ends_are_kept_and_followed():
    text = "a\r\n" + block("/old", newline="\r\n") + "b\r\nc"
    assert update_ignore_block(text, repo("x")) == "a\r\n" + block("/x", newline="\r\n") + "b\r\nc"


@pytest.mark.parametrize(
    ("broken", "repaired"),
    [
        (f"u\n{START}\n<<<<<<< HEAD\n/a\n=======\n/b\n>>>>>>> x\n{END}\nv\n", "u\n{}v\n"),
        (f"u\n<<<<<<< HEAD\n{block('/a')}=======\n{block('/b')}>>>>>>> x\nv\n", "u\n{}v\n"),
        (
            f"u\n<<<<<<< o\n{block('/a')}||||||| b\n=======\n{block('/b')}>>>>>>> x\nv\n",
            "u\n{}v\n",
        ),
        (f"u\n{block('/a')}v\n{block('/b')}w\n", "u\n{}v\nw\n"),
        (f"u\n{START}\n/new\n/users\n", "u\n{}/users\n"),
        (f"u\n/users\n{END}\nv\n", "u\n/users\n{}v\n"),
        (f"{START}\n/new\n{block('/a')}v\n", "{}v\n"),
        (f"u\n{block('/a').rstrip()}", "u\n{}"),
    ],
    ids=["conflict", "both-sides", "diff3", "twice", "no-end", "no-start", "restarted", "no-eol"],
)
def test_a_broken_block_is_repaired_and_lines_of_others_are_kept(broken, repaired):
    assert update_ignore_block(broken, repo("new")) == repaired.format(block("/new"))


def test_a_conflict_between_other_peoples_lines_is_left_to_them():
    text = "<<<<<<< a\nx\n=======\ny\n>>>>>>> b\n<<<<<<< a\n=======\n>>>>>>> b\nend\n"
    assert update_ignore_block(text, repo("n")) == text + block("/n")


def acceptable(text):
    try:
        return RepoPath(text) and text != "."
    except PathError:
        return False


PATHS = st.text(min_size=1, max_size=8).filter(acceptable).map(RepoPath)
LINES = st.sampled_from(
    ["a", "/x", "", " ", "# c", "\x0c", "\x85", START, END, "<<<<<<< a", "=======", ">>>>>>> b"]
)
TEXTS = st.builds(
    lambda lines, newline, last: newline.join(lines) + last,
    st.lists(LINES, max_size=8),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\n"]),
)


@given(text=TEXTS, paths=st.lists(PATHS, max_size=4))
@example(text=START, paths=[])
def test_doing_it_again_changes_nothing(text, paths):
    once = update_ignore_block(text, paths)
    assert update_ignore_block(once, paths) == once
    assert [line.strip() for line in once.split("\n")].count(START) == 1


@given(before=st.text(), after=st.text(), old=st.lists(PATHS), new=st.lists(PATHS))
def test_whatever_stands_outside_is_kept_to_the_byte(before, after, old, new):
    before = before + "\n" if before else ""
    newline = "\r\n" if "\n" in before and before.split("\n", 1)[0].endswith("\r") else "\n"
    made = update_ignore_block(before, old)
    text = update_ignore_block(made + after, new)
    assert text == before + update_ignore_block("", new).replace("\n", newline) + after


def test_git_ignores_exactly_the_named_paths(work):
    for name in ODD:
        for path in (name, "sub/" + name):
            work.write(path, "x")
    decoys = ["starry", "qu.estion", "a", "plain.csvx", "with", "trailing", "two trailing"]
    for name in decoys:
        work.write(name + ("/x" if name == "deep" else ""), "x")
    assert write_ignore(str(work.path), repo(*ODD))
    seen = work.git("status", "--porcelain", "-z", "-uall", "--ignored").split("\0")
    ignored = {line[3:] for line in seen if line.startswith("!!")}
    assert ignored == set(ODD)


def test_git_ignores_a_folder_with_all_in_it(work):
    work.write("out/deep/x", "x")
    write_ignore(str(work.path), repo("out"))
    assert work.git("status", "--porcelain") == "?? .gitignore\n"


def test_of_pivots_folder_git_sees_locks_and_the_shared_configuration(work):
    shared = ["config.toml", "stages/a.lock", "stages/x/b.lock", ".gitignore"]
    private = ["cache/packs/aa/x.pack", "state.db", "state.db-wal", "runs/1/log", "aside/1/x"]
    private += ["tmp/x", "config.local.toml", "stages/.pivot-tmp-0011-a.lock"]
    for name in shared[:-1] + private:
        work.write(f".pivot/{name}", "x")
    assert write_private_ignore(str(work.path))
    seen = work.git("ls-files", "--others", "--exclude-standard", ".pivot").split()
    assert sorted(seen) == sorted(f".pivot/{name}" for name in shared)


def test_git_and_libgit2_take_locks_and_metrics_as_they_are(work):
    odd = [name for name in ODD if '"' not in name and not name.endswith(" ")]
    assert write_attributes(str(work.path), repo(*odd, 'quo"te', "end "))
    locks = [".pivot/stages/a.lock", ".pivot/stages/x/y/b@1.lock"]
    repository = work.open()
    for name in [*odd, 'quo"te', "end ", *locks]:
        path = WorkPath(name)
        found = work.git("check-attr", "-z", "text", "merge", "--", name).split("\0")
        merge = "pivot" if name in locks else "unspecified"
        assert (found[2], found[5]) == ("unset", merge), name
        if '"' not in name and " " not in name:
            assert repository.attribute(path, "text") is False
    for other in ("sub/plain.csv", "a.lock", "sub/.pivot/stages/a.lock", "starry"):
        assert work.git("check-attr", "text", "--", other).endswith("unspecified\n")


def test_attributes_are_idempotent():
    once = update_attributes_block("* text=auto\n", repo("m.json"))
    assert once.startswith("* text=auto\n")
    assert update_attributes_block(once, repo("m.json")) == once


def test_files_are_written_only_when_they_change(tmp_path):
    assert write_ignore(str(tmp_path), repo("x"))
    before = (tmp_path / ".gitignore").stat()
    assert not write_ignore(str(tmp_path), repo("x"))
    assert (tmp_path / ".gitignore").stat() == before


def test_bytes_that_are_no_utf8_pass_through(tmp_path):
    (tmp_path / ".gitignore").write_bytes(b"caf\xe9\n")
    write_ignore(str(tmp_path), repo("x"))
    assert (tmp_path / ".gitignore").read_bytes() == b"caf\xe9\n" + block("/x").encode()


def test_a_link_is_refused_and_its_target_kept(tmp_path):
    target = tmp_path / "target"
    target.write_text("mine\n")
    (tmp_path / ".gitignore").symlink_to(target)
    with pytest.raises(PivotError, match="gitignore can't be rewritten"):
        write_ignore(str(tmp_path), repo("x"))
    assert target.read_text() == "mine\n"


def test_paths_are_added_to_the_block_and_dropped_from_it(tmp_path):
    root = str(tmp_path)
    file = tmp_path / ".gitignore"
    file.write_text("*.pyc\n" + block("/out") + "mine\n")
    assert add_ignored(root, repo("data/raw", "a b"))
    assert file.read_text() == "*.pyc\n" + block("/a b", "/data/raw", "/out") + "mine\n"
    assert not add_ignored(root, repo("data/raw"))
    assert drop_ignored(root, repo("data/raw", "a b"))
    assert file.read_text() == "*.pyc\n" + block("/out") + "mine\n"
    assert not drop_ignored(root, repo("data/raw"))


def test_adding_keeps_both_sides_of_a_conflict_and_no_line_that_is_the_users(tmp_path):
    file = tmp_path / ".gitignore"
    inside = "<<<<<<< HEAD\n/ours\n=======\n/theirs\n>>>>>>> other\n"
    file.write_text(block("/out").replace("/out\n", inside) + f"{START}\nmine\n")
    add_ignored(str(tmp_path), repo("raw"))
    assert file.read_text() == block("/ours", "/raw", "/theirs") + "mine\n"


@pytest.mark.parametrize("name", ODD)
def test_any_name_is_dropped_as_it_was_added(tmp_path, name):
    add_ignored(str(tmp_path), repo(name))
    assert drop_ignored(str(tmp_path), repo(name))
    assert (tmp_path / ".gitignore").read_text() == block()
