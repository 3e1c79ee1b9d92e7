"""One module per server: how it is prepared, started, and known to be ready."""
