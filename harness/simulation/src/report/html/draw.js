/** Draws a ladder: only the rows in view, so that its length does not matter. */

const TIME = 92, EDGE = 300, ARROW = 36, LINE = 25, BAND = 32, AHEAD = 600, LETTER = 7.6;

const svg = (name, attributes, text) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  if (text !== undefined) element.textContent = text;
  return element;
};

const seconds = (micros) => {
  const whole = Math.floor(micros / 1e6), rest = micros % 1e6;
  return rest % 1000 ? `${whole}.${String(rest).padStart(6, "0")}` : `${whole}.${String(rest / 1000).padStart(3, "0")}`;
};

const fitting = (text, width) => {
  const most = Math.max(12, Math.floor(width / LETTER));
  return text.length > most ? text.slice(0, most - 1) + "…" : text;
};

class Drawing {
  /** `rows` are rungs to show, or stretches of them that are folded: {rung, stretch}. */
  constructor(place, data) {
    this.place = place;
    this.data = data;
    this.names = svg("svg", { class: "names", height: 44 });
    this.space = document.createElement("div");
    this.space.className = "space";
    this.rungs = svg("svg", { class: "rungs" });
    this.space.append(this.rungs);
    place.replaceChildren(this.names, this.space);
  }

  /** Takes other rows, and draws them from their top or where they are. */
  show(rows) {
    this.rows = rows;
    this.tops = new Float64Array(rows.length + 1);
    rows.forEach((row, index) => { this.tops[index + 1] = this.tops[index] + this.height(row); });
    this.measure();
  }

  height({ rung, stretch }) {
    if (stretch) return BAND;
    return rung[3] >= 0 ? ARROW : this.styleOf(rung) === "violation" ? BAND : LINE;
  }

  styleOf(rung) { return this.data.styles[rung[1]]; }

  /** Fits the columns to the room that there is. */
  measure() {
    const columns = this.data.columns, room = this.place.clientWidth - TIME - EDGE;
    const longest = Math.max(6, ...columns.map(([name]) => name.length));
    const least = Math.max(130, longest * 8.5 + 24);
    this.step = Math.min(Math.max(least, room / Math.max(1, columns.length - 1)), Math.max(least, 300));
    this.width = Math.max(this.place.clientWidth, TIME + 50 + this.step * (columns.length - 1) + EDGE);
    this.names.setAttribute("width", this.width);
    this.names.replaceChildren(...columns.flatMap(([name, detail], index) => [
      svg("text", { class: "name", x: this.x(index), y: 18 }, name),
      svg("text", { class: "detail", x: this.x(index), y: 35 }, fitting(detail, this.step * 1.15)),
    ]));
    this.space.style.width = `${this.width}px`;
    this.space.style.height = `${this.tops[this.rows.length] + 24}px`;
    this.drawn = null;
    this.draw();
  }

  x(column) { return TIME + 50 + this.step * column; }

