"""An implementation in a process of its own: it may hang or die without taking the judge with
it."""

from __future__ import annotations

import importlib
import importlib.util
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any

from scanproof.properties.implementation import Fault, Question, invoke, one_line, understood
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call
from scanproof.reference.inputs import Array

FIRST_CALL_SECONDS = 120.0  # imports and compilers: once per process and once per shape
LATER_CALL_SECONDS = 10.0


class Worker:
    """The implementation `file.py:function` or `package.module:function` in a spawned process."""

    def __init__(self, target: str, arithmetic: Arithmetic) -> None:
        parse_target(target)
        self.name, self._arithmetic = target, arithmetic
        self._seen: set[str] = set()
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self.name), daemon=True)
        self._process.start()
        theirs.close()
        kind, message = self._receive(FIRST_CALL_SECONDS, "while it was imported")
        if kind == "missing":
            self.close()
            raise ValueError(message)

    def call(self, call: Call, poison: bool = False) -> dict[str, Array] | None:
        question = Question.of(call, poison)
        shape = question.described
        limit = LATER_CALL_SECONDS if shape in self._seen else FIRST_CALL_SECONDS
        try:
            self._connection.send(question)
        except (BrokenPipeError, OSError):
            raise Fault("crashed", f"implementation: its process {self._ending()}") from None
        kind, answer = self._receive(limit, f"for {shape}")
        self._seen.add(shape)
        if kind in ("crashed", "contract"):
            raise Fault(kind, answer)
        return understood(answer, call, self._arithmetic)

    def _receive(self, seconds: float, doing: str) -> tuple[str, Any]:
        try:
            if not self._connection.poll(seconds):
                self.close()
                raise Fault(
                    "hung",
                    f"implementation: no answer in {seconds:g} s {doing}; its process was ended",
                )
            return self._connection.recv()  # type: ignore[no-any-return]
        except (EOFError, ConnectionResetError):
            raise Fault(
                "crashed", f"implementation: its process {self._ending()} {doing}"
            ) from None

    def _ending(self) -> str:
        self._process.join(5)
        code = self._process.exitcode
        if code is None or code >= 0:
            return f"ended with exit code {code}"
        return ("was killed by "
                f"{next((s.name for s in signal.Signals if s == -code), f'signal {-code}')}")

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.join(5)
        self._connection.close()


def parse_target(target: str) -> tuple[str, str]:
    """Module (or file) and function of `file.py:function` or `package.module:function`.

    Raises:
        ValueError: not of that form, or the file does not exist.
    """
    place, colon, function = target.rpartition(":")
    if not colon or not place or not function.isidentifier():
        raise ValueError(
            f"implementation: found {target!r}, expected file.py:function or "
            "package.module:function"
        )
    if place.endswith(".py") and not Path(place).is_file():
        raise ValueError(f"implementation: found no file {place!r}")
    return place, function


def load(target: str) -> Callable[..., Any]:
    """The callable that a target names; the current directory is importable.

    Raises:
        ValueError: no such module or function, or it cannot be imported (one line).
    """
    place, name = parse_target(target)
    sys.path.insert(0, str(Path.cwd()))
    try:
        module = (
            _load_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
        )
    except ModuleNotFoundError as error:
        raise ValueError(
            f"implementation: found no module {error.name!r} when importing {place}"
        ) from error
    except Exception as error:
        raise ValueError(f"implementation: importing {place} raised {one_line(error)}") from error
    function = getattr(module, name, None)
    if not callable(function):
        found = "no such name" if function is None else type(function).__name__
        raise ValueError(
            f"implementation: found {found} for {name!r} in {place}, expected a function"
        )
    return function  # type: ignore[no-any-return]


def _load_file(path: Path) -> ModuleType:
    sys.path.insert(0, str(path.resolve().parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _serve(connection: Connection, target: str) -> None:
    """The worker's main loop: imports the target, answers calls until the pipe closes. Its prints
    go to stderr."""
    os.dup2(2, 1)
    # which is not held back: what was printed before the process is ended is seen
    sys.stdout = sys.stderr
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    try:
        function = load(target)
    except ValueError as error:
        connection.send(("missing", str(error)))
        return
    connection.send(("ready", None))
    while True:
        try:
            question = connection.recv()
        except EOFError:
            return
        try:
            connection.send(("ok", invoke(function, question)))
        except Fault as fault:
            connection.send((fault.kind, str(fault)))
        except KeyboardInterrupt:
            connection.send(("crashed", "implementation: raised KeyboardInterrupt"))
