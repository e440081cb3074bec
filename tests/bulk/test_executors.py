"""Choose an executor: a cluster, processes, or this process."""

from __future__ import annotations

import dask
import pytest

from pyloader.bulk.executors import InProcess, Processes, choose_executor


@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_scheduler_of_this_process(scheduler):
    with dask.config.set(scheduler=scheduler):
        assert isinstance(choose_executor(None), InProcess)


def test_processes_are_told_what_dask_is_told():
    with dask.config.set({"num_workers": 3, "multiprocessing.context": "spawn"}):
        executor = choose_executor(None)
    assert isinstance(executor, Processes)
    assert executor.width == 3
    executor.close([])
