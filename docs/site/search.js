// The site's search: all pages and the API reference, from an index that tools/site writes (search-index.js: window.siteIndex).
(function () {
  const root = document.currentScript.src.replace(/[^/]*$/, "");
  const plain = text => text.toLowerCase().replace(/[-_:]+/g, " ");
  let loading = null;
  function load() {
    loading = loading || new Promise(done => {
      const script = document.createElement("script");
      script.src = root + "search-index.js";
      script.onload = () => done(window.siteIndex.map(([title, place, url, text, kind]) =>
        ({title, place, url, text, kind, name: plain(title), all: plain(title + " " + place + " " + text)})));
      document.head.appendChild(script);
    });
    return loading;
  }

  // How well an entry answers: below 0 where a word is missing, 0 where all are. Words match from their beginning.
  function score(entry, words, query) {
    let total = entry.kind === "page" ? 6 : 0, missing = 0;
    for (const word of words) {
      const stem = word.length > 4 ? word.replace(/(ing|ed|es|e|s)$/, "") : word;
      const at = new RegExp("(^|[^a-z0-9])" + stem.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
      if (at.test(entry.name)) total += 20;
      else if (at.test(entry.all)) total += 4 + Math.min(4, entry.all.split(stem).length - 1);
      else ++missing;
    }
    if (missing) return missing === words.length ? 0 : total - 1000 * missing;
    if (entry.name === query) total += 60;
    else if (entry.name.startsWith(query)) total += 25;
    else if (entry.all.includes(query)) total += 8;
    return total - Math.min(4, entry.name.length / 30);
  }

  const escaped = text => text.replace(/[&<>"]/g, c => ({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;"}[c]));
  function excerpt(text, words) {
    const lower = text.toLowerCase(), first = Math.min(...words.map(w => lower.indexOf(w)).filter(i => i >= 0), 1e9);
    const start = first > 1e8 ? 0 : Math.max(0, lower.lastIndexOf(" ", Math.max(0, first - 40)));
    let part = escaped((start ? "… " : "") + text.slice(start, start + 180) + (start + 180 < text.length ? " …" : ""));
    for (const word of words)
      if (word.length > 1) part = part.replace(new RegExp("(" + escaped(word).replace(/[.*+?^${}()|[\]\\]/g, "\\$&") + ")", "gi"), "\u0001$1\u0002");
    return part.replace(/\u0001/g, "<mark>").replace(/\u0002/g, "</mark>");
  }

  function start() {
    const input = document.querySelector("#site-search input"), found = document.getElementById("site-found");
    if (!input) return;
    let chosen = -1;
    const close = () => { found.style.display = "none"; };
    async function update() {
      const query = plain(input.value).trim(), words = query.split(/\s+/).filter(Boolean);
      if (!words.length) return close();
      const entries = await load();
      const best = entries.map(entry => [score(entry, words, query), entry]).filter(([s]) => s).sort((a, b) => b[0] - a[0])
        .filter(([s], i, all) => s > 0 || all[0][0] < 0).slice(0, 25);
      found.innerHTML = best.map(([, e]) => `<a href="${root}${escaped(e.url)}"><b>${escaped(e.title)}</b><small>${escaped(e.place)}</small>` +
        `<p>${excerpt(e.text, words)}</p></a>`).join("") || "<div class=\"none\">Nothing found: fewer or other words?</div>";
      found.style.display = "block";
      chosen = -1;
    }
    input.addEventListener("focus", () => { load(); if (input.value) update(); });
    input.addEventListener("input", update);
    input.addEventListener("keydown", event => {
      const links = found.querySelectorAll("a");
      if (event.key === "Escape") close();
      else if (event.key === "Enter" && links.length) location.href = links[Math.max(0, chosen)].href;
      else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        chosen = Math.max(0, Math.min(links.length - 1, chosen + (event.key === "ArrowDown" ? 1 : -1)));
        links.forEach((link, i) => link.classList.toggle("chosen", i === chosen));
        if (links[chosen]) links[chosen].scrollIntoView({block: "nearest"});
      }
    });
    document.addEventListener("click", event => { if (!event.target.closest("#site-search")) close(); });
    document.addEventListener("keydown", event => {
      if (event.key === "/" && !/INPUT|TEXTAREA/.test(document.activeElement.tagName)) { event.preventDefault(); input.focus(); }
    });
    const asked = new URLSearchParams(location.search).get("q");
    if (asked) { input.value = asked; input.focus(); update(); }
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
