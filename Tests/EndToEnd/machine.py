"""A Debian machine of its own in a folder, as debootstrap makes it, with the package put on it."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from broker import binary

REPOSITORY = Path(__file__).parents[2]


def build_package(folder: Path, version: str = "", program: str = "") -> Path:
    """`make deb` of the binary under test, the broker's unless another is named; lightly packed, which is faster."""
    result = subprocess.run(
        ["make", "--silent", "deb", f"BINARY={os.path.realpath(program or binary())}", f"DEB={folder}", f"VERSION={version}"],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=600,
        env=os.environ | {"DPKG_DEB_COMPRESSOR_TYPE": "gzip", "DPKG_DEB_COMPRESSOR_LEVEL": "1"})
    assert result.returncode == 0, result.stdout + result.stderr
    return Path(result.stdout.splitlines()[-1])


# Stands for systemd, which cannot run in a folder: starts what the unit says, as the user that it says. What is killed
# stays so.
SYSTEMCTL = """#!/bin/sh
set -e
signal=TERM
units=
for word in "$@"; do
  case "$word" in
  --now) ;;
  --signal=SIG*) signal=${word#--signal=SIG} ;;
  nginx | postgresql | cloakroom | cloakroom@*) units="$units $word" ;;
  stop | start | enable | restart | kill) verb=$word ;;
  *) echo "unexpected: $*" >&2; exit 1 ;;
  esac
done
value() { sed -n "s/^$1=//p" "$unit" | sed "s/%i/$instance/g"; }
daemon() { start-stop-daemon --pidfile "/run/$name.pid" "$@"; }
for name in $units; do
  case "$name" in
  nginx)
    [ ! -s /run/nginx.pid ] || start-stop-daemon --pidfile /run/nginx.pid --stop --oknodo --retry QUIT/10
    nginx
    continue ;;
  postgresql)
    pg_lsclusters --no-header | while read -r version cluster _ status _; do
      [ "$status" = online ] || pg_ctlcluster "$version" "$cluster" start
    done
    continue ;;
  esac
  instance=${name#cloakroom}
  instance=${instance#@}
  unit=/usr/lib/systemd/system/${name%"$instance"}.service
  case "$verb" in
  stop | restart) daemon --stop --oknodo --retry TERM/20/KILL/1 --remove-pidfile ;;
  kill) daemon --stop --signal "$signal" ;;
  esac
  case "$verb" in
  enable | start | restart)
    (
      for pair in $(value Environment); do export "$pair"; done
      set -- $(value ExecStart)
      command=$1
      shift
      daemon --start --background --make-pidfile --user "$(value User)" --chuid "$(value User):$(value Group)" \\
        --chdir "$(value WorkingDirectory)" --umask "$(value UMask)" --output "/var/log/$name.log" \\
        --exec "$command" -- "$@"
    )
    ;;
  esac
done
"""


class Machine:
    def __init__(self, root: Path) -> None:
        self.root = root
        text = subprocess.run(
            ["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages"],
            capture_output=True, text=True, check=True).stdout
        release = re.search(r"^VERSION_CODENAME=(.*)$", Path("/etc/os-release").read_text(), re.MULTILINE)[1]
        mirrors = [line.split()[1] for line in text.splitlines() if line.split()[0] == release]
        if not mirrors:
            pytest.skip("apt knows no mirror of this release")
        made = subprocess.run(
            ["debootstrap", "--variant=minbase", "--include=ca-certificates,curl", release, root, mirrors[0]],
            capture_output=True, text=True, timeout=900)
        assert made.returncode == 0, made.stdout[-2000:] + made.stderr[-2000:]
        mounting = subprocess.run(["mount", "-t", "proc", "proc", root / "proc"], capture_output=True)
        self._mounted = mounting.returncode == 0
        self.write("usr/local/bin/systemctl", SYSTEMCTL, mode=0o755)
        # A web server's port 80 and 443 are not ours to take: packages start nothing.
        self.write("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", mode=0o755)
        self._copy_toolchain_libraries()

    def _copy_toolchain_libraries(self) -> None:
        """What a debug build is linked with and no package brings; nothing for the binary that is deployed."""
        linked = subprocess.run(["ldd", binary()], capture_output=True, text=True).stdout
        for library in re.findall(r"=> (/\S+)", linked):
            if "/swift/" in library:
                target = self.root / library.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(library, target)

    def path(self, name: str) -> Path:
        return self.root / name.lstrip("/")

    def write(self, name: str, text: str, mode: int = 0o644) -> None:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def run(self, script: str, check: bool = True, **env: str) -> subprocess.CompletedProcess:
        """A script as root on the machine; stops at the first command that fails."""
        usual = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
        passed = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
        result = subprocess.run(
            ["chroot", self.root, "/bin/sh", "-euxc", script], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=600, env=passed | usual | {"DEBIAN_FRONTEND": "noninteractive"} | env)
        if check:
            assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
        return result

    def close(self) -> None:
        for pid_file in [*self.path("run").glob("*.pid"), *self.path("run/postgresql").glob("*.pid")]:
            try:
                # PostgreSQL then waits for nobody.
                os.kill(int(pid_file.read_text().split()[0]), signal.SIGINT if "postgresql" in pid_file.parts else signal.SIGTERM)
            except (OSError, ValueError, IndexError):
                pass
        if self._mounted:
            subprocess.run(["umount", "--lazy", self.root / "proc"], check=True)
        shutil.rmtree(self.root, ignore_errors=True)