  /** The row at a height. */
  at(top) {
    let low = 0, high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.tops[middle + 1] <= top) low = middle + 1; else high = middle;
    }
    return low;
  }

  draw() {
    const top = this.place.scrollTop, bottom = top + this.place.clientHeight;
    const first = this.at(Math.max(0, top - AHEAD)), end = Math.min(this.rows.length, this.at(bottom + AHEAD) + 1);
    if (this.drawn && this.drawn[0] <= this.at(top) && this.drawn[1] >= Math.min(this.rows.length, this.at(bottom) + 1)) return;
    this.drawn = [first, end];
    const height = Math.max(24, this.tops[end] - this.tops[first]) + 24;
    this.rungs.setAttribute("width", this.width);
    this.rungs.setAttribute("height", height);
    this.rungs.style.top = `${this.tops[first]}px`;
    const lives = this.data.columns.map((_, index) =>
      svg("line", { class: "life", x1: this.x(index), x2: this.x(index), y1: 0, y2: height }));
    const groups = [];
    for (let index = first; index < end; index += 1) groups.push(this.group(index, this.tops[index] - this.tops[first]));
    this.rungs.replaceChildren(...groups.map(([ground]) => ground), ...lives, ...groups.map(([, group]) => group));
  }

  /** The ground of a row lies below the lifelines, the row itself above them. */
  group(index, top) {
    const { rung, stretch } = this.rows[index], height = this.tops[index + 1] - this.tops[index];
    const style = stretch ? "stretch" : this.styleOf(rung);
    const classes = ["rung", style];
    if (!stretch && rung[4] & 1) classes.push("lost");
    if (!stretch && rung[4] & 2) classes.push("faulted");
    if (index === this.current) classes.push("current");
    const name = { class: classes.join(" "), "data-row": index, transform: `translate(0 ${top})` };
    const ground = svg("g", name);
    ground.append(svg("rect", { class: "ground", x: 1, y: 1, width: this.width - 2, height: height - 2, rx: 4 }));
    const group = svg("g", { ...name, id: `row-${index}`, role: "option", "aria-selected": index === this.current });
    // Takes the pointer where nothing is drawn.
    group.append(svg("rect", { class: "pick", width: this.width, height }));
    if (stretch) this.drawStretch(group, stretch);
    else if (rung[3] >= 0) this.drawArrow(group, rung);
    else this.drawLocal(group, rung, style);
    return [ground, group];
  }

  drawStretch(group, [, , summary]) {
    group.append(svg("text", { class: "halo", x: TIME + 18, y: 20 }, `⋯ ${summary}. Enter or click shows them.`));
  }

  drawArrow(group, [at, , from, to, flags, , label, remarks]) {
    const start = this.x(from), goal = from === to ? start + 46 : this.x(to), way = Math.sign(goal - start);
    const end = flags & 1 ? start + (goal - start) * 0.6 : goal;
    group.append(svg("text", { class: "time", x: TIME - 10, y: 19 }, seconds(at)));
    group.append(svg("line", { class: "arrow", x1: start, x2: end, y1: 27, y2: 27 }));
    if (flags & 1) group.append(svg("path", { class: "cross", d: `M${end - 6} 21l12 12m0 -12l-12 12` }));
    else group.append(svg("path", { class: "point", d: `M${end} 27l${-9 * way} -4.5v9z` }));
    if (flags === 2) group.append(svg("path", { class: "cross", d: `M${(start + end) / 2 - 5} 22l10 10m0 -10l-10 10` }));
    const left = Math.min(start, goal) + 10;
    const text = svg("text", { class: "halo", x: left, y: 17 });
    const room = this.width - left - 16, shown = fitting(label, room);
    text.append(svg("tspan", { class: "toned strong" }, shown));
    if (remarks) text.append(svg("tspan", { class: "remark", dx: 10 }, fitting(remarks, room - shown.length * LETTER)));
    group.append(text);
  }

  drawLocal(group, [at, , column, , , , label], style) {
    const anchored = column >= 0, x = anchored ? this.x(column) : TIME + 18;
    const signs = { step: "▷", fault: "✗", "fault-over": "✓", panic: "✗", timer: "◷", violation: "✗" };
    const middle = style === "violation" ? 20 : 17;
    group.append(svg("text", { class: "time", x: TIME - 10, y: middle }, seconds(at)));
    if (style === "violation") {
      group.append(svg("text", { class: "halo toned strong", x: TIME + 18, y: middle }, fitting(`✗ ${label}`, this.width - TIME - 40)));
      return;
    }
    if (!anchored) group.append(svg("line", { class: "across", x1: TIME + 10, x2: this.width - 20, y1: 13, y2: 13 }));
    if (anchored && !(style in signs)) group.append(svg("circle", { class: "point", cx: x, cy: 13, r: 4 }));
    const text = svg("text", { class: "halo", x: anchored ? x + 10 : x, y: middle });
    const sign = signs[style] ? `${signs[style]} ` : `${style.toUpperCase()} `;
    text.append(svg("tspan", { class: "toned strong" }, sign));
    const plain = style in signs && style !== "step";
    text.append(svg("tspan", { class: plain ? "toned" : "plain" }, fitting(label, this.width - x - 24 - sign.length * LETTER)));
    if (anchored && style in signs) text.setAttribute("x", x - 4);
    group.append(text);
  }

  /** Marks a row as the one that keys speak of, and brings it into view. */
  select(index, centred) {
    this.current = index;
    if (index !== undefined) {
      const top = this.tops[index], bottom = this.tops[index + 1], room = this.place.clientHeight - 48;
      if (centred) this.place.scrollTop = Math.max(0, top - room / 2);
      else if (top < this.place.scrollTop) this.place.scrollTop = top;
      else if (bottom > this.place.scrollTop + room) this.place.scrollTop = bottom - room;
      this.place.setAttribute("aria-activedescendant", `row-${index}`);
    }
    this.drawn = null;
    this.draw();
  }
}
