// A figure over two swept parameters: every variant in a cell, colour and number saying the same.

const PLACES_MAX = 160; // on an axis; more values than that are put together into ranges
const RANGES_MAX = 32;

const distinct = (values) => [...new Set(values.filter((value) => value !== null))];

/**
 * The places on an axis: one for each value, or at most so many ranges of figures. `at(value)` is the place of a value, -1
 * where there is none.
 */
function placesOf(values, ranges) {
  const found = distinct(values).sort((one, other) => (one < other ? -1 : 1));
  if (found.length <= ranges || !found.every((value) => typeof value === "number")) {
    const order = new Map(found.map((value, at) => [value, at]));
    return { names: found.map(valueText), at: (value) => order.get(value) ?? -1 };
  }
  const low = found[0];
  const high = found[found.length - 1];
  const whole = found.every(Number.isInteger);
  const step = whole ? Math.ceil((high - low + 1) / ranges) : (high - low) / ranges;
  const count = whole ? Math.ceil((high - low + 1) / step) : ranges;
  const upper = (at) => (whole ? Math.min(low + (at + 1) * step - 1, high) : low + (at + 1) * step);
  const text = (value) => valueText(whole ? value : Number(value.toPrecision(3)));
  return {
    names: Array.from({ length: count }, (_, at) => `${text(low + at * step)} to ${text(upper(at))}`),
    at: (value) => (value === null ? -1 : Math.min(Math.floor((value - low) / step), count - 1)),
  };
}

/** How many places there may be: where values were drawn by chance, so few that most cells have something in them. */
function rangesFor(xs, ys, count) {
  const [across, down] = [distinct(xs).length, distinct(ys).length];
  if (across <= PLACES_MAX && down <= PLACES_MAX && across * down <= 2 * count + 64) return PLACES_MAX;
  return Math.min(Math.max(Math.ceil(Math.sqrt(count / 2)), 4), RANGES_MAX);
}

const valueText = (value) => (typeof value === "number" ? number(Number(value.toPrecision(6)), 6, 0) : String(value));

/** What stands for several variants in one cell. */
const TOGETHER = {
  median: (values) => (values[(values.length - 1) >> 1] + values[values.length >> 1]) / 2,
  best: (values, better) => (better < 0 ? values[0] : values[values.length - 1]),
  worst: (values, better) => (better < 0 ? values[values.length - 1] : values[0]),
};

class Heatmap {
  /** `pick(rows, words)` is told of the variants in a cell that was clicked. */
  constructor(plan, rows, pick) {
    this.plan = plan;
    this.rows = rows;
    this.pick = pick;
    const paths = plan.paths.map((path, at) => [String(at), names(plan)[at]]);
    this.xPick = this.select("across", paths, paths.length > 1 ? "1" : "0");
    this.yPick = this.select("down", [...paths, ["", "nothing"]], paths.length > 1 ? "0" : "");
    const figures = plan.variants.figures;
    this.figurePick = this.select("figure", figures.map((each, at) => [String(at), each.title]), "0");
    this.togetherPick = this.select("of several", Object.keys(TOGETHER).map((each) => [each, each]), "median");
    this.surface = new Surface("Heatmap of a figure over two parameters; the table below has all of it", 300, () => this.draw());
    this.surface.canvas.style.cursor = "pointer";
    this.readout = el("p", { className: "told" });
    this.legend = el("div", { className: "key" });
    this.listen();
    this.choose();
  }

  get element() {
    const picks = [this.figurePick, this.xPick, this.yPick, this.togetherPick].map((each) => el("label", {}, `${each.ariaLabel} `, each));
    const head = el("div", { className: "bar" }, el("h2", {}, "Heatmap"), ...picks);
    return el("section", { className: "card" }, head, el("div", { className: "chart" }, this.surface.canvas), this.readout, this.legend);
  }

  select(label, choices, chosen) {
    const options = choices.map(([value, text]) => el("option", { value, selected: value === chosen }, text));
    return el("select", { "aria-label": label, onchange: () => this.choose() }, ...options);
  }

