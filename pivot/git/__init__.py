"""Git: every call of libgit2, and of the git command where libgit2 lacks something."""
