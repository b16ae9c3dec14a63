"""raptorbt over minute bars with signals in arrays, the fastest of its ways: SMA 20/50, long only; one JSON line.

`--bars` is an .npz of the benchmark that starts it, with `enters` and `leaves` beside the prices: what is timed is the
engine, not the averages. `--exits`: `never`, `signals`, `levels` (with stop and target too).
Runs in the peers' environment (`benchmarks/peers/setup`), not in surefill's.
"""

import argparse
import json
import platform
import resource
import statistics
import time

import numpy as np
import raptorbt


def main() -> None:
    """Measure, each run in turn, and print the median."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", required=True)
    parser.add_argument("--exits", choices=("never", "signals", "levels"), default="signals")
    options = parser.parse_args()
    columns = np.load(options.bars)
    enters = columns["enters"].astype(bool) & (options.exits != "never")
    leaves = columns["leaves"].astype(bool)
    prices = [columns[name] / 100 for name in ("open", "high", "low", "close")]
    volume = np.full(len(enters), 1e6)
    config = raptorbt.BacktestConfig(initial_capital=10_000_000.0, fees=0.0)
    if options.exits == "levels":
        config.set_fixed_stop(0.01)
        config.set_fixed_target(0.02)
    took = []
    for _ in range(5):
        begin = time.process_time()
        result = raptorbt.run_single_backtest(columns["ts_ns"], *prices, volume, enters, leaves, config=config)
        took.append(time.process_time() - begin)
    print(
        json.dumps(
            {
                "name": "raptorbt (arrays)",
                "version": raptorbt.__version__,
                "python": platform.python_version(),
                "bars": len(enters),
                "seconds": statistics.median(took),
                "trades": len(result.trades()),
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
