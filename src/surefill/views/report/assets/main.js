// The page.

const data = JSON.parse(document.getElementById("data").textContent);
const series = new Map(data.bars.map((packed) => [packed.symbol, unpackBars(packed)]));
const { plan } = data;
const daily = [...series.values()].every((bars) => bars.daily);

function runElement(run) {
  const curve = unpackCurve(run, daily);
  const candles = new CandleCard(run, series);
  const about = run.about.map(([name, text]) => el("span", {}, `${name} `, el("b", {}, text)));
  return el(
    "div",
    { className: "stack", role: "tabpanel", "aria-label": run.name },
    el("p", { className: "about" }, ...about),
    run.remark ? el("p", { className: "remark" }, run.remark) : "",
    tileRow(run.tiles),
    equityCard(run, curve),
    candles.element,
    figuresCard(run),
    el("div", { className: "halves" }, distributionCard(run), excursionCard(run, candles)),
    instrumentCard(run),
    tradesCard(run, candles, daily),
    el(
      "div",
      { className: "pair" },
      card("Monthly returns", "percent, at each month's last close", monthTable(run.months)),
      el(
        "div",
        { className: "stack" },
        card("Exits by reason", "closed trades, net after fees", countTable(run.exits, "Reason", true, false)),
        card("Refused intents", "not executed, and journaled", countTable(run.refused, "Code", false, true)),
      ),
    ),
    sealCard(run),
  );
}

function head() {
  const runs = data.runs.map((run) => run.seal).filter(Boolean);
  const seals = plan ? [{ ok: plan.seal, events: plan.events }] : runs;
  const sound = seals.length > 0 && seals.every((seal) => seal.ok);
  const events = seals.reduce((sum, seal) => sum + seal.events, 0);
  const badges = [badge(sound, sound ? `journal verified: ${number(events, 0)} events` : "journal not verified")];
  if (plan && runs.length) {
    const same = !plan.differs.length && runs.every((seal) => seal.ok);
    badges.push(badge(same, same ? "run again: the same figures" : "run again: other figures"));
  }
  return el("div", { className: "title" }, el("h1", {}, data.title), ...badges);
}

const badge = (good, text) => el("span", { className: `badge ${good ? "up" : "down"}` }, `${good ? "✓" : "✗"} ${text}`);

const main = document.getElementById("main");
const panels = new Map();

function choose(at) {
  if (!panels.has(at)) panels.set(at, runElement(data.runs[at]));
  main.replaceChildren(panels.get(at));
  tabs.forEach((tab, number) => tab.setAttribute("aria-selected", String(number === at)));
}

const tabs = data.runs.map((run, at) => {
  const made = run.tiles[0];
  const result = el("span", { className: tone(made.tone) }, `${arrow(made.tone)} ${made.value}`);
  return el("button", { type: "button", role: "tab", onclick: () => choose(at) }, run.name, " ", result);
});

const tabList = tabs.length ? el("div", { className: "tabs", role: "tablist" }, ...tabs) : "";
document.getElementById("head").append(head(), plan ? planElement(plan) : "", tabList);
document
  .getElementById("foot")
  .append(`surefill ${data.version} · times are UTC · this page loads nothing and sends nothing · `);
document.getElementById("foot").append("past results of simulated trading say little about the future");
if (data.runs.length) choose(0);
else if (!plan) main.append(el("p", { className: "empty" }, "There is no run in this report."));
