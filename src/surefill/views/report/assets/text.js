// Words and figures as they are written on the page, and the making of elements.

const MINUS = "\u2212";
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** An element. Properties that start with `on` are listeners, `data-`/`aria-`/`role` attributes, others properties. */
function el(tag, properties, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (/^(aria-|data-|role$|scope$|for$)/.test(name)) made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

/** Elements with spaces between them, so that they read as words even without their margins. */
const spaced = (parts) => parts.flatMap((part) => [part, " "]);

const formats = new Map();

/** A number with thousands separators and so many decimals; a true minus sign. */
function number(value, decimals = 2, least = decimals) {
  const key = `${decimals}/${least}`;
  if (!formats.has(key)) {
    formats.set(key, new Intl.NumberFormat("en-US", { minimumFractionDigits: least, maximumFractionDigits: decimals }));
  }
  return formats.get(key).format(value).replace("-", MINUS);
}

/** With its sign always; nothing is neither. */
const signed = (value, decimals = 2) => (value > 0 ? "+" : "") + number(value, decimals);

/** A price: at least two decimals, at most five. */
const price = (value) => number(value, 5, 2);

const percent = (fraction, decimals = 1) =>
  fraction === null || fraction === undefined ? "–" : `${number(100 * fraction, decimals)} %`;

const signedPercent = (fraction, decimals = 1) => `${signed(100 * fraction, decimals)} %`;

const ratio = (value) => (value === null || value === undefined ? "–" : number(value));

const tone = (value) => (value > 0 ? "up" : value < 0 ? "down" : "dim");

const arrow = (value) => (value > 0 ? "▲" : value < 0 ? "▼" : "■");

/** An amount that went up or down: colour, arrow and sign say the same. */
const moved = (value, text) => el("span", { className: tone(value) }, `${arrow(value)} ${text}`);

const words = (name) => name.replaceAll("_", " ");

const two = (n) => String(n).padStart(2, "0");

/** Seconds UTC as a date, with the time of day unless `dayOnly`. */
function when(seconds, dayOnly) {
  const date = new Date(seconds * 1000);
  const day = `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
  return dayOnly ? day : `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
}
