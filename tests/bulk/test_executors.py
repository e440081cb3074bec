"""Which executor is chosen: a cluster, processes, or this process."""

from __future__ import annotations

import dask
import pytest

from pyloader.bulk.executors import Here, Processes, choose_crew


@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_scheduler_of_this_process(scheduler):
    with dask.config.set(scheduler=scheduler):
        assert isinstance(choose_crew(None), Here)


def test_processes_are_told_what_dask_is_told():
    with dask.config.set({"num_workers": 3, "multiprocessing.context": "spawn"}):
        crew = choose_crew(None)
    assert isinstance(crew, Processes)
    assert crew.width == 3
    crew.close([])
