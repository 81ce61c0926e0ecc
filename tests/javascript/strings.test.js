import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import {
  failureMessage,
  LANGUAGES,
  languageOf,
  loadStrings,
  merged,
  phrase,
  similarHeading,
} from "../../services/gateway/static/shared/strings.js";

const STATIC = new URL("../../services/gateway/static/", import.meta.url);
/** Texts that the code looks up by a name that it computes. */
const BY_NAME = ["language", "categories", "attributes", "failures", "crop.edges", "crop.whole", "crop.upper"];
BY_NAME.push("crop.lower", "crop.middle", "query.animated", "query.large", "results.same", "results.close");

/** @param {any} value */
const isPlural = (value) => typeof value === "object" && "other" in value && Object.values(value).every(isText);
/** @param {unknown} value */
const isText = (value) => typeof value === "string";

/**
 * Return the texts by path; a plural is one text.
 * @param {object} tree @param {string} [prefix] @returns {Record<string, any>}
 */
const leaves = (tree, prefix = "") =>
  Object.assign(
    {},
    ...Object.entries(tree).map(([name, value]) =>
      isText(value) || isPlural(value) ? { [prefix + name]: value } : leaves(value, `${prefix}${name}.`),
    ),
  );

/** @param {any} text the union of the places of all forms */
const places = (text) => {
  const forms = isText(text) ? [text] : Object.values(text);
  return [...new Set(forms.flatMap((form) => form.match(/\{\w+\}/g) ?? []))].sort();
};

const english = leaves(await loadStrings("en"));

test("each file of a language is listed, and no other", () => {
  const files = readdirSync(new URL("shared/strings/", STATIC)).map((name) => name.replace(".js", ""));
  assert.deepEqual(files.sort(), [...LANGUAGES].sort());
});

for (const language of LANGUAGES) {
  test(`${language} has every text, with the same places and its own plurals`, async () => {
    const texts = leaves(await loadStrings(language));
    assert.deepEqual(Object.keys(texts).sort(), Object.keys(english).sort());
    const plurals = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    for (const [path, text] of Object.entries(texts)) {
      assert.equal(isText(text), isText(english[path]), path);
      assert.deepEqual(places(text), places(english[path]), path);
      if (!isText(text)) assert.deepEqual(Object.keys(text).sort(), [...plurals].sort(), path);
    }
  });

  test(`${language} is a translation`, async () => {
    const texts = leaves(await loadStrings(language));
    const same = Object.keys(english).filter((path) => JSON.stringify(texts[path]) === JSON.stringify(english[path]));
    assert.ok(language === "en" || same.length < 12, same.join(", "));
  });
}

test("each text is used", () => {
  const source = readdirSync(STATIC, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(".js") && !name.includes("strings/") && !name.startsWith("catalogue"))
    .map((name) => readFileSync(new URL(name, STATIC), "utf8"))
    .join("\n");
  const unused = Object.keys(english).filter((path) => {
    const names = path.split(".").filter((name) => !["title", "text"].includes(name));
    const isByName = names.some((_, count) => BY_NAME.includes(names.slice(0, count + 1).join(".")));
    return !isByName && !source.includes(names.length > 1 ? names.slice(-2).join(".") : `t.${names[0]}`);
  });
  assert.deepEqual(unused, []);
});

test("each failure has a message of its own that the code or the API names", () => {
  const source = readFileSync(new URL("shared/strings.js", STATIC), "utf8");
  const codes =
    readFileSync(new URL("shared/photo.js", STATIC), "utf8") + readFileSync(new URL("shared/api.js", STATIC), "utf8");
  const names = Object.keys(english).filter((path) => path.startsWith("failures.") && path.endsWith(".title"));
  for (const name of names.map((path) => path.split(".")[1])) {
    assert.ok(source.includes(`"${name}"`) || source.includes(`.${name}`) || codes.includes(`"${name}"`), name);
  }
});

test("a language tag chooses the language; numbers follow the whole tag", async () => {
  assert.equal(languageOf("de-AT"), "de");
  assert.equal(languageOf("EL"), "el");
  assert.equal(languageOf("tlh"), "en");
  assert.equal(languageOf(null), "en");
  const t = await loadStrings("de-CH");
  assert.equal(
    phrase(t, t.results.nearest, { count: 20, total: 13816 }).replace("'", "’"),
    "Die 20 ähnlichsten von 13’816",
  );
});

test("a count chooses the plural of the language", async () => {
  const t = await loadStrings("ar");
  const texts = [1, 2, 3, 11, 100].map((count) => phrase(t, t.results.count, { count }));
  assert.equal(new Set(texts).size, 5);
  assert.equal(texts[0], "منتج واحد");
});

test("a heading names the kind of product as a shopper does; an unknown one as the catalogue does", async () => {
  assert.equal(similarHeading(await loadStrings("en"), "Topwear"), "Similar tops");
  assert.equal(similarHeading(await loadStrings("fr"), "Shoes"), "Chaussures similaires");
  assert.equal(similarHeading(await loadStrings("en"), "Lamps"), "Similar Lamps");
});

test("a shop's own texts replace those of the page, and leave the others", async () => {
  const t = await loadStrings("en", { en: { start: { title: "Snap it" } }, de: { skip: "x" } });
  assert.equal(t.start.title, "Snap it");
  assert.equal(t.start.choose, "Choose a photo");
  assert.equal(merged({ a: "1" }, { a: "2" }).a, "2");
});

test("failures of the servers with any code have the same message", async () => {
  const t = await loadStrings("en");
  for (const [code, status] of /** @type {[string, number][]} */ ([
    ["embedding-unavailable", 503],
    ["http-502", 502],
  ])) {
    assert.equal(failureMessage(t, code, status).title, "Search is temporarily unavailable");
  }
  assert.equal(failureMessage(t, "http-418", 418), t.failures.other);
});
