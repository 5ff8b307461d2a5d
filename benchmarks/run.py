"""Running the benchmarks that were named, and reporting what they saw."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import (
    analysis,
    chunk_sizes,
    known_objects,
    large_file,
    large_transfers,
    latency,
    many_files,
    many_pushes,
    no_op,
    observing,
    running,
    small_files,
    small_transfers,
    startup,
    text_files,
)
from benchmarks.report import Result, machine, table, write
from benchmarks.scale import FULL, TINY
from benchmarks.workbench import RESULTS, CommandError, Workbench, opened

BENCHMARKS: Mapping[str, Callable[[Workbench], Result]] = {
    "startup": startup.run,
    "no_op": no_op.run,
    "running": running.run,
    "analysis": analysis.run,
    "observing": observing.run,
    "small_files": small_files.run,
    "text_files": text_files.run,
    "many_files": many_files.run,
    "large_file": large_file.run,
    "chunk_sizes": chunk_sizes.run,
    "small_transfers": small_transfers.run,
    "large_transfers": large_transfers.run,
    "latency": latency.run,
    "known_objects": known_objects.run,
    "many_pushes": many_pushes.run,
}


def main(arguments: Sequence[str]) -> int:
    """Measure, print a table, keep all samples. A missed target is reported; it is no failure."""
    chosen = _parser().parse_args(arguments)
    names = chosen.names or list(BENCHMARKS)
    results: dict[str, Result] = {}
    try:
        with opened(TINY if chosen.tiny else FULL, peer=not chosen.no_peer) as bench:
            facts = machine(bench)
            print(", ".join(f"{name}: {fact}" for name, fact in facts.items()), end="\n\n")
            for name in names:
                results[name] = BENCHMARKS[name](bench)
                print(table(name, results[name]), flush=True)
    except CommandError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    write(chosen.output, facts, results)
    print(f"All samples are in {chosen.output}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=BENCHMARKS)
    parser.add_argument("--no-peer", action="store_true", help="measure Pivot alone")
    parser.add_argument("--tiny", action="store_true", help="inputs so small that nothing is said")
    parser.add_argument("--output", type=Path, default=RESULTS / "latest.json", help="JSON file")
    return parser
