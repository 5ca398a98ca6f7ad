"""The Debian package: what is in it, and a machine's life with it, by the commands of Docs/Deploy.md."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from broker import environment, eventually, run
from documents import part
from machine import REPOSITORY, build_package
from operators import Operator
from proxies import replaced

pytestmark = pytest.mark.skipif(not shutil.which("dpkg-shlibdeps"), reason="dpkg-dev is not installed")


@pytest.fixture(scope="module")
def tree(folder: Path, package: Path) -> Path:
    """What the package puts on a machine."""
    subprocess.run(["dpkg-deb", "--extract", package, folder / "tree"], check=True)
    return folder / "tree"


def test_the_package_says_what_it_needs(package):
    fields = subprocess.run(["dpkg-deb", "--field", package], capture_output=True, text=True, check=True).stdout
    assert f"Version: {run('--version').stdout.strip()}\n" in fields
    for library in ("libc6 ", "libcurl4", "libpq5", "libsqlite3-0", "libssl3", "ca-certificates", "passwd"):
        assert library in fields


def test_the_package_holds_all_that_a_machine_needs(tree):
    names = {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()}
    share = "usr/share"
    assert names >= {
        "usr/bin/cloakroom", "usr/lib/systemd/system/cloakroom.service", "usr/lib/systemd/system/cloakroom@.service",
        "etc/cloakroom/cloakroom.yaml",
        f"{share}/man/man1/cloakroom.1.gz", f"{share}/bash-completion/completions/cloakroom",
        f"{share}/zsh/vendor-completions/_cloakroom", f"{share}/fish/vendor_completions.d/cloakroom.fish",
        f"{share}/doc/cloakroom/copyright", f"{share}/doc/cloakroom/examples/nginx.conf",
        f"{share}/doc/cloakroom/examples/nginx-brokers.conf", f"{share}/doc/cloakroom/examples/kubernetes.yaml",
    }
    assert not [name for name in names if (tree / name).stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH | stat.S_ISUID)]


def test_every_part_of_the_program_is_named_with_its_licence(tree):
    """In Debian's machine-readable form: each licence that is named has its text."""
    head, *paragraphs = (tree / "usr/share/doc/cloakroom/copyright").read_text().split("\n\n")
    assert head.startswith("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n")
    fields = [dict(re.findall(r"^([A-Z]\S*):((?:.|\n )*)", paragraph, re.MULTILINE)) for paragraph in paragraphs]
    files = [field for field in fields if "Files" in field]
    assert all("Copyright" in field for field in files)
    texts = {name.strip() for name, _, text in (field["License"].partition("\n") for field in fields) if text}
    assert texts == {name.strip() for field in files for name in field["License"].split(" and ")}
    named = set(re.findall(r"checkouts/([^/]+)/", " ".join(field["Files"] for field in files)))
    ours = re.findall(r'\.package\(url: "[^"]*/([^/"]+)"', (REPOSITORY / "Package.swift").read_text())
    assert len(ours) > 10 and set(ours) <= named


def test_the_packaged_binary_runs_and_takes_the_packaged_configuration(tree):
    def packaged(*arguments: str | Path) -> str:
        return subprocess.run(
            [tree / "usr/bin/cloakroom", *arguments], env=environment(), capture_output=True, text=True, check=True
        ).stdout

    (tree / "etc/cloakroom/master.key").write_text(packaged("master-key", "new"))
    config = tree / "etc/cloakroom/cloakroom.yaml"
    config.write_text(replaced(config.read_text(), {"sqlite:/var/lib/cloakroom/": f"sqlite:{tree}/"}))
    assert "https://broker.example.com/oauth/callback" in packaged("check", "--config", config)


def test_the_unit_of_one_of_several_brokers_differs_by_its_ports_alone(tree):
    units = tree / "usr/lib/systemd/system"
    lines = (units / "cloakroom@.service").read_text().splitlines()
    lines.remove("Environment=CLOAKROOM_HTTP_PORT=%i CLOAKROOM_ADMIN_PORT=1%i")
    assert lines == (units / "cloakroom.service").read_text().splitlines()


def test_a_broker_is_begun_again_for_as_long_as_postgresql_is_away(tree):
    """By itself systemd gives up after five starts in ten seconds."""
    for name in ("cloakroom", "cloakroom@"):
        text = (tree / f"usr/lib/systemd/system/{name}.service").read_text()
        unit, service = text.partition("[Unit]\n")[2].split("\n[Service]\n")
        assert "StartLimitIntervalSec=0" in unit.splitlines() and "Restart=on-failure" in service.splitlines()
        assert "After=network-online.target postgresql.service" in unit.splitlines()


