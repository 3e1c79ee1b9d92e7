"""`docker compose up` from a clean checkout: it starts, it is the portal, it is hardened, and it stops cleanly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from deploy.cli.publisher import BrokerUnreachable
from deploy.local.environment import PROCESSES
from tests.compose.installation import Installation
from tests.e2e.outside import PASSWORD, Newcomer, Outside, claim_paid, eventually

pytestmark = pytest.mark.compose

OURS: Final = (*PROCESSES, "simulator")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A clean copy, nothing started."""
    installation = Installation(tmp_path_factory.mktemp("compose"))
    try:
        yield installation
    finally:
        installation.remove()


@pytest.fixture(scope="module")
def running(checkout: Installation) -> Installation:
    """The same, started with the demo."""
    checkout.write_env()
    checkout.up()
    return checkout


@pytest.fixture(scope="module")
def outside(running: Installation) -> Outside:
    """Its surroundings."""
    return Outside(running.operators, f"http://127.0.0.1:{running.ports.mail_reader}")


@pytest.fixture(scope="module")
def newcomer(running: Installation, outside: Outside) -> Newcomer:
    """A member with a letter from the object store, and an address activated from the mail that came."""
    newcomer = outside.enrol()
    assert newcomer.email
    session = _sign_in(running, newcomer.nir13, newcomer.temporary_password)
    choice = {"kind": "email", "new_password": PASSWORD}
    assert running.api("POST", "/account/identifier", choice, token=session["access_token"])[0] == 202
    path = outside.activation_path(newcomer.email)
    assert running.api("POST", "/account/identifier/activation", {"token": path.partition("=")[2]})[0] == 200
    return newcomer


def test_without_env_one_line_says_what_to_do(checkout: Installation) -> None:
    done = checkout.compose("--env-file", "/dev/null", "config")
    assert done.status != 0
    assert done.out == ""
    assert done.err.count("\n") <= 1
    assert done.err.strip().endswith("run make env")


def test_every_container_is_healthy_unprivileged_and_read_only(running: Installation) -> None:
    containers = running.containers()
    assert containers["provision"]["State"]["ExitCode"] == 0
    for name, found in containers.items():
        host, state = found["HostConfig"], found["State"]
        assert int(found["Config"]["User"].split(":")[0]) > 0, name
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert host["SecurityOpt"] == ["no-new-privileges:true"], name
        assert host["Memory"] > 0, name
        assert host["LogConfig"]["Config"].keys() == {"max-size", "max-file"}, name
        if name != "provision":
            assert state["Running"], name
            assert state.get("Health", {"Status": "healthy"})["Status"] == "healthy", name
            assert found["RestartCount"] == 0, name
            assert "0" not in _users(running, found["Id"]), name
    declared = {"kafka": 1, "mongo": 1, "minio": 1, "prometheus": 1}
    assert {name: n for name, found in containers.items() if (n := _volumes(found))} == declared


def test_the_services_image_holds_no_compiler_no_cache_and_no_secret(running: Installation) -> None:
    image = running.containers()["auth"]["Image"]
    look = (
        "for tool in gcc cc g++ make go git; do command -v $tool; done; "
        "ls -A /root/.cache /tmp 2>/dev/null | grep -v :; find / -xdev -name '.env*' -o -xdev -name .git"
    )
    assert (
        running.docker("run", "--rm", "--user", "0", "--entrypoint", "sh", image, "-c", f"{look}; true").strip() == ""
    )


def test_prometheus_sees_every_service(running: Installation) -> None:
    def all_up() -> bool:
        targets = running.prometheus("/targets?state=active")["activeTargets"]
        assert {target["labels"]["job"] for target in targets} <= set(PROCESSES)
        return sorted(target["labels"]["job"] for target in targets if target["health"] == "up") == sorted(PROCESSES)

    eventually(all_up, "a target is not up")
    eventually(lambda: _parts_up(running) == "1", "a part of a service does not work")


def test_a_demo_member_signs_in_and_sees_a_claim_that_was_just_paid(running: Installation, outside: Outside) -> None:
    enrolled = "6 members enrolled"
    eventually(lambda: enrolled in running.compose("logs", "simulator").out, "the simulator enrolled nobody")
    identifier, temporary = running.demo_sign_in()
    session = _sign_in(running, identifier, temporary)
    assert set(session["required_actions"]) == {"choose_identifier", "choose_password"}
    choice = {"kind": "member_number", "new_password": PASSWORD}
    assert running.api("POST", "/account/identifier", choice, token=session["access_token"])[0] == 200
    member_number = running.api("GET", "/account", token=session["access_token"])[1]["member_number"]

    token = _sign_in(running, member_number, PASSWORD)["access_token"]
    assert len(_claims(running, token)) > 5  # a year of them
    claim = claim_paid(member_number)
    outside.publish("ClaimPaid", claim)
    eventually(lambda: claim["claim_id"] in _claims(running, token), "the claim is not in the list")


def test_a_member_who_chose_the_address_in_a_mail_signs_in_with_it(running: Installation, newcomer: Newcomer) -> None:
    assert _sign_in(running, str(newcomer.email), PASSWORD)["required_actions"] == []


def test_operators_have_their_command_line_inside(running: Installation) -> None:
    done = running.compose("run", "--rm", "--no-TTY", "portal", "dead-letters", "list")
    assert done.status == 0, done.err


def test_only_the_operators_come_in_by_the_published_kafka_port(running: Installation, outside: Outside) -> None:
    outside.publish("ClaimPaid", claim_paid("12345678"))
    stranger = {**running.operators, "KAFKA_USERNAME": "admin", "KAFKA_PASSWORD": running.env["KAFKA_PASSWORD_ADMIN"]}
    with pytest.raises(BrokerUnreachable):
        Outside(stranger, "").publish("ClaimPaid", claim_paid("12345678"))


def test_a_stop_is_clean_and_a_start_finds_everything_again(running: Installation, newcomer: Newcomer) -> None:
    assert running.compose("stop").status == 0
    ended = {name: found["State"]["ExitCode"] for name, found in running.containers().items()}
    assert {name: ended[name] for name in OURS} == dict.fromkeys(OURS, 0)
    assert not [name for name, found in running.containers().items() if found["State"]["OOMKilled"]]

    running.up()
    assert _sign_in(running, str(newcomer.email), PASSWORD)["required_actions"] == []


def _parts_up(running: Installation) -> str:
    """The least of all services' parts: 1 where every one works."""
    found = running.prometheus("/query?query=min(espace_part_up)")["result"]
    return str(found[0]["value"][1]) if found else ""


def _sign_in(running: Installation, identifier: str, password: str) -> dict[str, Any]:
    status, session = running.api("POST", "/session", {"identifier": identifier, "password": password})
    assert status == 200, session
    return session


def _claims(running: Installation, token: str) -> list[str]:
    status, found = running.api("GET", "/reimbursements?limit=100", token=token)
    assert status == 200, found
    return [item["claim_id"] for item in found["items"]]


def _users(running: Installation, container: str) -> set[str]:
    """The numeric users of a container's processes."""
    lines = running.docker("top", container, "-eo", "pid,uid").splitlines()[1:]
    return {line.split()[1] for line in lines}


def _volumes(found: dict[str, Any]) -> int:
    return len([mount for mount in found["Mounts"] if mount["Type"] == "volume"])
