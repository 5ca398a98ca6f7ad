"""The platform's own command line, `fruxon`, unmodified, as a program drives it."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import Any

from broker import environment
from service import AssetService

QUIET = {
    "FRUXON_AGENT_MODE": "1", "FRUXON_NO_TELEMETRY": "1", "DO_NOT_TRACK": "1", "FRUXON_NO_UPDATE_CHECK": "1",
    "FRUXON_NO_KEYRING": "1", "FRUXON_NO_BANNER": "1", "NO_COLOR": "1",
}


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.status == 0, self.err
        return json.loads(self.out)

    @property
    def error(self) -> dict:
        """The envelope that it writes for programs."""
        return json.loads(self.err.splitlines()[-1])["error"]


class PlatformClient:
    def __init__(self, service: AssetService, tenant: str = "acme", scope: str = "assets:read assets:write") -> None:
        self.service, self.tenant = service, tenant
        self.token = service.bearer(tenant, scope)["Authorization"].removeprefix("Bearer ")
        self.url = service.url

    def begin(self, *arguments: str) -> subprocess.Popen:
        settings = {
            "FRUXON_TOKEN": self.token, "FRUXON_WORKSPACE": self.tenant, "FRUXON_BASE_URL": self.url,
            "FRUXON_CONFIG_DIR": tempfile.mkdtemp(prefix="fruxon-")}
        return subprocess.Popen(
            [sys.executable, "-m", "fruxon", "assets", *map(str, arguments)], env=environment(QUIET | settings),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __call__(self, *arguments: str, within: float = 90) -> Result:
        return finished(self.begin(*arguments), within)


def finished(process: subprocess.Popen, within: float = 90) -> Result:
    out, err = process.communicate(timeout=within)
    assert "Traceback" not in err, err
    return Result(process.returncode, out, err)
