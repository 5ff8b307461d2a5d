import uuid

import pytest
from fsspec.implementations.local import LocalFileSystem

from pivot_remotes.az.backend import open_container
from pivot_remotes.backend import Capabilities
from pivot_remotes.connect import connect
from pivot_remotes.directory import DirectoryBackend
from pivot_remotes.fsspec_backend import FsspecBackend
from pivot_remotes.gs.backend import open_bucket as open_gs
from pivot_remotes.memory import open_memory
from pivot_remotes.s3.backend import open_bucket
from pivot_remotes.testing import BackendConformance, ReadOnlyConformance
from pivot_remotes.tracing import Trace
from tests.unit.remotes.servers import radosgw, rclone

KEYS = {"access_key_id": "key", "secret_access_key": "secret"}


class TestMemory(BackendConformance):
    @pytest.fixture
    def backend(self):
        return open_memory(f"memory://test/{uuid.uuid4()}")


class TestDirectory(BackendConformance):
    @pytest.fixture
    def backend(self, tmp_path):
        return DirectoryBackend(str(tmp_path / "not" / "yet" / "there"))


class TestFsspecLocal(BackendConformance):
    @pytest.fixture
    def backend(self, tmp_path):
        return FsspecBackend(
            LocalFileSystem(),
            str(tmp_path / "remote"),
            address="local",
            capabilities=Capabilities(can_list=True, can_write=True, atomic_put=True, ranges=True),
        )


class TestS3(BackendConformance):
    @pytest.fixture
    def backend(self, aws, moto, bucket):
        return open_bucket(f"s3://{bucket}", {**KEYS, "endpoint_url": moto}, {})


class TestS3BelowPrefixWithAllWrappers(BackendConformance):
    @pytest.fixture
    def backend(self, aws, moto, bucket):
        aside = open_bucket(f"s3://{bucket}/team", {**KEYS, "endpoint_url": moto}, {})
        aside.put("cache2/x", b"not below the prefix")
        options = {**KEYS, "endpoint_url": moto, "attempts": "2"}
        return connect(f"s3://{bucket}/team/cache", options, trace=Trace())


class TestAzure(BackendConformance):
    @pytest.fixture
    def backend(self, azurite):
        environ = {"AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string}
        return open_container(f"az://{azurite.new_container()}", {}, environ)


class TestAzureBelowPrefixWithAllWrappers(BackendConformance):
    @pytest.fixture
    def backend(self, azurite):
        container = azurite.new_container()
        options = {"connection_string": azurite.connection_string}
        aside = open_container(f"az://{container}/team", options, {})
        aside.put("cache2/x", b"not below the prefix")
        options |= {"attempts": "2"}
        return connect(f"az://{container}/team/cache", options, trace=Trace())


class TestGcs(BackendConformance):
    @pytest.fixture
    def backend(self, gcs):
        environ = {"STORAGE_EMULATOR_HOST": gcs.endpoint}
        return open_gs(f"gs://{gcs.new_bucket()}", {}, environ)


class TestGcsBelowPrefixWithAllWrappers(BackendConformance):
    @pytest.fixture
    def backend(self, gcs):
        bucket = gcs.new_bucket()
        options = {"endpoint_url": gcs.endpoint}
        aside = open_gs(f"gs://{bucket}/team", options, {})
        aside.put("cache2/x", b"not below the prefix")
        options |= {"attempts": "2"}
        return connect(f"gs://{bucket}/team/cache", options, trace=Trace())


class TestSftp(BackendConformance):
    @pytest.fixture
    def backend(self, ssh, sshd, tmp_path):
        return connect(sshd.url(f"{tmp_path}/not/yet/there"), sshd.options)


class TestHttp(ReadOnlyConformance):
    @pytest.fixture
    def root(self, web):
        return web[1] / f"{uuid.uuid4()}"

    @pytest.fixture
    def backend(self, web, root):
        return connect(f"{web[0]}/{root.name}", {})

    @pytest.fixture
    def place(self, root):
        return DirectoryBackend(str(root)).put


class TestWebdav(BackendConformance):
    @pytest.fixture
    def backend(self, dav):
        options = {"username": rclone.USER, "password": rclone.PASSWORD}
        return connect(f"webdav://{dav[0]}/{uuid.uuid4()}/not/yet/there", options)


class TestStrictS3(BackendConformance):
    # rclone overwrites an object in memory byte by byte.
    test_readers_see_whole_objects_while_it_is_replaced = None

    @pytest.fixture
    def backend(self, aws, strict_s3, strict_bucket):
        keys = {"access_key_id": rclone.KEY_ID, "secret_access_key": rclone.SECRET}
        return connect(f"s3://{strict_bucket}/team", {**keys, "endpoint_url": strict_s3})


class TestCeph(BackendConformance):
    @pytest.fixture
    def backend(self, aws, ceph):
        keys = {"access_key_id": radosgw.KEY_ID, "secret_access_key": radosgw.SECRET}
        url = f"s3://{radosgw.BUCKET}/{uuid.uuid4()}"
        return connect(url, {**keys, "endpoint_url": ceph})
