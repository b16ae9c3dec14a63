// A drawing between two scales of figures, with words about what the pointer is at.

const LEFT = 54;
const RIGHT = 14;
const TOP = 12;
const BELOW = 36;

/** A scale of figures: where it goes from and to, its ticks, how one is written, what it counts. */
function scaleOf(values, title, text, { zero = false, wanted = 6 } = {}) {
  let low = Math.min(...(zero ? [0] : []), ...values);
  let high = Math.max(...(zero ? [0] : []), ...values);
  if (!(high > low)) [low, high] = [low - (Math.abs(low) || 1) / 10, high + (Math.abs(high) || 1) / 10];
  const pad = (high - low) * 0.04;
  return { low: zero && low === 0 ? 0 : low - pad, high: high + pad, title, text, wanted };
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
    const { low, high } = this.scales.x;
    return LEFT + ((value - low) / (high - low)) * (this.right - LEFT);
  }

  y(value) {
    const { low, high } = this.scales.y;
    return this.bottom - ((value - low) / (high - low)) * (this.bottom - TOP);
  }

  drawAll(paint) {
    const { ctx } = this;
    this.drawScales();
    ctx.save();
    ctx.beginPath();
    ctx.rect(LEFT, 0, this.right - LEFT, this.bottom + 1);
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
    for (const tick of niceTicks(y.low, y.high, y.wanted)) {
      const at = Math.round(this.y(tick)) + 0.5;
      this.rule(LEFT, at, this.right, at);
      ctx.fillText(y.text(tick), LEFT - 6, at);
    }
    ctx.textBaseline = "top";
    ctx.textAlign = "center";
    for (const tick of niceTicks(x.low, x.high, Math.min(x.wanted, (this.right - LEFT) / 56))) {
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
    ctx.fillText(`↑ ${this.scales.y.title}`, 4, this.height - 2);
  }

  rule(fromX, fromY, toX, toY) {
    this.ctx.beginPath();
    this.ctx.moveTo(fromX, fromY);
    this.ctx.lineTo(toX, toY);
    this.ctx.stroke();
  }
}
