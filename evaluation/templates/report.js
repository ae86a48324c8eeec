"use strict";
(() => {
  const data = JSON.parse(document.getElementById("samples-data").textContent);
  const about = JSON.parse(document.getElementById("samples-about").textContent);
  const list = document.getElementById("samples");
  const count = document.getElementById("count");
  const more = document.getElementById("more");
  const get = (id) => document.getElementById(id);
  const fields = ["search", "suite", "head", "gold", "answer", "order", "wrong"].map((id) => get("f-" + id));
  const PAGE = 40;
  let shown = PAGE;

  // textContent only: a quote is never read as markup.
  const make = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const label = (head, name, extra) => {
    const sign = head === "stance" ? about.symbols[name] : "";
    return make("span", "tag tone-" + name + (extra || ""), (sign ? sign + " " : "") + name);
  };
  const haystack = new Map();
  const text = (sample) => {
    if (!haystack.has(sample)) {
      haystack.set(sample, [sample.t, sample.c, sample.i, sample.h, ...sample.k].join("\n").toLowerCase());
    }
    return haystack.get(sample);
  };

  const fill = (select, names) => {
    const kept = select.value;
    select.replaceChildren(new Option("any", ""), ...names.map((name) => new Option(name, name)));
    select.value = names.includes(kept) ? kept : "";
  };
  const fillLabels = () => {
    const names = about.heads[get("f-head").value];
    fill(get("f-gold"), names);
    fill(get("f-answer"), names);
  };

  // Quotes of the suite that only splits have no labels; their tags say what is wrong with them.
  const isWrong = (sample, head) => (sample.g[head] === undefined && sample.p[head] === undefined
    ? !sample.k.includes("right") : sample.g[head] !== sample.p[head]);

  const chosen = () => {
    const [search, suite, head, gold, answer, order, wrong] = fields;
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const name = head.value;
    const found = data.filter((sample) =>
      (!suite.value || sample.s === suite.value) &&
      (!gold.value || sample.g[name] === gold.value) &&
      (!answer.value || sample.p[name] === answer.value) &&
      (!wrong.checked || isWrong(sample, name)) &&
      words.every((word) => text(sample).includes(word)));
    const sure = (sample) => (sample.q[name] === undefined ? -1 : sample.q[name]);
    if (order.value === "sure") found.sort((a, b) => sure(b) - sure(a));
    if (order.value === "unsure") found.sort((a, b) => sure(a) - sure(b));
    return found;
  };

  const line = (sample, head) => {
    const row = make("div");
    row.append(make("dt", "", head));
    const cell = make("dd");
    const gold = sample.g[head];
    const answer = sample.p[head];
    if (answer === undefined) cell.append(label(head, gold), make("span", "verdict", " · quote not found"));
    else if (gold === undefined) cell.append(label(head, answer), make("span", "verdict", " · not in the gold"));
    else if (gold === answer) cell.append(label(head, answer), make("span", "verdict", " · right"));
    else {
      // Struck out is for the eye; the words are for the ear.
      cell.append(make("span", "ear", "answered "), label(head, answer, " was"), make("span", "ear", ", right is"),
        document.createTextNode(" "), label(head, gold), make("span", "verdict", " · wrong"));
    }
    if (sample.q[head] !== undefined && answer !== undefined) {
      cell.append(make("span", "verdict", " · " + Math.round(100 * sample.q[head]) + "% sure"));
    }
    row.append(cell);
    return row;
  };

  const plain = (sample, fact) => {
    const row = make("div");
    row.append(make("dt", "", fact));
    const gold = sample.g[fact];
    const found = sample.p[fact];
    const words = found === undefined ? gold + " · quote not found"
      : gold === undefined ? (found || "none") + " · not in the gold"
      : gold === found ? found || "none" : (found || "none") + ", right is " + (gold || "none");
    row.append(make("dd", "", words));
    return row;
  };

  const item = (sample) => {
    const node = make("li");
    const left = make("div");
    left.append(sample.t === null
      ? make("p", "muted", "Text withheld: it is not ours to publish. SHA-256 " + sample.h.slice(0, 16) + "…")
      : make("blockquote", "", sample.t));
    const where = [about.suites[sample.s] || sample.s, sample.i, ...sample.k];
    left.append(make("p", "where", where.join(" · ")));
    if (sample.c) {
      const details = make("details");
      details.append(make("summary", "", "context"), make("p", "muted", sample.c));
      left.append(details);
    }
    const right = make("dl", "labels");
    const has = (head) => sample.g[head] !== undefined || sample.p[head] !== undefined;
    for (const head of Object.keys(about.heads)) if (has(head)) right.append(line(sample, head));
    if (!has("stance")) for (const fact of ["kind", "speaker"]) if (has(fact)) right.append(plain(sample, fact));
    node.append(left, right);
    return node;
  };

  const draw = () => {
    const found = chosen();
    list.replaceChildren(...found.slice(0, shown).map(item));
    const head = get("f-head").value;
    const wrong = found.filter((sample) => isWrong(sample, head)).length;
    const number = (n) => n.toLocaleString("en");
    count.textContent = found.length === 0 ? "No quote matches." :
      number(found.length) + (found.length === 1 ? " quote" : " quotes") +
      (wrong === found.length ? ", all wrong in " : ", " + number(wrong) + " wrong in ") + head + ".";
    more.hidden = found.length <= shown;
    list.hidden = found.length === 0;
  };

  for (const key of Object.keys(about.suites)) get("f-suite").append(new Option(about.suites[key], key));
  fillLabels();
  get("f-head").addEventListener("input", fillLabels); // before the redraw below
  for (const field of fields) field.addEventListener("input", () => { shown = PAGE; draw(); });
  more.addEventListener("click", () => { shown += PAGE; draw(); });
  // Paper cannot be clicked: printing shows what is filtered, not every row.
  get("explorer").hidden = false;
  draw();
})();
