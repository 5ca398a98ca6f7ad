"""The Debian package: what is in it, and a machine's life with it, by the commands of Docs/Deploy.md."""

import os
import shutil
import ssl
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from broker import Broker, Installation, environment, eventually, free_port, run
from documents import commands
from machine import Machine, build_package
from proxies import Certificate, replaced

pytestmark = pytest.mark.skipif(not shutil.which("dpkg-shlibdeps"), reason="dpkg-dev is not installed")


@pytest.fixture(scope="module")
def package(folder: Path) -> Path:
    return build_package(folder / "deb")


@pytest.fixture(scope="module")
def tree(folder: Path, package: Path) -> Path:
    """What the package puts on a machine."""
    subprocess.run(["dpkg-deb", "--extract", package, folder / "tree"], check=True)
    return folder / "tree"


def test_the_package_says_what_it_needs(package):
    fields = subprocess.run(["dpkg-deb", "--field", package], capture_output=True, text=True, check=True).stdout
    assert f"Version: {run('--version').stdout.strip()}\n" in fields
    for library in ("libc6 ", "libcurl4", "libsqlite3-0", "libssl3", "ca-certificates", "passwd"):
        assert library in fields


def test_the_package_holds_all_that_a_machine_needs(tree):
    names = {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()}
    share = "usr/share"
    assert names >= {
        "usr/bin/cloakroom", "usr/lib/systemd/system/cloakroom.service", "etc/cloakroom/cloakroom.yaml",
        f"{share}/man/man1/cloakroom.1.gz", f"{share}/bash-completion/completions/cloakroom",
        f"{share}/zsh/vendor-completions/_cloakroom", f"{share}/fish/vendor_completions.d/cloakroom.fish",
        f"{share}/doc/cloakroom/copyright", f"{share}/doc/cloakroom/examples/nginx.conf",
    }
    assert not [name for name in names if (tree / name).stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH | stat.S_ISUID)]


def test_the_packaged_binary_runs_and_takes_the_packaged_configuration(tree):
    def packaged(*arguments: str | Path) -> str:
        return subprocess.run(
            [tree / "usr/bin/cloakroom", *arguments], env=environment(), capture_output=True, text=True, check=True
        ).stdout

    (tree / "etc/cloakroom/master.key").write_text(packaged("master-key", "new"))
    config = tree / "etc/cloakroom/cloakroom.yaml"
    config.write_text(replaced(config.read_text(), {"sqlite:/var/lib/cloakroom/": f"sqlite:{tree}/"}))
    assert "https://broker.example.com/oauth/callback" in packaged("check", "--config", config)


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_the_completions_are_sound_shell(tree):
    subprocess.run(["bash", "-n", tree / "usr/share/bash-completion/completions/cloakroom"], check=True)


def test_the_same_files_make_the_same_package(package, tmp_path):
    assert build_package(tmp_path).read_bytes() == package.read_bytes()


# A machine.

WANTED = "/etc/systemd/system/multi-user.target.wants/cloakroom.service"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    if os.getuid() != 0:
        pytest.skip("debootstrap needs root")
    if not shutil.which("debootstrap"):
        pytest.skip("debootstrap is not installed")
    tmp_path.chmod(0o755)
    running = Machine(tmp_path / "machine")
    yield running
    running.close()


class Operator:
    """Follows Docs/Deploy.md on a machine, and then has a broker that answers through nginx."""

    def __init__(self, machine: Machine, provider, folder: Path) -> None:
        self.machine = machine
        port, tls_port, plain_port = free_port(), free_port(), free_port()
        self.url = f"https://localhost:{tls_port}"
        changes = {
            "http": {"publicURL": self.url, "trustedProxies": ["127.0.0.1"]},
            "storage": {"url": "sqlite:/var/lib/cloakroom/cloakroom.db"},
        }
        self.installation = Installation(folder / "written", provider, changes, port)
        certificate = Certificate.new(folder)
        places = "/etc/ssl/broker.example.com"
        machine.write(f"{places}/fullchain.pem", certificate.chain.read_text())
        machine.write(f"{places}/privkey.pem", certificate.key.read_text(), mode=0o600)
        machine.write("/root/authority.pem", certificate.authority.read_text())
        machine.write("/root/google.secret", "unused\n")
        self.client = httpx.Client(
            base_url=self.url, verify=ssl.create_default_context(cafile=certificate.authority), timeout=30)
        self.blocks = commands(
            "Docs/Deploy.md",
            {
                "sudo -u cloakroom ": "runuser -u cloakroom -- ",
                "sudoedit /etc/cloakroom/cloakroom.yaml": "cp /root/written/* /etc/cloakroom/",
                "sudo ": "",
                "apt-get install ": "apt-get install --quiet --yes --no-install-recommends ",
                "apt-get remove ": "apt-get remove --quiet --yes ",
                "127.0.0.1:8080/readyz": f"127.0.0.1:{port}/readyz --retry 20 --retry-connrefused --retry-delay 1",
                "https://broker.example.com/readyz": f"{self.url}/readyz",
                # Ports that are free here, and none of IPv6.
                "sudoedit /etc/nginx/conf.d/cloakroom.conf":
                    f"sed -i 's/listen 443/listen {tls_port}/; s/listen 80/listen {plain_port}/; "
                    f"s/127.0.0.1:8080/127.0.0.1:{port}/; /listen .::/d' /etc/nginx/conf.d/cloakroom.conf",
                "nginx -t": "rm /etc/nginx/sites-enabled/default; nginx -t",
            },
        )

    def follow(self, *blocks: str) -> None:
        for block in blocks:
            self.machine.run(f"cd /root\n{block}", CURL_CA_BUNDLE="/root/authority.pem")

    def bring(self, package: Path) -> None:
        for old in self.machine.path("/root").glob("*.deb"):
            old.unlink()
        shutil.copy(package, self.machine.path("/root"))

    def write_configuration(self) -> None:
        """What the operator types, but the master key, which the package made."""
        folder = self.machine.path("/root/written")
        shutil.copytree(self.installation.folder, folder, ignore=shutil.ignore_patterns("master.key"))
        for file in folder.iterdir():
            file.chmod(0o644)

    def broker(self) -> Broker:
        broker = Broker(self.installation)
        broker.client.close()
        broker.client = self.client
        return broker


def test_a_machine_from_the_package_to_its_removal(machine, provider, package, tmp_path):
    """Installed, configured and started behind nginx as Docs/Deploy.md says; used, upgraded, removed, purged."""
    operator = Operator(machine, provider, tmp_path)
    operator.bring(package)
    machine.run("apt-get update --quiet")
    make, install, configure, start, proxy, upgrade, remove = operator.blocks
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
