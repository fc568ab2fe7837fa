"use strict";
{
  const board = document.getElementById("board");
  const groups = [...board.tBodies];
  const headings = [...board.tHead.rows[0].cells];
  const form = document.getElementById("filters");
  const shown = document.getElementById("shown");

  // Sorting within each task: the first press puts the best first, by the task's own direction,
  // a second press turns the order round. Missing figures are last, equals keep their order.
  const original = groups.map((group) => [...group.rows].slice(1));
  const rows = original.flat();
  const keyOf = (row, column) => {
    const cell = row.cells[column];
    return "value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent.trim();
  };
  const compare = (a, b, sign) => {
    const numbers = typeof a === "number" && typeof b === "number";
    if (numbers) return sign * (a - b);
    if (typeof a === "number") return -1;
    if (typeof b === "number") return 1;
    return sign * a.localeCompare(b, "en", { numeric: true });
  };
  const sortBy = (column) => {
    const heading = headings[column];
    const wanted = heading.dataset.better;
    const turned = heading.dataset.sorted === "best";
    for (const other of headings) { other.removeAttribute("aria-sort"); delete other.dataset.sorted; }
    heading.dataset.sorted = turned ? "worst" : "best";
    groups.forEach((group, number) => {
      const better = wanted === "task" ? group.dataset.better : wanted;
      const sign = (better === "larger" ? -1 : 1) * (turned ? -1 : 1);
      const keyed = original[number].map((row) => [keyOf(row, column), row]);
      keyed.sort((a, b) => compare(a[0], b[0], sign));
      group.append(...keyed.map((pair) => pair[1]));
      if (number === 0) heading.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    });
  };
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    button.addEventListener("click", () => sortBy(column));
    heading.replaceChildren(button);
  });

  // Filters hide rows, tasks that do not match with their figures, and in every figure the methods
  // that do not match. They stand in the address, after "#?", so that a link shows the same.
  const figures = [...document.querySelectorAll("figure")];
  const numbers = JSON.parse(form.getAttribute("data-numbers"));
  const drawn = [...document.querySelectorAll(".drawing [id]")]
    .map((part) => [part, /-m(\d+)\.\d+$/.exec(part.id)])
    .filter((pair) => pair[1])
    .map(([part, found]) => [part, Number(found[1])]);
  const overall = [...document.querySelectorAll("#scores tr[data-method]")];
  const update = () => {
    const values = Object.fromEntries(new FormData(form));
    const method = values.method.trim().toLowerCase();
    const named = (name) => name.toLowerCase().includes(method);
    const selects = [...form.querySelectorAll("select")].map((select) => select.name);
    const matches = (item) =>
      selects.every((name) => !values[name] || !(name in item.dataset) || item.dataset[name] === values[name]);
    let count = 0;
    groups.forEach((group, number) => {
      let within = 0;
      for (const row of original[number]) {
        row.hidden = !(matches(group) && named(row.dataset.method));
        within += !row.hidden;
      }
      group.hidden = !within;
      count += within;
    });
    for (const row of overall) row.hidden = !named(row.dataset.method);
    for (const figure of figures) figure.hidden = !matches(figure);
    const away = new Set(Object.keys(numbers).filter((name) => !named(name)).map((name) => numbers[name]));
    for (const [part, number] of drawn) part.style.display = away.has(number) ? "none" : "";
    shown.textContent = `${count} of ${rows.length} rows`;
    return values;
  };
  const changed = () => {
    const kept = Object.entries(update()).filter((pair) => pair[1]);
    const address = kept.length ? "#?" + new URLSearchParams(kept) : location.hash.startsWith("#?") ? "#" : "";
    if (address) history.replaceState(null, "", address);
    document.dispatchEvent(new Event("filtered"));
  };
  const read = () => {
    if (!location.hash.startsWith("#?")) return;
    const kept = new URLSearchParams(location.hash.slice(2));
    for (const field of form.elements) if (field.name) field.value = kept.get(field.name) ?? "";
    update();
  };
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(changed));
  addEventListener("hashchange", read);
  form.hidden = false;
  read();
  update();

  for (const button of document.querySelectorAll(".download")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const text = button.closest("details").querySelector("pre").textContent;
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
      link.download = button.dataset.name;
      link.click();
      URL.revokeObjectURL(link.href);
    });
  }

  // A table that is wider than the page ends with a whole column and says that there are more.
  const fit = (region, said) => {
    region.style.maxWidth = "";
    const cut = region.scrollWidth > region.clientWidth + 1;
    region.classList.toggle("cut", cut);
    said.hidden = !cut;
    if (!cut) return;
    const { left, right } = region.getBoundingClientRect();
    const ends = [...region.querySelectorAll("thead th")].map((cell) => cell.getBoundingClientRect().right + region.scrollLeft);
    const whole = Math.max(...ends.slice(1).filter((end) => end <= right - 3));
    if (whole > left) region.style.maxWidth = `${Math.ceil(whole - left) + 3}px`;
  };
  for (const region of document.querySelectorAll(".scroll")) {
    const said = document.createElement("p");
    said.className = "more";
    said.textContent = "More columns to the right: scroll the table sideways \u2192";
    region.before(said);
    const again = () => fit(region, said);
    addEventListener("resize", again);
    document.addEventListener("filtered", again);
    again();
  }

  const theme = document.getElementById("theme");
  const root = document.documentElement;
  const isDark = () =>
    (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const label = () => { theme.textContent = isDark() ? "Light colours" : "Dark colours"; };
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    label();
  });
  theme.hidden = false;
  label();
}

