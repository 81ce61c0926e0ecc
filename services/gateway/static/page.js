const form = document.getElementById("search");
const status = document.getElementById("status");
const list = document.getElementById("results");

function card(result) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  if (result.url && /^https?:/.test(result.url)) link.href = result.url;
  if (result.image_url) {
    const image = document.createElement("img");
    image.src = result.image_url;
    image.alt = "";
    image.loading = "lazy";
    link.append(image);
  }
  link.append(result.title ?? result.id);
  const score = document.createElement("p");
  score.textContent = result.score.toFixed(3);
  item.append(link, score);
  return item;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  status.textContent = "Searching…";
  list.replaceChildren();
  try {
    const response = await fetch("/v1/search", { method: "POST", body: new FormData(form) });
    const answer = await response.json();
    if (!response.ok) {
      status.textContent = `${answer.title}: ${answer.detail}`;
      return;
    }
    const sure = answer.category.probability;
    status.textContent = `${answer.category.name} (${(sure * 100).toFixed(1)} %)`;
    list.replaceChildren(...answer.results.map(card));
  } catch {
    status.textContent = "The search could not be reached. Try again.";
  }
});
