// What a page does by itself: follows the kernel, refreshes what changed, heeds the keyboard.
"use strict";
{
  const EVERY_MS = 1000; // between two refreshes, at least
  const AT_LAST_MS = 5000; // and at most, for what no event tells
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);

  // Following the kernel.

  const lanes = byId("lanes");
  const queue = byId("queue");
  let told = { now: 0, here: 0 }; // the kernel's time, and this page's when it was told
  const clock = () => told.now + (performance.now() - told.here) / 1000;
  let book, laneChart, queueChart, source, etag = "", isAsking = false, asked = 0, timer = 0;

  const connection = (state) => {
    const at = byId("connection");
    if (!at) return;
    at.dataset.state = state;
    at.lastElementChild.textContent = state;
  };

  const refresh = () => {
    timer = 0;
    if (document.hidden || isAsking) return;
    isAsking = true;
    asked = performance.now();
    htmx.ajax("GET", location.pathname + location.search, {
      target: "body", swap: "none", headers: { "x-live": "1", "if-none-match": etag },
    }).catch(() => {}).finally(() => { isAsking = false; });
  };
  const soon = () => {
    if (!timer) timer = setTimeout(refresh, Math.max(0, EVERY_MS - (performance.now() - asked)));
  };
  document.addEventListener("htmx:after:request", (event) => {
    const response = event.detail.ctx.response;
    if (!response) return;
    if (response.status === 401) location.reload();
    etag = response.headers.get("etag") ?? etag;
  });

  const hear = (message, isFirst) => {
    const news = JSON.parse(message.data);
    told = { now: news.now, here: performance.now() };
    if (lanes) {
      if (isFirst) book = Object.assign(book, new LaneBook());
      for (const event of news.events) {
        if (event.event === "spawned") laneChart.names.set(event.pid, event.name);
        else book.hear(event);
      }
      const counts = byId("queue-now");
      if (isFirst && counts) book.settle(Number(counts.dataset.running), Number(counts.dataset.waiting));
      laneChart.draw();
      queueChart?.draw();
    }
    soon();
  };

  const follow = () => {
    source?.close();
    source = new EventSource(`/web/live${lanes ? "?lanes=1" : ""}`);
    source.addEventListener("open", () => connection("live"));
    source.addEventListener("error", () => connection("reconnecting"));
    source.addEventListener("hello", (message) => hear(message, true));
    source.addEventListener("news", (message) => hear(message, false));
  };

  if (lanes) {
    book = new LaneBook();
    laneChart = new LaneChart(lanes, book, clock);
    if (queue) queueChart = new QueueChart(queue, book, clock);
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    setInterval(() => { if (!document.hidden && (laneChart.isMoving || !laneChart.drawn)) laneChart.draw(); }, still.matches ? 1000 : 100);
    setInterval(() => { if (!document.hidden && queueChart) queueChart.draw(); }, 1000);
  }
  if (byId("connection") && !("still" in byId("main").dataset)) {
    // Browsers allow few connections to one place: a page that nobody looks at holds none.
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) source?.close(); else { follow(); soon(); }
    });
    // To look at the audit is in the audit: a page of it that looks again by itself would fill it.
    if (!byId("live_audit")) setInterval(() => { if (performance.now() - asked > AT_LAST_MS) refresh(); }, AT_LAST_MS);
    follow();
  }

  // Light and dark.

  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const repaint = () => { laneChart?.draw(); queueChart?.make(); };
  const turn = () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    localStorage.setItem("aios-theme", root.dataset.theme);
    repaint();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  byId("theme")?.addEventListener("click", turn);

  // Keyboard.

  const help = byId("help");
  byId("keys")?.addEventListener("click", () => help.showModal());
  const rows = () => [...document.querySelectorAll("table.rows tbody tr a, .tools summary, .approval button[value=yes]")].filter((one, at, all) => at === 0 || one.closest("tr, li, article") !== all[at - 1].closest("tr, li, article"));
  const move = (way) => {
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex((one) => one.closest("tr, li, article")?.contains(document.activeElement));
    all[Math.min(all.length - 1, Math.max(0, at + way))].focus();
  };
  const keys = {
    "?": () => (help.open ? help.close() : help.showModal()),
    t: turn,
    j: () => move(1),
    k: () => move(-1),
    "/": () => byId("search")?.focus(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, textarea, select")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const place = document.querySelector(`nav a[data-key="${CSS.escape(event.key)}"]`);
    const act = place ? () => place.click() : keys[event.key];
    if (act && help) { event.preventDefault(); act(); }
  });
}
