"""Loads that do not end, hold the interpreter, leave tasks behind, or exit."""

from __future__ import annotations

import time

import pytest

from tests.support.film import BLANK, catching, changed


@pytest.mark.parametrize("what", ["", " BaseException", " asyncio.CancelledError"])
def test_swallowing_cancellation_fails(contract, what):
    source = catching(f"except{what}", BLANK)
    with pytest.raises(
        AssertionError, match="a cancelled load ended with 'an image': let CancelledError pass"
    ):
        contract("test_cancelled_load_ends", source)


def test_other_error_for_a_cancellation_fails(contract):
    source = catching("except asyncio.CancelledError", "raise FormatError('stopped')")
    with pytest.raises(AssertionError, match=r"a cancelled load ended with FormatError.'stopped'"):
        contract("test_cancelled_load_ends", source)


def test_going_on_after_a_cancellation_fails(contract):
    source = catching("except asyncio.CancelledError", "await asyncio.sleep(60)")
    with pytest.raises(AssertionError, match="goes on after it was cancelled"):
        contract("test_cancelled_load_ends", source)


def test_leaving_a_task_behind_fails(contract):
    source = changed(
        "film = await read(image_id, context)",
        "asyncio.ensure_future(asyncio.sleep(60))\n    film = await read(image_id, context)",
    )
    with pytest.raises(AssertionError, match="there still run <coroutine object sleep"):
        contract("test_cancelled_load_ends", source)


def test_waiting_for_ever_fails(contract):
    source = catching("except LoaderError", "await asyncio.Event().wait()")
    started = time.monotonic()
    with pytest.raises(
        AssertionError, match=r"(?s)not ended after 0\.5 seconds: .* line \d+, in load"
    ):
        contract("test_no_answer", source)
    assert time.monotonic() - started < 10


def test_holding_the_interpreter_fails(contract):
    source = catching("except LoaderError", "time.sleep(1.5)")
    with pytest.raises(AssertionError, match=r"(?s)holds the interpreter .*time\.sleep\(1\.5\)"):
        contract("test_no_answer", source, seconds=0.05)


def test_exit_fails(contract):
    source = catching("except LoaderError", "raise SystemExit(3)")
    with pytest.raises(AssertionError, match=r"error that it did not expect: .* SystemExit: 3"):
        contract("test_no_answer", source)
