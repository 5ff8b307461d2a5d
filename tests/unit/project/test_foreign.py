"""Local settings that a repository brings say nothing of where data goes."""

import pytest

from pivot.errors import DeniedError

LEADING = [
    '[cache]\ndir = "/tmp/x"\n',
    '[remotes.a]\nurl = "s3://evil"\n',
    '[remote]\nschemes = "evil"\n',
]


@pytest.fixture
def local(place):
    """Writes the local file, and makes Git track it or not."""

    def write(text, *, tracked):
        place.write(".pivot/config.local.toml", text)
        if tracked:
            place.git("add", "--force", ".pivot/config.local.toml")
        return place.open()

    return write


@pytest.mark.parametrize("text", LEADING)
def test_local_file_that_git_tracks_is_refused(local, text):
    with pytest.raises(DeniedError, match=r"config\.local\.toml is tracked by Git") as caught:
        _ = local(text, tracked=True).config
    assert "git rm --cached" in caught.value.hint


@pytest.mark.parametrize("text", LEADING)
def test_local_file_that_a_submodule_brings_is_refused(local, place, text):
    place.write(".pivot/.git", "gitdir: ../.git/modules/.pivot\n")
    with pytest.raises(DeniedError, match=r"\.pivot is a Git repository of its own"):
        _ = local(text, tracked=False).config


@pytest.mark.parametrize("text", LEADING)
def test_ones_own_counts(local, text):
    assert local(text, tracked=False).config


def test_what_leads_nowhere_may_be_tracked(local):
    assert local("[run]\njobs = 2\n", tracked=True).config.number("run.jobs") == 2
