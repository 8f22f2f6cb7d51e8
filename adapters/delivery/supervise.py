"""Runs one deployment so that it outlives the worker that asked for it. Standard library only.

    supervise.py run <run folder> <region lock> < {"argv": [...], "environment": {...}}
    supervise.py probe <run folder>          prints "running" or "idle"

The run folder's own lock is held for as long as anything of the run is alive, because the command inherits it; the
region's lock lets one deployment at a time into a region. `rc` appears last, and only when the command ended by
itself: a run without it died or was cancelled, and may be started anew.
"""
from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

TERM_GRACE_SECONDS = 10
PROBE_GRACE_SECONDS = 1


def write_json(path: Path, value) -> None:
    scratch = path.with_suffix(".tmp")
    with open(scratch, "w", encoding="utf-8") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(scratch, path)


def try_lock(path: Path):
    file = open(path, "a", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return file
    except BlockingIOError:
        file.close()
        return None


def mend_events(path: Path) -> int:
    """A killed run may have left half a line; the next one appends after the last whole one. Returns its offset."""
    with open(path, "ab+") as file:
        file.seek(0)
        data = file.read()
        whole = data.rfind(b"\n") + 1
        file.truncate(whole)
        return whole


def parents() -> dict:
    found = {}
    if Path("/proc/self/stat").exists():
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    found[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                except OSError:
                    continue
        return found
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
    return {int(pid): int(parent) for pid, parent in (line.split() for line in listed.splitlines())}


def descendants(root: int) -> list:
    """Ansible gives each of its workers a session of its own, so that the process group does not reach them."""
    tree, found = parents(), [root]
    for pid in found:
        found.extend(child for child, parent in tree.items() if parent == pid)
    return found


def end(child: subprocess.Popen) -> None:
    family = descendants(child.pid)
    child.terminate()
    try:
        child.wait(TERM_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    for pid in family:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


class Cancelled(Exception):
    pass


def cancel(_number, _frame):
    raise Cancelled


def environment(extra: dict, run: Path) -> dict:
    # Settings of the person who started the worker must not change what the generated project does.
    env = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    if not any("utf" in env.get(name, "").lower() for name in ("LC_ALL", "LC_CTYPE", "LANG")):
        env["LC_ALL"] = "C.UTF-8"
    project = run / "project"
    return {**env, "ANSIBLE_CONFIG": str(project / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", "PYTHONUNBUFFERED": "1",
            **extra, "PSMG_EVENTS": str(run / "events.jsonl")}


def run_it(run: Path, request: dict, locks: list) -> None:
    started = {"startedAt": int(time.time() * 1000), "eventsFrom": mend_events(run / "events.jsonl")}
    write_json(run / "attempt.json", started)
    with open(run / "stdout", "ab") as out, open(run / "stderr", "ab") as err:
        child = subprocess.Popen(request["argv"], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                 env=environment(request["environment"], run), pass_fds=[lock.fileno() for lock in locks])
    try:
        code = child.wait()
    except Cancelled:
        end(child)
        raise
    write_json(run / "rc", {**started, "rc": code, "finishedAt": int(time.time() * 1000)})


def main(argv: list) -> int:
    command, run = argv[0], Path(argv[1])
    if command == "probe":
        print("running" if try_lock(run / "lock") is None else "idle")
        return 0
    # A probe holds the lock for a moment; it must not be taken for a run.
    own, deadline = try_lock(run / "lock"), time.monotonic() + PROBE_GRACE_SECONDS
    while own is None and time.monotonic() < deadline:
        time.sleep(0.02)
        own = try_lock(run / "lock")
    if own is None:
        return 0  # another one runs this deployment; whoever asked joins it
    request = json.load(sys.stdin)
    signal.signal(signal.SIGTERM, cancel)
    try:
        write_json(run / "supervisor.json", {"pid": os.getpid()})
        with open(argv[2], "a", encoding="utf-8") as region:
            fcntl.flock(region, fcntl.LOCK_EX)
            if not (run / "rc").exists():
                run_it(run, request, [own, region])
    except Cancelled:
        return 143
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
