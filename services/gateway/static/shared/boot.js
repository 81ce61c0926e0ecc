/* If a file of the page does not arrive, as on a phone that changes networks, the page reloads itself once. */
const RELOADED = "lookalike.reloaded";
addEventListener(
  "error",
  (event) => {
    if (!(event.target instanceof HTMLScriptElement) || sessionStorage.getItem(RELOADED)) return;
    sessionStorage.setItem(RELOADED, "1");
    setTimeout(() => location.reload(), 500);
  },
  true,
);
addEventListener("load", () =>
  setTimeout(() => document.querySelector("main") && sessionStorage.removeItem(RELOADED), 0),
);