  listen() {
    const { canvas } = this.surface;
    canvas.addEventListener("pointermove", (event) => this.tell(this.cellAt(this.surface.point(event))));
    canvas.addEventListener("pointerleave", () => this.tell(null));
    canvas.addEventListener("click", (event) => {
      const cell = this.cellAt(this.surface.point(event));
      if (cell) this.pick(cell.rows, this.placeText(cell));
    });
  }

  /** Put every variant in its cell. */
  choose() {
    const [x, y] = [this.xPick.value, this.yPick.value];
    this.figure = this.plan.variants.figures[Number(this.figurePick.value)];
    const [across, down] = [x, y].map((path) => this.rows.map((row) => (path === "" ? "" : row.values[path])));
    const ranges = rangesFor(across, down, this.rows.length);
    this.xs = placesOf(across, ranges);
    this.ys = y === "" ? { names: [""], at: () => 0 } : placesOf(down, ranges);
    this.cells = new Map();
    let nowhere = 0;
    for (const row of this.rows) {
      const cell = { across: this.xs.at(row.values[x]), down: this.ys.at(row.values[y]), rows: [] };
      if (cell.across < 0 || cell.down < 0) {
        nowhere += 1;
        continue;
      }
      const place = cell.down * this.xs.names.length + cell.across;
      if (!this.cells.has(place)) this.cells.set(place, cell);
      this.cells.get(place).rows.push(row);
    }
    this.value();
    this.surface.height = Math.min(Math.max(this.ys.names.length * 26, 52), 520) + 44;
    this.surface.canvas.style.height = `${this.surface.height}px`;
    this.nowhere = nowhere;
    this.tell(null);
    this.surface.resize();
  }

  value() {
    const together = TOGETHER[this.togetherPick.value];
    const all = [];
    for (const cell of this.cells.values()) {
      const values = cell.rows.map((row) => row.figures[this.figure.key]).filter((value) => value !== null);
      values.sort((one, other) => one - other);
      cell.value = values.length ? together(values, this.figure.better) : null;
      if (cell.value !== null) all.push(cell.value);
    }
    this.low = least(all);
    this.high = most(all);
    this.several = [...this.cells.values()].some((cell) => cell.rows.length > 1);
    this.showLegend();
  }

  /** How a value is coloured: by its sign where there are both, else from the least to the most. */
  shade(value) {
    const { low, high } = this;
    if (low < 0 && high > 0) return [value < 0 ? "down" : "up", 0.06 + (0.62 * Math.abs(value)) / Math.max(-low, high)];
    return ["accent", high > low ? 0.05 + (0.6 * (value - low)) / (high - low) : 0.3];
  }

  showLegend() {
    if (!(this.high >= this.low)) return this.legend.replaceChildren();
    const samples = [0, 0.25, 0.5, 0.75, 1].map((share) => this.low + share * (this.high - this.low));
    const parts = samples.map((value) => {
      const [colour, strength] = this.shade(value);
      const swatch = el("i", { className: "swatch" });
      swatch.style.backgroundColor = `color-mix(in srgb, var(--${colour}) ${Math.round(100 * strength)}%, transparent)`;
      return el("span", {}, swatch, formed(this.figure, value));
    });
    parts.push(el("span", {}, "★ best by the objective"), el("span", {}, "○ baseline"), el("span", {}, "empty: left out, failed or not tried"));
    return this.legend.replaceChildren(...parts);
  }

  get frame() {
    const { ctx, width, height } = this.surface;
    const left = Math.min(Math.max(...this.ys.names.map((name) => ctx.measureText(name).width)) + 14, width / 3);
    const [across, down] = [this.xs.names.length, this.ys.names.length];
    return { left, wide: (width - left - 2) / across, tall: (height - 44) / down };
  }

