"""vectorbt over one series, many crosses of two simple averages at once: one JSON line.

`--bars` is an .npz of the benchmark that starts it: prices in hundredths, `fast` and `slow` as columns of variants.
Timed are averages, signals, trades, return and drawdown of all of them, after a first call that compiles.
Runs in the peers' environment (`benchmarks/peers/setup`), not in surefill's.
"""

import argparse
import json
import platform
import resource
import time
import warnings

import numpy as np
import pandas as pd


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", required=True)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    import vectorbt as vbt

    columns = np.load(options.bars)
    close = pd.Series(columns["close"] / 100, index=pd.to_datetime(columns["ts_ns"]))
    fast, slow = columns["fast"].tolist(), columns["slow"].tolist()

    def sweep(count: int) -> int:
        short = vbt.MA.run(close, window=fast[:count], short_name="short")
        long = vbt.MA.run(close, window=slow[:count], short_name="long")
        enters, leaves = short.ma_crossed_above(long), short.ma_below(long)
        portfolio = vbt.Portfolio.from_signals(
            close, enters, leaves, size=2_000.0, size_type="value", init_cash=1e7, freq="1D"
        )
        figures = portfolio.total_return(), portfolio.max_drawdown()
        assert all(len(each) == count for each in figures)
        return int(portfolio.trades.count().sum())

    begin = time.process_time()
    sweep(2)
    first = time.process_time() - begin
    begin = time.process_time()
    trades = sweep(len(fast))
    took = time.process_time() - begin
    print(
        json.dumps(
            {
                "name": "vectorbt",
                "version": vbt.__version__,
                "python": platform.python_version(),
                "bars": len(close),
                "variants": len(fast),
                "seconds": took,
                "first_seconds": first,
                "trades": trades,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
