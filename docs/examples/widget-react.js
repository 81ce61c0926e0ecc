// The widget in React. To React, its elements are elements like any other; a ref listens to their events.
const { createElement, useEffect, useRef, useState } = React;

function PhotoSearch({ currency, onSearch }) {
  const ref = useRef(null);
  useEffect(() => {
    const element = ref.current;
    const listen = (event) => onSearch(event.detail);
    element.addEventListener("lookalike-search", listen);
    return () => element.removeEventListener("lookalike-search", listen);
  }, [onSearch]);
  return createElement("lookalike-search", { ref, currency });
}

function Shop() {
  const [search, setSearch] = useState(null);
  return createElement(
    "main",
    null,
    createElement(PhotoSearch, { currency: "EUR", onSearch: setSearch }),
    search && createElement("p", { id: "summary" }, `${search.count} in ${search.category}`),
    search && createElement("lookalike-similar", { product: search.results[0].id, k: 4 }),
  );
}

ReactDOM.createRoot(document.getElementById("app")).render(createElement(Shop));
