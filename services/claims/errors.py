"""The errors of claims, besides those that every service has."""

from shared.errors import Conflict, Gone, NotFound, TooLarge


class NoCard(NotFound):
    """`next_valid_from` and `ended_on` say when there will be one, or why there is none any more, if that is known."""

    code, title = "no_card", "No card is in force on that day"


class ListTooLong(TooLarge):
    """`limit_claims` says how many an export holds; a shorter period has fewer."""

    code, title = "list_too_long", "The list has too many claims for one file"


class StatementTooLong(TooLarge):
    code, title = "statement_too_long", "The statement has too many lines for one document"


class TooManyShares(Conflict):
    """`max_open` says how many there may be."""

    code, title = "too_many_shares", "As many links to this card are open as may be"


class ShareOver(Gone):
    """Whatever the reason: its time is over, it was stopped, there is no card any more, or it never was one of ours."""

    code, title = "share_over", "This card is no longer shared"
