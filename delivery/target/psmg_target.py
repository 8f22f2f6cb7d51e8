#!/usr/bin/env python3
"""Switches the mesh configuration of one host, by compare-and-swap. Standard library only, Python 3.9 or later.

This file lives on the host, in <directory>/bin, and is all that is needed to go back in an emergency:

    psmg_target.py state
    psmg_target.py restore --to previous --hold "checkout is down, going back"
    psmg_target.py restore --to 0             (what was here before PSMG first wrote)
    psmg_target.py release-hold

Every command prints one JSON object. A refused switch is an answer and exits 0; only a failure of the command itself
exits 1. A hold stops every automatic change until it is released.
"""
from __future__ import annotations

import argparse
import contextlib
import difflib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KEPT_RELEASES = 10
LOCK_WAIT_SECONDS = 30
VALIDATE_TIMEOUT_SECONDS = 60
DIFF_LIMIT = 32768
BEFORE_US = "0"
EMPTY = {"version": 1, "epoch": 0, "hash": None, "files": {}, "touched": [], "history": []}
REFUSALS = {
    "held": "A hold is on this host: {}. Lift it with: psmg_target.py release-hold",
    "stale-epoch": "Epoch {} is older than {}, the last one seen here; another writer has taken over",
    "drift": "What runs is {}, expected was {}{}; it stays as it is",
}


class Failure(Exception):
    """The command cannot do its work; told to the caller in its own words."""


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def digest_of(path: Path):
    try:
        return digest(path.read_bytes())
    except FileNotFoundError:
        return None


