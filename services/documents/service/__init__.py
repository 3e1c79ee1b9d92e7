"""Use cases of documents, one module each."""
