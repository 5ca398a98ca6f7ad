"""An operator who follows Docs/Deploy.md."""

import shutil
import ssl
from pathlib import Path

import httpx

from broker import Broker, Installation, free_port
from documents import commands
from machine import Machine
from proxies import Certificate


class Operator:
    """Follows Docs/Deploy.md on a machine, and then has a broker that answers through nginx."""

    def __init__(self, machine: Machine, provider, folder: Path, origins: list[str] | None = None) -> None:
        self.machine = machine
        port, tls_port, plain_port = free_port(), free_port(), free_port()
        self.url = f"https://localhost:{tls_port}"
        changes = {
            "frontend": {"origins": origins} if origins else {},
            "http": {"publicURL": self.url, "trustedProxies": ["127.0.0.1"]},
            "storage": {"url": "sqlite:/var/lib/cloakroom/cloakroom.db"},
        }
        self.installation = Installation(folder / "written", provider, changes, port)
        self.certificate = certificate = Certificate.new(folder)
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
                "127.0.0.1:8080/readyz": f"127.0.0.1:{port}/readyz",
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
