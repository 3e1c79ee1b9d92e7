"""The operators' command line, `portal`: the entrance of internal systems, by hand."""
