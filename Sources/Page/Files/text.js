// Elements made of text, and numbers as people read them.

export function byId(id) {
  return document.getElementById(id);
}

export function clear(parent) {
  parent.replaceChildren();
}

export function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

export function row(cells, key) {
  const made = element("tr");
  made.append(...cells);
  if (key !== undefined) made.dataset.key = key;
  return made;
}

// Puts rows in place of those that there are, and leaves alone what says the same: so a focus is not lost.
export function place(body, rows) {
  const same = rows.length === body.rows.length && rows.every((made, index) => made.isEqualNode(body.rows[index]));
  if (same) return;
  if (rows.length !== body.rows.length) {
    const key = document.activeElement?.closest?.("tr")?.dataset.key;
    body.replaceChildren(...rows);
    if (key !== undefined) rows.find((made) => made.dataset.key === key)?.querySelector("a")?.focus();
    return;
  }
  rows.forEach((made, index) => {
    const old = body.rows[index];
    if (made.isEqualNode(old)) return;
    if (made.dataset.key !== old.dataset.key || made.cells.length !== old.cells.length) return old.replaceWith(made);
    [...made.cells].forEach((cell, place) => {
      if (!cell.isEqualNode(old.cells[place])) old.cells[place].replaceWith(cell);
    });
  });
}

export function figure(value) {
  if (value === null || value === undefined) return "";
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString("en");
}

// Microseconds.
export function duration(value) {
  if (value === null || value === undefined) return "";
  if (value < 1) return `${Math.max(0, Math.round(value * 1000))} ns`;
  if (value < 1000) return `${figure(Math.round(value * 10) / 10)} µs`;
  if (value < 10_000_000) return `${figure(value / 1000)} ms`;
  return `${figure(value / 1_000_000)} s`;
}
