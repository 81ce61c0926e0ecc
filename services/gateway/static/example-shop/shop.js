/** What a shop can do with the widget's events: count searches, log clicks, report errors. Here they are listed. */

const list = document.getElementById("events");
/** @type {Record<string, (detail: any) => string>} */
const lines = {
  "lookalike-search": ({ category, count, requestId }) =>
    `lookalike-search: ${count} in ${category} (request ${requestId})`,
  "lookalike-click": ({ id, position, score }) =>
    `lookalike-click: product ${id}, number ${position}${score === null ? "" : `, score ${score.toFixed(3)}`}`,
  "lookalike-error": ({ code }) => `lookalike-error: ${code}`,
};
for (const [type, line] of Object.entries(lines)) {
  document.addEventListener(type, (event) => {
    if (!(event instanceof CustomEvent)) return;
    const item = document.createElement("li");
    item.textContent = line(event.detail);
    list?.append(item);
  });
}

const config = JSON.parse(document.querySelector('meta[name="lookalike"]')?.getAttribute("content") ?? "{}");
if (config.key) document.querySelector("lookalike-search")?.setAttribute("key", config.key);
