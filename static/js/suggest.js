/* Proposals under a search box while somebody types. Without this file the box is a plain form. */
"use strict";

const PAUSE = 180;

function suggestFor(input) {
  const list = document.createElement("ul");
  list.id = `${input.id}-list`;
  list.className = "suggest";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.dataset.suggest);
  list.hidden = true;
  input.form.append(list);
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", list.id], ["aria-expanded", "false"], ["autocomplete", "off"]]) input.setAttribute(name, value);

  let timer = 0;
  let asked = "";
  let at = -1;

  const options = () => [...list.children];

  function show(open) {
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    if (!open) choose(-1);
  }

  function choose(next) {
    options().forEach((option, n) => option.setAttribute("aria-selected", String(n === next)));
    at = next;
    const chosen = options()[next];
    if (chosen) {
      input.setAttribute("aria-activedescendant", chosen.id);
      chosen.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  }

  async function ask() {
    const text = input.value.trim();
    if (text === asked) return show(options().length > 0 && text !== "");
    asked = text;
    if (!text) return show(false);
    try {
      const answer = await fetch(`/search/suggest?q=${encodeURIComponent(text)}`, { headers: { Accept: "text/html" } });
      if (!answer.ok || text !== input.value.trim()) return;
      list.innerHTML = await answer.text();
      options().forEach((option, n) => { option.id = `${list.id}-${n}`; });
      choose(-1);
      show(options().length > 0 && document.activeElement === input);
    } catch { show(false); }
  }

  input.addEventListener("input", (event) => {
    clearTimeout(timer);
    if (!event.isComposing) timer = setTimeout(ask, PAUSE);
  });
  input.addEventListener("compositionend", () => { clearTimeout(timer); timer = setTimeout(ask, PAUSE); });
  input.addEventListener("keydown", (event) => {
    const open = !list.hidden;
    if (event.isComposing) return;
    if (event.key === "Escape" && open) { show(false); event.preventDefault(); }
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const count = options().length;
      if (!count) return;
      show(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose((at + step + (at < 0 && step < 0 ? 1 : 0) + count) % count);
      event.preventDefault();
    } else if (event.key === "Enter" && open && at >= 0) {
      event.preventDefault();
      window.location.assign(options()[at].dataset.go);
    }
  });
  input.addEventListener("blur", () => setTimeout(() => show(false), 150));
  list.addEventListener("mousedown", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) { event.preventDefault(); window.location.assign(option.dataset.go); }
  });
}

for (const input of document.querySelectorAll("input[data-suggest]")) suggestFor(input);
