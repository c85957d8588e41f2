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

  function searchFile(list) {
    let loading = null;
    const load = () => {
      loading = loading || fetch(list.dataset.source).then((answer) => {
        if (!answer.ok) { throw new Error("HTTP " + answer.status); }
        return answer.json();
      });
      return loading;
    };
    byId("query").addEventListener("focus", () => { load().catch(() => {}); });
    return async () => {
      let file;
      try { file = await load(); } catch (error) {
        loading = null;
        byId("found").textContent = "The list cannot be loaded (" + error.message + "); try again.";
        return;
      }
      const wanted = words();
      const found = !wanted.length ? [] : file.formulae.filter((each) => {
        const platforms = each[2].map((at) => file.platforms[at]);
        const text = [each[0], each[1], platforms.join(" "), each[3]].join(" ").toLowerCase();
        return wanted.every((word) => text.includes(word));
      });
      const exact = (each) => (each[0].toLowerCase() === wanted[0] ? 0 : each[0].toLowerCase().startsWith(wanted[0]) ? 1 : 2);
      found.sort((one, other) => exact(one) - exact(other));
      list.replaceChildren(...found.slice(0, MOST).map((each) =>
        item(each[0], each[1], each[2].map((at) => file.platforms[at]), each[3])));
      if (!wanted.length) { byId("found").textContent = file.formulae.length + " formulae; type to search"; return; }
      tell(found.length, file.formulae.length);
      if (found.length > MOST) { byId("found").textContent += "; the first " + MOST + " are shown"; }
    };
  }

  function filterCasks() {
    const list = byId("casks");
    for (const item of list ? list.children : []) {
      const text = item.textContent.toLowerCase();
      item.hidden = !words().every((word) => text.includes(word));
    }
  }

  function search() {
    const list = byId("formulae");
    const runFormulae = list.dataset.source ? searchFile(list) : filterList(list);
    const run = () => { runFormulae(); filterCasks(); };
    const query = byId("query");
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
