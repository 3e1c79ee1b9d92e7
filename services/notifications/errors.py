"""Refusals of notifications alone."""

from shared.errors import Conflict


class ThreadClosed(Conflict):
    """The management centre has closed the thread, or it is full: a new message goes on from there."""

    code, title = "thread_closed", "This conversation is closed, write a new message"
