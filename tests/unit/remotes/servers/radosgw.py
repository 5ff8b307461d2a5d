"""Ceph's S3 server on a cluster of one, in memory: real signatures, policies and multipart."""

import subprocess
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.unit.remotes.servers.programs import free_port, program, running

KEY_ID, SECRET = "PIVOTTESTACCESSKEY01", "a-secret-key-of-tests-of-pivot-0123456789"
BUCKET = "tests"

CONFIGURATION = """
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon}]
public addr = 127.0.0.1
keyring = {base}/keyring
run dir = {base}
admin socket = {base}/$name.asok
pid file =
log to file = false
log to stderr = true
err to stderr = true
mon data = {base}/mon
osd data = {base}/osd
osd objectstore = memstore
memstore device bytes = 2147483648
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon warn on pool no redundancy = false
mon osd min up ratio = 0
rgw data = {base}/rgw
rgw frontends = beast endpoint=127.0.0.1:{rgw} tcp_nodelay=1
rgw enable usage log = false
rgw enable gc threads = false
rgw enable lc threads = false
rgw enable quota threads = false
rgw dynamic resharding = false
"""


@contextmanager
def serving(base: Path) -> Iterator[str]:
    """Run a server whose files are in `base`; its endpoint."""
    for name in ("ceph", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "monmaptool"):
        program(name)
    fsid, mon, rgw = str(uuid.uuid4()), free_port(), free_port()
    conf = base / "ceph.conf"
    conf.write_text(CONFIGURATION.format(fsid=fsid, base=base, mon=mon, rgw=rgw))
    for name in ("mon", "osd", "rgw"):
        (base / name).mkdir()
    own = ("-c", str(conf))

    def run(*command: str) -> str:
        done = subprocess.run(
            [program(command[0]), *command[1:], *own], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    keyring = str(base / "keyring")
    for number, name in enumerate(("mon.", "client.admin", "client.rgw", "osd.0")):
        new = () if number else ("--create-keyring",)
        caps = [word for kind in ("mon", "osd") for word in ("--cap", kind, "allow *")]
        run("ceph-authtool", keyring, *new, "--gen-key", "-n", name, *caps)
    monmap = str(base / "monmap")
    place = f"[v2:127.0.0.1:{mon}]"
    run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", place, monmap)
    run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap, "--keyring", keyring)
    with ExitStack() as cluster:
        daemon = [program("ceph-mon"), "-f", "-i", "a", *own]
        cluster.enter_context(running(daemon, mon, base / "mon.log"))
        osd = str(uuid.uuid4())
        run("ceph", "osd", "new", osd)
        run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        daemon = [program("ceph-osd"), "-f", "-i", "0", *own]
        cluster.enter_context(running(daemon, mon, base / "osd.log"))
        run("ceph", "osd", "crush", "add", "0", "1", "root=default", "host=here")
        daemon = [program("radosgw"), "-f", "-n", "client.rgw", *own]
        cluster.enter_context(running(daemon, rgw, base / "rgw.log"))
        keys = ("--access-key", KEY_ID, "--secret-key", SECRET)
        run("radosgw-admin", "user", "create", "--uid", "ada", "--display-name", "Ada", *keys)
        yield f"http://127.0.0.1:{rgw}"
