"""Azure Blob Storage, through obstore's synchronous API."""
