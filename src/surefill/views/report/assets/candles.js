// Candles of one instrument, the trades in it, their stops and targets, and the story of each.

const CANDLE_PX = 3; // a candle is at least this wide: narrower bars are drawn together
const FOOT = 20;

class Candles {
  constructor(height) {
    this.readout = el("div", { className: "readout", hidden: true });
    this.tip = el("div", { className: "tip", hidden: true });
    this.log = false;
    this.trades = [];
    this.hovered = -1;
    this.pane = new Pane({
      label: "Price candles with entries, exits and stops. Arrow keys move, plus and minus zoom, Home shows all.",
      height,
      count: 0,
      draw: () => this.draw(),
      hover: (index, x, y) => this.hover(index, x, y),
    });
    this.element = el("div", { className: "chart" }, this.pane.canvas, this.readout, this.tip);
  }

  /** Show an instrument; logarithmic where its prices differ much. What is open is so until the bar `last`. */
  load(bars, trades, currency, last) {
    this.bars = bars;
    this.last = last;
    this.trades = trades;
    this.currency = currency;
    this.pane.count = bars.count;
    this.log = bars.count > 0 && most(bars.high) / least(bars.low) > 5;
    this.hover(-1, 0, 0);
    this.pane.all();
  }

  /** Zoom to a trade, with some of what was around it. */
  focus(trade) {
    const to = trade.exit_at < 0 ? this.last : trade.exit_at;
    const around = Math.max((to - trade.entry_at) * 0.6, 25);
    this.pane.show(trade.entry_at - around, to + around);
    this.marked = trade;
  }

  y(px) {
    const { low, high, bottom } = this.range;
    const place = this.log ? Math.log(px / low) / Math.log(high / low) : (px - low) / (high - low);
    return bottom - 12 - place * (bottom - 34);
  }

  pxAt(y) {
    const { low, high, bottom } = this.range;
    const place = (bottom - 12 - y) / (bottom - 34);
    return this.log ? low * (high / low) ** place : low + place * (high - low);
  }

  visible() {
    return [Math.max(Math.floor(this.pane.from), 0), Math.min(Math.ceil(this.pane.to), this.bars.count)];
  }

  measure() {
    const [from, to] = this.visible();
    let low = Infinity;
    let high = 0;
    for (let at = from; at < to; at++) {
      low = Math.min(low, this.bars.low[at]);
      high = Math.max(high, this.bars.high[at]);
    }
    if (high <= low) high = low + (low || 1) / 100;
    this.range = { low, high, bottom: this.pane.height - FOOT };
  }

  draw() {
    if (!this.bars || !this.bars.count) return this.nothing();
    this.measure();
    const { pane } = this;
    const { low, high, bottom } = this.range;
    const ticks = this.log ? logTicks(low, high, 8) : niceTicks(low, high, 8);
    drawScale(pane, ticks, (px) => this.y(px), (px) => price(px));
    drawDates(pane, this.bars.times, bottom);
    pane.ctx.save();
    pane.ctx.beginPath();
    pane.ctx.rect(0, 0, pane.inner, bottom);
    pane.ctx.clip();
    this.drawCandles();
    for (const trade of this.trades) this.drawTrade(trade);
    pane.ctx.restore();
    if (this.hovered >= 0 && pane.pointer) drawCross(pane, this.hovered, bottom, price(round(this.pxAt(pane.pointer.y))));
    return undefined;
  }

  nothing() {
    const { ctx, width, height } = this.pane;
    ctx.fillStyle = this.pane.colour("dim");
    ctx.textAlign = "center";
    ctx.fillText("No bars of this instrument.", width / 2, height / 2);
  }

