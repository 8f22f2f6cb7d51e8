"""One JSON object a line, in the file named by PSMG_EVENTS: what every task does on every host, as it happens."""
from __future__ import annotations

import json
import os
import re
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: psmg_jsonl
type: notification
short_description: Deployment events as JSON lines
description:
  - Appends one JSON object a line to the file named by the environment variable PSMG_EVENTS.
requirements:
  - enabled in ansible.cfg
"""
LIMIT = 32768
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def cut(text):
    text = COLOUR.sub("", str(text)).strip()
    return text if len(text) <= LIMIT else text[:LIMIT] + "… (cut)"


def answer(result):
    """What a command of the target script printed: a JSON object with its own message and diff."""
    try:
        value = json.loads(result.get("stdout") or "")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def words(result):
    failed = [item for item in result.get("results", []) if item.get("failed")]
    if failed:
        return "\n".join(words(item) for item in failed)
    own = answer(result).get("message")
    if own:
        return cut(own)
    parts = [result.get(key) for key in ("msg", "stderr", "module_stderr", "exception")]
    if result.get("failed") and not parts[1] and not parts[2]:
        parts += [result.get("stdout"), result.get("module_stdout")]
    return cut("\n".join(dict.fromkeys(str(part) for part in parts if part)))


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "psmg_jsonl"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        path = os.environ.get("PSMG_EVENTS")
        self.disabled = not path
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644) if path else None

    def write(self, kind, **fields):
        event = {"at": int(time.time() * 1000), "type": kind}
        event.update((key, value) for key, value in fields.items() if value not in (None, ""))
        os.write(self.file, (json.dumps(event, default=str) + "\n").encode())

    def finished(self, kind, outcome):
        # The names without an underscore are ansible-core 2.19's; older versions know only the others.
        result = outcome.result if hasattr(outcome, "result") else outcome._result
        host = outcome.host if hasattr(outcome, "host") else outcome._host
        task = outcome.task if hasattr(outcome, "task") else outcome._task
        self.write(kind, host=host.get_name(), task=task.get_name(), message=words(result), diff=self.difference(result))

    def difference(self, result):
        own = answer(result).get("diff")
        if own:
            return cut(own)
        found = [item["diff"] for item in [result, *result.get("results", [])] if item.get("diff")]
        return cut("\n".join(self._get_diff(diff) or "" for diff in found)) if found else None

    def v2_playbook_on_play_start(self, play):
        self.write("play", message=play.get_name())

    def v2_playbook_on_task_start(self, task, is_conditional):
        self.write("task", task=task.get_name())

    def v2_playbook_on_handler_task_start(self, task):
        self.write("task", task=task.get_name())

    def v2_runner_on_ok(self, result):
        values = result.result if hasattr(result, "result") else result._result
        self.finished("changed" if values.get("changed") else "ok", result)

    def v2_runner_on_skipped(self, result):
        self.finished("skipped", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.finished("ok" if ignore_errors else "failed", result)

    def v2_runner_on_unreachable(self, result):
        self.finished("unreachable", result)

    def v2_playbook_on_stats(self, stats):
        names = ("ok", "changed", "failures", "unreachable", "skipped")
        summaries = {host: stats.summarize(host) for host in sorted(stats.processed)}
        recap = {host: {name: summary[name] for name in names} for host, summary in summaries.items()}
        self.write("stats", recap=recap)
