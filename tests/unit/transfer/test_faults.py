import errno

import pytest

from pivot.errors import ExitCode, PivotError
from pivot.transfer.faults import on_disk, translated
from pivot_remotes import errors

ADDRESS = "s3://bucket/folder"
CODES = {
    errors.NotFound: ExitCode.MISSING,
    errors.AccessDenied: ExitCode.DENIED,
    errors.Unreachable: ExitCode.FAILED,
    errors.Busy: ExitCode.FAILED,
    errors.Truncated: ExitCode.INTEGRITY,
    errors.Overlong: ExitCode.INTEGRITY,
    errors.BadAddress: ExitCode.USAGE,
    errors.BadKey: ExitCode.USAGE,
    errors.Unsupported: ExitCode.USAGE,
    errors.RemoteError: ExitCode.FAILED,
}


def every_kind(kind=errors.RemoteError):
    yield kind
    for below in kind.__subclasses__():
        yield from every_kind(below)


@pytest.mark.parametrize("kind", list(every_kind()))
def test_no_error_of_a_remote_is_missed(kind):
    with pytest.raises(PivotError) as caught, translated(ADDRESS):
        raise kind("it went wrong", why="because")
    error = caught.value
    assert error.exit_code is next(CODES[base] for base in kind.__mro__ if base in CODES)
    assert ADDRESS in error.message
    assert error.why == "because"
    assert error.hint


def test_the_remotes_own_message_and_hint_stay():
    with pytest.raises(PivotError) as caught, translated(ADDRESS):
        raise errors.AccessDenied(f"{ADDRESS} said no", hint="Run `aws sso login`")
    assert caught.value.message == f"{ADDRESS} said no"
    assert caught.value.hint == "Run `aws sso login`"


def test_a_full_disk_names_the_cache():
    with pytest.raises(PivotError, match="/cache") as caught, on_disk("/cache"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.why == "No space left on device"
