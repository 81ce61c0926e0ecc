/** The usual calls with the types that openapi-typescript generates; TypeScript checks it, nothing runs it. */

import type { components, operations, paths } from "./generated/openapi.d.ts";

type Json<Body> = Body extends { content: { "application/json": infer Content } } ? Content : never;
type Search = Json<paths["/v1/search"]["post"]["responses"][200]>;
type Listed = Json<operations["listProducts"]["responses"][200]>;

export async function usualCalls(address: string, photo: Blob): Promise<string[]> {
  const form: { [Part in keyof components["schemas"]["SearchForm"]]?: Blob | string } = { image: photo, k: "5" };
  const body = new FormData();
  for (const [name, value] of Object.entries(form)) body.append(name, value);
  const response = await fetch(`${address}/v1/search`, { method: "POST", body });
  if (!response.ok) {
    const problem = (await response.json()) as components["schemas"]["Problem"];
    throw new Error(problem.errors?.[0]?.pointer ?? problem.detail);
  }
  const search = (await response.json()) as Search;
  const scores: number[] = search.results.map((result) => result.score);
  const page: { k: number; offset: number } | null = search.next_page;
  const byUrl: components["schemas"]["SearchBody"] = {
    image_url: "https://shop.example/a.jpg",
    filter: { gender: "Men", price: { lte: 50 } },
    box: [0, 0, 1, 1],
    k: page?.k ?? 10,
  };
  const product: components["schemas"]["ProductBody"] = { title: "T", attributes: { price: 29.9, sizes: ["S", "M"] } };
  const garments = (await (await fetch(`${address}/v1/detect`, { method: "POST", body: photo })).json()) as Json<
    paths["/v1/detect"]["post"]["responses"][200]
  >;
  const boxes: components["schemas"]["Box"][] = garments.garments.map((garment) => garment.box);
  const listed = (await (await fetch(`${address}/v1/products`)).json()) as Listed;
  const cursor: string | null = listed.next_cursor;
  return [JSON.stringify({ byUrl, product, boxes, scores }), cursor ?? "", ...listed.products.map(({ id }) => id)];
}