  drawCandles() {
    const { pane, bars } = this;
    const { ctx } = pane;
    const together = Math.max(Math.ceil(CANDLE_PX / pane.step), 1);
    const [from, to] = this.visible();
    const body = Math.max(Math.min(pane.step * together * 0.66, 14), 1);
    for (let first = Math.floor(from / together) * together; first < to; first += together) {
      const last = Math.min(first + together, bars.count) - 1;
      let high = bars.high[first];
      let low = bars.low[first];
      for (let at = first + 1; at <= last; at++) {
        high = Math.max(high, bars.high[at]);
        low = Math.min(low, bars.low[at]);
      }
      this.drawCandle((pane.x(first) + pane.x(last)) / 2, body, bars.open[first], high, low, bars.close[last]);
    }
    ctx.lineWidth = 1;
  }

  /** Rising candles are hollow, falling ones filled: the colour is not needed to tell them apart. */
  drawCandle(x, body, open, high, low, close) {
    const { ctx } = this.pane;
    const rising = close >= open;
    ctx.strokeStyle = ctx.fillStyle = this.pane.colour(rising ? "up" : "down");
    ctx.lineWidth = 1;
    const top = this.y(Math.max(open, close));
    const foot = this.y(Math.min(open, close));
    ctx.beginPath();
    ctx.moveTo(x, this.y(high));
    ctx.lineTo(x, top);
    ctx.moveTo(x, foot);
    ctx.lineTo(x, this.y(low));
    ctx.stroke();
    if (rising && body >= 3) ctx.strokeRect(x - body / 2, top, body, Math.max(foot - top, 0.5));
    else ctx.fillRect(x - body / 2, top, body, Math.max(foot - top, 1));
  }

  drawTrade(trade) {
    const { pane } = this;
    const last = trade.exit_at < 0 ? this.last : trade.exit_at;
    if (last < pane.from - 1 || trade.entry_at > pane.to + 1) return;
    const { ctx } = pane;
    const bold = trade === this.story || trade === this.marked;
    const from = pane.x(trade.entry_at);
    const to = pane.x(last);
    this.drawStop(trade, last);
    if (trade.target) this.drawLevel(trade.target, from, to, "target");
    const closed = trade.exit_at >= 0;
    const exit = closed ? trade.exit_px : this.bars.close[last];
    ctx.save();
    ctx.strokeStyle = pane.colour(closed ? (trade.net >= 0 ? "up" : "down") : "dim");
    ctx.lineWidth = bold ? 2.5 : 1.25;
    ctx.setLineDash(closed ? [] : [4, 3]);
    ctx.beginPath();
    ctx.moveTo(from, this.y(trade.entry_px));
    ctx.lineTo(to, this.y(exit));
    ctx.stroke();
    ctx.restore();
    this.drawMark(from, this.y(trade.entry_px), trade.side > 0, "accent", bold);
    if (closed) this.drawMark(to, this.y(exit), trade.side < 0, trade.net >= 0 ? "up" : "down", bold);
  }

  /** A triangle that points at the price: up from below for a purchase, down from above for a sale. */
  drawMark(x, y, buys, colour, bold) {
    const { ctx } = this.pane;
    const size = (this.pane.step > 2 ? 6 : 4.5) + (bold ? 2 : 0);
    const way = buys ? 1 : -1;
    ctx.fillStyle = this.pane.colour(colour);
    ctx.strokeStyle = this.pane.colour("card");
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    ctx.moveTo(x, y + way * 2);
    ctx.lineTo(x - size, y + way * (2 + size * 1.7));
    ctx.lineTo(x + size, y + way * (2 + size * 1.7));
    ctx.closePath();
    ctx.stroke();
    ctx.fill();
  }

  drawStop(trade, last) {
    if (!trade.stops.length) return;
    const { pane } = this;
    const { ctx } = pane;
    ctx.strokeStyle = pane.colour("stop");
    ctx.lineWidth = 1.25;
    ctx.beginPath();
    trade.stops.forEach(([at, px], number) => {
      const end = number + 1 < trade.stops.length ? trade.stops[number + 1][0] : last;
      if (!px) return;
      const y = this.y(px);
      if (number) ctx.lineTo(pane.x(at), y);
      else ctx.moveTo(pane.x(at), y);
      ctx.lineTo(pane.x(Math.max(end, at)), y);
    });
    ctx.stroke();
  }

