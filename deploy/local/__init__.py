"""The native stack: real servers and the five services as plain processes, for development, tests and trying out."""
