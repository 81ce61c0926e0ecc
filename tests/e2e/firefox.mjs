// A shopper's way through the search page in Firefox, which Puppeteer drives by WebDriver BiDi.
// node firefox.mjs PUPPETEER FIREFOX GATEWAY_URL PHOTO AXE AXE_OPTIONS; prints what it saw as JSON.
import { readFile } from "node:fs/promises";
import process from "node:process";

const [module, executablePath, url, photo, axe, axeOptions] = process.argv.slice(2);
const { default: puppeteer } = await import(module);
const timeout = 600_000; // only against a hang
const browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true, args: ["--no-remote"], timeout, protocolTimeout: timeout });
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(timeout);
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  const violations = [];
  const check = async (state) => {
    await page.evaluate(await readFile(axe, "utf8"));
    const report = await page.evaluate((options) => globalThis.axe.run(options), JSON.parse(axeOptions));
    violations.push(...report.violations.map(({ id, nodes }) => `${state}: ${id}: ${nodes.map(({ html }) => html)}`));
  };
  await page.setViewport({ width: 1280, height: 900 });
  await page.goto(url);
  const text = (selector) => page.$eval(selector, (element) => element.textContent);
  const count = (selector) => page.$$eval(selector, (elements) => elements.length);
  await page.waitForSelector(".sample");
  await check("start");
  const input = await page.$("input[type=file]");
  await input.uploadFile(photo);
  await page.waitForSelector(".card:not(.skeleton)");
  const results = { heading: await text("h1"), cards: await count(".card:not(.skeleton)") };
  await check("results");
  await page.click(".facet input[type=checkbox]");
  await page.waitForFunction(() => location.search.includes("filter="));
  await page.waitForFunction(() => document.querySelector(".results")?.getAttribute("aria-busy") === "false");
  const filtered = await count(".card:not(.skeleton)");
  await page.goBack();
  await page.waitForFunction(() => !location.search.includes("filter="));
  await page.click(".card .card-like");
  await page.waitForSelector(".product-title");
  const alike = page.url();
  await page.waitForSelector(".card:not(.skeleton)");
  await check("more like this");
  await page.goto(`${url}/example-shop`);
  await page.waitForSelector("lookalike-search");
  const widget = await page.waitForSelector("lookalike-search >>> input[type=file]");
  await widget.uploadFile(photo);
  await page.waitForSelector("lookalike-search >>> .card:not(.skeleton)");
  const inWidget = await count("lookalike-search >>> .card:not(.skeleton)");
  await check("widget");
  process.stdout.write(JSON.stringify({ ...results, filtered, alike, inWidget, violations, problems }));
} finally {
  await browser.close();
}
