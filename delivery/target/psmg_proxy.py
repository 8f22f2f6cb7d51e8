"""Starts, restarts and stops the Envoy of one host where no service manager does. Used through psmg_target.py.

The proxy runs in a session of its own, so that it outlives whoever started it. When its bootstrap changed it is
restarted: first its listeners are drained gracefully for `drainSeconds`, then it is stopped and started anew.
"""
from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

LOG_TAIL_BYTES = 3000
STOP_TIMEOUT_SECONDS = 10


class ProxyFailure(ValueError):
    """Told to the caller in its own words; a ValueError, so that psmg_target.py reports it as one."""


def started_at(pid: int):
    """Tells a process from a later one with the same id; None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return None if fields[0] in ("Z", "X") else fields[19]
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
    except ProcessLookupError:
        return None
    listed = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], check=False, capture_output=True, text=True)
    return listed.stdout.strip() or None


def running(record: dict) -> bool:
    # One that ended before it could be looked at has no start time, and neither has a process that is gone.
    if not record or record["started"] is None:
        return False
    return started_at(record["pid"]) == record["started"]


def read_record(target) -> dict:
    try:
        return json.loads((target.root / "proxy.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def ask(admin: dict, path: str, method: str = "GET", timeout_seconds: float = 10) -> str:
    address = "127.0.0.1" if admin["address"] in ("0.0.0.0", "::") else admin["address"]
    host = f"[{address}]" if ":" in address else address
    request = urllib.request.Request(f"http://{host}:{admin['port']}{path}", method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout_seconds) as answer:
            return answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        raise ProxyFailure(f"{method} {path}: {error.code} {error.read().decode('utf-8', 'replace')[:500]}") from None
    except OSError as error:
        raise ProxyFailure(f"{method} {path} on {host}:{admin['port']}: {error}") from None


def log_size(target) -> int:
    log = target.root / "envoy.log"
    return log.stat().st_size if log.exists() else 0


def log_tail(target, since: int) -> str:
    with open(target.root / "envoy.log", "rb") as log:
        log.seek(max(since, log_size(target) - LOG_TAIL_BYTES))
        return log.read().decode("utf-8", "replace").strip()


def wait_until_ready(target, record: dict, request: dict) -> None:
    deadline = time.monotonic() + request["readyTimeoutSeconds"]
    bootstrap = str(target.root / "bootstrap.yaml")
    while True:
        if not running(record):
            raise ProxyFailure(f"Envoy ended while it started: {log_tail(target, record['logFrom'])}")
        try:
            ask(request["admin"], "/ready", timeout_seconds=2)
            # Another proxy may answer on a port that was given twice.
            info = json.loads(ask(request["admin"], "/server_info", timeout_seconds=2))
            if info["command_line_options"]["config_path"] == bootstrap:
                return
            reason = f"{info['command_line_options']['config_path']} answers on the admin port"
        except ProxyFailure as error:
            reason = str(error)
        if time.monotonic() > deadline:
            words = f"Envoy was not ready in {request['readyTimeoutSeconds']} s: {reason}"
            raise ProxyFailure(f"{words}\n{log_tail(target, record['logFrom'])}")
        time.sleep(0.05)


def launch(command: list, folder: Path) -> int:
    """Envoy asks the kernel to be ended when its parent ends, so it begins only once it has been handed to init."""
    receive, send = os.pipe()
    middle = os.fork()
    if middle == 0:
        os.setsid()
        parent, child = os.getpid(), os.fork()
        if child != 0:
            os.write(send, str(child).encode())
            os._exit(0)
        become(command, folder, parent)
    os.close(send)
    os.waitpid(middle, 0)
    with os.fdopen(receive, "rb") as pipe:
        return int(pipe.read())


def become(command: list, folder: Path, parent: int) -> None:
    try:
        while os.getppid() == parent:
            time.sleep(0.001)
        log = os.open(folder / "envoy.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        for number, handle in ((0, os.open(os.devnull, os.O_RDONLY)), (1, log), (2, log)):
            os.dup2(handle, number)
        os.closerange(3, 256)
        os.chdir(folder)
        os.execv(command[0], command)
    except OSError as error:
        os.write(2, f"{command[0]}: {error}\n".encode())
    finally:
        os._exit(127)


def start(target, wanted: dict, request: dict) -> dict:
    log_from = log_size(target)
    pid = launch(wanted["command"], target.root)
    record = {**wanted, "pid": pid, "started": started_at(pid), "logFrom": log_from}
    target.write_json(target.root / "proxy.json", record)
    (target.root / "envoy.pid").write_text(f"{pid}\n", encoding="utf-8")
    try:
        wait_until_ready(target, record, request)
    except ProxyFailure:
        stop(target, record)
        raise
    return record


def stop(target, record: dict) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not running(record):
            break
        try:
            os.kill(record["pid"], number)
        except ProcessLookupError:
            break  # it ended by itself in between
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        while running(record) and time.monotonic() < deadline:
            time.sleep(0.02)
    for name in ("proxy.json", "envoy.pid"):
        (target.root / name).unlink(missing_ok=True)


def drain_and_stop(target, record: dict, request: dict) -> None:
    try:
        ask(request["admin"], "/drain_listeners?graceful&skip_exit", method="POST")
        time.sleep(request.get("drainSeconds", 0))
    except ProxyFailure:
        pass  # a proxy whose admin does not answer cannot be drained; it is replaced all the same
    stop(target, record)


def ensure(target, request: dict) -> dict:
    bootstrap = target.root / "bootstrap.yaml"
    command = [request["binary"], "-c", str(bootstrap), *request["args"]]
    wanted = {"command": command, "bootstrap": hashlib.sha256(bootstrap.read_bytes()).hexdigest()}
    with target.locked("proxy.lock", wait_seconds=120):
        record = read_record(target)
        alive = running(record)
        if alive and all(record[key] == wanted[key] for key in wanted):
            wait_until_ready(target, record, request)
            words = "Envoy runs with this bootstrap"
            return {"outcome": "running", "changed": False, "pid": record["pid"], "message": words}
        if alive:
            drain_and_stop(target, record, request)
        fresh = start(target, wanted, request)
    words = "Envoy was drained and restarted: its bootstrap or arguments changed" if alive else "Envoy was started"
    return {"outcome": "restarted" if alive else "started", "changed": True, "pid": fresh["pid"], "message": words}


def run(command: str, target, request: dict) -> dict:
    if command == "admin":
        return {"outcome": "answered", "body": ask(request["admin"], request["path"])}
    if command == "ensure-proxy":
        return ensure(target, request)
    with target.locked("proxy.lock", wait_seconds=120):
        record = read_record(target)
        alive = running(record)
        if alive and request.get("admin"):
            drain_and_stop(target, record, request)
        else:
            stop(target, record)
    return {"outcome": "stopped" if alive else "already", "changed": alive, "message": "Envoy is stopped"}
