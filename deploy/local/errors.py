"""The error a person at the terminal gets to read."""


class StackError(Exception):
    """One clear line: what is wrong and what to do about it. Never a secret."""
