"use strict";
(function () {
  // What upstream wrote reaches the page as text only: textContent, never innerHTML.
  const byId = (id) => document.getElementById(id);
  const DAY = 86400;
  const MOST = 100;

  function plural(count, unit) { return count + " " + unit + (count === 1 ? "" : "s"); }

  function age(seconds) {
    if (seconds < 90) { return "just now"; }
    if (seconds < 5400) { return plural(Math.round(seconds / 60), "minute") + " ago"; }
    if (seconds < 2 * DAY) { return plural(Math.round(seconds / 3600), "hour") + " ago"; }
    return plural(Math.round(seconds / DAY), "day") + " ago";
  }

  let checked = null;

  function freshness() {
    const state = byId("freshness");
    const since = (moment) => (Date.now() - Date.parse(moment)) / 1000;
    const published = since(state.dataset.published);
    // A sync without news publishes nothing, but what is published is fresh nevertheless.
    const seconds = checked ? Math.min(published, since(checked)) : published;
    // The usual schedule is weekly: a sync that was missed shows after eight days.
    const grade = seconds < 8 * DAY ? "good" : seconds < 15 * DAY ? "warn" : "bad";
    const words = { good: "Fresh", warn: "A sync was missed", bad: "Stale" };
    state.className = "state " + grade;
    const news = seconds < published - 3600 ? "checked " + age(seconds) + ", " : "";
    state.textContent = words[grade] + ": " + news + "published " + age(published) + " ·";
  }

  function askWhenChecked() {
    fetch("status/checked.json").then((answer) => answer.json()).then((told) => {
      if (!Number.isNaN(Date.parse(told.checked_at))) { checked = told.checked_at; freshness(); }
    }).catch(() => {});
  }

  function address() {
    const lines = byId("lines");
    if (lines.dataset.address === "unknown" && location.protocol.startsWith("http")) {
      const here = new URL(".", location.href).href.replace(/\/$/, "");
      lines.textContent = lines.textContent.replaceAll("https://YOUR-MIRROR", here);
      byId("address-note").hidden = true;
    }
    if (navigator.clipboard) {
      const copy = byId("copy");
      copy.hidden = false;
      copy.addEventListener("click", async () => {
        await navigator.clipboard.writeText(lines.textContent);
        copy.textContent = "Copied";
        setTimeout(() => { copy.textContent = "Copy"; }, 2000);
      });
    }
  }

  function words() { return byId("query").value.toLowerCase().split(/\s+/).filter(Boolean); }

  function tell(shown, total) {
    byId("found").textContent = shown === total
      ? plural(total, "formula").replace("formulas", "formulae")
      : shown + " of " + total + " formulae";
  }

  function filterList(list) {
    const items = Array.from(list.children, (item) => [item, item.textContent.toLowerCase()]);
    return () => {
      const wanted = words();
      let shown = 0;
      for (const [item, text] of items) {
        const matches = wanted.every((word) => text.includes(word));
        item.hidden = !matches;
        shown += matches;
      }
      tell(shown, items.length);
    };
  }

  function item(name, version, platforms, about) {
    const made = document.createElement("li");
    const add = (tag, kind, text) => {
      const part = document.createElement(tag);
      part.className = kind;
      part.textContent = text;
      made.append(part);
      return part;
    };
    add("code", "name", name);
    add("code", "version", version);
    const small = document.createElement("small");
    small.textContent = platforms.join(", ");
    add("span", "about", about).append(small);
    return made;
  }

  // The file of a large mirror is fetched once, when somebody begins to search.
  const load = (() => {
    let loading = null;
    return (source) => {
      loading = loading || fetch(source).then((answer) => {
        if (!answer.ok) { throw new Error("HTTP " + answer.status); }
        return answer.json();
      }).catch((error) => { loading = null; throw error; });
      return loading;
    };
  })();

  async function loaded(list, told) {
    try { return await load(list.dataset.source); } catch (error) {
      told.textContent = "The list cannot be loaded (" + error.message + "); try again.";
      return null;
    }
  }

  // Rows that have all the words, a name that is or begins with the first of them before others.
  function matching(rows, text) {
    const wanted = words();
    const rank = (name) => (name === wanted[0] ? 0 : name.startsWith(wanted[0]) ? 1 : 2);
    return rows
      .filter((row) => wanted.every((word) => text(row).toLowerCase().includes(word)))
      .sort((one, other) => rank(one[0].toLowerCase()) - rank(other[0].toLowerCase()));
  }

  function searchFile(list) {
    return async () => {
      const file = await loaded(list, byId("found"));
      if (!file) { return; }
      const names = (row) => row[2].map((at) => file.platforms[at]);
      const total = file.formulae.length;
      const found = words().length
        ? matching(file.formulae, (row) => [row[0], row[1], ...names(row), row[3]].join(" "))
        : [];
      list.replaceChildren(...found.slice(0, MOST).map((row) => item(row[0], row[1], names(row), row[3])));
      if (!words().length) { byId("found").textContent = total + " formulae; type to search"; return; }
      tell(found.length, total);
      if (found.length > MOST) { byId("found").textContent += "; the first " + MOST + " are shown"; }
    };
  }

  function tellCasks(shown, total) {
    byId("casks-found").textContent = shown + " of " + plural(total, "cask")
      + (shown > MOST ? "; the first " + MOST + " are shown" : "");
  }

  function filterCasks(list) {
    return () => {
      let shown = 0;
      for (const each of list.children) {
        const text = each.textContent.toLowerCase();
        each.hidden = !words().every((word) => text.includes(word));
        shown += !each.hidden;
      }
      tellCasks(shown, list.children.length);
    };
  }

  function searchCasks(list) {
    const first = Array.from(list.children);
    const more = Array.from(byId("casks-found").childNodes);
    return async () => {
      const file = words().length ? await loaded(list, byId("casks-found")) : null;
      if (!words().length) {
        list.replaceChildren(...first);
        byId("casks-found").replaceChildren(...more);
      } else if (file) {
        const found = matching(file.casks, (row) => row.join(" "));
        list.replaceChildren(...found.slice(0, MOST).map((row) => item(row[0], row[1], [], row[2])));
        tellCasks(found.length, file.casks.length);
      }
    };
  }

  function search() {
    const lists = [[byId("formulae"), searchFile, filterList], [byId("casks"), searchCasks, filterCasks]]
      .filter(([list]) => list);
    const runs = lists.map(([list, ofFile, ofPage]) => (list.dataset.source ? ofFile : ofPage)(list));
    const run = () => { runs.forEach((each) => each()); };
    const query = byId("query");
    for (const [list] of lists.filter(([each]) => each.dataset.source)) {
      query.addEventListener("focus", () => { load(list.dataset.source).catch(() => {}); });
    }
    byId("search").hidden = false;
    query.addEventListener("input", run);
    const asked = new URLSearchParams(location.search).get("q");
    if (asked) { query.value = asked; run(); }
  }

  freshness();
  askWhenChecked();
  setInterval(freshness, 60000);
  address();
  search();
}());
