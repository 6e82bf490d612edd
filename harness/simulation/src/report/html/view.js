/** One test: its head, its filters, its ladder, and the message that is open. */

const LEVELS = { debug: 0, info: 1, warn: 2, error: 3, none: 4 };
let view = null;

const make = (name, text, className) => {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
};

const read = (id) => JSON.parse(byId(id).textContent);

/** The full text of that number; an element of texts is read when it is first asked for. */
const texts = new Map();
function fullText(number) {
  const chunk = Math.floor(number / 256);
  if (!texts.has(chunk)) texts.set(chunk, read(`texts-${chunk}`));
  return texts.get(chunk)[number % 256];
}

class View {
  constructor(row) {
    this.row = row;
    this.data = read(`ladder-${row.dataset.test}`);
    this.open = new Set();
    this.fillHead();
    this.fillFilters();
    this.drawing = new Drawing(byId("ladder"), this.data);
    this.filter();
    const places = this.data.objections.map(([rung]) => rung);
    this.go(places.length ? this.rowOf(Math.min(...places)) : 0, true);
  }

  fillHead() {
    const { title, heading, verdict, passes } = this.data, links = make("nav"), name = make("h1", title);
    const back = make("a", "← All tests");
    back.href = "#";
    links.append(back);
    this.data.objections.forEach(([rung, what]) => {
      const link = make("a", `✗ ${what}`);
      link.href = "#";
      link.addEventListener("click", (event) => { event.preventDefault(); this.jump(rung); });
      links.append(link);
    });
    name.append(make("span", verdict, passes ? "verdict good" : "verdict bad"));
    const parts = [links, name, make("p", heading), this.facts()];
    if (this.data.failure) {
      const failure = make("div", undefined, "failure");
      failure.append(make("pre", this.data.failure));
      parts.push(failure);
    }
    byId("head").replaceChildren(...parts);
  }

  facts() {
    const details = make("details"), list = make("dl"), { codes, levels, faults, leftOver, replay } = this.data;
    const add = (term, lines) => {
      list.append(make("dt", term));
      const texts = lines.length ? lines : ["nothing"], cell = make("dd");
      cell.append(...texts.map((text) => make("div", text)));
      list.append(cell);
    };
    add("Status codes", codes.map(([ends, text]) => `${ends}  ${text}`));
    add("Log lines", levels.map(([host, [info, warn, error]]) => `${host}  INFO ${info} · WARN ${warn} · ERROR ${error}`));
    add("Faults", faults.map(({ text, armed, matched, applied, changed }) =>
      `${text}  ${armed ? `armed ${armed} · matched ${matched} · applied ${applied}` : "never armed"} · ${changed ? `changed ${changed}` : "changed nothing"}`));
    add("Left over", leftOver);
    add("Replay", [replay]);
    details.append(make("summary", "Status codes, log lines, faults, left over"), list);
    return details;
  }

  fillFilters() {
    const options = ["all", ...this.data.threads].map((label, index) => {
      const option = make("option", label);
      option.value = index - 1;
      return option;
    });
    byId("call").replaceChildren(...options);
    const hosts = this.data.columns.map(([name], index) => {
      const label = make("label"), box = make("input");
      Object.assign(box, { type: "checkbox", checked: true, defaultChecked: true, value: index });
      label.append(box, ` ${name}`);
      return label;
    });
    byId("hosts").replaceChildren(make("legend", "Hosts"), ...hosts);
    byId("level").value = "debug";
    byId("timers").checked = true;
  }

  /** Whether a rung is shown; what concerns all hosts, and violations, always are. */
  fits(rung, { call, level, timers, hosts }) {
    const [, number, from, to, , thread] = rung, style = this.data.styles[number];
    if (style === "violation") return true;
    if (style in LEVELS && LEVELS[style] < level) return false;
    if (style === "timer" && !timers) return false;
    if (call >= 0 && thread !== call && !style.startsWith("fault")) return false;
    return from < 0 || hosts.has(from) || (to >= 0 && hosts.has(to));
  }

  filter() {
    const boxes = [...byId("hosts").querySelectorAll("input")];
    const wanted = {
      call: Number(byId("call").value),
      level: LEVELS[byId("level").value],
      timers: byId("timers").checked,
      hosts: new Set(boxes.filter((box) => box.checked).map((box) => Number(box.value))),
    };
    const all = this.data.rungs, kept = this.drawing.rows?.[this.drawing.current]?.number;
    const rows = [];
    let shown = 0, folded = 0, next = 0;
    const narrowed = wanted.call >= 0 || wanted.level > 0 || !wanted.timers || wanted.hosts.size < boxes.length;
    const stretches = narrowed ? [] : this.data.stretches;
    for (let number = 0; number < all.length; number += 1) {
      const stretch = stretches[next];
      if (stretch && number === stretch[0]) {
        next += 1;
        if (!this.open.has(stretch[0])) {
          rows.push({ number, rung: all[number], stretch });
          folded += stretch[1] - stretch[0];
          number = stretch[1] - 1;
          continue;
        }
      }
      if (this.fits(all[number], wanted)) {
        rows.push({ number, rung: all[number] });
        shown += 1;
      }
    }
    const hidden = all.length - shown - folded;
    const words = [`${shown} of ${all.length} rows`];
    if (folded) words.push(`${folded} folded`);
    if (hidden) words.push(`${hidden} filtered out`);
    byId("shown").textContent = words.join(", ");
    byId("all").hidden = !hidden && !folded;
    this.drawing.current = undefined;
    this.drawing.show(rows);
    if (kept !== undefined) this.go(this.rowOf(kept));
  }

