// The page of a run: above the tabs, what was asked and what came of it.

const SIGNIFICANT = 0.95; // what Bailey and López de Prado call so

function planTiles(plan, rows) {
  const best = rows.find((row) => row.id === plan.best);
  const base = rows.find((row) => row.id === plan.baseline);
  const count = plan.windows.length;
  const inARow = (of) => {
    const made = plan.windows.map((window) => window[of][0]);
    return !count || made.includes(null) ? null : 100 * (made.reduce((worth, each) => worth * (1 + each / 100), 1) - 1);
  };
  const unseen = inARow("unseen");
  const percents = (value) => (value === null || value === undefined ? "–" : `${signed(value)} %`);
  const tile = (label, value, hint, good = 0) => ({ label, value, hint, tone: good });
  const sharpe = (row) => (row ? ratio(row.figures["daily.sharpe"]) : "–");
  const made = best ? best.figures.return_pct : null;
  const luck = plan.deflated;
  const shown = [
    tile(`Best by ${plan.objective}`, best ? best.settings : "none", best ? `variant ${best.id} · score ${ratio(best.figures.score)}` : "nothing ran"),
    tile(plan.segment ? "In sample" : "Return", percents(made), `Sharpe ${sharpe(best)} p.a.${count > 1 ? `, ${plan.segment}` : ""}`, Math.sign(made)),
    tile(
      "Out of sample",
      percents(unseen),
      plan.together ? `Sharpe ${ratio(plan.together[0])} p.a.${count > 1 ? `, ${count} windows in a row` : ""}` : "nothing was held back",
      Math.sign(unseen),
    ),
    tile("Baseline", percents(base ? base.figures.return_pct : null), count ? `${percents(inARow("baseline"))} out of sample` : `Sharpe ${sharpe(base)} p.a.`),
    tile("Deflated Sharpe", luck === null ? "–" : number(luck), luck === null ? "no value" : luck >= SIGNIFICANT ? "significant" : `below ${SIGNIFICANT}: may be luck`),
    tile("Variants", number(rows.length, 0), plan.failed ? `${number(plan.failed, 0)} failed` : "none failed"),
  ];
  return tileRow(shown);
}

function windowsCard(plan) {
  if (!plan.windows.length) return ""; // a remark says what that means
  const pair = (of, at) => ({ of: (row) => of(row)[at], show: (row) => (at ? ratio(of(row)[1]) : of(row)[0] === null ? "–" : el("span", { className: tone(of(row)[0]) }, signed(of(row)[0]), " %")) });
  const columns = [
    { title: "Judged on", text: true, of: (row) => row.begins, show: (row) => `${row.test}, from ${row.begins}` },
    { title: "Chosen", text: true, of: (row) => row.settings, show: (row) => row.settings },
    { title: "Return, seen", ...pair((row) => row.seen, 0) },
    { title: "unseen", ...pair((row) => row.unseen, 0) },
    { title: "baseline, unseen", ...pair((row) => row.baseline, 0) },
    { title: "Sharpe p.a., seen", ...pair((row) => row.seen, 1) },
    { title: "unseen", ...pair((row) => row.unseen, 1) },
    { title: "baseline, unseen", ...pair((row) => row.baseline, 1) },
  ];
  const table = new SortedTable({ columns, rows: plan.windows, label: "Windows", size: 100 });
  const all = plan.together;
  const words = all ? `all unseen stretches in a row: Sharpe ${ratio(all[0])} p.a., growth ${percent(all[1])} a year, largest fall ${number(all[2], 1)} %` : "";
  return card("In sample beside out of sample", words, table.element);
}

function failuresCard(plan) {
  if (!plan.failed) return "";
  const text = (title, key, long = false) => ({ title, text: true, long, of: (row) => row[key], show: (row) => row[key] });
  const columns = [text("Variant", "variant"), text("Settings", "settings"), text("Over", "segment"), text("Code", "code"), text("Reason", "reason", true)];
  const table = new SortedTable({ columns, rows: plan.failures, label: "Failures", size: 100 });
  const more = plan.failed > plan.failures.length ? `the first ${number(plan.failures.length, 0)} of ${number(plan.failed, 0)}` : `${number(plan.failed, 0)}`;
  return card("Failed", more, table.element);
}

function overlayCard(plan, rows) {
  if (!plan.lines.length) return "";
  const remark = "daily, as a change from the start; run again for this page";
  const hint = el("span", { className: "hint" }, "wheel zooms · drag moves · double click shows all");
  const head = el("div", { className: "bar" }, el("h2", {}, "Equity of the best and the baseline", el("small", {}, remark)), hint);
  return el("section", { className: "card" }, head, new Overlay(plan, rows).element);
}

function planElement(plan) {
  const rows = rowsOf(plan);
  const about = plan.about.map(([name, text]) => el("span", {}, `${name} `, el("b", {}, text)));
  const variants = new VariantsCard(plan, rows);
  const heatmap = plan.paths.length && rows.length ? new Heatmap(plan, rows, (some, words) => variants.pick(some, words)).element : "";
  return el(
    "div",
    { className: "stack", id: "plan" },
    el("p", { className: "about" }, ...about),
    ...plan.remarks.map((text) => el("p", { className: "remark" }, text)),
    planTiles(plan, rows),
    heatmap,
    overlayCard(plan, rows),
    windowsCard(plan),
    variants.element,
    failuresCard(plan),
  );
}