// The explorer: a space as points, and the paths of methods through it.
for (const explorer of document.querySelectorAll(".explorer")) {
  const { tables, tasks, looks } = JSON.parse(explorer.dataset.content);
  const make = (tag, parent, properties = {}) => {
    const element = Object.assign(document.createElement(tag), properties);
    parent.append(element);
    return element;
  };
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  for (const table of Object.values(tables)) {
    for (const metric of Object.values(table.metrics)) metric.values = new Float32Array(bytes(metric.values).buffer);
    if (table.vectors) table.vectors = bytes(table.vectors);
    if (table.strings) table.strings = table.strings.split("\n");
  }
  const controls = make("div", explorer, { className: "controls" });
  const choice = (label) => {
    const holder = make("label", controls, { textContent: label });
    return make("select", holder);
  };
  const [taskChoice, xChoice, yChoice, methodChoice, shareChoice] = ["Task", "Across", "Up", "Paths", "Shown"].map(choice);
  const shares = { all: [0, 1], "upper half": [0.5, 1], "upper tenth": [0.9, 1], "lower half": [0, 0.5], "lower tenth": [0, 0.1] };
  for (const name of Object.keys(shares)) make("option", shareChoice, { value: name, textContent: name });
  tasks.forEach((task, number) => make("option", taskChoice, { value: number, textContent: task.name }));
  const canvas = make("canvas", explorer, { tabIndex: 0 });
  canvas.setAttribute("role", "img");
  const details = make("div", explorer, { className: "details" });
  details.setAttribute("aria-live", "polite");
  const legend = make("ul", explorer, { className: "legend" });
  const pen = canvas.getContext("2d");
  const task = () => tasks[Number(taskChoice.value)];
  const table = () => tables[task().table];
  let picked = -1;
  let places = [];

  const label = (name) => {
    const { label: text, unit } = table().metrics[name];
    return unit ? `${text} (${unit})` : text;
  };
  const fill = () => {
    for (const [select, wanted] of [[xChoice, task().x], [yChoice, task().y]]) {
      select.replaceChildren();
      for (const name of Object.keys(table().metrics)) make("option", select, { value: name, textContent: label(name) });
      select.value = wanted;
    }
    methodChoice.replaceChildren();
    for (const name of ["all", "none", ...Object.keys(task().paths)]) make("option", methodChoice, { value: name, textContent: name });
    picked = -1;
    details.replaceChildren();
    make("p", details, { textContent: "Press a point." });
  };
  const ends = (values) => {
    let low = Infinity, high = -Infinity;
    for (const value of values) if (value === value) { low = Math.min(low, value); high = Math.max(high, value); }
    return [low, high > low ? high : low + 1];
  };
  const quantiles = (values, [low, high]) => {
    const sorted = values.filter((value) => value === value).sort();
    const last = sorted.length - 1;
    return last < 0 ? [0, 1] : ends([sorted[Math.floor(low * last)], sorted[Math.ceil(high * last)]]);
  };
  const ticks = ([low, high]) => {
    const rough = (high - low) / 6, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
    const found = [];
    for (let tick = Math.ceil(low / step) * step; tick <= high + step * 1e-6; tick += step) found.push(Number(tick.toPrecision(10)));
    return found;
  };
  const svg = (name, parent, attributes) => {
    const part = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, value);
    parent?.append(part);
    return part;
  };
  // A piece of a method's line with its marker, as the legends of the figures have it.
  const sample = ({ colour, marker, dash }) => {
    const picture = svg("svg", null, { viewBox: "0 0 32 12", "aria-hidden": "true" });
    svg("line", picture, { x1: 0, y1: 6, x2: 32, y2: 6, stroke: colour, "stroke-width": 1.6, "stroke-dasharray": dash.map((part) => part * 1.6).join(" ") || "none" });
    svg("polygon", picture, { points: marker.map(([x, y]) => `${16 + 5 * x},${6 + 5 * y}`).join(" "), fill: colour });
    return picture;
  };
  const draw = () => {
    const ratio = devicePixelRatio || 1;
    const { width, height } = canvas.getBoundingClientRect();
    if (!width) return;
    Object.assign(canvas, { width: width * ratio, height: height * ratio });
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const css = getComputedStyle(document.documentElement);
    const [ink, muted, line] = ["--ink", "--muted", "--line"].map((name) => css.getPropertyValue(name).trim());
    const xs = table().metrics[xChoice.value].values, ys = table().metrics[yChoice.value].values;
    const yEnds = quantiles(ys, shares[shareChoice.value]);
    const inside = (y) => !(y < yEnds[0] || y > yEnds[1]);
    const xEnds = ends(xs.filter((_, index) => inside(ys[index])));
    const [left, right, top, bottom] = [58, width - 12, 12, height - 42];
    const across = (value) => left + ((value - xEnds[0]) / (xEnds[1] - xEnds[0])) * (right - left);
    const up = (value) => bottom - ((value - yEnds[0]) / (yEnds[1] - yEnds[0])) * (bottom - top);
    pen.font = "12px system-ui, sans-serif";
    pen.fillStyle = muted;
    pen.strokeStyle = line;
    pen.lineWidth = 1;
    pen.textAlign = "center";
    for (const tick of ticks(xEnds)) {
      pen.beginPath(); pen.moveTo(across(tick), top); pen.lineTo(across(tick), bottom); pen.stroke();
      pen.fillText(tick.toLocaleString("en"), across(tick), bottom + 16);
    }
    pen.textAlign = "right";
    for (const tick of ticks(yEnds)) {
      pen.beginPath(); pen.moveTo(left, up(tick)); pen.lineTo(right, up(tick)); pen.stroke();
      pen.fillText(tick.toLocaleString("en"), left - 6, up(tick) + 4);
    }
    pen.fillStyle = ink;
    pen.textAlign = "center";
    pen.fillText(label(xChoice.value), (left + right) / 2, height - 8, right - left);
    pen.save();
    pen.translate(13, (top + bottom) / 2);
    pen.rotate(-Math.PI / 2);
    pen.fillText(label(yChoice.value), 0, 0, bottom - top);
    pen.restore();
    places = [];
    pen.save();
    pen.beginPath();
    pen.rect(left - 7, top - 7, right - left + 14, bottom - top + 14);
    pen.clip();
    pen.fillStyle = muted;
    pen.globalAlpha = 0.35;
    for (let index = 0; index < xs.length; index += 1) {
      const [x, y] = [across(xs[index]), up(ys[index])];
      places.push([x, y]);
      if (x === x && y === y) pen.fillRect(x - 1, y - 1, 2, 2);
    }
    pen.globalAlpha = 1;
    legend.replaceChildren();
    const filter = document.querySelector("#filters [name=method]")?.value.trim().toLowerCase() ?? "";
    for (const [method, path] of Object.entries(task().paths)) {
      if (methodChoice.value === "none" || (methodChoice.value !== "all" && methodChoice.value !== method)) continue;
      if (!method.toLowerCase().includes(filter)) continue;
      const { colour, marker, dash } = looks[method];
      pen.strokeStyle = pen.fillStyle = colour;
      pen.lineWidth = 1.6;
      pen.setLineDash(dash.map((part) => part * pen.lineWidth));
      pen.beginPath();
      for (const index of path) pen.lineTo(...places[index]);
      pen.stroke();
      pen.setLineDash([]);
      path.forEach((index, step) => {
        const size = task().front ? 4.5 : step === path.length - 1 ? 7 : 3.5;
        const [x, y] = places[index];
        pen.beginPath();
        for (const [right, down] of marker) pen.lineTo(x + size * right, y + size * down);
        pen.fill();
      });
      const entry = make("li", legend);
      entry.append(sample(looks[method]), method);
    }
    if (picked >= 0) {
      pen.strokeStyle = ink;
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(...places[picked], 8, 0, 2 * Math.PI);
      pen.stroke();
    }
    pen.restore();
    canvas.setAttribute("aria-label", `${xs.length} architectures, ${label(yChoice.value)} against ${label(xChoice.value)}`);
  };
  const OPERATIONS = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"];
  const cell = (vector) => {
    // Nodes 0 to 3 of a cell of NAS-Bench-201; edges in the order of its strings.
    const nodes = [[20, 70], [110, 120], [200, 20], [290, 70]];
    const edges = [[0, 1], [0, 2], [1, 2], [0, 3], [1, 3], [2, 3]];
    const picture = svg("svg", null, { viewBox: "0 0 310 150" });
    const put = (tag, attributes, text = "") => {
      svg(tag, picture, attributes).textContent = text;
    };
    edges.forEach(([from, to], number) => {
      const operation = OPERATIONS[vector[number]];
      const [[x1, y1], [x2, y2]] = [nodes[from], nodes[to]];
      const none = operation === "none";
      put("line", { x1, y1, x2, y2, stroke: "currentColor", "stroke-width": none ? 0.6 : 1.8, "stroke-dasharray": none ? "2 4" : "none" });
      const share = number === 3 ? 0.32 : 0.5;
      if (!none) put("text", { x: x1 + share * (x2 - x1), y: y1 + share * (y2 - y1) - 3, "text-anchor": "middle", "font-size": 10, fill: "currentColor" }, operation.replace("nor_conv_", "conv ").replace("_connect", "").replace("avg_pool_", "pool "));
    });
    nodes.forEach(([cx, cy], number) => {
      put("circle", { cx, cy, r: 11, fill: "var(--raised)", stroke: "currentColor" });
      put("text", { x: cx, y: cy + 4, "text-anchor": "middle", "font-size": 11, fill: "currentColor" }, ["in", "1", "2", "out"][number]);
    });
    return picture;
  };
  const pick = (index) => {
    picked = index;
    details.replaceChildren();
    make("p", details).append(`Architecture ${index}`);
    const { vectors, choices, strings, space, metrics } = table();
    if (vectors) {
      const vector = vectors.subarray(index * choices.length, (index + 1) * choices.length);
      if (space === "nats-tss") details.append(cell(vector));
      else make("p", details, { textContent: `choices ${[...vector].join(" ")}` });
    }
    if (strings) make("p", details).append(make("code", details, { textContent: strings[index] }));
    const body = make("tbody", make("table", details));
    for (const [name, { values }] of Object.entries(metrics)) {
      const row = make("tr", body);
      make("td", row, { textContent: label(name) });
      make("td", row, { className: "number", textContent: values[index] === values[index] ? Number(values[index].toPrecision(6)).toLocaleString("en", { maximumFractionDigits: 6 }) : "-" });
    }
    draw();
  };
  canvas.addEventListener("click", (event) => {
    let [nearest, distance] = [-1, 400];
    places.forEach(([x, y], index) => {
      const away = (x - event.offsetX) ** 2 + (y - event.offsetY) ** 2;
      if (away < distance) [nearest, distance] = [index, away];
    });
    // A path's points lie above the others.
    for (const path of Object.values(task().paths)) for (const index of path) {
      const away = (places[index][0] - event.offsetX) ** 2 + (places[index][1] - event.offsetY) ** 2;
      if (away < 49 && away <= distance + 25) [nearest, distance] = [index, away];
    }
    if (nearest >= 0) pick(nearest);
  });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const path = [...new Set(Object.values(task().paths).flat())];
    pick(path[(path.indexOf(picked) + step + path.length) % path.length]);
  });
  taskChoice.addEventListener("change", () => { fill(); draw(); });
  for (const select of [xChoice, yChoice, methodChoice, shareChoice]) select.addEventListener("change", draw);
  document.addEventListener("filtered", draw);
  document.getElementById("theme").addEventListener("click", () => setTimeout(draw));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  addEventListener("resize", draw);
  fill();
  draw();
}
