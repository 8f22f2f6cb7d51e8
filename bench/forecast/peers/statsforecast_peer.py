"""Seasonal naive, MSTL with AutoETS or the optimised theta method on what is left, AutoARIMA (statsforecast)."""

import numpy as np
from statsforecast import models

POOLS = False
# Eight weeks of hours; the search takes minutes on more.
ARIMA_STEPS = 1344


def forecast(method, jobs):
    return [FORECASTS[method](job) for job in jobs]


def seasons_of(job):
    """Seasons that the history shows twice."""
    fitting = [season for season in job.seasons if 2 * season < len(job.y)]
    return fitting or job.seasons[:1]


def seasonal_naive(job):
    return models.SeasonalNaive(seasons_of(job)[-1]).forecast(y=job.y, h=job.horizon)["mean"]


def mstl_ets(job):
    model = models.MSTL(seasons_of(job), trend_forecaster=models.AutoETS(model="ZZN"))
    return on_logs(model, job)


def theta(job):
    # Of the values themselves: on M4's earlier windows better in MASE, and worse in sMAPE, than of their logs.
    model = models.MSTL(seasons_of(job), trend_forecaster=models.DynamicOptimizedTheta(1))
    return model.forecast(y=job.y, h=job.horizon)["mean"]


def auto_arima(job):
    """Seasonal in the shortest season, with all regressors; the bounds are those that make the search affordable."""
    known = min(len(job.y), ARIMA_STEPS)
    model = models.AutoARIMA(
        season_length=job.seasons[0], approximation=True, max_p=3, max_q=3, max_P=1, max_Q=1, nmodels=12
    )
    first = len(job.y) - known
    columns = [values for values in job.regressors.values() if np.ptp(values[first : len(job.y)]) > 0]
    around = np.column_stack(columns)[first:] if columns else None
    return model.forecast(
        y=job.y[first:],
        h=job.horizon,
        X=None if around is None else around[:known],
        X_future=None if around is None else around[known:],
    )["mean"]


def on_logs(model, job):
    if job.y.min() > 0:
        return np.exp(model.forecast(y=np.log(job.y), h=job.horizon)["mean"])
    return model.forecast(y=job.y, h=job.horizon)["mean"]


FORECASTS = {"seasonal-naive": seasonal_naive, "mstl-ets": mstl_ets, "mstl-theta": theta, "autoarima": auto_arima}
