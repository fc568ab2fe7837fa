"use strict";
{
  const board = document.getElementById("board");
  const body = board.tBodies[0];
  const headings = [...board.tHead.rows[0].cells];
  const form = document.getElementById("filters");
  const shown = document.getElementById("shown");

  // Sorting: numbers by data-value with missing ones last, names by the alphabet; a second press
  // turns the order round. Rows that are equal keep their order.
  const original = [...body.rows];
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
    const up = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of headings) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const keyed = original.map((row) => [keyOf(row, column), row]);
    keyed.sort((a, b) => compare(a[0], b[0], up ? 1 : -1));
    body.append(...keyed.map((pair) => pair[1]));
  };
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    button.addEventListener("click", () => sortBy(column));
    heading.replaceChildren(button);
  });

  // Filters hide rows, and the figures of tasks that do not match.
  const figures = [...document.querySelectorAll("figure")];
  const update = () => {
    const values = Object.fromEntries(new FormData(form));
    const method = values.method.trim().toLowerCase();
    const selects = [...form.querySelectorAll("select")].map((select) => select.name);
    const matches = (item) =>
      selects.every((name) => !values[name] || !(name in item.dataset) || item.dataset[name] === values[name]);
    let count = 0;
    for (const row of original) {
      row.hidden = !(matches(row) && row.dataset.method.toLowerCase().includes(method));
      count += !row.hidden;
    }
    for (const figure of figures) figure.hidden = !matches(figure);
    shown.textContent = `${count} of ${original.length} rows`;
  };
  form.addEventListener("input", update);
  form.addEventListener("change", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(update));
  form.hidden = false;
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
