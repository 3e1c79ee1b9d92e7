"""The process: what it refuses to start with, and what it survives."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from deploy.local.paths import ROOT
from deploy.local.servers.program import Supervised
from shared.events.base import Event
from shared.settings import EX_CONFIG
from tests.services.auth.driver import AuthApi, Backbone, enrol, some_member
from tests.stack import RealServers

pytestmark = pytest.mark.servers


def test_without_a_setting_the_process_ends_with_a_configuration_error(infra: RealServers) -> None:
    environment = infra.environment("auth")
    del environment["LOOKUP_KEY"]
    command = [sys.executable, "-m", "services.auth"]
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == EX_CONFIG
    assert "setting LOOKUP_KEY is missing" in ended.stderr


@pytest.mark.slow  # the killed worker's lease has to run out
async def test_killed_while_it_makes_passwords_it_issues_one_to_everybody_afterwards(
    api: AuthApi, backbone: Backbone, process: Supervised
) -> None:
    members = [some_member() for _ in range(30)]
    await backbone.publish(*(Event.of(member) for member in members))
    await backbone.wait_for("TemporaryPasswordIssued", members[0].member_number)
    await asyncio.to_thread(process.kill)
    await asyncio.to_thread(process.start)
    for member in members:
        issued = await backbone.wait_for("TemporaryPasswordIssued", member.member_number, within_s=120)
        signed_in = await api.sign_in(str(member.nir), backbone.opened(issued, "password"))
        assert signed_in.status == 200
    await backbone.read(1.0)
    for member in members:
        events = backbone.of(member.member_number, "TemporaryPasswordIssued")
        assert len({event.id for event in events}) == 1


async def test_without_its_database_it_answers_503_and_recovers_by_itself(
    api: AuthApi, backbone: Backbone, infra: RealServers
) -> None:
    member = await enrol(backbone)
    assert (await api.sign_in(member.nir, member.temporary_password)).status == 200
    await asyncio.to_thread(infra.process("mongo").kill)
    try:
        away = await api.sign_in(member.nir, member.temporary_password)
        assert (away.status, away.body["code"]) == (503, "unavailable")
        assert int(away.headers["retry-after"]) > 0
    finally:
        await asyncio.to_thread(infra.process("mongo").start)
    for _ in range(100):
        answer = await api.sign_in(member.nir, member.temporary_password)
        if answer.status != 503:
            break
        await asyncio.sleep(0.2)
    assert answer.status == 200  # the tries that could not be checked were not counted


def test_its_log_shows_no_person_and_no_secret(process: Supervised) -> None:
    log = process.process.log.read_text()
    assert "started" in log
    for words in ("@example.org", "Dupont", "Laure"):
        assert words not in log
