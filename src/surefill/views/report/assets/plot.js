// A drawing between two scales of figures, with words about what the pointer is at.

const LEFT = 54;
const RIGHT = 14;
const TOP = 22;
const BELOW = 36;

/**
 * A scale from 0 to a little beyond the most, on which places are square roots: many small values beside a few large
 * ones. Fractions, written in percent.
 */
function rootScale(values, title) {
  const high = Math.max(most(values), 0.001) * 1.08;
  const ticks = [0];
  for (let power = -4; power < 4; power++) ticks.push(...[1, 2, 5].map((n) => n * 10 ** power));
  const place = (value) => Math.sqrt(Math.max(value, 0) / high);
  const clear = ticks.filter((tick) => tick <= high).reverse();
  const shown = clear.filter((tick, at) => at === 0 || place(clear[at - 1]) - place(tick) > 0.04);
  return { place, ticks: () => shown, title, text: (value) => number(100 * value, 2, 0) };
}

/** A scale of even steps. */
function evenScale(low, high, title, text) {
  return { place: (value) => (value - low) / (high - low), ticks: (room) => niceTicks(low, high, room), title, text };
}

class Plot extends Surface {
  /**
   * `paint(plot)` draws between the scales `x` and `y`; `tell(x, y)` gives the nodes that say what is there, or null;
   * `open(x, y)` is called by a click.
   */
  constructor({ label, height, x, y, paint, tell, open = null }) {
    super(label, height, () => this.drawAll(paint));
    this.scales = { x, y };
    this.readout = el("div", { className: "readout", hidden: true });
    this.element = el("div", { className: "chart" }, this.canvas, this.readout);
    const leave = () => this.told(null);
    this.canvas.addEventListener("pointermove", (event) => {
      const { x: left, y: top } = this.point(event);
      this.told(tell(left, top));
    });
    this.canvas.addEventListener("pointerleave", leave);
    this.canvas.addEventListener("click", (event) => {
      const { x: left, y: top } = this.point(event);
      if (open) open(left, top);
    });
    if (open) this.canvas.style.cursor = "pointer";
  }

  told(parts) {
    this.readout.hidden = !parts;
    if (parts) this.readout.replaceChildren(...spaced(parts));
  }

  get bottom() {
    return this.height - BELOW;
  }

  get right() {
    return this.width - RIGHT;
  }

  x(value) {
    return LEFT + this.scales.x.place(value) * (this.right - LEFT);
  }

  y(value) {
    return this.bottom - this.scales.y.place(value) * (this.bottom - TOP);
  }

  drawAll(paint) {
    const { ctx } = this;
    this.drawScales();
    ctx.save();
    ctx.beginPath();
    ctx.rect(LEFT - 5, 0, this.right - LEFT + 10, this.bottom + 5);
    ctx.clip();
    paint(this);
    ctx.restore();
  }

  drawScales() {
    const { ctx } = this;
    const { x, y } = this.scales;
    ctx.lineWidth = 1;
    ctx.strokeStyle = this.colour("grid");
    ctx.fillStyle = this.colour("dim");
    ctx.textBaseline = "middle";
    ctx.textAlign = "right";
    for (const tick of y.ticks((this.bottom - TOP) / 40)) {
      const at = Math.round(this.y(tick)) + 0.5;
      this.rule(LEFT, at, this.right, at);
      ctx.fillText(y.text(tick), LEFT - 6, at);
    }
    ctx.textBaseline = "top";
    ctx.textAlign = "center";
    for (const tick of x.ticks((this.right - LEFT) / 60)) {
      const at = Math.round(this.x(tick)) + 0.5;
      this.rule(at, TOP, at, this.bottom);
      ctx.fillText(x.text(tick), at, this.bottom + 5);
    }
    this.drawTitles();
  }

  drawTitles() {
    const { ctx } = this;
    ctx.fillStyle = this.colour("dim");
    ctx.textAlign = "right";
    ctx.textBaseline = "bottom";
    ctx.fillText(this.scales.x.title, this.right, this.height - 2);
    ctx.textAlign = "left";
    ctx.textBaseline = "top";
    ctx.fillText(this.scales.y.title, 4, 2);
  }

  rule(fromX, fromY, toX, toY) {
    this.ctx.beginPath();
    this.ctx.moveTo(fromX, fromY);
    this.ctx.lineTo(toX, toY);
    this.ctx.stroke();
  }
}
