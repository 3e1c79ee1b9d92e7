"""The services: each folder is one process with a database of its own, `python -m services.<name>`."""
