// Who was on which lane when, drawn from the kernel's events. Bounded: old slices are forgotten.
"use strict";

class LaneBook {
  static SLICES = 4000;
  static POINTS = 2000;

  constructor() {
    this.running = new Map(); // generation -> {pid, lanes, start, resumed}
    this.slices = []; // over, oldest first: {generation, pid, lanes, start, end, how, resumed}
    this.waiting = new Set(); // generations that have no lane
    this.points = []; // [at, on lanes, waiting], oldest first
    this.switches = 0;
  }

  hear(event) {
    const id = event.generation;
    if (event.event === "submitted") {
      this.waiting.add(id);
    } else if (event.event === "started") {
      this.waiting.delete(id);
      this.close(id, event.at, "lost");
      const lanes = this.free(event.branches);
      this.running.set(id, { pid: event.pid, lanes, start: event.at, resumed: event.resumed });
    } else if (event.event === "stopped") {
      if (this.close(id, event.at, event.tier)) this.switches += 1;
      this.waiting.add(id);
    } else if (event.event === "ended") {
      this.waiting.delete(id);
      this.close(id, event.at, "ended", event.outcome);
    } else {
      return;
    }
    this.points.push([event.at, this.running.size, this.waiting.size]);
    if (this.points.length > LaneBook.POINTS * 1.2) this.points.splice(0, LaneBook.POINTS / 5);
  }

  close(id, end, how, outcome = "") {
    const open = this.running.get(id);
    if (!open) return false;
    this.running.delete(id);
    this.slices.push({ ...open, generation: id, end, how, outcome });
    if (this.slices.length > LaneBook.SLICES * 1.2) this.slices.splice(0, LaneBook.SLICES / 5);
    return true;
  }

  free(count) {
    const taken = new Set();
    for (const one of this.running.values()) for (const lane of one.lanes) taken.add(lane);
    const lanes = [];
    for (let lane = 0; lanes.length < count; lane += 1) if (!taken.has(lane)) lanes.push(lane);
    return lanes;
  }

  // What the page was told, where the record began too late to know it.
  settle(running, waiting) {
    const [, ours, ourWaiting] = this.points.at(-1) ?? [0, 0, 0];
    const more = Math.max(0, running - ours);
    const longer = Math.max(0, waiting - ourWaiting);
    if (more || longer) for (const point of this.points) { point[1] += more; point[2] += longer; }
  }
}

class LaneChart {
  constructor(root, book, clock) {
    this.root = root;
    this.book = book;
    this.clock = clock; // seconds of the kernel, now
    this.canvas = root.querySelector("canvas");
    this.tip = root.querySelector(".tip");
    this.words = document.getElementById("lane-words");
    this.only = Number(root.dataset.only) || 0;
    this.names = new Map(Object.entries(JSON.parse(root.dataset.names)).map(([pid, name]) => [Number(pid), name]));
    this.lanes = Math.max(1, Number(root.dataset.lanes));
    this.span = 60;
    this.shown = []; // rectangles on the canvas, for the pointer
    this.drawn = 0;
    for (const button of root.querySelectorAll("[data-window]")) {
      button.addEventListener("click", () => this.choose(Number(button.dataset.window)));
    }
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    this.canvas.addEventListener("keydown", (event) => this.walk(event));
    new ResizeObserver(() => this.draw()).observe(this.canvas.parentElement);
  }

