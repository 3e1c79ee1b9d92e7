"""`portal keys`: what an operator, or `deploy.compose retire`, reads before an old key goes."""

from uuid import uuid4

import pytest

from shared.at_rest_keys import AtRestKeys
from shared.mongo import Mongo
from shared.sealing import Keyring
from tests.deploy.command import run
from tests.stack import RealServers

pytestmark = pytest.mark.servers


async def test_the_keys_in_use_are_shown_by_name(infra: RealServers) -> None:
    environment = infra.environment("claims")
    mongo = Mongo(environment["MONGO_URL"], "claims")
    in_use = AtRestKeys(mongo, Keyring.from_setting(environment["AT_REST_KEYS"]))
    await in_use.start()
    shown = run(infra.operators(), "deploy.cli", "keys", "claims")
    await in_use.stop()
    await mongo.stop()
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "service=claims in_use=claims/1\n", "")


def test_a_service_that_is_not_there_is_said(infra: RealServers) -> None:
    name = f"s-{uuid4().hex[:6]}"
    shown = run(infra.operators(), "deploy.cli", "keys", name)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert name in shown.stderr
