"""Requests to one web server.

urllib3 rather than fsspec's file system for HTTP: it blocks as our interface does, takes threads,
streams in bounded memory, and leaves redirects, which may lead elsewhere, to us.
"""

import contextlib
import ssl
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Self
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3 import BaseHTTPResponse, PoolManager, ProxyManager, Timeout
from urllib3.util import make_headers

from pivot_remotes.errors import BadAddress, NotFound
from pivot_remotes.http import faults
from pivot_remotes.http.authorization import authorization
from pivot_remotes.http.settings import HttpSettings

BLOCK: Final = 1 << 20
_CONNECTIONS: Final = 16
_REDIRECTS: Final = 5
_MOVED: Final = frozenset({301, 302, 303, 307, 308})


class HttpClient:
    """Connections to a server, for any thread; certificates are checked, proxies honoured.

    The variables `https_proxy`, `http_proxy`, `no_proxy` name the proxies.
    """

    __slots__ = ("_identity", "_pool", "settings")

    def __init__(self, settings: HttpSettings, identity: Mapping[str, str]) -> None:
        """Nothing is asked yet; `identity` are headers that only this server gets.

        Raises `BadAddress` where a file of certificates is no such.
        """
        self.settings = settings
        self._identity = identity
        self._pool = _pool(settings)

    @classmethod
    def of(cls, url: str, options: Mapping[str, str], environ: Mapping[str, str]) -> Self:
        """A client for a URL with the options of `pivot_remotes.http.settings`."""
        settings = HttpSettings.read(url, options)
        return cls(settings, authorization(settings, environ))

    @contextlib.contextmanager
    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterable[bytes] | None = None,
    ) -> Iterator[BaseHTTPResponse]:
        """The answer, whatever its status, whose body is read in the block.

        Only a GET follows redirects, and none of them from https to http. What goes wrong on the
        way, in the block as well, is raised as `Unreachable` or another `RemoteError`.
        """
        with faults.translated(self.settings):
            response = self._send(method, url, headers or {}, body)
            try:
                yield response
            except BaseException:  # whatever it was, what is left of the answer is in the way
                response.close()
                raise
            rest = response.length_remaining
            if rest is not None and rest <= BLOCK:
                response.drain_conn()  # and the connection can be used again
            response.close()

    def url(self, key: str) -> str:
        """Where an object is, or with a final `/` a folder."""
        return f"{self.settings.base}/{key}"

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Iterable[bytes] | None,
    ) -> BaseHTTPResponse:
        start = url
        for _ in range(_REDIRECTS + 1):
            own = self._identity if _may_know(self.settings.base, url) else {}
            response = self._pool.request(
                method,
                url,
                body=body,
                headers={"Accept-Encoding": "identity", **own, **headers},
                preload_content=False,
                decode_content=False,
                redirect=False,
                retries=False,
            )
            location = response.headers.get("location")
            if response.status not in _MOVED or location is None or method != "GET":
                return response
            response.close()
            url = _followed(self.settings, url, location)
            if urlsplit(url).path == urlsplit(start).path + "/":
                raise NotFound(f"{start} is a folder")
        raise BadAddress(f"{self.settings.address} redirects in circles")


def _followed(settings: HttpSettings, url: str, location: str) -> str:
    """Where a redirect leads; raises `BadAddress` where it mustn't."""
    target = urljoin(url, location)
    scheme = urlsplit(target).scheme
    if scheme == "https" or (scheme == "http" and url.startswith("http:")):
        return target
    raise BadAddress(
        f"{settings.address} redirects to an address of scheme {scheme!r}",
        why="what is asked for by https is not taken from elsewhere",
        hint="Ask who runs it for the address that it redirects to, and use that",
    )


def _may_know(base: str, url: str) -> bool:
    """Whether credentials for `base` may be sent to `url`."""
    ours, theirs = urlsplit(base), urlsplit(url)
    if (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc):
        return True
    plain = ours.port in (None, 80) and theirs.port in (None, 443)
    return plain and ours.hostname == theirs.hostname and theirs.scheme == "https"


def _pool(settings: HttpSettings) -> PoolManager:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise BadAddress(
            f"option ca_file names no certificates: {settings.ca_file}", why=str(error)
        ) from error
    parts = urlsplit(settings.base)
    proxy = None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
    timeout = Timeout(connect=settings.connect_timeout, read=settings.read_timeout)
    if not proxy:
        return urllib3.PoolManager(
            timeout=timeout, maxsize=_CONNECTIONS, ssl_context=context, blocksize=BLOCK
        )
    return _proxied(proxy, timeout, context)


def _proxied(proxy: str, timeout: Timeout, context: ssl.SSLContext) -> ProxyManager:
    """Connections by a proxy, whose URL may hold a user name and a password."""
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    user, at, place = parts.netloc.rpartition("@")
    if parts.scheme not in ("http", "https") or not place:
        raise BadAddress("the proxy that the environment names can't be used")
    return ProxyManager(
        f"{parts.scheme}://{place}",
        proxy_headers=make_headers(proxy_basic_auth=unquote(user) if at else None),
        timeout=timeout,
        maxsize=_CONNECTIONS,
        ssl_context=context,
        blocksize=BLOCK,
    )
