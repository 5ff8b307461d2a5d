"""nginx, serving a folder as a team would publish one: files by ranges, no listings."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.unit.remotes.servers.programs import free_port, program, running

CONFIGURATION = """
daemon off;
master_process off;
pid {base}/pid;
error_log stderr;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {base}/body;
    proxy_temp_path {base}/proxy;
    fastcgi_temp_path {base}/fastcgi;
    uwsgi_temp_path {base}/uwsgi;
    scgi_temp_path {base}/scgi;
    default_type application/octet-stream;
    server {{
        listen 127.0.0.1:{port};
        root {base}/files;
    }}
}}
"""


@contextmanager
def serving(base: Path) -> Iterator[tuple[str, Path]]:
    """Run a server whose files are in `base`; its URL, and the folder that it serves."""
    nginx = program("nginx")
    files = base / "files"
    files.mkdir()
    port = free_port()
    (base / "conf").write_text(CONFIGURATION.format(base=base, port=port))
    command = [nginx, "-p", str(base), "-e", "stderr", "-c", str(base / "conf")]
    with running(command, port, base / "log"):
        yield f"http://127.0.0.1:{port}", files
