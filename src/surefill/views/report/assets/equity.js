// The account's worth at every close, and below it how far it was under its highest.

class EquityChart {
  constructor(curve, currency, height) {
    this.curve = curve;
    this.currency = currency;
    this.hovered = -1;
    this.readout = el("div", { className: "readout", hidden: true });
    this.pane = new Pane({
      label: "Equity and drawdown at every close. Arrow keys move, plus and minus zoom, Home shows all.",
      height,
      count: curve.count,
      draw: () => this.draw(),
      hover: (index) => this.hover(index),
    });
    this.element = el("div", { className: "chart" }, this.pane.canvas, this.readout);
  }

  draw() {
    const { pane, curve } = this;
    if (!curve.count) return;
    const from = Math.max(Math.floor(pane.from) - 1, 0);
    const to = Math.min(Math.ceil(pane.to) + 1, curve.count);
    const bottom = pane.height - FOOT;
    const split = Math.round(bottom * 0.7);
    const equity = curve.equity.subarray(from, to);
    const low = Math.min(curve.start, least(equity));
    const high = Math.max(curve.start, most(equity));
    const pad = (high - low || 1) * 0.06;
    const deepest = Math.min(-0.01, least(curve.depth.subarray(from, to)));
    const worth = (value) => split - 6 - ((value - low + pad) / (high - low + 2 * pad)) * (split - 12);
    const under = (value) => split + 10 + (value / deepest) * (bottom - split - 14);

    drawScale(pane, niceTicks(low - pad, high + pad, 6), worth, (value) => number(value, 0));
    drawScale(pane, niceTicks(deepest, 0, 3), under, (value) => percent(value, deepest > -0.05 ? 1 : 0));
    drawDates(pane, curve.times, bottom);
    pane.ctx.save();
    pane.ctx.beginPath();
    pane.ctx.rect(0, 0, pane.inner, bottom);
    pane.ctx.clip();
    this.line(from, to, (at) => under(curve.depth[at]), "down", split + 10);
    this.start(worth(curve.start));
    this.line(from, to, (at) => worth(curve.equity[at]), "accent", split - 2);
    pane.ctx.restore();
    if (this.hovered >= 0) drawCross(pane, this.hovered, bottom, this.label(low, high, pad, split, bottom, deepest));
  }

  /** What the pointer's height means, in the part that it is in. */
  label(low, high, pad, split, bottom, deepest) {
    const { y } = this.pane.pointer || { y: 0 };
    if (y > split) return percent(Math.min(((y - split - 10) / (bottom - split - 14)) * deepest, 0), 1);
    return number(low - pad + ((split - 6 - y) / (split - 12)) * (high - low + 2 * pad), 0);
  }

  line(from, to, y, colour, base) {
    const { pane } = this;
    const { ctx } = pane;
    ctx.beginPath();
    for (let at = from; at < to; at++) ctx.lineTo(pane.x(at), y(at));
    ctx.strokeStyle = ctx.fillStyle = pane.colour(colour);
    ctx.lineWidth = 1.5;
    ctx.lineJoin = "round";
    ctx.stroke();
    ctx.lineTo(pane.x(to - 1), base);
    ctx.lineTo(pane.x(from), base);
    ctx.globalAlpha = 0.13;
    ctx.fill();
    ctx.globalAlpha = 1;
  }

  /** Where it began. */
  start(y) {
    const { ctx } = this.pane;
    ctx.save();
    ctx.strokeStyle = this.pane.colour("dim");
    ctx.setLineDash([2, 4]);
    ctx.beginPath();
    ctx.moveTo(0, y);
    ctx.lineTo(this.pane.inner, y);
    ctx.stroke();
    ctx.restore();
  }

  hover(index) {
    this.hovered = index;
    this.readout.hidden = index < 0;
    if (index < 0) return;
    const { curve } = this;
    const made = curve.equity[index] - curve.start;
    const parts = [
      el("span", {}, el("b", {}, when(curve.times[index], curve.daily))),
      el("span", {}, `${number(curve.equity[index])} ${this.currency}`),
      el("span", {}, moved(made, signedPercent(made / curve.start))),
      el("span", { className: curve.depth[index] < 0 ? "down" : "dim" }, `drawdown ${percent(curve.depth[index])}`),
    ];
    this.readout.replaceChildren(...spaced(parts));
  }
}
