"use strict";
(() => {
  const byId = id => document.getElementById(id);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const minus = id => String(id).replace("-", "\u2212");
  const plural = (n, one) => n.toLocaleString("en") + " " + one + (n === 1 ? "" : "s");


  // Topics: sort, search, and the cells below the table.
  const table = byId("table");
  if (table) {
    const body = table.tBodies[0];
    const rows = all("tr", body);
    const cells = new Map(all(".cell").map(c => [c.dataset.id, c]));
    const more = byId("more");
    const few = 12;
    let open = cells.size <= few + 2;

    const order = new Intl.Collator("en", { numeric: true });
    const value = {
      id: (a, b) => a.dataset.id - b.dataset.id,
      count: (a, b) => a.dataset.count - b.dataset.count,
      name: (a, b) => order.compare(a.dataset.name, b.dataset.name),
    };
    for (const button of all("[data-sort]", table)) {
      button.addEventListener("click", () => {
        const th = button.closest("th");
        const key = button.dataset.sort;
        const was = th.getAttribute("aria-sort");
        const down = was === "none" ? key === "count" : was === "ascending";
        for (const other of all("[aria-sort]", table)) other.setAttribute("aria-sort", "none");
        th.setAttribute("aria-sort", down ? "descending" : "ascending");
        const sign = down ? -1 : 1;
        rows.sort((a, b) => sign * value[key](a, b) || value.id(a, b));
        body.append(...rows);
      });
    }

    const search = byId("search");
    const show = () => {
      const wants = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let found = 0, shown = 0, hidden = 0;
      for (const row of rows) {
        const hit = wants.every(w => row.dataset.search.includes(w));
        row.hidden = !hit;
        if (hit) found++;
      }
      for (const row of rowsById()) {
        const cell = cells.get(row.dataset.id);
        const wanted = !row.hidden;
        const fits = open || wants.length > 0 || shown < few;
        cell.hidden = !(wanted && fits);
        if (wanted && fits) shown++;
        if (wanted && !fits) hidden++;
      }
      byId("none").hidden = found > 0;
      byId("found").textContent = wants.length ? plural(found, "topic") + " found" : "";
      more.hidden = hidden === 0;
      more.textContent = "Show " + hidden.toLocaleString("en") + " more";
    };
    const given = rows.slice();
    const rowsById = () => given;
    search.addEventListener("input", show);
    more.addEventListener("click", () => { open = true; show(); });
    const reach = () => {
      const target = byId(decodeURIComponent(location.hash.slice(1)));
      if (target && target.classList.contains("cell") && target.hidden) {
        open = true;
        search.value = "";
        show();
        target.scrollIntoView();
      }
    };
    window.addEventListener("hashchange", reach);
    addEventListener("click", e => { if (e.target.closest && e.target.closest('a[href^="#topic"]')) setTimeout(reach); });
    show();
    reach();
  }

  // Likeness: read a cell's value.
  const heat = byId("heat");
  if (heat) {
    const groups = all("g", heat);
    const names = groups.map(g => g.firstChild.textContent);
    heat.addEventListener("pointerover", e => {
      const cell = e.target;
      if (!cell.dataset || !cell.dataset.v) return;
      const row = cell.parentNode;
      const column = all("rect", row).indexOf(cell);
      byId("heat-said").textContent = names[groups.indexOf(row)].trim() + " and " + names[column].trim() + ": " + cell.dataset.v;
    });
  }

  // Map.
  const holder = byId("map-data");
  if (!holder) return;
  const data = JSON.parse(holder.textContent);
  const bytes = s => Uint8Array.from(atob(s), c => c.charCodeAt(0));
  const shorts = s => new Uint16Array(bytes(s).buffer);
  const n = data.n, xs = shorts(data.x), ys = shorts(data.y), ts = shorts(data.t), ps = bytes(data.p);
  const topics = data.topics, T = topics.length, NONE = 65535;
  let texts = null;
  const text = () => texts || (texts = JSON.parse(byId("map-texts").textContent));

  // Rows of a topic stand together: slot 0 holds the outliers, slot t+1 topic t.
  const slot = i => ts[i] === NONE ? 0 : ts[i] + 1;
  const start = new Uint32Array(T + 2);
  for (let i = 0; i < n; i++) start[slot(i) + 1]++;
  for (let s = 0; s <= T; s++) start[s + 1] += start[s];
  const members = new Uint32Array(n);
  { const at = start.slice(); for (let i = 0; i < n; i++) members[at[slot(i)]++] = i; }
  const bySize = topics.map((_, t) => t).sort((a, b) => topics[b].count - topics[a].count || a - b);

  // A topic's name stands at the middle of its dots (median of each axis).
  const middle = topics.map((_, t) => {
    const mine = members.subarray(start[t + 1], start[t + 2]);
    if (!mine.length) return null;
    const mid = v => Uint16Array.from(mine, i => v[i]).sort()[mine.length >> 1];
    return [mid(xs), mid(ys)];
  });

  // Cells of a grid, to find the dot under the pointer.
  const G = 128, shift = 9;
  const cellStart = new Uint32Array(G * G + 1), cellOf = i => (ys[i] >> shift) * G + (xs[i] >> shift);
  for (let i = 0; i < n; i++) cellStart[cellOf(i) + 1]++;
  for (let c = 0; c < G * G; c++) cellStart[c + 1] += cellStart[c];
  const inCell = new Uint32Array(n);
  { const at = cellStart.slice(); for (let i = 0; i < n; i++) inCell[at[cellOf(i)]++] = i; }

  const canvas = byId("canvas"), ctx = canvas.getContext("2d"), tip = byId("tip");
  let wide = 0, high = 0, fit = 1, scale = 1, ox = 0, oy = 0, hovered = -1, queued = false, touched = false;
  const chosen = new Set();
  let colors = null;
  const readColors = () => {
    const style = getComputedStyle(document.documentElement);
    const get = name => style.getPropertyValue(name).trim();
    colors = { none: get("--cx"), ink: get("--ink"), panel: get("--panel"), soft: get("--soft"),
      topic: topics.map(t => get("--c" + t.color)) };
  };

  // Bounds of the dots, so that a flat map still fills the canvas.
  let bx0 = 65535, bx1 = 0, by0 = 65535, by1 = 0;
  for (let i = 0; i < n; i++) {
    if (xs[i] < bx0) bx0 = xs[i]; if (xs[i] > bx1) bx1 = xs[i];
    if (ys[i] < by0) by0 = ys[i]; if (ys[i] > by1) by1 = ys[i];
  }
  const showAll = () => {
    const pad = 28, w = Math.max(bx1 - bx0, 655), h = Math.max(by1 - by0, 655);
    fit = Math.min((wide - 2 * pad) / w, (high - 2 * pad) / h);
    if (!(fit > 0)) fit = 1e-3;
    scale = fit;
    ox = wide / 2 - scale * (bx0 + bx1) / 2;
    oy = high / 2 - scale * (by0 + by1) / 2;
  };
  const measure = () => {
    const box = canvas.getBoundingClientRect();
    if (box.width === 0) return;
    const cx = wide ? (wide / 2 - ox) / scale : 0, cy = wide ? (high / 2 - oy) / scale : 0;
    const ratio = scale / fit, first = !wide || !touched;
    wide = box.width; high = box.height;
    const dpr = window.devicePixelRatio || 1;
    canvas.width = Math.round(wide * dpr); canvas.height = Math.round(high * dpr);
    showAll();
    if (!first) { scale = fit * ratio; ox = wide / 2 - cx * scale; oy = high / 2 - cy * scale; }
    later();
  };
  const later = () => { if (!queued) { queued = true; requestAnimationFrame(() => { queued = false; draw(); }); } };

  const radius = () => Math.min(7, Math.max(0.8, Math.min(3.4, 150 / Math.sqrt(n + 1500))) * Math.pow(scale / fit, 0.4));
  const sprite = (color, r, dpr) => {
    const c = document.createElement("canvas"), size = Math.ceil(2 * (r + 1) * dpr);
    c.width = c.height = size;
    const g = c.getContext("2d");
    g.fillStyle = color;
    g.beginPath(); g.arc(size / 2, size / 2, r * dpr, 0, 7); g.fill();
    return c;
  };
  const dots = (s, color, r, alpha, dpr) => {
    const from = start[s], to = start[s + 1];
    if (from === to) return;
    ctx.globalAlpha = alpha;
    if (r < 1.1) {
      ctx.fillStyle = color;
      const d = 2 * r;
      for (let k = from; k < to; k++) { const i = members[k]; ctx.fillRect(ox + xs[i] * scale - r, oy + ys[i] * scale - r, d, d); }
    } else {
      const image = sprite(color, r, dpr), size = image.width / dpr, half = size / 2;
      for (let k = from; k < to; k++) {
        const i = members[k], x = ox + xs[i] * scale, y = oy + ys[i] * scale;
        if (x > -8 && y > -8 && x < wide + 8 && y < high + 8) ctx.drawImage(image, x - half, y - half, size, size);
      }
    }
    ctx.globalAlpha = 1;
  };
  const clip = (s, k) => { const r = [...s]; return r.length > k ? r.slice(0, k - 1).join("").trimEnd() + "…" : s; };

  const brief = s => clip(s.split(", ").slice(0, 2).join(", "), 22);

  const draw = () => {
    if (!colors) readColors();
    const dpr = canvas.width / wide, r = radius(), some = chosen.size > 0;
    ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
    ctx.fillStyle = colors.panel;
    ctx.fillRect(0, 0, wide, high);
    dots(0, colors.none, r * 0.85, some ? 0.35 : 0.75, dpr);
    for (const t of bySize) if (!chosen.has(t)) dots(t + 1, some ? colors.none : colors.topic[t], r, some ? 0.45 : 0.8, dpr);
    for (const t of bySize) if (chosen.has(t)) dots(t + 1, colors.topic[t], r * 1.15, 0.95, dpr);

    // Names, larger topics first, each where no other name stands.
    ctx.font = "600 12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif";
    ctx.textAlign = "center"; ctx.textBaseline = "middle"; ctx.lineJoin = "round";
    const taken = [];
    const limit = Math.max(6, Math.min(45, wide * high / 11000));
    for (const t of bySize) {
      if (taken.length >= limit) break;
      if (!middle[t] || (some && !chosen.has(t))) continue;
      const label = brief(topics[t].label), w = ctx.measureText(label).width / 2 + 5;
      let x = ox + middle[t][0] * scale, y = oy + middle[t][1] * scale;
      if (x < 0 || y < 0 || x > wide || y > high) continue;
      x = Math.max(w, Math.min(wide - w, x)); y = Math.max(10, Math.min(high - 10, y));
      if (taken.some(b => Math.abs(b[0] - x) < b[2] + w && Math.abs(b[1] - y) < 19)) continue;
      taken.push([x, y, w]);
      ctx.strokeStyle = colors.panel; ctx.lineWidth = 4; ctx.globalAlpha = 0.9; ctx.strokeText(label, x, y); ctx.globalAlpha = 1;
      ctx.fillStyle = colors.ink; ctx.fillText(label, x, y);
    }
    if (hovered >= 0) {
      ctx.beginPath();
      ctx.arc(ox + xs[hovered] * scale, oy + ys[hovered] * scale, r + 3, 0, 7);
      ctx.strokeStyle = colors.ink; ctx.lineWidth = 1.5; ctx.stroke();
    }
  };

  const nearest = (px, py, reach) => {
    const x = (px - ox) / scale, y = (py - oy) / scale, d = reach / scale;
    const c0 = Math.max(0, (x - d) >> shift), c1 = Math.min(G - 1, (x + d) >> shift);
    const r0 = Math.max(0, (y - d) >> shift), r1 = Math.min(G - 1, (y + d) >> shift);
    let best = -1, least = d * d;
    for (let r = r0; r <= r1; r++) for (let c = c0; c <= c1; c++) {
      for (let k = cellStart[r * G + c]; k < cellStart[r * G + c + 1]; k++) {
        const i = inCell[k], dx = xs[i] - x, dy = ys[i] - y;
        if (chosen.size && !chosen.has(ts[i])) continue;
        const q = dx * dx + dy * dy;
        if (q < least) { least = q; best = i; }
      }
    }
    return best;
  };
  const point = i => {
    if (i === hovered) return;
    hovered = i;
    tip.hidden = i < 0;
    if (i >= 0) {
      const t = ts[i];
      byId("tip-topic").textContent = t === NONE ? "Outlier" : minus(topics[t].id) + "  " + topics[t].label;
      byId("tip-text").textContent = text().texts[i];
      byId("tip-id").textContent = text().ids[i] + (ps[i] === 255 ? "" : " · probability " + (ps[i] / 254).toFixed(2));
      const x = ox + xs[i] * scale, y = oy + ys[i] * scale, w = tip.offsetWidth, h = tip.offsetHeight;
      const left = x + 14 + w > wide ? Math.max(4, x - 14 - w) : x + 14;
      const top = Math.max(4, Math.min(high - h - 4, y - h / 2));
      tip.style.transform = "translate(" + left + "px," + top + "px)";
    }
    later();
  };

  const zoom = (factor, px = wide / 2, py = high / 2) => {
    touched = true;
    const next = Math.max(fit * 0.5, Math.min(fit * 80, scale * factor)), k = next / scale;
    ox = px - (px - ox) * k; oy = py - (py - oy) * k; scale = next;
    point(-1); later();
  };
  const move = (dx, dy) => { touched = true; ox += dx; oy += dy; point(-1); later(); };
  const reset = () => { touched = false; showAll(); point(-1); later(); };

  // Pointers: one drags, two pinch, a press without a move chooses.
  const held = new Map();
  let moved = 0;
  const at = e => { const box = canvas.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
  canvas.addEventListener("pointerdown", e => {
    canvas.setPointerCapture(e.pointerId);
    held.set(e.pointerId, at(e));
    if (held.size === 1) moved = 0;
  });
  canvas.addEventListener("pointermove", e => {
    const p = at(e), was = held.get(e.pointerId);
    if (!was) { if (e.pointerType !== "touch") point(nearest(p[0], p[1], Math.max(8, radius() + 3))); return; }
    if (held.size === 1) {
      moved += Math.abs(p[0] - was[0]) + Math.abs(p[1] - was[1]);
      if (moved > 4) { canvas.classList.add("drag"); move(p[0] - was[0], p[1] - was[1]); }
    } else if (held.size === 2) {
      const other = [...held].find(([id]) => id !== e.pointerId)[1];
      const span = q => Math.hypot(q[0] - other[0], q[1] - other[1]) || 1;
      moved = 99;
      zoom(span(p) / span(was), (p[0] + other[0]) / 2, (p[1] + other[1]) / 2);
    }
    held.set(e.pointerId, p);
  });
  const release = e => {
    if (!held.delete(e.pointerId)) return;
    canvas.classList.remove("drag");
    if (e.type !== "pointerup" || moved > 4 || held.size) return;
    const p = at(e), i = nearest(p[0], p[1], e.pointerType === "touch" ? 18 : Math.max(8, radius() + 3));
    if (e.pointerType === "touch") { point(i); return; }
    if (i >= 0 && ts[i] !== NONE) toggle(ts[i]); else if (i < 0) only([]);
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", e => { if (!held.size && e.pointerType !== "touch") point(-1); });
  canvas.addEventListener("dblclick", e => { const p = at(e); zoom(2, p[0], p[1]); });
  canvas.addEventListener("wheel", e => {
    if (document.activeElement !== canvas && !e.ctrlKey) return;   // else the page scrolls
    e.preventDefault();
    const p = at(e);
    zoom(Math.exp(-Math.max(-60, Math.min(60, e.deltaY * (e.deltaMode ? 20 : 1))) * 0.006), p[0], p[1]);
  }, { passive: false });
  canvas.addEventListener("keydown", e => {
    const step = 60, act = { ArrowLeft: () => move(step, 0), ArrowRight: () => move(-step, 0), ArrowUp: () => move(0, step), ArrowDown: () => move(0, -step),
      "+": () => zoom(1.4), "=": () => zoom(1.4), "-": () => zoom(1 / 1.4), "0": reset, Escape: () => { point(-1); only([]); } }[e.key];
    if (!act || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    act();
  });
  byId("zoom-in").addEventListener("click", () => zoom(1.5));
  byId("zoom-out").addEventListener("click", () => zoom(1 / 1.5));
  byId("zoom-all").addEventListener("click", reset);

  // Legend.
  const list = byId("legend"), clear = byId("clear"), buttons = new Map();
  const entry = (name, count, mark) => {
    const li = document.createElement("li"), button = document.createElement(mark === "cx" ? "div" : "button");
    const swatch = document.createElement("i"), label = document.createElement("span"), small = document.createElement("small");
    swatch.className = "swatch " + mark; label.textContent = name; label.dir = "auto"; label.title = name; small.textContent = count.toLocaleString("en");
    if (mark !== "cx") { button.type = "button"; button.setAttribute("aria-pressed", "false"); } else button.className = "fixed";
    button.append(swatch, label, small); li.append(button); list.append(li);
    return button;
  };
  for (const t of bySize) {
    const button = entry(topics[t].label, topics[t].count, "c" + topics[t].color);
    button.addEventListener("click", () => toggle(t));
    buttons.set(t, button);
  }
  if (start[1] > 0) entry("Outliers", start[1], "cx");
  const changed = () => {
    for (const [t, button] of buttons) button.setAttribute("aria-pressed", String(chosen.has(t)));
    list.parentNode.classList.toggle("some", chosen.size > 0);
    if (clear) clear.disabled = chosen.size === 0;
    byId("map-said").textContent = chosen.size ? "Highlighted: " + [...chosen].map(t => topics[t].label + ", " + plural(topics[t].count, "document")).join("; ") : "All topics shown";
    later();
  };
  const toggle = t => { if (!chosen.delete(t)) chosen.add(t); point(-1); changed(); };
  const only = ts => { if (!ts.length && !chosen.size) return; chosen.clear(); for (const t of ts) chosen.add(t); changed(); };
  if (clear) clear.addEventListener("click", () => only([]));

  // A cell of "Words and examples" can show its topic here.
  const place = new Map(topics.map((t, i) => [String(t.id), i]));
  for (const cell of all(".cell")) {
    const t = place.get(cell.dataset.id);
    if (t === undefined || !middle[t]) continue;
    const button = document.createElement("button");
    button.type = "button"; button.className = "show"; button.textContent = "map";
    button.setAttribute("aria-label", "Show " + topics[t].label + " on the map");
    button.addEventListener("click", () => { only([t]); byId("map").scrollIntoView(); });
    cell.querySelector("header").append(button);
  }

  const repaint = () => { colors = null; later(); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  addEventListener("beforeprint", () => { colors = null; measure(); draw(); });
  addEventListener("afterprint", () => { repaint(); measure(); });
  new ResizeObserver(measure).observe(canvas);
  measure();
})();
