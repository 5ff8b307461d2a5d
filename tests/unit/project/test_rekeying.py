"""Re-keying: what is asked in which order, and what is remembered of the answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from pivot.code.edition import edition
from pivot.code.findings import SCHEME, Fingerprint
from pivot.errors import PivotError
from pivot.lock.declared import Declared
from pivot.lock.lock import Lock
from pivot.lock.observed import Observed
from pivot.paths import RepoPath, StageName
from pivot.project.rekeying import Proof, Rekeying, document_of

PROOF = Proof({"m:f": "new"}, {"m:late": "new too"})
FILE = {"./query.sql": "1d" * 32}


def a_lock(**changed):
    declared = Declared(0, {"m:f": "old"} | FILE, {}, None, {}, RepoPath.ROOT, (), ())
    fields = {
        "observed": Observed(code={"m:late": "old"}, env={"HOME": "e0"}), "sources": "7e" * 32
    }  # fmt: skip
    return Lock(StageName("s"), "m:f", declared, {}, {}, **(fields | changed))


@dataclass
class Sources:
    """The present sources, and the commits, as far as one lock is concerned."""

    text_now: str = "other"
    reached: Mapping[str, str] = field(default_factory=lambda: {"m:f": "now"})
    in_commits: Proof | None = PROOF
    error: PivotError | None = None
    searched: int = 0

    def fingerprint(self, entry):
        return Fingerprint(entry, self.reached, {}, {}, frozenset(), ())

    def hashes(self, names):
        return dict.fromkeys(names, "now too")

    def text(self, names):
        assert set(names) == {"m:f", "m:late"}, "files have ids, which depend on no scheme"
        return self.text_now

    def search(self, _):
        self.searched += 1
        if self.error is not None:
            raise self.error
        return self.in_commits


@pytest.fixture
def rekey(place, monkeypatch):
    """Re-key a lock with a new command each time."""
    place.write("source.py", "")
    place.git("add", ".")
    place.git("commit", "-qm", "one")

    def run(sources, lock=None):
        project = place.open()
        monkeypatch.setattr(project.state.clock, "is_racy", lambda _: False)
        try:
            return Rekeying(project, sources, sources.search).rekeyed(lock or a_lock())
        finally:
            project.close()

    return run


def test_all_but_hashes_of_code_stays(rekey):
    before, after = a_lock(), rekey(Sources())
    assert after.declared.scheme == SCHEME
    assert after.declared.code == {"m:f": "new"} | FILE
    assert after.observed == Observed(code={"m:late": "new too"}, env={"HOME": "e0"})
    assert (after.sources, after.outs, after.deps) == (before.sources, before.outs, before.deps)


def test_sources_that_are_here_need_no_search(rekey):
    sources = Sources(text_now="7e" * 32)
    after = rekey(sources)
    assert (after.declared.code["m:f"], after.observed.code) == ("now", {"m:late": "now too"})
    assert sources.searched == 0


def test_sources_that_reach_more_than_the_lock_names_are_searched_in_commits(rekey):
    sources = Sources(text_now="7e" * 32, reached={"m:f": "now", "m:unseen": "now"})
    assert rekey(sources).declared.code["m:f"] == "new"
    assert sources.searched == 1


def test_a_lock_that_tells_no_sources_is_not_rekeyed(rekey):
    sources = Sources()
    assert rekey(sources, a_lock(sources="")) is None
    assert sources.searched == 0


def test_a_proof_is_remembered_for_ever(rekey, place):
    sources = Sources()
    first = rekey(sources)
    place.git("commit", "-q", "--allow-empty", "-m", "two")
    assert rekey(sources) == first
    assert sources.searched == 1


def test_that_commits_have_none_is_remembered_until_head_moves(rekey, place):
    sources = Sources(in_commits=None)
    assert rekey(sources) is rekey(sources) is None
    assert sources.searched == 1
    sources.in_commits = PROOF
    place.git("commit", "-q", "--allow-empty", "-m", "two")
    assert rekey(sources) is not None


def test_sources_that_come_back_are_seen_though_no_commit_has_them(rekey):
    sources = Sources(in_commits=None)
    assert rekey(sources) is None
    sources.text_now = "7e" * 32
    assert rekey(sources) is not None


def test_a_search_that_failed_is_made_again(rekey):
    sources = Sources(error=PivotError("an object is missing"))
    assert rekey(sources) is None
    sources.error = None
    assert rekey(sources) is not None


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'{"code":1}', b'{"absent":2}'])
def test_what_is_damaged_is_found_anew(rekey, place, data):
    project = place.open()
    project.state.record_document(document_of(a_lock(), edition()), data)
    project.close()
    assert rekey(Sources()) == PROOF.applied(a_lock())


def test_another_lock_is_another_question(rekey):
    sources = Sources()
    rekey(sources)
    rekey(sources, a_lock(sources="8f" * 32))
    assert sources.searched == 2
