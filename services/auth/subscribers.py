"""The event entrance of auth: every topic it follows, and what is done with each."""

from collections.abc import Sequence

from services.auth.service.enrolment import Enrolment
from shared.consumer import Subscription


def subscriptions(enrolment: Enrolment, max_records: int) -> Sequence[Subscription]:
    """membership.v1: who may have an account, and the facts about them."""
    return [Subscription("membership.v1", enrolment.apply, max_records)]
