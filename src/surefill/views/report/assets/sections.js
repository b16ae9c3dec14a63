// One run, section by section.

const card = (title, remark, ...children) =>
  el("section", { className: "card" }, el("h2", {}, title, remark ? el("small", {}, remark) : ""), ...children);

/** Figures in a row; the first one is the widest. */
function tileRow(shown) {
  return el(
    "div",
    { className: shown.length > 6 ? "tiles" : "tiles few" },
    ...shown.map((tile) => {
      const value = tile.tone ? [el("i", {}, arrow(tile.tone)), tile.value] : [tile.value];
      const name = tile.tone ? tone(tile.tone) : "";
      const parts = [el("dt", {}, tile.label), el("dd", { className: name }, ...value)];
      return el("div", { className: "tile" }, el("dl", { className: "plain" }, ...parts), el("p", {}, tile.hint));
    }),
  );
}

/** The standard figures; what each one is says its title, and the list below. */
function figuresCard(run) {
  const line = ({ name, value, meaning, tone: good }) => [
    el("dt", { title: meaning }, name),
    el("dd", { className: good ? tone(good) : "", title: meaning }, value),
  ];
  const group = ({ name, lines }) =>
    el("div", {}, el("h3", {}, name), el("dl", { className: "figures" }, ...lines.map(line).flat()));
  const all = run.figures.flatMap(({ lines }) => lines);
  const meanings = el("dl", { className: "facts" }, ...all.map((each) => [el("dt", {}, each.name), el("dd", {}, each.meaning)]).flat());
  const details = el("details", {}, el("summary", {}, "What each figure is"), meanings);
  return card("Figures", run.conventions, el("div", { className: "thirds" }, ...run.figures.map(group)), details);
}

function equityCard(run, curve) {
  const chart = new EquityChart(curve, run.currency, 330);
  const hint = el("span", { className: "hint" }, "wheel zooms · drag moves · double click shows all");
  const head = el("div", { className: "bar" }, el("h2", {}, "Equity", el("small", {}, "and how far below its highest")), hint);
  return el("section", { className: "card" }, head, chart.element);
}

/** Candles with an instrument picker; `show(trade)` brings a trade to the eye. */
class CandleCard {
  constructor(run, series) {
    this.run = run;
    this.series = series;
    this.chart = new Candles(430);
    this.buttons = new Map();
    for (const row of run.rows.slice(0, -1)) {
      const made = row.net + row.open_net;
      const label = [row.name, " ", el("small", { className: tone(made) }, row.trades ? signed(made, 0) : "no trades")];
      this.buttons.set(row.name, el("button", { type: "button", onclick: () => this.choose(row.name) }, ...label));
    }
    this.scale = el("button", { type: "button", onclick: () => this.toggle() }, "log");
    const pick = el("div", { className: "pick", role: "group", "aria-label": "Instrument" }, ...this.buttons.values());
    const scale = el("div", { className: "pick" }, this.scale);
    const hint = el("span", { className: "hint" }, "point at a trade for its story · wheel zooms · drag moves");
    this.element = el(
      "section",
      { className: "card" },
      el("div", { className: "bar" }, el("h2", {}, "Trades on the chart"), pick, scale, hint),
      this.chart.element,
      this.key(),
    );
    const size = (row) => Math.abs(row.net + row.open_net);
    const largest = [...run.rows.slice(0, -1)].sort((one, other) => size(other) - size(one))[0];
    if (largest) this.choose(largest.name);
  }

  key() {
    const entry = (colour, mark, text) => el("span", {}, el("i", { className: colour }, mark), text);
    const parts = [
      entry("accent", "▲", "entry"),
      entry("up", "▼", "exit in profit"),
      entry("down", "▼", "exit at a loss"),
      entry("stop", "━", "stop"),
      entry("target", "┅", "target"),
      entry("dim", "▯▮", "hollow rose, filled fell"),
    ];
    const key = el("div", { className: "key" }, ...parts);
    for (const mark of key.querySelectorAll("i")) mark.style.color = `var(--${mark.className})`;
    return key;
  }

  choose(symbol) {
    this.symbol = symbol;
    for (const [name, button] of this.buttons) button.setAttribute("aria-pressed", String(name === symbol));
    this.chart.marked = null;
    const bars = this.series.get(symbol);
    const end = this.run.times.count ? unpackSteps(this.run.times).at(-1) : 0; // a run may be of a part of the bars
    const trades = this.run.trades.filter((trade) => trade.symbol === symbol);
    this.chart.load(bars, trades, this.run.currency, bars.times.findLastIndex((begins) => begins < end));
    this.scale.setAttribute("aria-pressed", String(this.chart.log));
  }

  toggle() {
    this.chart.log = !this.chart.log;
    this.scale.setAttribute("aria-pressed", String(this.chart.log));
    this.chart.pane.paint();
  }

  show(trade) {
    if (trade.symbol !== this.symbol) this.choose(trade.symbol);
    this.chart.focus(trade);
    this.element.scrollIntoView({ behavior: "smooth", block: "nearest" });
  }
}