def write_atomically(path: Path, data: bytes, scratch: Path) -> None:
    """The temporary file stands outside the folders that the proxy watches, in the same file system."""
    scratch.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=scratch)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, 0o644)
        file.write(data)
        file.flush()
        os.fsync(handle)
    os.replace(name, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def checked_path(relative: str) -> str:
    parts = relative.split("/")
    inside = all(part not in ("", ".", "..") for part in parts) and "\0" not in relative
    if not inside or not (relative in ("bootstrap.yaml", "validate.yaml") or parts[0] == "dyn" and len(parts) > 1):
        raise Failure(f"{relative!r} is no path of a release (bootstrap.yaml, validate.yaml, dyn/…)")
    return relative


def checked_release(release) -> str:
    if not isinstance(release, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", release):
        raise Failure(f"{release!r} is no release hash")
    return release


def switch_order(path: str):
    """Make before break: endpoints and clusters are there before the routes and listeners that name them."""
    kinds = ("eds", "cds", "rds", "lds")
    name = path.rsplit("/", 1)[-1]
    named = next((rank for rank, kind in enumerate(kinds) if re.match(rf"{kind}[-.]", name)), 0)
    return (1 if path == "bootstrap.yaml" else 0, named, path)


class Target:
    """One host's folder. Files that no release of ours wrote are never touched."""

    def __init__(self, root: Path):
        self.root = root
        self.releases = root / "releases"
        self.scratch = root / "tmp"
        self.journal = root / "journal.json"
        self.state_file = root / "state.json"
        self.hold_file = root / "hold"

    @contextlib.contextmanager
    def locked(self, name: str = "lock", wait_seconds: float = LOCK_WAIT_SECONDS):
        with open(self.root / name, "a", encoding="utf-8") as lock:
            deadline = time.monotonic() + wait_seconds
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise Failure(f"{self.root / name} is held by another process for {wait_seconds} s") from None
                    time.sleep(0.05)
            yield

    def write_json(self, path: Path, value) -> None:
        write_atomically(path, (json.dumps(value, indent=1, sort_keys=True) + "\n").encode(), self.scratch)

    def read_state(self) -> dict:
        try:
            return {**EMPTY, **json.loads(self.state_file.read_text(encoding="utf-8"))}
        except FileNotFoundError:
            return dict(EMPTY)

    def held(self):
        try:
            text = self.hold_file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        try:
            hold = json.loads(text)
            return f"{hold['why']} ({hold['who']}, {hold['at']})"
        except (ValueError, KeyError, TypeError):
            return text or "a hold without a reason"

    def drifted(self, state: dict) -> list:
        return sorted(path for path, wanted in state["files"].items() if digest_of(self.root / path) != wanted)

    def manifest(self, release: str) -> dict:
        """The release's files by path with their SHA-256, after every byte of them has been checked."""
        folder = self.releases / checked_release(release)
        try:
            files = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
        except FileNotFoundError:
            raise Failure(f"release {release} is not kept on this host") from None
        for path, wanted in files.items():
            if digest_of(folder / checked_path(path)) != wanted:
                raise Failure(f"release {release} is damaged: {path} does not match its manifest")
        return files

    def kept(self, release: str):
        """The files of a release that is here and whole, else None: a damaged one may be brought again."""
        try:
            return self.manifest(release)
        except Failure:
            return None

    def save_what_was_here(self) -> None:
        """Deployment 0. Taken anew whenever nothing of ours is switched on, so that it is always what a person left."""
        paths = [self.root / "bootstrap.yaml", *sorted((self.root / "dyn").rglob("*"))]
        files = {str(path.relative_to(self.root)): path.read_bytes() for path in paths if path.is_file()}
        self.store(BEFORE_US, files)

    def store(self, release: str, files: dict) -> None:
        self.scratch.mkdir(parents=True, exist_ok=True)
        self.releases.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self.scratch))
        for path, data in files.items():
            write_atomically(folder / checked_path(path), data, self.scratch)
        hashes = {path: digest(data) for path, data in files.items()}
        self.write_json(folder / "manifest.json", {"version": 1, "release": release, "files": hashes})
        os.chmod(folder, 0o755)
        shutil.rmtree(self.releases / release, ignore_errors=True)
        os.rename(folder, self.releases / release)
        sync_folder(self.releases)

    def recover(self, despite_hold: bool = False) -> dict:
        """Finishes a switch that died half-way, or takes it back when its release is no longer whole."""
        if not self.journal.exists() or (self.held() is not None and not despite_hold):
            return self.read_state()
        journal = json.loads(self.journal.read_text(encoding="utf-8"))
        if self.kept(journal["to"]) is None:
            journal = self.reversed(journal)
            self.write_json(self.journal, journal)
        self.finish(journal)
        return journal["state"]

    def reversed(self, journal: dict) -> dict:
        source = journal["from"] or BEFORE_US
        self.manifest(source)
        return {**journal, "from": journal["to"], "to": source, "old": journal["new"], "new": journal["old"],
                "state": journal["before"], "before": journal["state"]}

    def finish(self, journal: dict) -> None:
        """Each file moves only from its old content: what somebody wrote in the meantime stays, and shows as drift."""
        old, new = journal["old"], journal["new"]
        written = sorted((path for path in new if new[path] is not None), key=switch_order)
        for path in written:
            now = digest_of(self.root / path)
            if now != new[path] and now == old[path]:
                data = (self.releases / journal["to"] / path).read_bytes()
                write_atomically(self.root / path, data, self.scratch)
        for path in sorted(path for path in new if new[path] is None):
            if digest_of(self.root / path) == old[path]:
                (self.root / path).unlink(missing_ok=True)
        self.write_json(self.state_file, journal["state"])
        self.journal.unlink()
        sync_folder(self.root)
        self.prune(journal["state"])

    def plan(self, state: dict, release: str, epoch: int) -> dict:
        """What a switch will move, as the journal from which it can be finished after a crash."""
        files = {path: wanted for path, wanted in self.manifest(release).items() if path != "validate.yaml"}
        touched = set(state["touched"])
        if release == BEFORE_US:
            files = {path: wanted for path, wanted in files.items() if path in touched}
        new = {**{path: None for path in state["files"]}, **files}
        after = {
            "version": 1,
            "epoch": epoch,
            "hash": None if release == BEFORE_US else release,
            "files": {} if release == BEFORE_US else files,
            "touched": [] if release == BEFORE_US else sorted(touched | set(files)),
            "history": [*state["history"], release][-2 * KEPT_RELEASES:],
            "switchedAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        old = {path: digest_of(self.root / path) for path in new}
        return {"from": state["hash"], "to": release, "old": old, "new": new, "state": after, "before": state}

    def prune(self, state: dict) -> None:
        current = state["hash"] or BEFORE_US
        recent = list(dict.fromkeys(reversed(state["history"])))[:KEPT_RELEASES]
        folders = [folder for folder in self.releases.iterdir() if folder.is_dir()]
        staged = sorted(folders, key=lambda folder: folder.stat().st_mtime, reverse=True)[:KEPT_RELEASES]
        keep = {BEFORE_US, current, *recent, *(folder.name for folder in staged if folder.name not in state["history"])}
        for folder in folders:
            if folder.name not in keep:
                shutil.rmtree(folder)

    def diff(self, journal: dict) -> str:
        lines = []
        for path in sorted(journal["new"], key=switch_order):
            now = self.text_lines(self.root / path)
            then = self.text_lines(self.releases / journal["to"] / path) if journal["new"][path] is not None else []
            lines += difflib.unified_diff(now, then, f"running/{path}", f"release/{path}", n=2)
        text = "".join(line if line.endswith("\n") else line + "\n" for line in lines)
        return text if len(text) <= DIFF_LIMIT else text[:DIFF_LIMIT] + "… (cut)\n"

    @staticmethod
    def text_lines(path: Path) -> list:
        try:
            return path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        except FileNotFoundError:
            return []


def refusal(target: Target, state: dict, request: dict):
    """Outcome and message when the switch must not happen, else None. The order is part of the contract."""
    hold = target.held()
    if hold is not None:
        return "held", REFUSALS["held"].format(hold)
    epoch = int(request["epoch"])
    if epoch < state["epoch"]:
        return "stale-epoch", REFUSALS["stale-epoch"].format(epoch, state["epoch"])
    current, wanted = state["hash"] or BEFORE_US, checked_release(request["releaseHash"])
    drifted = target.drifted(state)
    if current == wanted and not drifted:
        return "already", f"Release {wanted} is switched on"
    expected = request.get("expectedHash") or BEFORE_US
    if current != expected or drifted:
        changed = f", and changed by hand: {', '.join(drifted)}" if drifted else ""
        return "drift", REFUSALS["drift"].format(current, expected, changed)
    return None


def swap(target: Target, request: dict) -> dict:
    with target.locked():
        state = target.recover()
        answer = {"hashBefore": state["hash"], "hashAfter": state["hash"]}
        refused = refusal(target, state, request)
        if refused is not None:
            if refused[0] == "already" and int(request["epoch"]) > state["epoch"]:
                target.write_json(target.state_file, {**state, "epoch": int(request["epoch"])})
            return {**answer, "outcome": refused[0], "message": refused[1]}
        release = request["releaseHash"]
        invalid = validate(target, release, request.get("envoy"))
        if invalid is not None:
            return {**answer, "outcome": "invalid", "message": invalid}
        return {**answer, **switch(target, state, release, int(request["epoch"]))}


def switch(target: Target, state: dict, release: str, epoch: int) -> dict:
    if state["hash"] is None:
        target.save_what_was_here()
    journal = target.plan(state, release, epoch)
    difference = target.diff(journal)
    target.write_json(target.journal, journal)
    target.finish(journal)
    bootstrap = journal["old"].get("bootstrap.yaml") != journal["new"].get("bootstrap.yaml")
    message = f"Switched from {state['hash'] or BEFORE_US} to {release}"
    message += "; the changed bootstrap takes effect when the proxy is restarted" if bootstrap and state["hash"] else ""
    return {"outcome": "applied", "hashAfter": journal["state"]["hash"], "message": message, "diff": difference,
            "bootstrapChanged": bootstrap}


def validate(target: Target, release: str, envoy):
    """The host's own Envoy reads the flattened configuration; its words when it refuses, else None."""
    flattened = target.releases / checked_release(release) / "validate.yaml"
    if envoy is None or not flattened.exists():
        return None
    try:
        done = subprocess.run([envoy, "--mode", "validate", "-l", "error", "-c", str(flattened)], check=False,
                              capture_output=True, text=True, timeout=VALIDATE_TIMEOUT_SECONDS, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failure(f"the Envoy of this host could not be asked: {error}") from None
    return None if done.returncode == 0 else (done.stderr + done.stdout).strip()[-4000:]


def stage(target: Target, request: dict) -> dict:
    """Keeps the files of a release, content-addressed; nothing that runs changes."""
    release = checked_release(request["releaseHash"])
    if release == BEFORE_US:
        raise Failure("release 0 is what was here before; it cannot be brought")
    files = {checked_path(path): text.encode() for path, text in request["files"].items()}
    for path, wanted in request.get("hashes", {}).items():
        if path not in files or digest(files[path]) != wanted:
            raise Failure(f"{path} did not arrive whole")
    hashes = {path: digest(data) for path, data in files.items()}
    with target.locked():
        target.recover()
        kept = target.kept(release)
        if kept == hashes:
            return {"outcome": "already", "message": f"Release {release} is kept here"}
        if kept is not None:
            raise Failure(f"release {release} is kept here with other content")
        target.store(release, files)
    return {"outcome": "staged", "message": f"Release {release}: {len(files)} files kept"}


def preview(root: Path, request: dict) -> dict:
    """What `stage` and `swap` would do, worked out on a copy: the host's folder is only read."""
    with tempfile.TemporaryDirectory(prefix="psmg-preview-") as scratch:
        copy = Target(Path(scratch) / "copy")
        copy.root.mkdir()
        for name in ("state.json", "journal.json", "hold", "bootstrap.yaml", "dyn", "releases"):
            source = root / name
            if source.is_dir():
                shutil.copytree(source, copy.root / name)
            elif source.exists():
                shutil.copy2(source, copy.root / name)
        stage(copy, request)
        return swap(copy, request)


def read_back(target: Target) -> dict:
    if not target.root.is_dir():
        return {"epoch": 0, "hash": None, "drifted": [], "held": None}
    with target.locked():
        state = target.recover()
        return {"epoch": state["epoch"], "hash": state["hash"], "drifted": target.drifted(state), "held": target.held()}


def previous(state: dict) -> str:
    current = state["hash"] or BEFORE_US
    return next((release for release in reversed(state["history"]) if release != current), BEFORE_US)


def restore(target: Target, request: dict) -> dict:
    """A person's way back: needs this file and the kept releases, nothing else. A hold does not stop it."""
    if request.get("hold"):
        put_hold(target, request)
    with target.locked():
        state = target.recover(despite_hold=True)
        to = previous(state) if request["to"] == "previous" else checked_release(request["to"])
        answer = {"hashBefore": state["hash"], "hashAfter": state["hash"]}
        drifted = target.drifted(state)
        if to == (state["hash"] or BEFORE_US) and not drifted:
            return {**answer, "outcome": "already", "message": f"Release {to} is switched on"}
        if drifted and not request.get("force"):
            message = f"Changed by hand since the last switch: {', '.join(drifted)}. Add --force to replace them"
            return {**answer, "outcome": "drift", "message": message}
        set_aside(target, drifted)
        target.manifest(to)
        return {**answer, **switch(target, state, to, state["epoch"])}


def set_aside(target: Target, drifted: list) -> None:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    for path in drifted:
        if (target.root / path).exists():
            write_atomically(target.root / "displaced" / stamp / path, (target.root / path).read_bytes(), target.scratch)


def put_hold(target: Target, request: dict) -> dict:
    hold = {"why": request["hold"], "who": request.get("who") or os.environ.get("USER", "unknown"),
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    target.write_json(target.hold_file, hold)
    return {"outcome": "held", "message": hold["why"]}


def release_hold(target: Target) -> dict:
    was = target.held()
    target.hold_file.unlink(missing_ok=True)
    return {"outcome": "already" if was is None else "released", "message": was or "there was no hold"}


def report(answer: dict, code: int = 0) -> int:
    print(json.dumps(answer, sort_keys=True))
    return code


def arguments(argv: list) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["state", "swap", "stage", "validate", "preview", "restore", "hold",
                                            "release-hold", "ensure-proxy", "stop-proxy", "admin", "probe"])
    parser.add_argument("--directory", help="the folder that PSMG owns on this host (default: above this file)")
    parser.add_argument("--stdin", action="store_true", help="read the request as a JSON object from standard input")
    parser.add_argument("--to", help="restore: 'previous', a release hash, or 0")
    parser.add_argument("--hold", "--why", dest="hold", help="leave a hold with this reason")
    parser.add_argument("--who", help="whose hold it is (default: $USER)")
    parser.add_argument("--force", action="store_true", help="restore: replace files changed by hand; they are set aside")
    return parser.parse_args(argv)


def run(options: argparse.Namespace) -> dict:
    given = {key: value for key, value in vars(options).items() if value not in (None, False)}
    request = {**given, **(json.load(sys.stdin) if options.stdin else {})}
    root = Path(options.directory).absolute() if options.directory else Path(__file__).resolve().parent.parent
    target, command = Target(root), options.command
    if command == "state":
        return read_back(target)
    if command == "preview":
        return preview(root, request)
    if command in ("ensure-proxy", "stop-proxy", "admin"):
        sys.dont_write_bytecode = True  # nothing but what was laid out belongs into bin
        import psmg_proxy  # pylint: disable=import-outside-toplevel
        return psmg_proxy.run(command, target, request)
    if command == "probe":
        sys.dont_write_bytecode = True
        import psmg_probe  # pylint: disable=import-outside-toplevel
        return psmg_probe.run(request)
    root.mkdir(parents=True, exist_ok=True)
    if command == "validate":
        words = validate(target, request["releaseHash"], request["envoy"])
        return {"outcome": "valid", "message": ""} if words is None else {"outcome": "invalid", "message": words}
    if command == "restore":
        return restore(target, {"to": "previous", **request})
    if command == "hold":
        return put_hold(target, request)
    if command == "release-hold":
        return release_hold(target)
    return {"swap": swap, "stage": stage}[command](target, request)


def main(argv: list) -> int:
    try:
        return report(run(arguments(argv)))
    except (Failure, OSError, ValueError, KeyError) as error:
        words = f"missing in the request: {error}" if isinstance(error, KeyError) else str(error)
        return report({"outcome": "failed", "message": words}, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
