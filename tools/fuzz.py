"""Throw changed inputs at everything that reads what others wrote; a crash is kept as a file.

    .venv/bin/python tools/fuzz.py                     every target, 10 minutes each
    .venv/bin/python tools/fuzz.py --seconds 60 tdm    one target
    .venv/bin/python tools/fuzz.py --together          all targets in one process, in turn (the short form)
    .venv/bin/python tools/fuzz.py --read FILE tdm     read one kept input again

Exit 0 if nothing was found, 1 if something was, 2 for wrong use. By coverage with atheris (Linux on x86-64),
elsewhere by a seeded loop, and it says which.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "src")]

PIECE = 500
TOLD_EVERY_S = 0.5
"""The fuzzer ends its process without a word: what was tried is told as it goes on."""
COMPILED = ("flight", "frames", "tracking", "fusion", "alerting", "analysis", "sim")
"""Compiled by numba, which can't read instrumented code."""


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="which; all if none is named")
    parser.add_argument("--seconds", type=float, default=600.0, help="for each target")
    parser.add_argument("--seed", type=int, default=1, help="of the first change; 0 for another each time")
    parser.add_argument("--together", action="store_true", help="one process, targets in turn")
    parser.add_argument(
        "--findings", type=Path, default=Path("fuzz-findings"), help="folder for what is found"
    )
    parser.add_argument("--read", type=Path, metavar="FILE", help="read this one input and no other")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """Run; returns the exit status."""
    arguments = _arguments(words)
    if arguments.inside:
        return _inside(arguments)
    from fuzzing.targets import TARGETS

    unknown = [name for name in arguments.targets if name not in TARGETS]
    if unknown:
        print(f"no target {unknown[0]} (expected {', '.join(TARGETS)})", file=sys.stderr)
        return 2
    names = arguments.targets or list(TARGETS)
    if arguments.read:
        return _read(arguments.read, names)
    groups = [names] if arguments.together else [[name] for name in names]
    how = "atheris" if find_spec("atheris") else "seeded loop"
    print(f"{how}, {arguments.seconds:g} s for each of {len(groups)}", file=sys.stderr)
    found = [_run(group, arguments) for group in groups]
    if arguments.json:
        print(json.dumps({"by": how, "groups": found}))
    return 1 if any(one["finding"] for one in found) else 0


def _run(names: list[str], arguments: argparse.Namespace) -> dict[str, object]:
    """Run targets in a process of their own, and return what came of it."""
    arguments.findings.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, __file__, "--inside", "--seconds", str(arguments.seconds)]
    command += ["--seed", str(arguments.seed), "--findings", str(arguments.findings.resolve()), *names]
    started_s = time.monotonic()
    with tempfile.TemporaryFile() as words:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=words, check=False)
        words.seek(0)
        said = words.read().decode(errors="replace")
    spoken = done.stdout.decode(errors="replace").splitlines()
    lines = [line for line in spoken if line.startswith("{")]
    tried = json.loads(lines[-1]) if lines else {}
    trace = "\n".join(line for line in spoken if not line.startswith("{"))
    finding = "" if done.returncode == 0 else _finding_in(f"{said}\n{trace}")
    for name, (inputs, refused, slowest_ms) in tried.items():
        print(
            f"{name:15} {inputs:9,} inputs  {refused:9,} refused  slowest {slowest_ms:7.1f} ms",
            file=sys.stderr,
        )
    if finding:
        print(f"FOUND in {', '.join(names)}: {finding}", file=sys.stderr)
    seconds = round(time.monotonic() - started_s, 1)
    return {"targets": names, "seconds": seconds, "tried": tried, "finding": finding}


def _finding_in(said: str) -> str:
    """Return the end of what a process said that found something, without the fuzzer's own words."""
    lines = [line for line in said.splitlines() if line.strip() and not line.startswith(("#", "INFO"))]
    return "\n".join(lines[-40:]) or "it ended without a word"


def _read(path: Path, names: list[str]) -> int:
    from fuzzing.engine import Reader

    for name in names:
        accepted = Reader(name)(path.read_bytes())
        print(f"{name}: {'accepted' if accepted else 'refused'}")
    return 0


def _inside(arguments: argparse.Namespace) -> int:
    """Be the process that reads."""
    if find_spec("atheris") is None:
        return _by_loop(arguments)
    import atheris

    with atheris.instrument_imports(include=["beaconfire"], exclude=_compiled()):
        from fuzzing.engine import BYTES_MAX, Reader
        from fuzzing.mutation import mutator
    readers = {name: Reader(name) for name in arguments.targets}
    names, changes = list(readers), [mutator(one.kind) for one in readers.values()]

    told_s = 0.0

    def read(data: bytes) -> None:
        nonlocal told_s
        if time.monotonic() - told_s > TOLD_EVERY_S:
            told_s = time.monotonic()
            tell()
        if data:
            readers[names[data[0] % len(names)]](data[1:])

    def change(data: bytes, most: int, seed: int) -> bytes:
        place = (data[0] if data and seed % 8 else seed // 8) % len(names)
        given = data[1:] if data and data[0] % len(names) == place else _seed_of(readers[names[place]], seed)
        return bytes([place]) + changes[place](given, min(most, BYTES_MAX) - 1, seed)

    def tell() -> None:
        print(json.dumps({name: one.tried for name, one in readers.items()}), flush=True)

    with tempfile.TemporaryDirectory() as corpus:
        for place, one in enumerate(readers.values()):
            for number, seed in enumerate(one.seeds):
                (Path(corpus) / f"{place}-{number}").write_bytes(bytes([place]) + seed)
        flags = [f"-max_total_time={arguments.seconds:g}", f"-max_len={BYTES_MAX}", f"-seed={arguments.seed}"]
        flags += ["-timeout=600", f"-artifact_prefix={arguments.findings}/", "-print_final_stats=1"]
        alone = len(names) == 1 and readers[names[0]].kind in {"text", "bytes"}
        atheris.Setup([sys.argv[0], *flags, corpus], read, custom_mutator=None if alone else change)
        atheris.Fuzz()
    return 0


def _compiled() -> list[str]:
    """Return the modules that are left as they are."""
    source = ROOT / "src"
    folders = [source / "beaconfire" / name for name in COMPILED]
    files = [one for folder in folders for one in folder.rglob("*.py")]
    return [".".join(one.relative_to(source).with_suffix("").parts) for one in files]


def _seed_of(reader: "object", seed: int) -> bytes:
    seeds: list[bytes] = reader.seeds  # type: ignore[attr-defined]
    return seeds[seed % len(seeds)]


def _by_loop(arguments: argparse.Namespace) -> int:
    from fuzzing.engine import Reader, loop

    ends_s = time.monotonic() + arguments.seconds
    readers = {name: Reader(name) for name in arguments.targets}
    finding, start = b"", arguments.seed
    while time.monotonic() < ends_s and not finding:
        for name, reader in readers.items():
            finding = loop(reader, PIECE, start)
            if finding:
                (arguments.findings / f"crash-{name}-{start}").write_bytes(finding)
                break
        start += PIECE
    print(json.dumps({name: one.tried for name, one in readers.items()}), flush=True)
    return 1 if finding else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
