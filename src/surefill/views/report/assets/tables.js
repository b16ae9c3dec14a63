// Tables: sortable ones, and the calendar of months.

/**
 * A table whose head sorts it. A column: {title, of(row), show(row), text}; `of` is what is compared, `text` whether it
 * is words. `order` is the column to begin with, and 1 or -1. Rows for which `open.can` says so can be opened. More rows
 * than `size` are shown page by page; sorted are all of them.
 */
class SortedTable {
  constructor({ columns, rows, order = [0, 1], foot = null, open = null, label = "", size = Infinity }) {
    this.columns = columns;
    this.size = size;
    this.from = 0;
    this.rows = rows;
    this.order = order;
    this.open = open;
    this.heads = columns.map((column, at) => {
      const button = el("button", { type: "button", title: column.meaning || "", onclick: () => this.sort(at) }, column.title);
      return el("th", { scope: "col", className: column.text ? "text" : "" }, button);
    });
    this.body = el("tbody");
    const parts = [el("thead", {}, el("tr", {}, ...this.heads)), this.body];
    if (foot) parts.push(el("tfoot", {}, this.line(foot)));
    this.pager = el("p", { className: "pager", hidden: true });
    const scroll = el("div", { className: "scroll" }, el("table", { "aria-label": label }, ...parts));
    this.element = el("div", {}, scroll, this.pager);
    this.fill();
  }

  /** By this column; by it again: the other way round. Figures begin with the largest. */
  sort(at) {
    const [column, way] = this.order;
    this.order = [at, column === at ? -way : this.columns[at].text ? 1 : -1];
    this.from = 0;
    this.fill();
  }

  show(rows) {
    this.rows = rows;
    this.from = 0;
    this.fill();
  }

  turn(by) {
    this.from += by * this.size;
    this.fill();
  }

  /** Which rows these are, of how many, and the way to the others. */
  fillPager() {
    const { from, size } = this;
    const count = this.rows.length;
    this.pager.hidden = count <= size;
    if (this.pager.hidden) return;
    const step = (by, text, can) => el("button", { type: "button", disabled: !can, onclick: () => this.turn(by) }, text);
    const where = `${number(from + 1, 0)}–${number(Math.min(from + size, count), 0)} of ${number(count, 0)}`;
    const parts = [step(-1, "‹ before", from > 0), el("span", {}, where), step(1, "next ›", from + size < count)];
    this.pager.replaceChildren(...spaced(parts));
  }

  fill() {
    const [at, way] = this.order;
    const { of } = this.columns[at];
    const rows = [...this.rows].sort((one, other) => {
      const [a, b] = [of(one) ?? null, of(other) ?? null];
      if (a === null || b === null) return (a === null) - (b === null); // what has no value comes last, either way
      return way * (a < b ? -1 : a > b ? 1 : 0);
    });
    this.heads.forEach((head, number) => {
      if (number === at) head.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
    this.body.replaceChildren(...rows.slice(this.from, this.from + this.size).map((row) => this.line(row)));
    this.fillPager();
    if (!rows.length) {
      const nothing = el("td", { className: "text empty", colSpan: this.columns.length }, "Nothing to show.");
      this.body.replaceChildren(el("tr", {}, nothing));
    }
  }

  line(row) {
    const cells = this.columns.map((column) => {
      const name = [column.text ? "text" : "", column.long ? "long" : ""].join(" ").trim();
      const shown = column.show(row);
      return el("td", { className: name, title: column.long ? shown : "" }, shown);
    });
    if (!this.open || !this.open.can(row)) return el("tr", {}, ...cells);
    const go = () => this.open.go(row);
    const key = (event) => event.key === "Enter" && go();
    return el("tr", { className: "link", tabIndex: 0, title: "Show it in the chart", onclick: go, onkeydown: key }, ...cells);
  }
}

/** Returns by year and month; a year is its months multiplied. */
function monthTable(months) {
  const years = new Map();
  for (const [year, month, change] of months) {
    if (!years.has(year)) years.set(year, new Map());
    years.get(year).set(month, change);
  }
  const largest = Math.max(0.01, ...months.map(([, , change]) => Math.abs(change)));
  const cell = (change, scale) => {
    if (change === undefined) return el("td", {});
    const rounded = Math.round(1000 * change) / 10;
    if (!rounded) return el("td", { className: "dim" }, "0.0");
    const shown = el("td", {}, signed(rounded, 1));
    const strength = Math.round(Math.min(Math.abs(change) / scale, 1) * 46);
    if (strength) shown.style.backgroundColor = `color-mix(in srgb, var(--${tone(change)}) ${strength}%, transparent)`;
    return shown;
  };
  const lines = [...years].map(([year, changes]) => {
    const whole = [...changes.values()].reduce((product, change) => product * (1 + change), 1) - 1;
    const cells = MONTHS.map((_, at) => cell(changes.get(at + 1), largest));
    return el("tr", {}, el("th", { scope: "row", className: "text" }, String(year)), ...cells, cell(whole, largest * 3));
  });
  const heads = ["", ...MONTHS, "Year"].map((title) => el("th", { scope: "col" }, title));
  const table = el("table", { className: "months", "aria-label": "Monthly returns in percent" });
  table.append(el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...lines));
  return el("div", { className: "scroll" }, table);
}
