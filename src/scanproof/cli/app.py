"""The commands and their exit codes; each command lives in a module of its own and is imported when it is used."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

import scanproof
from scanproof.cli.options import Json, Quiet, Seed, System, declares

ACCEPTED, REJECTED, BAD_INPUT, UNDECIDED, BROKEN, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 4, 70, 130
EXIT_CODES = (
    "Exit codes: 0 accepted, 1 rejected, 2 usage or bad input, 3 undecided, 4 the implementation crashed or hung, "
    "70 internal error, 130 interrupted."
)

app = typer.Typer(
    name="scanproof",
    help="Is this difference a bug, or could it be rounding? Certified verdicts for scan kernels and layers made of them.\n\n"
    "Examples:\n\n"
    "  scanproof check my_scan.py:scan --dtype float32\n\n"
    "  scanproof judge run.npz\n\n"
    "  scanproof verify\n\n" + EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
golden = typer.Typer(
    help="Golden cases: exact results with a bound beside every number, for any language.\n\n"
    "Examples:\n\n"
    "  scanproof golden list --system lru\n\n"
    "  scanproof golden emit --dtype float32 | ./yours | scanproof golden judge - --dtype float32",
    no_args_is_help=True,
)
app.add_typer(golden, name="golden")
power = typer.Typer(
    help="What the checkers are worth, where everything can be tried.\n\n"
    "Examples:\n\n"
    "  scanproof power long --steps 100000\n\n"
    "  scanproof power layers --cases 1 --quiet",
    no_args_is_help=True,
)
app.add_typer(power, name="power")


@app.command()
@declares
def check(
    implementation: Annotated[str, typer.Argument(help="file.py:function or package.module:function.")],
    *,
    system: System = "scan",
    words: dict[str, Any],
    lam: Annotated[str, typer.Option(help="Which lam it accepts: constant, varying or both.")] = "both",
    positive: Annotated[str, typer.Option(help="What must be above zero: none, lam or all (lam, b and h0).")] = "none",
    lengths: Annotated[str | None, typer.Option(help="Accepted lengths, as in 1-64,128 (all by default).")] = None,
    channels: Annotated[str | None, typer.Option(help="Accepted numbers of channels, of layers the width of u.")] = None,
    states: Annotated[str | None, typer.Option(help="Accepted sizes of LRU's state, of RotRNN's heads, or of S.")] = None,
    seed: Seed = 0,
    cases: Annotated[int, typer.Option(min=1, help="Random cases per law.")] = 20,
    law: Annotated[list[str] | None, typer.Option(help="Only this law (may be repeated); passing is then undecided.")] = None,
    json: Json = False,
    junitxml: Annotated[Path | None, typer.Option(help="Also write a JUnit file, one test case per law.")] = None,
    quiet: Quiet = False,
) -> None:
    """Search for a call that proves an implementation wrong.

    A scan is called as f(lam=, b=) and, if its signature has them, h0= and reverse=, in a process of its own, and returns all
    states of h_t = lam_t h_{t-1} + b_t. A layer is called with its parameters and u= and, if its signature has them, h0=,
    reverse= and y_bar=, and returns y, or a mapping over y, h, h_last, grads and constants: docs/layers.md has the table.
    The matrix exponential is called as f(S=) with skew matrices (stack, n, n) and returns all of exp S.

    Examples:

      scanproof check my_scan.py:scan --dtype float32

      scanproof check mypkg.kernels:scan --dtype complex64 --lam constant --lengths 64,128,4096 --seed 7

      scanproof check jax_scan.py:scan --dtype float32 --subnormals daz --contraction

      scanproof check half_scan.py:scan --dtype bfloat16 --accumulate float32 --order chunked:64 --store chunk

      scanproof check my_lru.py:layer --system lru --dtype float32 --adjoint recurrence

      scanproof check my_rotrnn.py:layer --system rotrnn --dtype float32 --states 2,4,8 --gain one-minus-square

      scanproof check my_expm.py:expm --system expm --dtype float64
    """
    from scanproof.cli import check as command
    from scanproof.cli.declared import declared
    from scanproof.properties.strategies import Domain

    with one_line_errors():
        arithmetic = declared(system, words)
        sizes = (numbers(name, text) for name, text in (("lengths", lengths), ("channels", channels), ("states", states)))
        accepted = dict(zip(("lengths", "channels", "states"), sizes, strict=True))
        domain = Domain(lam, positive=positive, **accepted)
        raise typer.Exit(command.run(system, implementation, arithmetic, domain, seed, cases, law, json, junitxml, quiet))


@app.command()
@declares
def judge(
    file: Annotated[Path, typer.Argument(help="recorded.npz with arguments and results, or a witness file.json of any system.")],
    *,
    system: System = "scan",
    dtype: Annotated[str | None, typer.Option(help="Declared format (that of b, u or S by default).")] = None,
    words: dict[str, Any],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge results that someone recorded, or judge a witness file again.

    The keys of an .npz file: of a scan lam, b, got (h0, reverse); of a layer its parameters, u, and any of y, h, h_last,
    gradient_NAME and constant_NAME (h0, reverse, y_bar); of expm S and got. Those in parentheses are optional. A witness says
    itself which system it is of and what was declared; the options speak about .npz files.

    Examples, after numpy.savez("run.npz", lam=lam, b=b, got=h):

      scanproof judge run.npz

      scanproof judge layer.npz --system rotrnn --dtype float32

      scanproof judge exponentials.npz --system expm

      scanproof judge build/witness/witness-exact-lanes-0123456789.json

      scanproof judge build/witness/witness-lru-impulses-0123456789.json

      scanproof judge build/witness/witness-expm-planes-0123456789.json
    """
    from scanproof.cli import judge as command

    with one_line_errors():
        raise typer.Exit(command.run(file, system, dtype, words, json, quiet))


