"""The content-addressed store: immutable packs of compressed entries, and sorted indexes."""
