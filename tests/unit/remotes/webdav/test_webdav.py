import uuid

import pytest

from pivot_remotes.backend import ObjectInfo
from pivot_remotes.connect import connect
from pivot_remotes.errors import AccessDenied, BadAddress, Busy, RemoteError, Unsupported
from pivot_remotes.webdav.listing import BrokenOffError, Member, members
from tests.unit.remotes.servers import rclone

URL = "http://host/dav/team/"
KEYS = {"username": rclone.USER, "password": rclone.PASSWORD, "attempts": "1"}


def listing(*entries):
    responses = "".join(
        f"<d:response><d:href>{href}</d:href><d:propstat><d:prop>{properties}</d:prop>"
        "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
        for href, properties in entries
    )
    head = '<?xml version="1.0"?><d:multistatus xmlns:d="DAV:">'
    return f"{head}{responses}</d:multistatus>".encode()


FOLDER = "<d:resourcetype><d:collection/></d:resourcetype>"
FILE = (
    "<d:resourcetype/><d:getcontentlength>7</d:getcontentlength>"
    "<d:getlastmodified>Wed, 21 Oct 2015 07:28:00 GMT</d:getlastmodified>"
)


@pytest.mark.parametrize("base", ["/dav/team", "http://host/dav/team", "https://proxied/dav/team"])
def test_members_are_named_by_paths_or_urls(base):
    answer = listing((f"{base}/", FOLDER), (f"{base}/a", FILE), (f"{base}/b%20c/", FOLDER))
    assert members(answer, URL) == [
        Member("a", is_folder=False, size=7, modified=1445412480.0),
        Member("b c", is_folder=True, size=0, modified=None),
    ]


def test_properties_that_a_server_lacks_are_unknown():
    lacks = (
        "</d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat><d:propstat><d:prop>"
        "<d:getcontentlength>7</d:getcontentlength>"
    )
    assert members(listing(("/dav/team/a", lacks)), URL) == [
        Member("a", is_folder=False, size=7, modified=None)
    ]


@pytest.mark.parametrize(
    "answer",
    [
        b"<html><body>Please log in</body></html>",
        b"not xml",
        b"",
        listing(("/elsewhere/a", FILE)),
        listing(("/dav/team/a/deeper", FILE)),
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><multistatus xmlns="DAV:"/>',
        '<!DOCTYPE x [<!ENTITY a "aaaa">]><multistatus xmlns="DAV:"/>'.encode("utf-16"),
        listing(("/dav/team/a", "<d:getcontentlength>many</d:getcontentlength>")),
    ],
)
def test_what_is_no_listing_of_the_folder_is_never_taken_for_an_empty_one(answer):
    with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong with it
        members(answer, URL)


def test_a_listing_that_breaks_off_is_told_from_one_that_ends():
    with pytest.raises(BrokenOffError):
        members(listing(("/dav/team/a", FILE)) + b"Internal Server Error", URL)
    with pytest.raises(BrokenOffError):
        members(listing(("/dav/team/a", FILE))[:-20], URL)


@pytest.fixture
def opened(faulty):
    return connect(faulty.endpoint.replace("http", "webdav") + "/team", {"attempts": "1"})


def test_a_wrong_password_is_denied(dav):
    wrong = {**KEYS, "password": "guess"}
    backend = connect(f"webdav://{dav[0]}/{uuid.uuid4()}", wrong)
    for call in (lambda: backend.list(""), lambda: backend.put("a", b""), lambda: backend.get("a")):
        with pytest.raises(AccessDenied) as caught:
            call()
        assert "guess" not in f"{caught.value} {caught.value.hint}"


def test_a_listing_without_an_end_is_given_up(opened, faulty, monkeypatch):
    answer = listing(("/team/a", FILE))
    faulty.answer = lambda request: (207, {}, answer)
    assert [info.key for info in opened.list("")] == ["a"]
    monkeypatch.setattr("pivot_remotes.small.LIMIT", len(answer) - 1)
    with pytest.raises(RemoteError, match=r"a listing in .* is larger than"):
        opened.list("")


def test_an_upload_is_seen_only_when_it_is_whole(opened, faulty):
    faulty.answer = lambda request: (201, {}, b"")
    opened.put("x/a", b"12")
    methods = [(request.command, request.path) for request in faulty.seen]
    assert methods[0] == ("MKCOL", "/team/x/")
    (put, temporary), (move, moved) = methods[1:]
    assert (put, move, temporary) == ("PUT", "MOVE", moved)
    assert temporary.startswith("/team/x/.pivot-tmp-")
    headers = faulty.seen[-1].headers
    assert headers["destination"] == f"{faulty.endpoint}/team/x/a"
    assert headers["overwrite"] == "T"
    assert faulty.seen[-2].headers["content-length"] == "2"


def test_a_folder_is_made_once(opened, faulty):
    faulty.answer = lambda request: (201, {}, b"")
    opened.put("x/a", b"")
    opened.put("x/b", b"")
    assert [request.command for request in faulty.seen].count("MKCOL") == 1


def test_missing_parents_are_made_first(opened, faulty):
    there = {"/"}

    def answer(request):
        if request.command == "MKCOL":
            path = request.path.rstrip("/")
            if path.rpartition("/")[0] + "/" not in there and path.rpartition("/")[0] not in there:
                return 409, {}, b""
            there.add(path)
        return 201, {}, b""

    there.add("")
    faulty.answer = answer
    opened.put("x/y/a", b"")
    assert {"/team", "/team/x", "/team/x/y"} <= there


@pytest.mark.parametrize("refused", ["PUT", "MOVE"])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, AccessDenied),
        (409, BadAddress),
        (423, Busy),
        (405, Unsupported),
        (507, RemoteError),
        (502, Busy),
        (207, RemoteError),
    ],
)
def test_an_upload_that_is_refused_is_taken_back(opened, faulty, refused, status, kind):
    faulty.answer = lambda request: (status if request.command == refused else 201, {}, b"")
    with pytest.raises(RemoteError) as caught:
        opened.put("a", b"x")
    assert type(caught.value) is kind
    assert faulty.seen[-1].command == "DELETE"
    assert "/.pivot-tmp-" in faulty.seen[-1].path


def test_a_file_that_changes_while_it_is_sent_is_no_object(dav, tmp_path, monkeypatch):
    backend = connect(f"webdav://{dav[0]}/{uuid.uuid4()}", KEYS)
    source = tmp_path / "source"
    source.write_bytes(bytes(5 << 20))

    def growing(file):
        while block := file.read(1 << 20):
            with source.open("ab") as more:
                more.write(b"more")
            yield block

    monkeypatch.setattr("pivot_remotes.webdav.backend.blocks", growing)
    with pytest.raises(RemoteError, match="changed while it was sent"):
        backend.put_file("a", str(source))
    assert backend.list("") == []


def test_what_others_left_is_not_listed(dav):
    name = str(uuid.uuid4())
    backend = connect(f"webdav://{dav[0]}/{name}", KEYS)
    backend.put("a/b", b"x")
    (dav[1] / name / "a" / ".pivot-tmp-0").touch()
    (dav[1] / name / "not a key & <odd>").touch()
    (dav[1] / name / "odd é folder").mkdir()
    assert backend.list("") == [ObjectInfo("a/b", 1)]


def test_a_page_for_logging_in_is_no_empty_remote(opened, faulty):
    faulty.always(200, b"<html>log in</html>")
    with pytest.raises(RemoteError):
        opened.list("")
    faulty.always(207, b"<html>log in</html>")
    with pytest.raises(RemoteError, match="as a WebDAV server should"):
        opened.list("")