@app.command()
def verify(
    seed: Seed = 0,
    cases: Annotated[int, typer.Option(min=1, help="Random cases per law and implementation.")] = 20,
    folder: Annotated[Path, typer.Option(help="Where the report is written.")] = Path("build/report"),
    claims: Annotated[bool, typer.Option("--claims", help="Also the papers' claims as experiments, in claims.html.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Prove the lemmas, check our kernels and real third-party scans, reject the mutants, write one report.

    Exits with 0 only if every lemma is proved, no honest scan is refuted or undecided, and every mutant is rejected.

    Examples:

      scanproof verify && xdg-open build/report/index.html

      scanproof verify --claims && xdg-open build/report/claims.html
    """
    from scanproof.cli import verify as command

    with one_line_errors():
        raise typer.Exit(command.run(seed, cases, folder, claims, json, quiet))


@app.command()
def prove(
    lemma: Annotated[str | None, typer.Option(help="Only this lemma, its derivation step by step.")] = None,
    coq: Annotated[bool, typer.Option("--coq", help="Also the theorems of the Coq layer; it is compiled in build/coq.")] = False,
    gappa: Annotated[bool, typer.Option("--gappa", help="Also Gappa's certificates of single steps in every format.")] = False,
    chain: Annotated[bool, typer.Option("--chain", help="What each allowance rests on, by all provers (minutes).")] = False,
    json: Json = False,
) -> None:
    """Prove, for general N, what every verdict rests on.

    By SymPy always: the algebra of scans, the rounding theorem, rotations, the layers LRU and RotRNN with their gradients and
    invariances, Householder products. By Coq and Gappa where they are installed.

    With --chain each allowance is followed from its Python function to SymPy's lemmas, Coq's theorems and Gappa's certificates,
    and what is only argued, cited, assumed or tested is marked.

    Exits with 0 if all that was asked for is proved, 1 if anything is refused, 3 if a proof is not run: with --coq, --gappa or
    --chain a missing prover, whose installation is then told.

    Examples:

      scanproof prove

      scanproof prove --lemma rounding-near

      scanproof prove --coq --gappa --json

      scanproof prove --chain --lemma scan-adjoint
    """
    from scanproof.cli import prove as command

    with one_line_errors():
        raise typer.Exit(command.run(lemma, coq, gappa, chain, json))


@app.command()
def bench(
    case: Annotated[list[str] | None, typer.Option(help="Only this case (may be repeated); an unknown one lists them.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Samples of each contestant; the median is reported.")] = 7,
    threads: Annotated[int | None, typer.Option(help="Threads for everyone who uses them (all cores by default).")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Time scans beside a measured copy: our kernels, plain loops, lfilter, and jax where it is installed.

    Each one is judged first, on the arrays that are timed; whatever is outside gets no timing, and exit code 1.

    Examples:

      scanproof bench

      scanproof bench --case long --case single --threads 1 --json
    """
    from scanproof.cli import bench as command

    with one_line_errors():
        raise typer.Exit(command.run(case, rounds, threads, json, quiet))


@app.command()
def doctor(json: Json = False) -> None:
    """Tell what this machine has and what could make results differ: rounding mode, threads, caches, peers.

    Example:

      scanproof doctor
    """
    from scanproof.cli import doctor as command

    with one_line_errors():
        raise typer.Exit(command.run(json))


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if show:
        print(scanproof.__version__)
        raise typer.Exit(ACCEPTED)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """A user's mistake is one line and exit code 2; only a fault of ours shows a traceback."""
    try:
        yield
    except typer.Exit:
        raise
    except BrokenPipeError:  # told to nobody, by `main`
        raise
    except OSError as error:
        told = f"cannot use {error.filename}: {error.strerror}" if error.filename else error
        print(f"scanproof: {told}", file=sys.stderr)
        raise typer.Exit(BAD_INPUT) from None
    except (ValueError, TypeError, FloatingPointError) as error:
        print(f"scanproof: {error}", file=sys.stderr)
        raise typer.Exit(BAD_INPUT) from None
    except KeyboardInterrupt:
        print("scanproof: interrupted", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    except Exception:
        _internal()


def numbers(argument: str, text: str | None) -> frozenset[int] | None:
    """Numbers and ranges such as "1-64,128".

    Raises:
        ValueError: anything else.
    """
    if text is None:
        return None
    found: set[int] = set()
    for part in text.split(","):
        low, dash, high = part.strip().partition("-")
        if not all(word.isascii() and word.isdigit() for word in ([low, high] if dash else [low])):
            raise ValueError(f"{argument}: found {text!r}, expected numbers and ranges such as 1-64,128")
        if high and int(high) < int(low):
            raise ValueError(f"{argument}: found the empty range {part.strip()!r}, expected numbers and ranges such as 1-64,128")
        found.update(range(int(low), int(high or low) + 1))
    return frozenset(found)


def _internal() -> None:
    traceback.print_exc()
    print("scanproof: internal error: please report it with the lines above", file=sys.stderr)
    raise typer.Exit(INTERNAL)


import scanproof.cli.golden  # noqa: E402  registers its commands, which use what is defined above
import scanproof.cli.power  # noqa: E402  registers its commands
