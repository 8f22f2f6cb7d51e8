"""Point forecasts of one peer for a list of jobs, one thread.

Usage: forecast.py METHOD < task.json. Each answer is one line of JSON on standard output, in the order they are made:
{"key", "mean": [...] or null, "cpuSeconds", "reason"?}. A job sees the values before its end and the regressors up to
its end and horizon. Task: {"seasons": [steps], "stepSeconds", "pooled": bool, "series": {id: {"startMs", "values",
"regressors": {name: values}}}, "jobs": [{"key", "series", "end", "horizon", "round"}]}.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import importlib
import json
import logging
import math
import sys
import time
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

MODULES = {
    "seasonal-naive": "statsforecast_peer",
    "mstl-ets": "statsforecast_peer",
    "mstl-theta": "statsforecast_peer",
    "autoarima": "statsforecast_peer",
    "prophet": "prophet_peer",
    "lightgbm": "lightgbm_peer",
}


@dataclass
class Job:
    """One question: `y` is all that is known, the regressors reach over history and horizon."""

    key: str
    series: str
    y: np.ndarray
    times: pd.DatetimeIndex
    horizon: int
    regressors: dict
    seasons: list
    step_seconds: int
    # Whether the set is one region, from which one model may learn.
    pooled: bool


def read_jobs(task):
    seconds = task["stepSeconds"]
    for entry in task["jobs"]:
        series = task["series"][entry["series"]]
        end, horizon = entry["end"], entry["horizon"]
        start = pd.Timestamp(series["startMs"], unit="ms")
        known = {name: np.asarray(v[: end + horizon], float) for name, v in series["regressors"].items()}
        yield entry["round"], Job(
            key=entry["key"],
            series=entry["series"],
            y=np.asarray(series["values"][:end], float),
            times=pd.date_range(start, periods=end + horizon, freq=pd.Timedelta(seconds=seconds)),
            horizon=horizon,
            # A regressor that never moved says nothing, and some models divide by its spread.
            regressors={name: v for name, v in known.items() if np.ptp(v[:end]) > 0},
            seasons=task["seasons"],
            step_seconds=seconds,
            pooled=task["pooled"],
        )


def answer(jobs, forecast):
    """Forecasts of jobs that are made together; what they cost is shared equally."""
    start = time.process_time()
    try:
        means, reason = forecast(jobs), None
    except Exception as error:  # A peer that fails is told as failed, not as an end of the benchmark.
        means, reason = [None] * len(jobs), f"{type(error).__name__}: {error}"[:200]
    seconds = (time.process_time() - start) / len(jobs)
    for job, mean in zip(jobs, means):
        line = {"key": job.key, "mean": None, "cpuSeconds": round(seconds, 4)}
        if reason is not None:
            line["reason"] = reason
        elif len(mean) != job.horizon or not all(math.isfinite(value) for value in mean):
            line["reason"] = "its forecast is not finite or not of the length asked for"
        else:
            line["mean"] = [float(f"{max(0.0, value):.8g}") for value in mean]
        print(json.dumps(line), flush=True)


def main():
    warnings.filterwarnings("ignore")
    logging.disable(logging.ERROR)
    method = sys.argv[1]
    task = json.load(sys.stdin)
    module = importlib.import_module(MODULES[method])
    rounds = list(read_jobs(task))
    if not rounds:
        return
    # What compiles itself on first use does so here, uncounted.
    try:
        module.forecast(method, [rounds[0][1]])
    except Exception:
        pass
    if task["pooled"] and module.POOLS:
        for number in sorted({number for number, _ in rounds}):
            together = [job for other, job in rounds if other == number]
            answer(together, lambda jobs: module.forecast(method, jobs))
    else:
        for _, job in rounds:
            answer([job], lambda jobs: module.forecast(method, jobs))


if __name__ == "__main__":
    main()