def test_an_upgrade_leaves_brokers_that_are_named_by_their_port(package, tmp_path):
    """The tables are brought up to date before these are restarted, and the page has several machines run them."""
    subprocess.run(["dpkg-deb", "--control", package, tmp_path / "control"], check=True)
    for script in ("preinst", "prerm", "postinst"):
        path = tmp_path / "control" / script
        text = path.read_text() if path.exists() else ""
        restarts = [line for line in text.splitlines() if re.search(r"\b(try-)?restart\b", line)]
        assert not [line for line in restarts if "@" in line]
    several = part((REPOSITORY / "Docs/Deploy.md").read_text(), "More than one broker").partition("### On several machines")[2]
    assert "run as `cloakroom@8180`" in several.partition("\n### ")[0]


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_the_completions_are_sound_shell(tree):
    subprocess.run(["bash", "-n", tree / "usr/share/bash-completion/completions/cloakroom"], check=True)


def test_the_same_files_make_the_same_package(package, tmp_path):
    assert build_package(tmp_path).read_bytes() == package.read_bytes()


# A machine.

WANTED = "/etc/systemd/system/multi-user.target.wants/cloakroom.service"


def test_a_machine_from_the_package_to_its_removal(machine, provider, package, tmp_path):
    """Installed, configured and started behind nginx as Docs/Deploy.md says; used, upgraded, removed, purged."""
    operator = Operator(machine, provider, tmp_path)
    operator.bring(package)
    machine.run("apt-get update --quiet")
    make, install, configure, start, proxy, upgrade, remove, *_ = operator.blocks
    assert make == "make deb\n", "which `build_package` did"
    operator.follow(install)
    for name, mode, owner in [
        ("/etc/cloakroom", 0o750, "cloakroom"), ("/etc/cloakroom/master.key", 0o600, "cloakroom"),
        ("/etc/cloakroom/cloakroom.yaml", 0o644, "root"), ("/var/lib/cloakroom", 0o700, "cloakroom"),
    ]:
        said = machine.run(f"stat --format '%a %U' {name}").stdout.split()
        assert said == [f"{mode:o}", owner], name
    master_key = machine.path("/etc/cloakroom/master.key").read_text()
    assert os.path.lexists(machine.path(WANTED)), "it starts with the machine"

    operator.write_configuration()
    operator.follow(configure, start, proxy)
    broker = operator.broker()
    kept = broker.key()
    assert broker.credentials()["accessToken"].startswith("access-")
    assert machine.run("stat --format '%a %U' /var/lib/cloakroom/cloakroom.db").stdout.split() == ["600", "cloakroom"]

    # Upgraded: what was changed and made stays, and a key given before is good after.
    operator.bring(build_package(tmp_path / "newer", f"{run('--version').stdout.strip()}+1"))
    operator.follow(upgrade)
    assert "+1" in machine.run("dpkg-query --show cloakroom").stdout
    settings = yaml.safe_load(machine.path("/etc/cloakroom/cloakroom.yaml").read_text())
    assert settings["http"]["publicURL"] == operator.url
    assert machine.path("/etc/cloakroom/master.key").read_text() == master_key
    eventually(lambda: operator.client.get("/readyz").status_code == 200, within=20)
    assert broker.redeem(kept).status_code == 200

    # Its master key is changed by the broker's user, who may write where it is.
    kept = broker.key()
    machine.run("runuser -u cloakroom -- cloakroom master-key rotate --config /etc/cloakroom/cloakroom.yaml")
    assert machine.run("stat --format '%a %U' /etc/cloakroom/master.key").stdout.split() == ["600", "cloakroom"]
    assert machine.path("/etc/cloakroom/master.key").read_text() != master_key
    master_key = machine.path("/etc/cloakroom/master.key").read_text()
    assert broker.redeem(kept).status_code == 200

    # Removed: the data stays. Installed again: it goes on with it.
    kept = broker.key()
    machine.run("systemctl stop cloakroom")
    operator.follow(remove)
    assert not machine.path("/usr/bin/cloakroom").exists()
    assert machine.path("/var/lib/cloakroom/cloakroom.db").exists()
    operator.follow(install)
    assert machine.path("/etc/cloakroom/master.key").read_text() == master_key
    operator.follow(start)
    assert broker.redeem(kept).status_code == 200

    # Purged: nothing stays but the user.
    machine.run("systemctl stop cloakroom\napt-get purge --quiet --yes cloakroom")
    for name in ("/etc/cloakroom", "/var/lib/cloakroom", WANTED):
        assert not os.path.lexists(machine.path(name)), name
    machine.run("getent passwd cloakroom")
