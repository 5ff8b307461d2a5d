"""Amazon S3 and what speaks its protocol, through obstore's synchronous API."""