  draw() {
    const { ctx } = this.surface;
    const { left, wide, tall } = this.frame;
    const widths = [...this.cells.values()].map((cell) => ctx.measureText(`★ ${formed(this.figure, cell.value)}`).width);
    this.written = tall >= 14 && most(widths) < wide - 4;
    const gap = tall > 9 ? 1 : 0;
    for (const cell of this.cells.values()) this.drawCell(cell, left + cell.across * wide, cell.down * tall, wide - gap, tall - gap);
    for (const cell of this.cells.values()) this.drawMark(cell, left + cell.across * wide, cell.down * tall, wide - gap, tall - gap);
    ctx.fillStyle = this.surface.colour("dim");
    ctx.textBaseline = "middle";
    ctx.textAlign = "right";
    const every = Math.ceil(15 / tall);
    this.ys.names.forEach((name, at) => at % every || ctx.fillText(name, left - 7, (at + 0.5) * tall));
    ctx.textBaseline = "top";
    ctx.textAlign = "center";
    const widest = Math.max(...this.xs.names.map((name) => ctx.measureText(name).width)) + 10;
    const step = Math.ceil(widest / wide);
    const foot = this.surface.height - 40;
    this.xs.names.forEach((name, at) => at % step || ctx.fillText(name, left + (at + 0.5) * wide, foot));
    ctx.textAlign = "right";
    ctx.fillText(`${this.name(this.xPick)} →`, this.surface.width - 2, foot + 22);
    ctx.textAlign = "left";
    if (this.yPick.value !== "") ctx.fillText(`↑ ${this.name(this.yPick)}`, 2, foot + 22);
  }

  drawCell(cell, x, y, wide, tall) {
    const { ctx } = this.surface;
    if (cell.value === null) return;
    const [colour, strength] = this.shade(cell.value);
    ctx.fillStyle = this.surface.colour(colour);
    ctx.globalAlpha = strength;
    ctx.fillRect(x, y, Math.max(wide, 1), Math.max(tall, 1));
    ctx.globalAlpha = 1;
  }

  /** What is written in a cell, and which one is the best, the baseline, the one under the pointer. */
  drawMark(cell, x, y, wide, tall) {
    const { ctx } = this.surface;
    const has = (id) => cell.rows.some((row) => row.id === id);
    const mark = has(this.plan.best) ? "★" : has(this.plan.baseline) ? "○" : "";
    ctx.strokeStyle = ctx.fillStyle = this.surface.colour("ink");
    ctx.lineWidth = cell === this.at ? 2 : 1;
    if ((mark && this.written) || cell === this.at) ctx.strokeRect(x + 0.5, y + 0.5, wide - 1, tall - 1);
    if (!mark && !this.written) return;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    if (!this.written) ctx.font = "15px system-ui, sans-serif";
    ctx.fillText(this.written ? `${mark} ${formed(this.figure, cell.value)}`.trim() : mark, x + wide / 2, y + tall / 2);
    ctx.font = FONT;
  }

  cellAt({ x, y }) {
    const { left, wide, tall } = this.frame;
    const [across, down] = [Math.floor((x - left) / wide), Math.floor(y / tall)];
    if (across < 0 || across >= this.xs.names.length) return null;
    return this.cells.get(down * this.xs.names.length + across) || null;
  }

  name(pick) {
    return names(this.plan)[Number(pick.value)];
  }

  placeText(cell) {
    const across = `${this.name(this.xPick)} ${this.xs.names[cell.across]}`;
    return this.yPick.value === "" ? across : `${this.name(this.yPick)} ${this.ys.names[cell.down]} · ${across}`;
  }

  tell(cell) {
    if (cell !== this.at) this.surface.paint();
    this.at = cell;
    if (!cell) {
      const lost = this.nowhere ? `; ${number(this.nowhere, 0)} have no value there` : "";
      const several = this.several ? `; where several share a cell, the ${this.togetherPick.value} of them` : "";
      this.readout.textContent = `${this.figure.title}: ${this.figure.meaning}. ${number(this.rows.length, 0)} variants${lost}${several}. A click shows a cell's variants in the table.`;
      return;
    }
    const count = cell.rows.length;
    const ranks = cell.rows.map((row) => row.rank).filter((rank) => rank !== null);
    const of = count > 1 ? `${this.togetherPick.value} of ${number(count, 0)} variants` : `variant ${cell.rows[0].id}`;
    const rank = ranks.length ? `, ${count > 1 ? "best rank" : "rank"} ${number(least(ranks), 0)}` : "";
    this.readout.textContent = `${this.placeText(cell)}: ${this.figure.title} ${formed(this.figure, cell.value)} (${of}${rank})`;
  }
}
