"""LightGBM on lags, calendar and regressors (mlforecast): by series on logs, or one model over all of them.

The settings are the best of nine on weeks of bike hire before all that is scored.
"""

import lightgbm as lgb
import numpy as np
import pandas as pd
from mlforecast import MLForecast
from mlforecast.lag_transforms import ExponentiallyWeightedMean, RollingMean
from mlforecast.target_transforms import Differences, LocalStandardScaler
from pandas.tseries.frequencies import to_offset

POOLS = True
DAY_SECONDS = 86_400
BOOSTER = dict(
    n_estimators=600,
    learning_rate=0.05,
    num_leaves=15,
    min_child_samples=20,
    subsample=0.8,
    subsample_freq=1,
    colsample_bytree=0.8,
    verbosity=-1,
    n_jobs=1,
    seed=1,
)


def forecast(method, jobs):
    """Jobs with the same horizon; with several of them one model learns from all."""
    pooled = len(jobs) > 1
    # Over many seasons, errors of forecasts that are fed back add up: only what is known then is looked at.
    is_direct = not pooled and jobs[0].seasons[-1] >= jobs[0].horizon > jobs[0].seasons[0]
    step = to_offset(pd.Timedelta(seconds=jobs[0].step_seconds))
    model = MLForecast(
        {"mean": lgb.LGBMRegressor(objective="l1" if pooled else "l2", **BOOSTER)},
        freq=step,
        lags=[season * jobs[0].seasons[-1] for season in (1, 2)] if is_direct else lags_of(jobs),
        lag_transforms={} if is_direct else transforms_of(jobs[0].seasons[0]),
        # A pooled set has no common calendar.
        date_features=[] if pooled else calendar_of(jobs[0].step_seconds),
        target_transforms=([Differences([jobs[0].seasons[0]])] if pooled else []) + [LocalStandardScaler()],
        num_threads=1,
    )
    to, back = (identity, identity) if pooled else logs_of(jobs[0])
    history = pd.concat([frame_of(job, slice(0, len(job.y)), y=to(job.y)) for job in jobs])
    model.fit(history, static_features=[])
    ahead = pd.concat([frame_of(job, slice(len(job.y), None)) for job in jobs])
    answers = model.predict(jobs[0].horizon, X_df=ahead if jobs[0].regressors else None)
    by_series = dict(list(answers.groupby("unique_id", observed=True)))
    return [back(by_series[job.series]["mean"].to_numpy()) for job in jobs]


def identity(values):
    return values


def logs_of(job):
    unit = 0.2 * job.y.mean() or 1.0
    return lambda values: np.log1p(values / unit), lambda logs: np.expm1(logs) * unit


def frame_of(job, part, **columns):
    known = {name: values[part] for name, values in job.regressors.items()}
    return pd.DataFrame({"unique_id": job.series, "ds": job.times[part], **columns, **known})


def transforms_of(season):
    return {1: [ExponentiallyWeightedMean(0.3)], season: [RollingMean(season)]}


def lags_of(jobs):
    """The last steps, the last seven shortest seasons with their neighbours, the longest season and twice that."""
    short, long = jobs[0].seasons[0], jobs[0].seasons[-1]
    known = min(len(job.y) for job in jobs)
    lags = {1, 2, 3, short + 1, long - 1, long, long + 1, 2 * long} | {short * n for n in range(1, 8)}
    if jobs[0].step_seconds == DAY_SECONDS:
        lags |= {364}
    return sorted(lag for lag in lags if 0 < lag < known / 2.5)


def calendar_of(step_seconds):
    if step_seconds >= DAY_SECONDS:
        return ["dayofweek", "day", "month"]
    return ["hour", "dayofweek"] if step_seconds >= 3600 else ["hour", "minute", "dayofweek"]