  drawLevel(px, from, to, colour) {
    const { ctx } = this.pane;
    ctx.save();
    ctx.strokeStyle = this.pane.colour(colour);
    ctx.globalAlpha = 0.75;
    ctx.setLineDash([2, 3]);
    ctx.beginPath();
    ctx.moveTo(from, this.y(px));
    ctx.lineTo(to, this.y(px));
    ctx.stroke();
    ctx.restore();
  }

  hover(index, x, y) {
    this.hovered = index;
    this.readout.hidden = index < 0;
    this.story = index < 0 ? null : this.tradeAt(index, x, y);
    this.tip.hidden = !this.story;
    if (index < 0) return;
    const { bars } = this;
    const before = index ? bars.close[index - 1] : bars.open[index];
    const change = bars.close[index] / before - 1;
    const parts = [
      el("span", {}, el("b", {}, when(bars.times[index], bars.daily))),
      ...["open", "high", "low", "close"].map((name) => {
        return el("span", {}, el("b", { className: "dim" }, name[0].toUpperCase()), ` ${price(round(bars[name][index]))}`);
      }),
      moved(change, signedPercent(change, 2)),
    ];
    this.readout.replaceChildren(...spaced(parts));
    if (this.story) this.tell(this.story, x, y);
  }

  /** The trade under the pointer: one whose mark is near, else the one that was open then. */
  tradeAt(index, x, y) {
    const near = (at, px) => at >= 0 && Math.hypot(this.pane.x(at) - x, this.y(px) - y) < 16;
    const reach = 4 / this.pane.step;
    const during = (trade) =>
      index >= trade.entry_at - reach && index <= (trade.exit_at < 0 ? this.last : trade.exit_at) + reach;
    const found = this.trades.filter((trade) => {
      return near(trade.entry_at, trade.entry_px) || near(trade.exit_at, trade.exit_px) || during(trade);
    });
    const distance = (trade) => Math.min(Math.abs(trade.entry_at - index), Math.abs(trade.exit_at - index));
    return found.sort((one, other) => distance(one) - distance(other))[0] || null;
  }

  tell(trade, x, y) {
    const daily = this.bars.daily;
    const stop = trade.stops.length ? trade.stops[trade.stops.length - 1][1] : 0;
    const first = trade.stops.length ? trade.stops[0][1] : 0;
    const rows = [
      ["intent", trade.entry_why || "–"],
      ["fill", `${trade.side > 0 ? "bought" : "sold"} ${number(trade.qty, 8, 0)} at ${price(trade.entry_px)}`],
      ["", when(trade.entry_time, daily)],
      first ? ["stop", first === stop ? price(first) : `${price(first)}, at last ${price(stop)}`] : null,
      trade.target ? ["target", price(trade.target)] : null,
      trade.exit_at < 0 ? ["exit", "still open"] : ["exit", words(trade.exit_why || trade.exit_reason)],
      trade.exit_at < 0 ? null : ["fill", `${price(round(trade.exit_px))}, ${when(trade.exit_time, daily)}`],
      ["fees", `${number(trade.fees)} ${this.currency}`],
    ].filter(Boolean);
    const result = `${signed(trade.net)} ${this.currency} (${signedPercent(trade.change)})`;
    this.tip.replaceChildren(
      el("h3", {}, trade.side > 0 ? "Long" : "Short", trade.exit_at < 0 ? "" : moved(trade.net, result)),
      el("dl", {}, ...rows.map(([name, text]) => [el("dt", {}, name), el("dd", {}, text)]).flat()),
    );
    const box = this.tip.getBoundingClientRect();
    const right = x + 18 + box.width < this.pane.width;
    this.tip.style.left = `${Math.max(right ? x + 18 : x - 18 - box.width, 4)}px`;
    this.tip.style.top = `${Math.min(Math.max(y - box.height / 2, 26), this.pane.height - box.height - 4)}px`;
  }
}

/** A price without the dust of averaging and of scales. */
function round(px) {
  return Number(px.toPrecision(px >= 100 ? 6 : 5));
}
