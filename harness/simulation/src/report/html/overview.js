"use strict";

const byId = (id) => document.getElementById(id);

/** The rows of the overview that fit what is searched for; a file without any goes as well. */
function search() {
  const words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = byId("verdict").value;
  let found = 0, all = 0;
  for (const group of byId("overview").querySelectorAll("tbody")) {
    const file = group.firstElementChild.textContent.toLowerCase();
    let any = false;
    for (const row of group.querySelectorAll("tr[data-test]")) {
      const text = file + " " + row.dataset.name.toLowerCase() + " " + row.textContent.toLowerCase();
      const fits = words.every((word) => text.includes(word))
        && (!wanted || row.dataset.verdict === wanted || row.dataset.kind === wanted);
      row.hidden = !fits;
      any ||= fits;
      found += fits;
      all += 1;
    }
    group.hidden = !any;
  }
  byId("found").textContent = found === all ? `${all} tests` : `${found} of ${all} tests`;
}

byId("search").addEventListener("input", search);
byId("search").addEventListener("submit", (event) => event.preventDefault());
search();
