"""Every command of Docs/Assets.md, run as it stands there: from nothing to a chunk."""

import os
import subprocess
from pathlib import Path

from broker import binary, environment, free_port
from documents import blocks
from machine import REPOSITORY
from proxies import replaced
from service import assets_binary

PAGE = (REPOSITORY / "Docs/Assets.md").read_text()


class Shell:
    """A person's, in an empty folder. What a block exports the next one has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        programs = folder / "programs"
        programs.mkdir()
        (programs / "cloakroom").symlink_to(os.path.realpath(binary()))
        (programs / "cloakroom-assets").symlink_to(os.path.realpath(assets_binary()))
        self.env = environment({"PATH": f"{programs}:{os.environ['PATH']}"})

    def run(self, block: str) -> str:
        result = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{block}\nenv -0 >environment"], cwd=self.folder, env=self.env,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, f"{block}\n{result.stdout}{result.stderr}"
        kept = (self.folder / "environment").read_text()
        self.env = dict(pair.split("=", 1) for pair in kept.split("\0") if pair)
        return result.stdout


def test_from_nothing_to_a_chunk(tmp_path):
    port = free_port()
    page = replaced(PAGE, {
        "8090": str(port),
        # Started and stopped below.
        "cloakroom-assets serve --config assets.yaml &\n": "",
        'kill %1 2>/dev/null || pkill --full "serve --config assets.yaml"': ":",
    })
    keys, serve, create, wait, chunk, end = blocks("sh", page)
    [settings] = blocks("yaml", page)
    shell = Shell(tmp_path)
    shell.run(keys)
    (tmp_path / "assets.yaml").write_text(settings)
    with (tmp_path / "log").open("wb") as log:
        service = subprocess.Popen(
            ["cloakroom-assets", "serve", "--config", "assets.yaml"], cwd=tmp_path, env=shell.env, stdout=log, stderr=log)
    try:
        shell.run(serve)
        assert '"operation"' in shell.run(create)
        assert '"COMPLETED"' in shell.run(wait)
        assert "Handbook > Travel | " in (said := shell.run(chunk)) and "train" in said
        shell.run(end)
    finally:
        service.terminate()
        assert service.wait(15) == 0
