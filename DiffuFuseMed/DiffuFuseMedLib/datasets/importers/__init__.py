"""Public sets as they are downloaded, each in a file: which case holds which files. No torch."""
