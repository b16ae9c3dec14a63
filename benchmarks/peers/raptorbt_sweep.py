"""raptorbt over one series, many crosses of two simple averages: one JSON line.

`--bars` is an .npz of the benchmark that starts it: prices in hundredths, `fast` and `slow` as columns of variants.
Timed are averages (numpy, by running sums, each window once), signals and its engine on arrays, with all its figures.
Runs in the peers' environment (`benchmarks/peers/setup`), not in surefill's.
"""

import argparse
import json
import platform
import resource
import time

import numpy as np
import raptorbt


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", required=True)
    columns = np.load(parser.parse_args().bars)
    closes = columns["close"]
    prices = [columns[name] / 100 for name in ("open", "high", "low", "close")]
    volume = np.full(len(closes), 1e6)
    config = raptorbt.BacktestConfig(initial_capital=10_000_000.0, fees=0.0)

    def sweep(pairs: list[tuple[int, int]]) -> int:
        sums = np.concatenate((np.zeros(1, np.int64), np.cumsum(closes)))
        averages: dict[int, np.ndarray] = {}
        for window in {each for pair in pairs for each in pair}:
            averages[window] = np.full(len(closes), np.nan)
            averages[window][window - 1 :] = (sums[window:] - sums[:-window]) / window
        trades = 0
        for fast, slow in pairs:
            above = averages[fast] > averages[slow]
            leaves = averages[fast] < averages[slow]
            enters = above.copy()
            enters[1:] &= ~above[:-1]
            enters[:slow] = False
            done = raptorbt.run_single_backtest(columns["ts_ns"], *prices, volume, enters, leaves, config=config)
            trades += done.metrics.total_trades
        return trades

    pairs = list(zip(columns["fast"].tolist(), columns["slow"].tolist(), strict=True))
    begin = time.process_time()
    sweep(pairs[:2])
    first = time.process_time() - begin
    begin = time.process_time()
    trades = sweep(pairs)
    took = time.process_time() - begin
    print(
        json.dumps(
            {
                "name": "raptorbt",
                "version": raptorbt.__version__,
                "python": platform.python_version(),
                "bars": len(closes),
                "variants": len(pairs),
                "seconds": took,
                "first_seconds": first,
                "trades": trades,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
