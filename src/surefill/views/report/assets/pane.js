// A canvas over a row of things (bars, closes) that can be zoomed and moved: wheel, drag, pinch, keys, double click.

const LEAST = 12;
const AXIS = 62;

class Pane extends Surface {
  /** `hover(index or -1, x, y)` is told where the pointer is. */
  constructor({ label, height, count, draw, hover }) {
    super(label, height, draw);
    this.count = count;
    this.hover = hover;
    this.pointer = null;
    this.touches = new Map();
    this.all();
    this.listen();
  }

  /** Width of the drawing, without the scale on its right. */
  get inner() {
    return Math.max(this.width - AXIS, 10);
  }

  get step() {
    return this.inner / (this.to - this.from);
  }

  x(index) {
    return (index + 0.5 - this.from) * this.step;
  }

  indexAt(x) {
    return Math.min(Math.max(Math.floor(this.from + x / this.step), 0), this.count - 1);
  }

  all() {
    this.from = 0;
    this.to = Math.max(this.count, LEAST);
    this.tell();
  }

  /** Show from one index to another, as far as there are any. */
  show(from, to) {
    const whole = Math.max(this.count, LEAST);
    const span = Math.min(Math.max(to - from, LEAST), whole);
    this.from = Math.min(Math.max(from, 0), whole - span);
    this.to = this.from + span;
    this.tell(); // another thing may be under the pointer now
  }

  zoom(factor, x) {
    const span = this.to - this.from;
    const wanted = Math.min(Math.max(span * factor, LEAST), Math.max(this.count, LEAST));
    if (wanted === span) return false;
    const at = this.from + (x / this.inner) * span;
    const from = at - (x / this.inner) * wanted;
    this.show(from, from + wanted);
    return true;
  }

  move(bars) {
    this.show(this.from + bars, this.to + bars);
  }

  listen() {
    const canvas = this.canvas;
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("dblclick", () => this.all());
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.dragged(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.up(event));
    canvas.addEventListener("pointerleave", () => this.leave());
  }

  wheel(event) {
    const { x } = this.point(event);
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.move((event.deltaX / this.inner) * (this.to - this.from));
    else if (!this.zoom(Math.exp(Math.sign(event.deltaY) * Math.min(Math.abs(event.deltaY), 100) * 0.0022), x)) return;
    event.preventDefault(); // at full width, wheeling out scrolls the page on
  }

  key(event) {
    const tenth = (this.to - this.from) / 10;
    const actions = {
      ArrowLeft: () => this.move(-tenth),
      ArrowRight: () => this.move(tenth),
      "+": () => this.zoom(0.8, this.inner / 2),
      "-": () => this.zoom(1.25, this.inner / 2),
      Home: () => this.all(),
    };
    if (!actions[event.key]) return;
    actions[event.key]();
    event.preventDefault();
  }

  down(event) {
    this.touches.set(event.pointerId, this.point(event));
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.classList.add("dragging");
  }

  dragged(event) {
    const here = this.point(event);
    const before = this.touches.get(event.pointerId);
    if (before && this.touches.size === 1) this.move((before.x - here.x) / this.step);
    if (before && this.touches.size === 2) {
      const [other] = [...this.touches].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
      const apart = Math.max(Math.abs(here.x - other.x), 8);
      this.zoom(Math.max(Math.abs(before.x - other.x), 8) / apart, (here.x + other.x) / 2);
    }
    if (before) this.touches.set(event.pointerId, here);
    this.pointer = here.x <= this.inner && here.x >= 0 ? here : null;
    this.tell();
  }

  up(event) {
    this.touches.delete(event.pointerId);
    this.canvas.classList.toggle("dragging", this.touches.size > 0);
  }

  leave() {
    this.pointer = null;
    this.tell();
  }

  tell() {
    if (this.pointer && this.count) this.hover(this.indexAt(this.pointer.x), this.pointer.x, this.pointer.y);
    else this.hover(-1, 0, 0);
    this.paint();
  }
}

/** The least of 1, 2 or 5 times a power of ten that is not below. */
function niceStep(raw) {
  const power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw) || raw;
}

/** Round steps for a linear scale. */
function niceTicks(low, high, wanted) {
  const step = niceStep((high - low) / Math.max(wanted, 1));
  const ticks = [];
  for (let at = Math.ceil(low / step); at * step <= high; at++) ticks.push(at * step);
  return ticks;
}

