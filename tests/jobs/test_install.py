import json
from pathlib import Path

import pytest

from codeglot.execute.toolchains import missing_npm
from codeglot.jobs import install as job
from codeglot.jobs.machine import ThisMachine
from codeglot.jobs.progress import Silent
from codeglot.languages import spec


class ScriptedHost:
    """A machine with dpkg, apt-get and npm, unless told otherwise; it remembers what was run on it."""

    def __init__(
        self, *, installed: tuple[str, ...] = (), commands: str = "dpkg-query apt-get npm", is_root: bool = True
    ) -> None:
        self.is_root = is_root
        self.installed = {*installed, *job.SANDBOX_PACKAGES}
        self.commands = set(commands.split())
        self.ran: list[tuple[str, ...]] = []
        self.unknown: set[str] = set()

    def has(self, command: str) -> bool:
        return command in self.commands

    def run(self, *command: str) -> tuple[int, str]:
        if command[0] == "dpkg-query":
            return 0, "".join(f"{name} installed\n" for name in command[4:] if name in self.installed)
        self.ran.append(command)
        if command[0] == "apt-get" and self.unknown & set(command):
            return 100, "Reading package lists...\nE: Unable to locate package\n"
        return 0, ""


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("CODEGLOT_CACHE", str(tmp_path))
    return tmp_path


def put_npm(cache: Path, package: str) -> None:
    name, _, version = package.rpartition("@")
    file = cache / "npm" / "node_modules" / name / "package.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"name": name, "version": version}))


def test_nothing_is_run_where_nothing_is_missing(cache: Path) -> None:
    languages = [spec.get("lua"), spec.get("typescript")]
    for package in spec.get("typescript").packages.npm:
        put_npm(cache, package)
    host = ScriptedHost(installed=tuple(package for language in languages for package in language.packages.apt))
    assert job.install(languages, Silent(), host) == []
    assert host.ran == []


def test_only_what_is_missing_is_installed() -> None:
    host = ScriptedHost(installed=tuple({*spec.get("cpp").packages.apt} - {"libboost-dev"}))
    assert job.install([spec.get("cpp")], Silent(), host) == []
    assert [command[1] for command in host.ran] == ["update", "install"]
    assert host.ran[1][-1] == "libboost-dev"
    assert "g++" not in host.ran[1]


def test_what_apt_does_not_know_is_skipped_and_the_rest_installed() -> None:
    host = ScriptedHost()
    host.unknown = {"lua5.4"}
    (skipped,) = job.install([spec.get("lua"), spec.get("ruby")], Silent(), host)
    assert skipped.reason == "Lua: apt-get failed: E: Unable to locate package"
    assert skipped.command.startswith("apt-get install")
    assert skipped.command.endswith(" ".join(spec.get("lua").packages.apt))
    assert host.ran[-1][-len(spec.get("ruby").packages.apt) :] == spec.get("ruby").packages.apt


def test_without_root_the_command_is_said_and_nothing_is_run() -> None:
    host = ScriptedHost(is_root=False)
    (skipped,) = job.install([spec.get("ruby")], Silent(), host)
    packages = " ".join(spec.get("ruby").packages.apt)
    assert skipped.command == f"sudo apt-get install -y --no-install-recommends {packages}"
    assert host.ran == []


def test_without_apt_the_packages_are_named() -> None:
    host = ScriptedHost(commands="")
    skipped = job.install([spec.get("ruby")], Silent(), host)
    assert "what Debian calls ruby" in skipped[0].command
    assert host.ran == []


def test_npm_is_asked_for_the_packages_of_all_languages_at_once(cache: Path) -> None:
    host = ScriptedHost(installed=("nodejs",))
    (skipped,) = job.install([spec.get("javascript")], Silent(), host)
    (command,) = host.ran
    assert command[:4] == ("npm", "install", "--prefix", str(cache / "npm"))
    assert {*spec.get("javascript").packages.npm, *spec.get("typescript").packages.npm} <= set(command)
    assert "JavaScript: npm left out" in skipped.reason  # the scripted npm installs nothing


def test_another_version_of_an_npm_package_counts_as_missing(cache: Path) -> None:
    put_npm(cache, "lodash@4.17.20")
    put_npm(cache, "js-md5@0.7.3")
    assert missing_npm(("lodash@4.17.21", "js-md5@0.7.3")) == ["lodash@4.17.21"]


def test_a_torn_npm_package_counts_as_missing(cache: Path) -> None:
    put_npm(cache, "lodash@4.17.21")
    (cache / "npm" / "node_modules" / "lodash" / "package.json").write_text('{"version"')
    assert missing_npm(("lodash@4.17.21",)) == ["lodash@4.17.21"]


def test_npm_itself_is_installed_where_it_is_missing() -> None:
    host = ScriptedHost(installed=("nodejs",), commands="dpkg-query apt-get")
    job.install([spec.get("javascript")], Silent(), host)
    assert host.ran[0][:2] == ("apt-get", "install")
    assert host.ran[0][-1] == "npm"
    assert host.ran[1][0] == "npm"


def test_what_no_package_manager_has_is_left_to_a_person() -> None:
    host = ScriptedHost()
    (skipped,) = job.install([spec.get("julia")], Silent(), host)
    assert skipped.reason == "Julia: no package manager has it"
    assert skipped.command == job.install_command(spec.get("julia"))
    assert skipped.command.startswith("curl ")
    host.commands.add("julia")
    assert job.install([spec.get("julia")], Silent(), host) == []
    assert host.ran == []


def test_what_a_person_would_run_names_all_that_is_needed() -> None:
    command = job.install_command(spec.get("swift"))
    assert command.startswith("apt-get install -y binutils")
    assert command.endswith(f"; {spec.get('swift').packages.by_hand}")


def test_a_command_of_this_machine_is_run_without_a_shell() -> None:
    machine = ThisMachine()
    assert machine.has("sh")
    assert not machine.has("no-such-command")
    assert machine.run("sh", "-c", "echo out; echo err >&2; exit 3") == (3, "out\nerr\n")
