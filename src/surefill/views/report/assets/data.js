// The embedded data, unpacked. See views/report/columns.py for how they were packed.

/** The least and the most of a list of any length (a call takes only so many arguments). */
const least = (values) => values.reduce((one, other) => (other < one ? other : one), Infinity);
const most = (values) => values.reduce((one, other) => (other > one ? other : one), -Infinity);

function unpackSteps({ count, unit, first, steps }) {
  const values = new Float64Array(count);
  for (let at = 0; at < count; at++) values[at] = at ? values[at - 1] + steps[at - 1] * unit : first;
  return values;
}

function unpackBars(packed) {
  const count = packed.o.length;
  const scale = packed.unit / 10 ** packed.decimals;
  const bars = {
    symbol: packed.symbol,
    count,
    daily: packed.timeframe === "1d" || packed.timeframe === "1w",
    times: unpackSteps(packed.times),
    open: new Float64Array(count),
    high: new Float64Array(count),
    low: new Float64Array(count),
    close: new Float64Array(count),
  };
  let before = 0;
  for (let at = 0; at < count; at++) {
    const open = before + packed.o[at];
    const close = open + packed.c[at];
    bars.open[at] = open * scale;
    bars.close[at] = close * scale;
    bars.high[at] = (Math.max(open, close) + packed.h[at]) * scale;
    bars.low[at] = (Math.min(open, close) - packed.l[at]) * scale;
    before = close;
  }
  return bars;
}

function unpackCurve(run, daily) {
  const times = unpackSteps(run.times);
  const equity = unpackSteps(run.equity).map((cents) => cents / 100);
  const depth = new Float64Array(equity.length);
  let peak = run.start / 100;
  equity.forEach((value, at) => {
    peak = Math.max(peak, value);
    depth[at] = peak > 0 ? (value - peak) / peak : 0;
  });
  return { times, equity, depth, start: run.start / 100, count: equity.length, daily };
}
