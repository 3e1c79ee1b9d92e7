"""The list itself: whole, bounded, and giving nobody more than the contracts say."""

from __future__ import annotations

import pytest

from deploy.topology import ACCOUNTS, BUCKETS, DATABASES, DAY_S, PRINCIPALS, ROLES, SERVICES, TOPICS, Acl, dead
from services.claims.rebuild.orders import REBUILDS
from shared import at_rest_keys, dead_letters, operator_orders
from shared.events import CATALOGUE
from shared.settings import StatefulSettings

BY_NAME = {topic.name: topic for topic in TOPICS}


def test_every_topic_of_the_contracts_is_listed_with_its_dead_letters() -> None:
    assert set(BY_NAME) == {*CATALOGUE, *map(dead, CATALOGUE)}
    assert len(BY_NAME) == len(TOPICS)


def test_every_topic_is_bounded_in_time_and_size() -> None:
    for topic in TOPICS:
        assert 0 < int(topic.config["retention.ms"]) <= 30 * DAY_S * 1000
        assert 0 < int(topic.config["segment.bytes"]) < int(topic.config["retention.bytes"])
        assert int(topic.config["max.message.bytes"]) < int(topic.config["segment.bytes"])


def test_an_inbox_outlives_the_topics_it_absorbs_redeliveries_of() -> None:
    inbox_days = StatefulSettings.model_fields["inbox_days"].default
    assert all(BY_NAME[name].retention_days < inbox_days for name in CATALOGUE)


def test_a_service_publishes_to_its_own_topic_and_announces_the_dead_letters_of_what_it_reads() -> None:
    own = {contract.source: topic for topic, contracts in CATALOGUE.items() for contract in contracts.values()}
    for principal in PRINCIPALS:
        if principal.name in SERVICES:
            assert set(principal.writes) == {own[f"/{principal.name}"], *map(dead, principal.reads)}
            assert principal.acls[-1] == Acl("READ", "GROUP", principal.name, prefixed=False)


def test_the_operators_publish_what_internal_systems_publish_and_nothing_of_ours() -> None:
    (portal,) = (principal for principal in PRINCIPALS if principal.name == "portal")
    assert set(portal.writes) == {"membership.v1", "claims.v1", "casework.v1"}
    assert Acl("READ", "GROUP", "portal", prefixed=True) in portal.acls


def test_the_operators_reach_dead_letters_and_write_orders_to_auth_and_nothing_else_in_mongodb() -> None:
    (portal,) = ROLES
    rights = {(privilege.database, privilege.collection): privilege.actions for privilege in portal.privileges}
    # And the names of the keys in use, which tell nothing; and to claims the order to rebuild.
    orders = rights.pop(("auth", operator_orders.COLLECTION))
    assert orders == ("find", "insert")
    assert rights.pop(("claims", REBUILDS)) == ("find", "insert", "update")
    letters = {(service, dead_letters.COLLECTION): ("find", "update") for service in SERVICES}
    assert rights == {**letters, **{(service, at_rest_keys.COLLECTION): ("find",) for service in SERVICES}}


def test_rights_name_only_what_exists() -> None:
    for principal in PRINCIPALS:
        assert {*principal.reads, *principal.writes} <= BY_NAME.keys()
    for account in ACCOUNTS:
        assert {grant.bucket for grant in account.grants} <= set(BUCKETS)
    assert {principal.name for principal in PRINCIPALS} >= set(DATABASES)


@pytest.mark.parametrize(
    ("account", "actions"),
    [
        ("printing-house", {"s3:GetObject", "s3:GetBucketLocation", "s3:ListBucket"}),
        ("casework", {"s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:GetBucketLocation"}),
    ],
)
def test_outside_accounts_cannot_delete(account: str, actions: set[str]) -> None:
    (found,) = (known for known in ACCOUNTS if known.name == account)
    assert {action for grant in found.grants for part in grant.statements for action in _actions(part)} == actions


def _actions(statement: dict[str, object]) -> list[str]:
    actions = statement["Action"]
    assert isinstance(actions, list)
    return actions
