// Variants as rows, and the table of them.

const names = (plan) => {
  const ends = plan.paths.map((path) => path.split(".").pop());
  return plan.paths.map((path, at) => (ends.indexOf(ends[at]) === ends.lastIndexOf(ends[at]) ? ends[at] : path));
};

/** A figure as it is written; what has no value is a dash. */
function formed({ form }, value) {
  if (value === null || value === undefined) return "–";
  if (form === "pct") return `${number(value, 2)} %`;
  if (form === "share") return percent(value);
  return number(value, form === "count" ? 0 : form === "fine" ? 3 : 2);
}

function rowsOf(plan) {
  const { ids, kinds, ranks, routes, values, figures } = plan.variants;
  const short = names(plan);
  return ids.map((id, at) => ({
    at,
    id,
    kind: kinds[at],
    rank: ranks[at],
    route: routes[at],
    values: values.map((column) => column[at]),
    settings: values.map((column, path) => `${short[path]} ${column[at] === null ? "its own" : valueText(column[at])}`).join(", "),
    figures: Object.fromEntries(figures.map((figure) => [figure.key, figure.values[at]])),
  }));
}

class VariantsCard {
  constructor(plan, rows) {
    const place = (row) => row.rank ?? Infinity;
    this.rows = [...rows].sort((one, other) => (place(one) < place(other) ? -1 : place(one) > place(other) ? 1 : 0)); // of equals too
    const plain = ["sharpe", "return", "calmar"].includes(plan.objective); // then the score has a column of its own name
    const figures = plan.variants.figures.filter((figure) => figure.listed && !(plain && figure.key === "score"));
    const marks = { [plan.baseline]: " ○", [plan.best]: " ★" };
    const routes = new Set(rows.map((row) => row.route));
    const shown = (figure, row) => {
      const value = row.figures[figure.key];
      return figure.key === "return_pct" && value !== null ? el("span", { className: tone(value) }, signed(value), " %") : formed(figure, value);
    };
    const columns = [
      { title: "Rank", of: (row) => row.rank, show: (row) => (row.rank === null ? "–" : number(row.rank, 0)) },
      { title: "Variant", text: true, of: (row) => row.id, show: (row) => el("span", { className: "mono", title: row.id }, row.id.slice(0, 8), marks[row.id] || "") },
      ...names(plan).map((name, at) => ({ title: name, meaning: plan.paths[at], of: (row) => row.values[at], show: (row) => (row.values[at] === null ? "–" : valueText(row.values[at])) })),
      ...figures.map((figure) => ({ title: figure.title, meaning: figure.meaning, of: (row) => row.figures[figure.key], show: (row) => shown(figure, row) })),
      { title: "Kind", text: true, of: (row) => row.kind, show: (row) => row.kind },
      ...(routes.size > 1 ? [{ title: "Ran by", text: true, of: (row) => row.route, show: (row) => row.route }] : []),
    ];
    this.table = new SortedTable({ columns, rows: this.rows, order: [0, 1], label: "Variants", size: 100 });
    this.told = el("small", {});
    this.all = el("button", { type: "button", className: "plain", hidden: true, onclick: () => this.show(this.rows, "") }, "show all");
    this.element = el(
      "section",
      { className: "card" },
      el("div", { className: "bar" }, el("h2", {}, "Variants", this.told), this.all),
      this.table.element,
    );
    this.show(this.rows, "");
  }

  /** Show some of them, and say which. */
  show(rows, words) {
    this.table.show(rows);
    this.all.hidden = !words;
    this.told.textContent = words ? `${number(rows.length, 0)} of ${number(this.rows.length, 0)}: ${words}` : `${number(rows.length, 0)}; a head sorts all of them`;
  }

  pick(rows, words) {
    this.show(rows, words);
    this.element.scrollIntoView({ behavior: "smooth", block: "nearest" });
  }
}
