/* A page whose files did not all arrive, as on a phone that changes networks, is loaded once more by itself. */
addEventListener(
  "error",
  (event) => {
    const key = "lookalike.reloaded";
    if (!(event.target instanceof HTMLScriptElement) || sessionStorage.getItem(key)) return;
    sessionStorage.setItem(key, "1");
    setTimeout(() => location.reload(), 500);
  },
  true,
);
addEventListener("load", () =>
  setTimeout(() => document.querySelector("main") && sessionStorage.removeItem("lookalike.reloaded"), 0),
);
