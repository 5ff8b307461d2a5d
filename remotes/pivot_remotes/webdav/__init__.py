"""WebDAV servers: web servers that also list and write."""