  choose(span) {
    this.span = span;
    for (const button of this.root.querySelectorAll("[data-window]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.window) === span));
    }
    this.draw();
  }

  name(pid) {
    return this.names.get(pid) ?? `process ${pid}`;
  }

  static colour(pid, dark) {
    return `oklch(${dark ? 0.7 : 0.64} 0.135 ${((pid * 137) % 24) * 15})`;
  }

  get isMoving() {
    const last = this.book.slices.at(-1);
    return this.book.running.size > 0 || (last && last.end > this.clock() - this.span);
  }

  draw() {
    const box = this.canvas.parentElement.getBoundingClientRect();
    if (!box.width) return;
    const style = getComputedStyle(this.root);
    const dark = style.getPropertyValue("--is-dark").trim() === "1";
    // Lanes are given the lowest free number here, so those above the highest one stood empty.
    const earliest = this.clock() - this.span;
    let rows = Math.min(this.lanes, 4);
    const widen = (one) => { for (const lane of one.lanes) rows = Math.max(rows, lane + 1); };
    for (const one of this.book.running.values()) widen(one);
    for (let at = this.book.slices.length - 1; at >= 0; at -= 1) if (this.book.slices[at].end >= earliest) widen(this.book.slices[at]);
    const height = Math.min(30, Math.max(7, 260 / rows));
    const left = 26, bottom = 20, total = rows * height + bottom;
    const ratio = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(box.width * ratio) || this.canvas.height !== Math.round(total * ratio)) {
      this.canvas.width = Math.round(box.width * ratio);
      this.canvas.height = Math.round(total * ratio);
      this.canvas.style.height = `${total}px`;
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, box.width, total);
    const now = this.clock(), begin = now - this.span, width = box.width - left;
    const x = (at) => left + ((at - begin) / this.span) * width;
    const muted = style.getPropertyValue("--muted"), line = style.getPropertyValue("--line");
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    for (let row = 0; row < rows; row += 1) {
      pen.fillStyle = style.getPropertyValue("--lane");
      pen.fillRect(left, row * height + 1, width, height - 3);
      if (height > 12 || row % 8 === 0) { pen.fillStyle = muted; pen.textAlign = "right"; pen.fillText(String(row + 1), left - 8, row * height + height / 2); }
    }
    const step = this.span / 5;
    pen.textAlign = "center";
    for (let back = 0; back <= this.span; back += step) {
      const at = x(now - back);
      pen.fillStyle = line; pen.fillRect(Math.round(at), 0, 1, total - bottom);
      pen.fillStyle = muted;
      pen.textAlign = back === 0 ? "right" : back === this.span ? "left" : "center";
      pen.fillText(back ? `−${back} s` : "now", at, total - bottom / 2 + 2);
    }
    this.shown = [];
    let switches = 0, turns = 0;
    const paint = (one, end) => {
      if (end < begin) return;
      const isSwitch = one.how && one.how !== "ended";
      const mine = !this.only || one.pid === this.only;
      if (mine) { turns += 1; switches += isSwitch ? 1 : 0; }
      const from = Math.max(left, x(one.start)), to = Math.max(from + 1.5, x(end));
      for (const lane of one.lanes) {
        const top = lane * height + 1, tall = height - 3;
        pen.globalAlpha = mine ? 1 : 0.25;
        pen.fillStyle = mine ? LaneChart.colour(one.pid, dark) : muted;
        pen.beginPath();
        pen.roundRect(from, top, to - from - (isSwitch ? 1.5 : 0.5), tall, Math.min(3, tall / 3, (to - from) / 2));
        pen.fill();
        if (mine && to - from > 46 && height > 14) {
          pen.save(); pen.beginPath(); pen.rect(from, top, to - from - 6, tall); pen.clip();
          pen.fillStyle = dark ? "rgb(10 12 20 / .9)" : "#fff"; pen.textAlign = "left";
          pen.fillText(this.name(one.pid), from + 7, top + tall / 2 + 0.5); pen.restore();
        }
        if (isSwitch) { pen.fillStyle = style.getPropertyValue("--ink"); pen.fillRect(to - 1.5, top - 1, 1.5, tall + 2); }
        if (one.how === "ended" && tall > 8) { pen.fillStyle = style.getPropertyValue("--ink"); pen.beginPath(); pen.arc(to - 1, top + tall / 2, 2.4, 0, 7); pen.fill(); }
        pen.globalAlpha = 1;
        this.shown.push({ one, end, left: from, right: to, top, bottom: top + tall });
      }
    };
    for (let at = this.book.slices.length - 1; at >= 0; at -= 1) paint(this.book.slices[at], this.book.slices[at].end);
    for (const one of this.book.running.values()) paint(one, now);
    const words = turns
      ? `${turns} turns and ${switches} context switches in the last ${this.span} seconds, on ${rows < this.lanes ? `${rows} of ` : ""}${this.lanes} lanes`
      : "Nothing ran lately. A call to the model draws a line here.";
    if (this.words.textContent !== words) this.words.textContent = words;
    this.canvas.dataset.turns = String(turns);
    this.canvas.dataset.switches = String(switches);
  }

