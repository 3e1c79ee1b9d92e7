"""The use cases of auth, one module each; both entrances (api, subscribers) call these and nothing else."""