function instrumentCard(run) {
  const total = run.rows[run.rows.length - 1];
  const money = (name) => ({ of: (row) => row[name], show: (row) => el("span", { className: tone(row[name]) }, signed(row[name])) });
  const columns = [
    { title: "Instrument", text: true, of: (row) => row.name, show: (row) => row.name },
    { title: "Trades", of: (row) => row.trades, show: (row) => number(row.trades, 0) },
    { title: "Win rate", of: (row) => row.win_rate, show: (row) => percent(row.win_rate) },
    { title: "Profit factor", of: (row) => row.profit_factor, show: (row) => ratio(row.profit_factor) },
    { title: `Net, ${run.currency}`, ...money("net") },
    { title: "Open", ...money("open_net") },
    { title: "Max drawdown", of: (row) => -row.max_drawdown, show: (row) => number(row.max_drawdown && -row.max_drawdown) },
    { title: "Exposure", of: (row) => row.exposure, show: (row) => percent(row.exposure) },
    { title: "Fees", of: (row) => row.fees, show: (row) => number(row.fees) },
  ];
  const table = new SortedTable({ columns, rows: run.rows.slice(0, -1), foot: total, label: "Instruments" });
  return card("By instrument", "net of closed trades after fees; drawdown of the P&L at the closes", table.element);
}

function tradesCard(run, candles, daily) {
  const columns = [
    { title: "Entry", text: true, of: (t) => t.entry_time, show: (t) => when(t.entry_time, daily) },
    { title: "Instrument", text: true, of: (t) => t.symbol, show: (t) => t.symbol },
    { title: "Side", text: true, of: (t) => t.side, show: (t) => (t.side > 0 ? "Long" : "Short") },
    { title: "Quantity", of: (t) => t.qty, show: (t) => number(t.qty, 8, 0) },
    { title: "Entry price", of: (t) => t.entry_px, show: (t) => price(round(t.entry_px)) },
    { title: "Exit", text: true, of: (t) => t.exit_time, show: (t) => (t.exit_at < 0 ? "open" : when(t.exit_time, daily)) },
    { title: "Exit price", of: (t) => t.exit_px, show: (t) => (t.exit_at < 0 ? "–" : price(round(t.exit_px))) },
    { title: `Net, ${run.currency}`, of: (t) => t.net, show: (t) => moved(t.net, signed(t.net)) },
    { title: "Change", of: (t) => t.change, show: (t) => el("span", { className: tone(t.change) }, signedPercent(t.change)) },
    { title: "Why out", text: true, long: true, of: (t) => t.exit_reason, show: (t) => words(t.exit_why || t.exit_reason) },
    { title: "Why in", text: true, long: true, of: (t) => t.entry_why, show: (t) => t.entry_why },
  ];
  const open = { can: () => true, go: (trade) => candles.show(trade) };
  const table = new SortedTable({ columns, rows: run.trades, open, label: "Trades", size: 500 });
  const choices = ["all instruments", ...new Set(run.trades.map((trade) => trade.symbol))];
  const results = ["all results", "won", "lost", "open"];
  const options = (names) => names.map((name) => el("option", { value: name }, name));
  const symbol = el("select", { "aria-label": "Instrument" }, ...options(choices));
  const result = el("select", { "aria-label": "Result" }, ...options(results));
  const outcome = (trade) => (trade.exit_at < 0 ? "open" : trade.net > 0 ? "won" : "lost");
  const shown = el("small", {}, `${run.trades.length} of them; a click shows one in the chart`);
  const filter = () => {
    const rows = run.trades.filter((trade) => {
      return [choices[0], trade.symbol].includes(symbol.value) && [results[0], outcome(trade)].includes(result.value);
    });
    table.show(rows);
    shown.textContent = `${rows.length} of ${run.trades.length}`;
  };
  for (const select of [symbol, result]) select.addEventListener("change", filter);
  const head = el("div", { className: "bar" }, el("h2", {}, "Trades", shown), symbol, result);
  return el("section", { className: "card" }, head, table.element);
}

function countTable(rows, label, withNet, withExample) {
  if (!rows.length) return el("p", { className: "empty" }, "None.");
  const columns = [
    { title: label, text: true, of: (row) => row.name, show: (row) => words(row.name) },
    { title: "Count", of: (row) => row.count, show: (row) => number(row.count, 0) },
  ];
  if (withNet) columns.push({ title: "Net", of: (row) => row.net, show: (row) => moved(row.net, signed(row.net)) });
  if (withExample) columns.push({ title: "As in", text: true, long: true, of: (row) => row.example, show: (row) => row.example });
  return new SortedTable({ columns, rows, order: [1, -1], label }).element;
}

function sealCard(run) {
  const { seal } = run;
  if (!seal) return card("The journal", "not verified for this page");
  const events = run.events.map((kind) => `${number(kind.count, 0)} ${kind.name}`).join(", ");
  const verdict = seal.ok
    ? el("span", { className: "up" }, "✓ no event was edited, deleted, inserted or reordered")
    : el("span", { className: "down" }, `✗ does not verify: ${seal.faults.join("; ")}`);
  const facts = [
    ["verified", verdict],
    ["workspace", el("span", { className: "mono" }, run.workspace_id)],
    ["events", `${number(seal.events, 0)}: ${events}`],
    ["head hash", el("span", { className: "mono break" }, seal.head_hash)],
    ["keys", `${number(seal.keys, 0)} idempotency keys, each used once`],
    ["writers", seal.epoch === 1 ? "one, from beginning to end" : `${seal.epoch} after one another`],
  ];
  const list = el("dl", { className: "facts" }, ...facts.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]).flat());
  const made = card("The journal", "everything on this page was computed from it", list);
  made.id = `seal-${run.workspace_id}`;
  return made;
}
