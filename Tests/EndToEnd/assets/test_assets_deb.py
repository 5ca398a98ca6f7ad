"""The asset service's Debian package: what is in it, and that it installs what it says. The broker's has its own tests."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from broker import environment
from machine import build_package
from proxies import replaced
from service import assets_binary, run_assets

pytestmark = pytest.mark.skipif(not shutil.which("dpkg-shlibdeps"), reason="dpkg-dev is not installed")

NAME = "cloakroom-assets"


@pytest.fixture(scope="module")
def assets_package(folder: Path) -> Path:
    return build_package(folder / "deb", program=assets_binary())


@pytest.fixture(scope="module")
def tree(folder: Path, assets_package: Path) -> Path:
    """What the package puts on a machine."""
    subprocess.run(["dpkg-deb", "--extract", assets_package, folder / "tree"], check=True)
    return folder / "tree"


@pytest.fixture(scope="module")
def control(folder: Path, assets_package: Path) -> Path:
    """What the package says of itself, and its scripts."""
    subprocess.run(["dpkg-deb", "--control", assets_package, folder / "control"], check=True)
    return folder / "control"


def test_the_package_says_what_it_needs(control):
    fields = dict(line.split(": ", 1) for line in (control / "control").read_text().splitlines() if ": " in line)
    assert fields["Package"] == NAME
    assert fields["Version"] == run_assets("--version").stdout.strip()
    for library in ("libc6 ", "libcurl4", "libsqlite3-0", "libssl3", "libzip", "ca-certificates", "passwd"):
        assert library in fields["Depends"], library
    assert fields["Recommends"] == "poppler-utils"
    assert (control / "conffiles").read_text() == f"/etc/{NAME}/{NAME}.yaml\n"


def test_the_package_holds_all_that_a_machine_needs_and_nothing_of_the_broker(tree):
    names = {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()}
    assert names == {
        f"usr/bin/{NAME}", f"usr/lib/systemd/system/{NAME}.service", f"etc/{NAME}/{NAME}.yaml",
        f"usr/share/bash-completion/completions/{NAME}", f"usr/share/zsh/vendor-completions/_{NAME}",
        f"usr/share/fish/vendor_completions.d/{NAME}.fish", f"usr/share/doc/{NAME}/copyright",
        f"usr/share/doc/{NAME}/CHANGELOG.md.gz",
    }, "both packages may be on one machine"
    assert not [name for name in names if (tree / name).stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH | stat.S_ISUID)]


def test_its_scripts_and_its_unit_are_of_this_service(tree, control):
    for script in ("postinst", "prerm", "postrm"):
        text = (control / script).read_text()
        assert f"{NAME}.service" in text and "@name@" not in text and "cloakroom.service" not in text
        subprocess.run(["sh", "-n", control / script], check=True)
    unit = dict(
        line.split("=", 1)
        for line in (tree / f"usr/lib/systemd/system/{NAME}.service").read_text().splitlines() if "=" in line)
    assert unit["ExecStart"] == f"/usr/bin/{NAME} serve --config /etc/{NAME}/{NAME}.yaml"
    assert unit["User"] == unit["Group"] == unit["StateDirectory"] == NAME


def test_the_packaged_binary_takes_the_packaged_configuration(tree, world):
    """With the keys that the configuration names and the package cannot bring."""
    folder = tree / f"etc/{NAME}"
    config = folder / f"{NAME}.yaml"
    config.write_text(replaced(config.read_text(), {f"sqlite:/var/lib/{NAME}/": f"sqlite:{tree}/"}))
    for name, octets in [
        ("master.key", f"first:{'A' * 43}=\n".encode()), ("service.pem", world.installation.service.private_pem),
    ]:
        (folder / name).write_bytes(octets)
        (folder / name).chmod(0o600)
    checked = subprocess.run(
        [tree / f"usr/bin/{NAME}", "check", "--config", config], env=environment(), capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stderr
    assert checked.stdout == "ok: 0 embedding models\n"


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_the_completions_are_sound_shell(tree):
    subprocess.run(["bash", "-n", tree / f"usr/share/bash-completion/completions/{NAME}"], check=True)


def test_the_same_files_make_the_same_package(assets_package, tmp_path):
    assert build_package(tmp_path, program=assets_binary()).read_bytes() == assets_package.read_bytes()


def test_a_machine_from_the_package_to_its_removal(machine, assets_package):
    """A user of its own, folders and a key that nobody else reads; removed with its data kept, purged with nothing left."""
    shutil.copy(assets_package, machine.path("/root/assets.deb"))
    machine.run("apt-get update --quiet\napt-get install --quiet --yes --no-install-recommends /root/assets.deb")
    key = f"/etc/{NAME}/master.key"
    for name, mode, owner in [
        (f"/etc/{NAME}", 0o750, NAME), (key, 0o600, NAME), (f"/etc/{NAME}/{NAME}.yaml", 0o644, "root"),
        (f"/var/lib/{NAME}", 0o700, NAME), (f"/usr/bin/{NAME}", 0o755, "root"),
    ]:
        assert machine.run(f"stat --format '%a %U' {name}").stdout.split() == [f"{mode:o}", owner], name
    wanted = f"/etc/systemd/system/multi-user.target.wants/{NAME}.service"
    assert os.path.lexists(machine.path(wanted)), "it starts with the machine"
    assert machine.run(f"runuser -u {NAME} -- {NAME} --version").stdout == run_assets("--version").stdout
    # All that it misses is what only the operator has.
    checked = machine.run(f"runuser -u {NAME} -- {NAME} check --config /etc/{NAME}/{NAME}.yaml", check=False)
    findings = [line for line in checked.stderr.splitlines() if line.startswith("error: ")]
    assert checked.returncode == 1 and len(findings) == 1 and "broker.signingKeyFile" in findings[0], checked.stderr

    kept = machine.path(key).read_text()
    machine.run(f"apt-get remove --quiet --yes {NAME}")
    assert not machine.path(f"/usr/bin/{NAME}").exists() and machine.path(key).read_text() == kept
    machine.run("apt-get install --quiet --yes --no-install-recommends /root/assets.deb")
    assert machine.path(key).read_text() == kept
    machine.run(f"apt-get purge --quiet --yes {NAME}")
    for name in (f"/etc/{NAME}", f"/var/lib/{NAME}", wanted):
        assert not os.path.lexists(machine.path(name)), name
    machine.run(f"getent passwd {NAME}")