/** 1, 2, 5 times powers of ten for a logarithmic scale; a linear one's where these are too few. */
function logTicks(low, high, wanted) {
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const n of [1, 2, 5]) ticks.push(n * 10 ** power);
  }
  const inside = ticks.filter((tick) => tick >= low && tick <= high);
  return inside.length >= 3 ? inside : niceTicks(low, high, wanted);
}

/** A scale at the right: grid lines and figures. */
function drawScale(pane, ticks, y, text) {
  const { ctx } = pane;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.lineWidth = 1;
  for (const tick of ticks) {
    const at = Math.round(y(tick)) + 0.5;
    ctx.strokeStyle = pane.colour("grid");
    ctx.beginPath();
    ctx.moveTo(0, at);
    ctx.lineTo(pane.inner, at);
    ctx.stroke();
    ctx.fillStyle = pane.colour("dim");
    ctx.fillText(text(tick), pane.inner + 7, at);
  }
}

/** Where the calendar turns: years, quarters, months, days, hours, minutes, whichever fit. */
function drawDates(pane, times, bottom) {
  const from = Math.max(Math.floor(pane.from), 0);
  const to = Math.min(Math.ceil(pane.to), pane.count);
  const parts = [
    (date) => [date.getUTCFullYear(), String(date.getUTCFullYear())],
    (date) => [Math.floor(date.getUTCMonth() / 3), MONTHS[date.getUTCMonth()]],
    (date) => [date.getUTCMonth(), MONTHS[date.getUTCMonth()]],
    (date) => [date.getUTCDate(), String(date.getUTCDate())],
    (date) => [date.getUTCHours(), `${two(date.getUTCHours())}:00`],
    (date) => [Math.floor(date.getUTCMinutes() / 15), `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`],
    (date) => [date.getUTCMinutes(), `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`],
  ];
  const { ctx } = pane;
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  const taken = [];
  for (const part of parts) {
    const found = [];
    for (let at = Math.max(from, 1); at < to; at++) {
      const [now, text] = part(new Date(times[at] * 1000));
      if (now !== part(new Date(times[at - 1] * 1000))[0]) found.push([pane.x(at) - pane.step / 2, text]);
    }
    const clear = found.filter(([x]) => x > 24 && x < pane.inner - 14 && taken.every((other) => Math.abs(other - x) > 30));
    if (found.length > pane.inner / 38) break;
    clear.forEach(([x, text]) => {
      // Where no year turns in sight, the first mark names it, and whatever else is above its own part.
      const year = part !== parts[0] && taken.length === 0;
      taken.push(x);
      ctx.strokeStyle = pane.colour("grid");
      ctx.beginPath();
      ctx.moveTo(Math.round(x) + 0.5, 0);
      ctx.lineTo(Math.round(x) + 0.5, bottom);
      ctx.stroke();
      ctx.fillStyle = pane.colour("dim");
      ctx.fillText(year ? inFull(text, new Date(times[pane.indexAt(x + 1)] * 1000), parts.indexOf(part)) : text, x, bottom + 5);
    });
  }
}

/** A mark with what it belongs to: a day with its month, an hour with its day, all with their year. */
function inFull(text, date, part) {
  const month = part > 2 ? ` ${MONTHS[date.getUTCMonth()]}` : "";
  return `${text}${part > 3 ? `, ${date.getUTCDate()}` : ""}${month} ${date.getUTCFullYear()}`;
}

/** The cross under the pointer, and what it points at on the scale. */
function drawCross(pane, index, bottom, label) {
  if (!pane.pointer) return;
  const { ctx } = pane;
  const x = Math.round(pane.x(index)) + 0.5;
  const y = Math.round(pane.pointer.y) + 0.5;
  ctx.save();
  ctx.strokeStyle = pane.colour("dim");
  ctx.setLineDash([3, 3]);
  ctx.beginPath();
  ctx.moveTo(x, 0);
  ctx.lineTo(x, bottom);
  if (y < bottom) {
    ctx.moveTo(0, y);
    ctx.lineTo(pane.inner, y);
  }
  ctx.stroke();
  ctx.restore();
  if (y >= bottom) return;
  ctx.fillStyle = pane.colour("ink");
  ctx.fillRect(pane.inner + 2, y - 9, AXIS - 2, 18);
  ctx.fillStyle = pane.colour("card");
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.fillText(label, pane.inner + 7, y);
}
