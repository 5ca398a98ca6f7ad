"""Master keys that change while the broker runs: no flow is lost, and no key goes that is still needed."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from broker import Broker, Installation, binary, environment, eventually, in_background, run


def config(installation):
    return ["--config", installation.config]


def listed(installation) -> dict[str, dict]:
    result = run("master-key", "list", *config(installation), "--json")
    assert result.returncode == 0, result.stderr
    return {item["id"]: item for item in json.loads(result.stdout)}


def sealing(installation) -> str:
    return next(name for name, item in listed(installation).items() if item["seals"])


def test_rotation_under_load_loses_no_flow(installation):
    with Broker(installation) as broker:
        first = sealing(installation)
        stop, done, failures = threading.Event(), [], []

        def load() -> None:
            while not stop.is_set():
                try:
                    assert broker.credentials()["accessToken"]
                    done.append(1)
                except Exception as error:
                    failures.append(repr(error))
                    return

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        # Begun under the old key, ended under the new one.
        waiting = broker.consented()
        key = broker.key()
        rotated = run("master-key", "rotate", "--id", "second", *config(installation))
        assert rotated.returncode == 0, rotated.stderr
        eventually(lambda: "master keys read again" in broker.logs and '"second, ' in broker.logs, what="read again")
        before = len(done)
        eventually(lambda: len(done) > before + 20, within=30, what="flows under the new key")
        stop.set()
        for thread in threads:
            thread.join()
        assert failures == []
        assert sealing(installation) == "second"
        assert broker.redeem(key).status_code == 200
        assert broker.redeem(broker.finish(waiting)).status_code == 200
        eventually(lambda: not listed(installation)[first]["auditTrail"], what="the audit key is moved")
        retired = run("master-key", "retire", first, *config(installation))
        assert retired.returncode == 0, retired.stderr
        assert list(listed(installation)) == ["second"]
        assert broker.credentials()["accessToken"]
    with Broker(installation) as broker:
        assert broker.credentials()["accessToken"]
    assert run("audit", "verify", *config(installation)).returncode == 0


def test_tenants_secrets_move_to_the_new_key(installation):
    with Broker(installation) as broker:
        first = sealing(installation)
        broker.provider.clients["own-app"] = "0wn"
        for tenant in ("acme", "other"):
            broker.client.put(
                f"/v1/admin/tenants/{tenant}/clients/wiki", json={"clientId": "own-app", "clientSecret": "0wn"},
                headers=broker.bearer(tenant=None, scope="broker:admin"))
        assert listed(installation)[first]["clients"] == 2
        refused = run("master-key", "retire", first, *config(installation))
        assert refused.returncode == 1 and "is the one that seals" in refused.stderr
        run("master-key", "rotate", "--id", "second", *config(installation))
        eventually(lambda: listed(installation)["second"]["clients"] == 2, what="sealed again")
        assert run("master-key", "retire", first, *config(installation)).returncode == 0
        eventually(lambda: broker.logs.count("master keys read again") >= 3, what="read without the old key")
        assert broker.redeem(broker.key()).status_code == 200


def test_what_still_needs_a_key_keeps_it(installation):
    with Broker(installation) as broker:
        first = sealing(installation)
        broker.begin()
        run("master-key", "rotate", "--id", "second", *config(installation))
        eventually(lambda: not listed(installation)[first]["auditTrail"])
        refused = run("master-key", "retire", first, *config(installation))
        assert refused.returncode == 1
        assert "still needed for 1 flow" in refused.stderr
        assert list(listed(installation)) == ["second", first]


def test_sighup_reads_the_file_at_once_and_ends_nothing(installation):
    with Broker(installation) as broker:
        lines = (installation.folder / "master.key").read_text()
        installation.write("master.key", lines + run("master-key", "new", "--id", "third").stdout, mode=0o600)
        broker.process.send_signal(signal.SIGHUP)
        eventually(lambda: "third" in broker.logs)
        assert broker.credentials()["accessToken"]


def test_a_broken_file_changes_nothing_and_is_told(installation):
    with Broker(installation) as broker:
        good = (installation.folder / "master.key").read_text()
        installation.write("master.key", "nonsense\n", mode=0o600)
        broker.process.send_signal(signal.SIGHUP)
        eventually(lambda: "the master key file is refused, and the keys in use stay" in broker.logs)
        assert broker.credentials()["accessToken"]
        installation.write("master.key", good, mode=0o600)


def test_a_file_that_went_away_is_told_with_the_systems_words(installation):
    with Broker(installation) as broker:
        file = installation.folder / "master.key"
        file.rename(installation.folder / "elsewhere")
        broker.process.send_signal(signal.SIGHUP)
        eventually(lambda: "the master key file is refused, and the keys in use stay" in broker.logs)
        assert "cannot be read: No such file or directory" in refusals(broker)[0]["reason"]
        assert broker.credentials()["accessToken"]
        (installation.folder / "elsewhere").rename(file)


def test_the_wrong_file_is_told_at_the_start(installation):
    with Broker(installation):
        pass
    installation.write("master.key", run("master-key", "new", "--id", "other").stdout, mode=0o600)
    refused = run("serve", "--config", installation.config)
    assert refused.returncode == 1
    assert "found no key" in refused.stderr
    assert "hint: put the key back" in refused.stderr


def test_the_file_keeps_its_mode_and_the_list_shows_no_key(installation):
    secret = (installation.folder / "master.key").read_text().split(":")[1].strip()
    assert run("master-key", "rotate", *config(installation)).returncode == 0
    assert (installation.folder / "master.key").stat().st_mode & 0o777 == 0o600
    shown = run("master-key", "list", *config(installation)).stdout
    assert secret not in shown and "SEALS" in shown


@pytest.mark.parametrize("arguments", [["retire", "nobody"], ["rotate", "--id", "a b"], ["retire"]])
def test_what_cannot_be_done_is_refused(installation, arguments):
    before = (installation.folder / "master.key").read_text()
    assert run("master-key", *arguments, *config(installation)).returncode in (1, 2)
    assert (installation.folder / "master.key").read_text() == before


# Commands that meet.


def ids(installation) -> list[str]:
    return [line.split(":")[0] for line in (installation.folder / "master.key").read_text().splitlines()]


def rounds(work, tmp_path, provider, count: int = 20) -> None:
    """Each round has a folder of its own; some run side by side, since each waits for seconds."""
    installations = [Installation(tmp_path / str(number), provider) for number in range(count)]
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(work, installations))


def test_of_two_rotations_at_once_no_key_vanishes(tmp_path, provider):
    def rotate_twice(installation) -> None:
        first = ids(installation)
        both = [in_background(lambda id=id: run("master-key", "rotate", "--id", id, *config(installation))) for id in "ab"]
        for one in both:
            result = one.result(60)
            assert result.returncode == 0 and "seals from now on" in result.stdout, result.stderr
        assert sorted(ids(installation)) == sorted(["a", "b", *first])
        assert ids(installation)[0] in ("a", "b")
        assert (installation.folder / "master.key").stat().st_mode & 0o777 == 0o600

    rounds(rotate_twice, tmp_path, provider)


def test_a_key_retired_during_a_rotation_does_not_return(tmp_path, provider):
    def retire_meanwhile(installation) -> None:
        [first] = ids(installation)
        lines = (installation.folder / "master.key").read_text()
        second = run("master-key", "new", "--id", "second").stdout
        installation.write("master.key", second + lines, mode=0o600)
        rotating = in_background(lambda: run("master-key", "rotate", "--id", "third", *config(installation)))
        eventually(lambda: "third" in ids(installation), within=30)
        retired = run("master-key", "retire", first, *config(installation))
        assert retired.returncode == 0, retired.stderr
        assert rotating.result(60).returncode == 0
        assert ids(installation) == ["third", "second"]

    rounds(retire_meanwhile, tmp_path, provider)


def test_a_key_retired_before_it_seals_is_told(installation):
    rotating = in_background(lambda: run("master-key", "rotate", "--id", "early", *config(installation)))
    eventually(lambda: "early" in ids(installation), within=30)
    assert run("master-key", "retire", "early", *config(installation)).returncode == 0
    result = rotating.result(60)
    assert result.returncode == 1 and "seals from now on" not in result.stdout
    assert "was taken out of the file" in result.stderr
    assert "early" not in ids(installation)


def test_a_rotation_that_is_killed_leaves_a_good_file_and_no_lock(tmp_path, provider):
    def kill(installation) -> None:
        before = (installation.folder / "master.key").read_text()
        process = subprocess.Popen(
            [binary(), "master-key", "rotate", "--id", "killed", "--config", str(installation.config)],
            env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0.1, 8))
        process.kill()
        process.wait()
        after = (installation.folder / "master.key").read_text()
        assert before in after and listed(installation)
        # Whatever it left beside the file is in nobody's way.
        installation.write("master.key.new", "half of a li", mode=0o600)
        rotated = run("master-key", "rotate", "--id", "next", *config(installation))
        assert rotated.returncode == 0, rotated.stderr
        assert ids(installation)[0] == "next"
        assert not (installation.folder / "master.key.new").exists()

    rounds(kill, tmp_path, provider)


def test_a_linked_file_stays_linked(installation):
    kept = installation.folder / "kept"
    kept.mkdir()
    (installation.folder / "master.key").rename(kept / "master.key")
    (installation.folder / "master.key").symlink_to(kept / "master.key")
    assert run("master-key", "rotate", "--id", "linked", *config(installation)).returncode == 0
    assert (installation.folder / "master.key").is_symlink()
    assert (kept / "master.key").read_text().startswith("linked:")


def test_a_running_broker_follows_a_link_that_leads_elsewhere(installation):
    """As an orchestrator changes a mounted secret: the folder behind the link is another one, and the former goes."""
    folder = installation.folder
    [first] = ids(installation)
    lines = (folder / "master.key").read_text()
    (folder / "d1").mkdir()
    (folder / "master.key").rename(folder / "d1" / "master.key")
    (folder / "..data").symlink_to("d1")
    (folder / "master.key").symlink_to("..data/master.key")
    with Broker(installation) as broker:
        key = broker.key()
        for name in ("second", "third"):
            lines = run("master-key", "new", "--id", name).stdout + lines
            (folder / name).mkdir()
            installation.write(f"{name}/master.key", lines, mode=0o600)
            former = (folder / "..data").resolve()
            (folder / "..next").symlink_to(name)
            (folder / "..next").replace(folder / "..data")
            shutil.rmtree(former)
            eventually(lambda: f'"keys":"{name}, ' in broker.logs, what=f"{name} is read")
        assert broker.redeem(key).status_code == 200
        assert broker.credentials()["accessToken"]
        assert ids(installation) == ["third", "second", first]
        rotated = run("master-key", "rotate", "--id", "fourth", *config(installation))
        assert rotated.returncode == 0, rotated.stderr
        assert (folder / "master.key").is_symlink()
        assert (folder / "third" / "master.key").read_text().startswith("fourth:")
        eventually(lambda: '"keys":"fourth, ' in broker.logs, what="the rotation is read")


# A file that would lock the broker out.


def refusals(broker) -> list[dict]:
    lines = [json.loads(line) for line in broker.logs.splitlines()]
    return [line for line in lines if line.get("message") == "the master key file is refused, and the keys in use stay"]


def test_a_file_without_the_key_that_sealed_is_refused_and_told(installation):
    with Broker(installation) as broker:
        [first] = ids(installation)
        good = (installation.folder / "master.key").read_text()
        key, waiting = broker.key(), broker.consented()
        installation.write("master.key", run("master-key", "new", "--id", "other").stdout, mode=0o600)
        eventually(lambda: refusals(broker), what="it is told")
        [told] = refusals(broker)
        assert told["level"] == "error" and f'"{first}"' in told["reason"]
        assert "1 flow," in told["reason"] and "1 credential key," in told["reason"]
        assert "the audit trail" in told["reason"]
        # Nothing is lost by it, and it is told once.
        assert broker.redeem(key).status_code == 200
        assert broker.redeem(broker.finish(waiting)).status_code == 200
        assert broker.credentials()["accessToken"]
        time.sleep(5)
        assert len(refusals(broker)) == 1
        installation.write("master.key", good, mode=0o600)
        broker.process.send_signal(signal.SIGHUP)
        assert broker.credentials()["accessToken"]
    assert run("audit", "verify", *config(installation)).returncode == 0


def test_another_key_under_the_same_id_is_refused_and_told(installation):
    with Broker(installation) as broker:
        [first] = ids(installation)
        installation.write("master.key", run("master-key", "new", "--id", first).stdout, mode=0o600)
        broker.process.send_signal(signal.SIGHUP)
        eventually(lambda: refusals(broker), what="it is told")
        assert f'other bytes under "{first}"' in refusals(broker)[0]["reason"]
        assert broker.credentials()["accessToken"]


def test_a_refused_file_is_taken_once_nothing_needs_the_missing_key(tmp_path, provider):
    installation = Installation(tmp_path / "short", provider, {"lifetimes": {"state": 8}})
    with Broker(installation) as broker:
        [first] = ids(installation)
        lines = (installation.folder / "master.key").read_text()
        second = run("master-key", "new", "--id", "second").stdout
        broker.begin()
        installation.write("master.key", second + lines, mode=0o600)
        eventually(lambda: '"second, ' in broker.logs, what="both are read")
        eventually(lambda: not listed(installation)[first]["auditTrail"], what="the audit key is moved")
        installation.write("master.key", second, mode=0o600)
        eventually(lambda: refusals(broker), what="it is told")
        assert "1 flow" in refusals(broker)[0]["reason"]
        eventually(lambda: '"keys":"second"' in broker.logs, within=20, what="taken after the flow's end")
        assert broker.credentials()["accessToken"]


# A change at any moment.


def test_a_rotation_while_a_broker_starts_is_not_lost(installation):
    pipe = installation.folder / "more-types.yaml"
    os.mkfifo(pipe)
    installation.settings["catalogFiles"].append(pipe.name)
    installation.write_configuration()
    broker = Broker(installation)
    starting = in_background(broker.start)
    # Opened once the broker reads it, which is after the keys.
    with pipe.open("w") as catalog:
        lines = (installation.folder / "master.key").read_text()
        installation.write("next.key", run("master-key", "new", "--id", "second").stdout + lines, mode=0o600)
        (installation.folder / "next.key").replace(installation.folder / "master.key")
        catalog.write("sourceTypes: {}\n")
    starting.result()
    pipe.unlink()
    pipe.write_text("sourceTypes: {}\n")
    with contextlib.ExitStack() as stack:
        stack.callback(broker.stop)
        eventually(lambda: '"keys":"second, ' in broker.logs, what="the rotation is read")
        eventually(lambda: listed(installation)["second"]["auditTrail"], what="the audit key is moved")


def test_a_pipe_in_the_files_place_is_refused_and_holds_up_nothing(installation):
    file = installation.folder / "master.key"
    broker = Broker(installation).start()
    file.rename(installation.folder / "elsewhere")
    os.mkfifo(file)
    broker.process.send_signal(signal.SIGHUP)
    eventually(lambda: refusals(broker), what="it is told")
    assert "it is no regular file" in refusals(broker)[0]["reason"]
    assert broker.credentials()["accessToken"]
    broker.stop(within=5)
    refused = installation.check()
    assert refused.returncode == 1 and "it is no regular file" in refused.stderr
