"""SFTP servers, reached through the user's own OpenSSH client."""
