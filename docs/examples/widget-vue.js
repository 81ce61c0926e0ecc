// The widget in Vue, with render functions. In a template: <lookalike-search @lookalike-search="…">, and in the build
// compilerOptions.isCustomElement = (tag) => tag.startsWith("lookalike-").
const { createApp, h, ref } = Vue;

createApp({
  setup() {
    const search = ref(null);
    const onSearch = (event) => {
      search.value = event.detail;
    };
    return () =>
      h("main", [
        h("lookalike-search", { currency: "EUR", onLookalikeSearch: onSearch }),
        search.value && h("p", { id: "summary" }, `${search.value.count} in ${search.value.category}`),
        search.value && h("lookalike-similar", { product: search.value.results[0].id, k: 4 }),
      ]);
  },
}).mount("#app");
