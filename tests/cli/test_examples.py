"""Every example in every --help is a call that the program takes; those of check, judge and golden are run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import typer
from typer.testing import CliRunner

from scanproof.cli.app import app
from scanproof.properties.versions.plain_rotrnn import RotRnn
from scanproof.reference.systems import rotrnn

GROUP = typer.main.get_command(app)
HEAD = "import numpy as np\n\ndef rows(lam, b):\n    return [lam if lam.ndim == 1 else lam[:, t] for t in range(b.shape[1])]\n\n"
SCAN = HEAD + """
def scan(lam, b):
    h, state = np.zeros_like(b), 0
    for t, row in enumerate(rows(lam, b)):
        h[:, t] = state = row * state + b[:, t]
    return h
"""
HALF = HEAD + """
def scan(lam, b):
    h, last, lam, b = np.zeros_like(b), 0, lam.astype("float32"), b.astype("float32")
    for t, row in enumerate(rows(lam, b)):
        if t % 64 == 0:
            state, product, carry = 0, 1, last
        state, product = row * state + b[:, t], row * product
        h[:, t] = last = state + product * carry
    return h
"""
FILES = {
    **dict.fromkeys(("my_scan.py", "jax_scan.py", "mypkg/kernels.py"), SCAN),
    "half.py": HALF,
    "my_lru.py": "from scanproof.properties.versions.plain_lru import Lru\nlayer = Lru()\n",
    "my_rnn.py": "from scanproof.properties.versions.plain_rotrnn import RotRnn\nlayer = RotRnn()\n",
    "my_expm.py": "import scipy.linalg\ndef expm(S):\n    return scipy.linalg.expm(S)\n",
    "wrong.py": "def scan(lam, b):\n    return 0 * b\ndef layer(nu_log, theta_log, gamma_log, B_re, B_im, C_re, C_im, D, u):\n    return 0 * u\n"
    "def expm(S):\n    return 0 * S\n",
}


def commands(command=GROUP) -> Iterator:
    yield command
    for inner in getattr(command, "commands", {}).values():
        yield from commands(inner)


def examples() -> list[str]:
    """Pipes and lists taken apart: the parts that call scanproof."""
    lines = [line.strip() for command in commands() for line in (command.help or "").splitlines()]
    parts = [part.strip() for line in lines if line.startswith(("scanproof ", "./yours")) for part in line.replace("&&", "|").split("|")]
    return sorted({part.partition(" > ")[0] for part in parts if part.startswith("scanproof ")})


def parsed(words: list[str]) -> str:
    """The command's name. Raises a usage error for words that it does not take."""
    command = GROUP
    while hasattr(command, "commands"):
        command, *words = command.commands[words[0]], *words[1:]
    with command.make_context(command.name, words):
        return str(command.name)


def test_every_command_and_every_group_has_an_example() -> None:
    for command in commands():
        assert "scanproof " in command.help, command.name
    assert {parsed(shlex.split(example)[1:]) for example in examples()} == {
        command.name for command in commands() if not hasattr(command, "commands")
    }


@pytest.mark.parametrize("example", examples())
def test_the_program_takes_every_example(example: str) -> None:
    parsed(shlex.split(example)[1:])


def test_an_option_that_does_not_exist_is_not_taken() -> None:
    with pytest.raises(Exception, match="--nope"):
        parsed(["golden", "list", "--nope"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the examples speak of: implementations, recorded results and witnesses."""
    place = tmp_path_factory.mktemp("examples")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        Path("mypkg").mkdir()
        for name, text in FILES.items():
            Path(name).write_text(text)
        record()
        for system, function, law in (("scan", "scan", "integer-cases"), ("lru", "layer", "impulses"), ("expm", "expm", "planes")):
            words = ["--system", system, "--dtype", "float32", "--law", law, "--cases", "1"]
            assert CliRunner().invoke(app, ["check", f"wrong.py:{function}", *words]).exit_code == 1
        for path in Path("build/witness").iterdir():
            path.rename(path.with_name(f"{path.stem.rpartition('-')[0]}-0123456789.json"))
    return place


def record() -> None:
    rng = np.random.default_rng(0)
    b = rng.standard_normal((1, 9, 2)).astype("float32")
    np.savez("run.npz", lam=np.ones(2, "float32"), b=b, h=np.cumsum(b, 1))
    params = rotrnn.init(rng, 2, 4, 3, dtype="float32")
    named = {name: x for name, x in vars(params).items() if x is not None}
    u = rng.standard_normal((1, 9, 3)).astype("float32")
    np.savez("layer.npz", **named, u=u, y=RotRnn()(**named, u=u)["y"])
    M = rng.standard_normal((2, 4, 4))
    np.savez("exponentials.npz", S=M - M.swapaxes(1, 2), P=scipy.linalg.expm(M - M.swapaxes(1, 2)))


RUN = ("check", "judge", "golden list", "golden show", "golden emit", "doctor")


@pytest.mark.parametrize("example", [x for x in examples() if x.removeprefix("scanproof ").startswith(RUN)])
def test_examples_run(example: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    words = shlex.split(example)[1:]
    words += ["--cases", "1"] if words[0] == "check" else []
    done = CliRunner().invoke(app, words)
    assert done.exit_code == (1 if "witness" in example else 0), done.output
