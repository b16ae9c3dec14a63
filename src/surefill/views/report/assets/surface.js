// A canvas that draws itself again whenever its width, or the colours of the page, change.

const FONT = "11px system-ui, sans-serif";

class Surface {
  /** `draw()` paints on `ctx`, in pixels of the page. */
  constructor(label, height, draw) {
    this.canvas = el("canvas", { tabIndex: 0, role: "img", "aria-label": label });
    this.ctx = this.canvas.getContext("2d");
    this.height = height;
    this.draw = draw;
    this.colours = {};
    this.canvas.style.height = `${height}px`;
    new ResizeObserver(() => this.resize()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.resize());
  }

  colour(name) {
    return (this.colours[name] ??= getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  }

  resize() {
    const width = this.canvas.clientWidth;
    if (!width) return;
    const dense = window.devicePixelRatio || 1;
    this.width = width;
    this.colours = {};
    this.canvas.width = Math.round(width * dense);
    this.canvas.height = Math.round(this.height * dense);
    this.ctx.setTransform(dense, 0, 0, dense, 0, 0);
    this.paint();
  }

  /** Draw, soon, once. */
  paint() {
    if (this.queued || !this.width) return;
    this.queued = true;
    requestAnimationFrame(() => {
      this.queued = false;
      this.ctx.clearRect(0, 0, this.width, this.height);
      this.ctx.font = FONT;
      this.draw();
    });
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }
}