  /** The row that shows a rung, or the one before it. */
  rowOf(number) {
    const rows = this.drawing.rows;
    let low = 0, high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[middle].number <= number) low = middle + 1; else high = middle;
    }
    return Math.max(0, low - 1);
  }

  go(index, centred) {
    const last = this.drawing.rows.length - 1;
    if (last >= 0) this.drawing.select(Math.min(Math.max(0, index), last), centred);
  }

  jump(number) {
    this.go(this.rowOf(number), true);
    byId("ladder").focus({ preventScroll: true });
    this.show();
  }

  /** The next violation behind the current row, or the first. */
  nextViolation() {
    const numbers = this.data.objections.map(([rung]) => rung).sort((a, b) => a - b);
    const here = this.drawing.rows[this.drawing.current]?.number ?? -1;
    const next = numbers.find((number) => number > here) ?? numbers[0];
    if (next !== undefined) this.jump(next);
  }

  /** Opens what the current row stands for: a fold, or the full text. */
  show() {
    const row = this.drawing.rows[this.drawing.current];
    if (!row) return;
    if (row.stretch) {
      this.open.add(row.stretch[0]);
      this.filter();
      return;
    }
    const [at, style, from, to, , thread, label, remarks, text, sendings] = row.rung;
    const name = (column) => this.data.columns[column]?.[0], close = make("button", "Close");
    close.type = "button";
    close.addEventListener("click", () => this.close());
    const header = make("header"), parts = [header];
    header.append(make("h2", label), close);
    const where = to >= 0 ? `${name(from)} → ${name(to)}` : from >= 0 ? name(from) : "";
    parts.push(make("p", [seconds(at), where, this.data.styles[style]].filter(Boolean).join(" · ")));
    if (thread >= 0) parts.push(make("p", this.data.threads[thread]));
    if (remarks) parts.push(make("p", remarks));
    if (sendings.length) parts.push(this.times(sendings));
    parts.push(make("pre", fullText(text)));
    byId("message").replaceChildren(...parts);
    byId("message").className = this.data.styles[style];
    byId("message").hidden = false;
    byId("message").scrollTop = 0;
    this.drawing.measure();
    this.go(this.drawing.current);
  }

  times(sendings) {
    const list = make("ol");
    for (let index = 0; index < sendings.length; index += 2) {
      const arrived = sendings[index + 1];
      list.append(make("li", `sent ${seconds(sendings[index])}, ${arrived < 0 ? "never arrived" : `arrived ${seconds(arrived)}`}`));
    }
    return list;
  }

  close() {
    byId("message").hidden = true;
    this.drawing.measure();
    byId("ladder").focus({ preventScroll: true });
  }
}

/** Shows the test that the address names, or all. */
function route() {
  const name = decodeURIComponent(location.hash.slice(1));
  const rows = [...document.querySelectorAll("tr[data-test]")];
  const row = name ? rows.find((candidate) => candidate.dataset.name === name) : rows.length === 1 && !view ? rows[0] : undefined;
  byId("overview").hidden = Boolean(row);
  byId("test").hidden = !row;
  byId("message").hidden = true;
  if (row) {
    view = new View(row);
    byId("ladder").focus({ preventScroll: true });
    return;
  }
  view?.row.querySelector("a").focus();
}

function pressed(event) {
  if (byId("test").hidden || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, input")) return;
  const here = view.drawing.current ?? 0, page = Math.max(1, Math.floor(byId("ladder").clientHeight / ARROW) - 2);
  const moves = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -1e9, End: 1e9 };
  const onButton = event.target.closest("button, a, summary");
  if (event.key in moves) view.go(here + moves[event.key]);
  else if (event.key === "Enter" && !onButton) view.show();
  else if (event.key === "v") view.nextViolation();
  else if (event.key === "Escape" && !byId("message").hidden) view.close();
  else if (event.key === "Escape") location.hash = "";
  else return;
  event.preventDefault();
}

byId("ladder").addEventListener("scroll", () => view?.drawing.draw(), { passive: true });
byId("ladder").addEventListener("click", (event) => {
  const group = event.target.closest("[data-row]");
  if (!group) return;
  view.go(Number(group.dataset.row));
  view.show();
});
byId("filters").addEventListener("change", () => view.filter());
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("filters").addEventListener("reset", (event) => {
  event.preventDefault();
  if (!view) return;
  byId("call").value = "-1";
  byId("level").value = "debug";
  byId("timers").checked = true;
  byId("hosts").querySelectorAll("input").forEach((box) => { box.checked = true; });
  view.data.stretches.forEach(([from]) => view.open.add(from));
  view.filter();
});
document.addEventListener("keydown", pressed);
window.addEventListener("hashchange", route);
window.addEventListener("resize", () => view?.drawing.measure());
route();
