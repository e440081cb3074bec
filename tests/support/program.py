"""Programs that serve a port of this machine while tests run."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 20
STOP_SECONDS = 10


def find_program(name: str) -> str | None:
    """Return where a program is, None when it is not installed."""
    # Debian keeps servers where users' PATH does not always look.
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@dataclass
class Program:
    """A program that serves a port from a folder, where it finds its files and has its log."""

    command: list[str]
    folder: Path
    port: int
    stop_signal: signal.Signals = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """The text that the program prints."""
        return self.folder / f"{Path(self.command[0]).name}.log"

    def start(self) -> None:
        """Start, and wait until the port answers.

        Raises
        ------
        RuntimeError
            It ended, or did not answer in time; the message ends with its log.
        """
        program = find_program(self.command[0]) or self.command[0]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [program, *self.command[1:]],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                tail = self.log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self.command[0]} did not come up; its log ends with:\n{tail}")
            time.sleep(0.02)

    def answers(self) -> bool:
        """Tell whether somebody takes connections at the port."""
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        return False

    def stop(self) -> None:
        """End the program and wait until it is gone."""
        if self.process is None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens at, below those that connections take at random."""
    found: list[int] = []
    while len(found) < count:
        port = random.choice(sorted(set(range(20_000, 30_000)) - set(found)))
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("0.0.0.0", port))
            found.append(port)
    return found
