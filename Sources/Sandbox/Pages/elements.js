// Building the page from data. Text goes in as text; there is no way from a string to markup here.

export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

export function button(text, action, kind = "primary") {
  return element("button", { type: "button", class: kind, onclick: action }, text);
}

/// A secret that shows its first letters, and the rest on demand.
export function secret(name, text) {
  const masked = text.slice(0, 6) + "•".repeat(12);
  const value = element("code", { class: "secret" }, masked);
  const toggle = button("Show", () => {
    const shown = toggle.getAttribute("aria-pressed") !== "true";
    toggle.setAttribute("aria-pressed", String(shown));
    toggle.firstChild.data = shown ? "Hide" : "Show";
    value.textContent = shown ? text : masked;
  }, "quiet");
  toggle.setAttribute("aria-pressed", "false");
  toggle.append(element("span", { class: "visually-hidden" }, ` the ${name}`));
  return element("span", { class: "secret-row" }, value, toggle);
}

/// A list of names and values; a pair without a value is left out.
export function facts(pairs) {
  const rows = pairs.filter(([, value]) => value !== null && value !== undefined);
  return element("dl", { class: "facts" }, rows.map(([name, value]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}
