"use strict";
/* The table of cases: it opens, sorts and filters. Everything else of the page is there without it. */
(() => {
  const table = document.getElementById("cases");
  const controls = document.getElementById("controls");
  const bodies = [...table.tBodies];
  const place = new Map(bodies.map((body, index) => [body, index]));
  document.documentElement.classList.add("js");

  /* What a case opens to is text until it is opened first. It was escaped when the page was written. */
  const inert = (body) => body.querySelector("noscript");
  const fill = (body) => {
    const content = inert(body);
    if (content) {
      const holder = document.createElement("div");
      holder.innerHTML = content.textContent;
      content.replaceWith(...holder.childNodes);
    }
  };
  const open = (body, wanted) => {
    const row = body.rows[1];
    if (wanted) fill(body);
    row.hidden = !wanted;
    row.querySelector("details").open = wanted;
    body.querySelector("button").setAttribute("aria-expanded", String(wanted));
  };

  for (const body of bodies) {
    const name = body.querySelector(".case");
    const button = document.createElement("button");
    button.type = "button";
    button.append(...name.childNodes);
    name.append(button);
    body.rows[1].id = `${body.id}-open`;
    button.setAttribute("aria-controls", body.rows[1].id);
    open(body, false);
  }
  table.addEventListener("click", (event) => {
    const body = event.target.closest("tbody");
    const row = event.target.closest("tr");
    if (body && row === body.rows[0] && !String(getSelection())) open(body, row.nextElementSibling.hidden);
  });
  const openLinked = () => {
    const body = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (body && place.has(body)) {
      body.hidden = false;
      open(body, true);
      body.scrollIntoView();
    }
  };
  addEventListener("hashchange", openLinked);

  /* Sorting: what has no value is last, whichever way. */
  const columns = [...table.tHead.querySelectorAll("[data-sortable]")];
  const value = (body, column) => {
    const cell = body.rows[0].cells[column];
    if (column === 0) return cell.querySelector(".case").textContent;
    return cell.dataset.v === undefined ? null : Number(cell.dataset.v);
  };
  const collator = new Intl.Collator("en", { numeric: true });
  const compare = (a, b) => (typeof a === "string" ? collator.compare(a, b) : a - b);
  const sort = (column, sign) => {
    const keyed = bodies.map((body) => [value(body, column), body]);
    keyed.sort(([a, one], [b, other]) => {
      if (a === null || b === null) return (a === null) - (b === null) || place.get(one) - place.get(other);
      return sign * compare(a, b) || place.get(one) - place.get(other);
    });
    table.append(...keyed.map(([, body]) => body));
  };
  columns.forEach((head, column) => {
    const span = head.querySelector(".sort");
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", `Sort by: ${span.dataset.label}`);
    button.append(...span.childNodes);
    span.replaceWith(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      columns.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      sort(column, down ? -1 : 1);
    });
  });

  /* Filtering: by all text of a case, opened or not. */
  const read = new Map();
  const plain = document.createElement("textarea");
  const text = (body) => {
    if (!read.has(body)) {
      const content = inert(body);
      plain.innerHTML = content ? content.textContent.replace(/<[^>]*>/g, "") : "";
      read.set(body, `${body.textContent.replace(content ? content.textContent : "", "")}\n${plain.value}`.toLowerCase());
    }
    return read.get(body);
  };
  const field = (id) => document.getElementById(id);
  const wanted = (body, sought, kind, tag) => {
    const kinds = body.dataset.kinds.split(" ");
    const flips = kind === "flip" ? kinds.includes("worse") || kinds.includes("better") : !kind || kinds.includes(kind);
    return flips && (!tag || body.dataset.tags.split("\n").includes(tag)) && (!sought || text(body).includes(sought));
  };
  const filter = () => {
    const sought = field("filter-text").value.trim().toLowerCase();
    const kind = field("filter-kind").value;
    const tag = field("filter-tag") ? field("filter-tag").value : "";
    let shown = 0;
    for (const body of bodies) {
      body.hidden = !wanted(body, sought, kind, tag);
      shown += body.hidden ? 0 : 1;
    }
    field("shown").textContent = shown === bodies.length ? `${shown} cases` : `${shown} of ${bodies.length} cases`;
  };
  controls.addEventListener("input", filter);
  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.hidden = false;
  openLinked();
})();
