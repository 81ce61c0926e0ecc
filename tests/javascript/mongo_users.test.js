import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { runInNewContext } from "node:vm";

const SCRIPT = readFileSync(new URL("../../deploy/mongo/initiate.js", import.meta.url), "utf8");
const ENV = {
  MONGO_DATABASE: "shop",
  CATALOGUES: "outlet, shoes-and-more",
  ADMINISTRATOR: "administrator",
  ADMINISTRATOR_PASSWORD: "secret0",
  MONGO_USER: "lookalike",
  MONGO_PASSWORD: "secret1",
  MONGO_INDEX_USER: "lookalike-index",
  MONGO_INDEX_PASSWORD: "secret2",
};

/**
 * Run the script against a server of its own; return what it prints and the commands that it sends.
 * @param {{isPrimary?: boolean, users?: string[]}} server
 * @returns {{commands: Record<string, any>[], printed: string[]}}
 */
function run({ isPrimary = true, users = [] } = {}) {
  /** @type {Record<string, any>[]} */
  const commands = [];
  /** @type {string[]} */
  const printed = [];
  const admin = {
    /** @param {Record<string, any>} command */
    runCommand(command) {
      commands.push(command);
      return {
        ok: 1,
        isWritablePrimary: isPrimary,
        users: users.filter((name) => name === command.usersInfo),
        roles: [],
      };
    },
  };
  const db = { getSiblingDB: () => admin };
  runInNewContext(SCRIPT, { db, print: (/** @type {string} */ text) => printed.push(text), process: { env: ENV } });
  return { commands: JSON.parse(JSON.stringify(commands)), printed };
}

test("gateway and index have users with passwords and roles of their own, and none is root", () => {
  const { commands, printed } = run();
  const made = Object.fromEntries(commands.filter((one) => one.createUser).map((one) => [one.createUser, one]));
  assert.deepEqual(printed, ["replica set is up"]);
  assert.deepEqual(made.administrator.roles, ["root"]);
  assert.deepEqual(made["lookalike-index"], {
    createUser: "lookalike-index",
    pwd: "secret2",
    roles: ["lookalikeIndex"],
  });
  assert.deepEqual(made.lookalike, {
    createUser: "lookalike",
    pwd: "secret1",
    roles: [
      { role: "readWrite", db: "shop" },
      { role: "readWrite", db: "limits" },
    ],
  });
});

test("the index reads products and notes of every catalogue, and changes no product", () => {
  const role = run().commands.find((one) => one.createRole === "lookalikeIndex") ?? {};
  const may = Object.fromEntries(
    role.privileges.map((/** @type {any} */ one) => [`${one.resource.db}.${one.resource.collection}`, one.actions]),
  );
  const products = ["find", "changeStream", "insert", "remove"];
  const notes = ["find", "insert", "update"];
  assert.deepEqual(role.roles, []);
  assert.deepEqual(may, {
    "shop.products": products,
    "shop.notes": notes,
    "shop.products_outlet": products,
    "shop.notes_outlet": notes,
    "shop.products_shoes_and_more": products,
    "shop.notes_shoes_and_more": notes,
  });
});

test("a user that exists gets its password and its role again, that of an earlier version last", () => {
  const { commands } = run({ users: ["administrator", "lookalike"] });
  const changed = commands.filter((one) => one.updateUser).map((one) => one.updateUser);
  assert.deepEqual(changed, ["administrator", "lookalike"]);
  assert.equal(commands.at(-1)?.updateUser, "lookalike");
});

test("before the server is primary, no user is made", () => {
  const { commands, printed } = run({ isPrimary: false });
  assert.deepEqual(printed, ["not yet: no primary"]);
  assert.equal(commands.filter((one) => one.createUser || one.createRole).length, 0);
});