  tell(found) {
    if (!found) { this.tip.hidden = true; return; }
    const { one, end } = found;
    const how = one.how === undefined ? "runs now" : one.how === "ended" ? (one.outcome === "done" ? "answer complete" : one.outcome) : one.how === "lost" ? "lost its lane" : `taken off, to ${one.how.toUpperCase()}`;
    this.tip.textContent = `${this.name(one.pid)} · ${(end - one.start).toFixed(2)} s on lane ${one.lanes.map((lane) => lane + 1).join(", ")}${one.resumed ? " · resumed" : ""} · ${how}`;
    this.tip.hidden = false;
    const wide = this.canvas.parentElement.clientWidth;
    const at = Math.min(Math.max(0, (found.left + found.right) / 2 - this.tip.offsetWidth / 2), Math.max(0, wide - this.tip.offsetWidth));
    this.tip.style.transform = `translate(${at}px, ${found.bottom + 6}px)`;
  }

  point(event) {
    const { offsetX: x, offsetY: y } = event;
    this.tell(this.shown.find((one) => x >= one.left - 2 && x <= one.right + 2 && y >= one.top && y <= one.bottom));
  }

  walk(event) {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!way || !this.shown.length) return;
    event.preventDefault();
    const order = [...this.shown].sort((a, b) => a.left - b.left);
    const now = order.findIndex((found) => found.one === this.walked);
    const next = order[Math.min(order.length - 1, Math.max(0, now < 0 ? order.length - 1 : now + way))];
    this.walked = next.one;
    this.tell(next);
  }
}

class QueueChart {
  constructor(root, book, clock) {
    this.root = root;
    this.book = book;
    this.clock = clock;
    this.make();
    new ResizeObserver(() => this.plot.setSize(this.size())).observe(root);
  }

  size() {
    return { width: Math.max(200, this.root.clientWidth), height: 200 };
  }

  make() {
    const style = getComputedStyle(this.root);
    const of = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: of("--muted"), grid: { stroke: of("--line"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    this.plot?.destroy();
    this.plot = new uPlot({
      ...this.size(),
      padding: [8, 18, 0, 0],
      cursor: { y: false },
      legend: { show: false },
      scales: { x: { time: false }, y: { range: (plot, low, high) => [0, Math.max(4, Math.ceil(high * 1.1))] } },
      axes: [{ ...axis, space: 60, size: 26, values: (plot, all) => all.map((at) => (at ? `−${-at} s` : "now")) }, { ...axis, size: 34, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] }],
      series: [
        {},
        { label: "on lanes", stroke: of("--accent"), fill: of("--accent-soft"), width: 1.5, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } },
        { label: "waiting", stroke: of("--wait"), width: 1.5, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } },
      ],
    }, [[], [], []], this.root);
    this.draw();
  }

  draw() {
    const now = this.clock(), begin = now - 60;
    const points = this.book.points.filter((point) => point[0] >= begin);
    const before = this.book.points.findLast((point) => point[0] < begin) ?? [0, 0, 0];
    const last = points.at(-1) ?? before;
    const all = [[begin, before[1], before[2]], ...points, [now, last[1], last[2]]];
    this.plot.setData([all.map((one) => one[0] - now), all.map((one) => one[1]), all.map((one) => one[2])]);
  }
}
