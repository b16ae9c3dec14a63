// Trades as a crowd: what they made, and how far each went against its entry and in its favour.

const BINS = 30;
const OUTLIERS = 0.02; // of the trades at either end, which the outermost bins gather

/** How many trades made how much, in percent of what was entered for; a bin never reaches over zero. */
function distributionCard(run) {
  const made = run.trades.filter((trade) => trade.exit_at >= 0).map((trade) => trade.made);
  const title = "Distribution of trades";
  if (!made.length) return card(title, "", el("p", { className: "empty" }, "No trade was closed."));
  made.sort((one, other) => one - other);
  const beyond = Math.floor(OUTLIERS * made.length);
  const [low, high] = [Math.min(0, made[beyond]), Math.max(0, made[made.length - 1 - beyond])];
  const step = niceStep(Math.max(high - low, 0.0001) / BINS);
  const first = Math.floor(low / step + 1e-9);
  const bins = new Array(Math.max(Math.floor(high / step + 1e-9) - first, 0) + 1).fill(0);
  for (const each of made) {
    const at = Math.floor(each / step + 1e-9) - first;
    bins[Math.min(Math.max(at, 0), bins.length - 1)] += 1;
  }
  const median = (made[(made.length - 1) >> 1] + made[made.length >> 1]) / 2;
  const mean = made.reduce((sum, each) => sum + each, 0) / made.length;

  const edge = (at) => (first + at) * step;
  const tallest = Math.max(...bins);
  const range = (at) => {
    if (beyond && at === 0) return `up to ${signedPercent(edge(1), 2)}`;
    if (beyond && at === bins.length - 1) return `${signedPercent(edge(at), 2)} and more`;
    return `${signedPercent(edge(at), 2)} to ${signedPercent(edge(at + 1), 2)}`;
  };
  const plot = new Plot({
    label: `How many trades made how much: ${made.length} trades, median ${signedPercent(median, 2)}`,
    height: 280,
    x: evenScale(edge(0), edge(bins.length), "net of a trade, % of its entry value", (v) => number(100 * v, 2, 0)),
    y: { ...evenScale(0, tallest * 1.08, "trades", (v) => number(v, 0)), ticks: (room) => niceTicks(0, tallest, Math.min(room, tallest)) },
    paint: (it) => {
      bins.forEach((count, at) => {
        it.ctx.fillStyle = it.colour(first + at < 0 ? "down" : "up");
        const left = it.x(edge(at));
        it.ctx.fillRect(left + 0.5, it.y(count), Math.max(it.x(edge(at + 1)) - left - 1, 1), it.bottom - it.y(count));
      });
      it.ctx.strokeStyle = it.colour("ink");
      it.rule(it.x(0), TOP, it.x(0), it.bottom);
      it.ctx.setLineDash([3, 3]);
      it.rule(it.x(median), TOP, it.x(median), it.bottom);
    },
    tell: (x) => {
      const at = Math.floor(((x - LEFT) / (plot.right - LEFT)) * bins.length);
      if (!(at >= 0 && at < bins.length)) return null;
      return [el("b", {}, `${number(bins[at], 0)} trades`), el("span", {}, range(at))];
    },
  });
  const remark = `${number(made.length, 0)} closed · mean ${signedPercent(mean, 2)} · median ${signedPercent(median, 2)} (dashed)${beyond ? " · the ends gather what is beyond" : ""}`;
  return card(title, remark, plot.element);
}

/** Largest move against the entry beside the largest in its favour; a click shows the trade in the chart. */
function excursionCard(run, candles) {
  const trades = run.trades.filter((trade) => trade.mae !== null);
  const title = "Against and in favour";
  if (!trades.length) return card(title, "", el("p", { className: "empty" }, "No trade was closed, or there are no bars of it."));
  const near = (x, y) => {
    const away = (trade) => Math.hypot(plot.x(trade.mae) - x, plot.y(trade.mfe) - y);
    const found = trades.reduce((one, other) => (away(other) < away(one) ? other : one));
    return away(found) < 24 ? found : null;
  };
  const plot = new Plot({
    label: `Maximum adverse and favourable excursion of ${trades.length} trades`,
    height: 280,
    x: rootScale(trades.map((trade) => trade.mae), "MAE: largest move against the entry, % (root scale)"),
    y: rootScale(trades.map((trade) => trade.mfe), "MFE: largest move in favour, %"),
    paint: (it) => {
      for (const trade of trades) {
        const way = trade.net > 0 ? 1 : -1;
        const [x, y] = [it.x(trade.mae), it.y(trade.mfe)];
        it.ctx.fillStyle = it.colour(trade.net > 0 ? "up" : trade.net < 0 ? "down" : "dim");
        it.ctx.globalAlpha = 0.75;
        it.ctx.beginPath();
        it.ctx.moveTo(x, y - 4 * way);
        it.ctx.lineTo(x - 4, y + 3 * way);
        it.ctx.lineTo(x + 4, y + 3 * way);
        it.ctx.fill();
      }
    },
    tell: (x, y) => {
      const trade = near(x, y);
      if (!trade) return null;
      return [
        el("b", {}, `${trade.symbol} ${when(trade.entry_time, true)}`),
        moved(trade.net, signedPercent(trade.made, 2)),
        el("span", {}, `MAE ${percent(trade.mae, 2)}`),
        el("span", {}, `MFE ${percent(trade.mfe, 2)}`),
      ];
    },
    open: (x, y) => {
      const trade = near(x, y);
      if (trade) candles.show(trade);
    },
  });
  return card(title, "▲ won, ▼ lost, after fees; entry and exit bars count whole", plot.element);
}
