// Equity of several variants in one chart, each as a share of what it began with.

const PARTS = 100000; // see sweep/plan_page.py
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [14, 4], [4, 2]];

class Overlay {
  constructor(plan, rows) {
    this.times = unpackSteps(plan.times);
    this.unseen = plan.unseen_at;
    this.baseline = plan.baseline;
    this.hovered = -1;
    const others = plan.lines.filter((line) => line.role === "other");
    const order = { other: 0, baseline: 1, best: 2 };
    this.lines = [...plan.lines].sort((one, other) => order[one.role] - order[other.role]).map((line) => {
      const at = others.indexOf(line);
      const colour = line.role === "best" ? "accent" : line.role === "baseline" ? "ink" : `line-${(at % 5) + 1}`;
      const dash = line.role === "best" ? [] : line.role === "baseline" ? [2, 2] : DASHES[1 + (at % 5)];
      const equity = unpackSteps(line.equity).map((parts) => parts / PARTS);
      return { row: rows[line.row], role: line.role, equity, colour, dash, wide: line.role === "best" ? 2.25 : 1.25 };
    });
    this.readout = el("div", { className: "readout", hidden: true });
    this.pane = new Pane({
      label: "Equity of the best variants and the baseline. Arrow keys move, plus and minus zoom, Home shows all.",
      height: 330,
      count: this.times.length,
      draw: () => this.draw(),
      hover: (index) => this.hover(index),
    });
    this.element = el("div", {}, el("div", { className: "chart" }, this.pane.canvas, this.readout), this.key());
  }

  draw() {
    const { pane } = this;
    const bottom = pane.height - FOOT;
    const from = Math.max(Math.floor(pane.from) - 1, 0);
    const to = Math.ceil(pane.to) + 1;
    const seen = this.lines.flatMap((line) => [...line.equity.subarray(from, to)]);
    const [low, high] = [Math.min(1, least(seen)), Math.max(1, most(seen))];
    const pad = (high - low || 0.01) * 0.06;
    const y = (value) => bottom - 6 - ((value - low + pad) / (high - low + 2 * pad)) * (bottom - 14);
    drawScale(pane, niceTicks(low - 1, high - 1, 6), (change) => y(change + 1), (change) => signedPercent(change, high - low < 0.05 ? 1 : 0));
    drawDates(pane, this.times, bottom);
    const { ctx } = pane;
    ctx.save();
    ctx.beginPath();
    ctx.rect(0, 0, pane.inner, bottom);
    ctx.clip();
    this.drawUnseen(bottom);
    for (const line of this.lines) this.drawLine(line, from, to, y);
    ctx.restore();
    const share = (at) => low - pad + ((bottom - 6 - at) / (bottom - 14)) * (high - low + 2 * pad) - 1;
    if (this.hovered >= 0 && pane.pointer) drawCross(pane, this.hovered, bottom, signedPercent(share(pane.pointer.y), 1));
  }

  drawLine(line, from, to, y) {
    const { ctx } = this.pane;
    ctx.beginPath();
    for (let at = from; at < Math.min(to, line.equity.length); at++) ctx.lineTo(this.pane.x(at), y(line.equity[at]));
    ctx.strokeStyle = this.pane.colour(line.colour);
    ctx.lineWidth = line.wide;
    ctx.lineJoin = "round";
    ctx.setLineDash(line.dash);
    ctx.stroke();
    ctx.setLineDash([]);
  }

  /** Where what was chosen by ends, and what it is judged by begins. */
  drawUnseen(bottom) {
    if (this.unseen >= this.times.length) return;
    const { pane } = this;
    const { ctx } = pane;
    const x = pane.x(this.unseen) - pane.step / 2;
    ctx.fillStyle = pane.colour("accent");
    ctx.globalAlpha = 0.07;
    ctx.fillRect(x, 0, pane.inner - x, bottom);
    ctx.globalAlpha = 1;
    ctx.fillStyle = pane.colour("dim");
    ctx.textAlign = "left";
    ctx.textBaseline = "bottom";
    ctx.fillText("unseen from here", x + 5, bottom - 4);
  }

  key() {
    const place = ({ role, row }) => (role === "baseline" ? Infinity : row.rank ?? 0);
    const entries = [...this.lines].sort((one, other) => place(one) - place(other)).map((line) => {
      const sample = new Surface("", 10, () => {
        const { ctx } = sample;
        ctx.strokeStyle = sample.colour(line.colour);
        ctx.lineWidth = line.wide;
        ctx.setLineDash(line.dash);
        ctx.beginPath();
        ctx.moveTo(0, 5);
        ctx.lineTo(34, 5);
        ctx.stroke();
      });
      sample.canvas.tabIndex = -1;
      sample.canvas.className = "sample";
      sample.canvas.setAttribute("aria-hidden", "true");
      return el("span", {}, sample.canvas, this.nameOf(line));
    });
    return el("div", { className: "key" }, ...entries);
  }

  nameOf({ row }) {
    const rank = row.rank === null ? "" : `${row.rank}. `;
    return `${rank}${row.settings}${row.id === this.baseline ? " (baseline)" : ""}`;
  }

  hover(index) {
    this.hovered = index;
    this.readout.hidden = index < 0;
    if (index < 0) return;
    const parts = [el("span", {}, el("b", {}, when(this.times[index], true)))];
    for (const line of [...this.lines].reverse()) {
      if (index >= line.equity.length) continue;
      const change = line.equity[index] - 1;
      parts.push(el("span", {}, `${line.role === "other" ? `${line.row.rank}.` : line.role} `, moved(change, signedPercent(change, 1))));
    }
    this.readout.replaceChildren(...spaced(parts));
  }
}
