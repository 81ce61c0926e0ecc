// Run by mongosh (initiate.sh), again at each start: a replica set of one, and the users of Lookalike.
// Prints "replica set is up" once this server is its primary and all users have their roles and passwords.
const NOT_YET_INITIALIZED = 94;
const admin = db.getSiblingDB("admin");
const { MONGO_DATABASE, CATALOGUES, ADMINISTRATOR, ADMINISTRATOR_PASSWORD } = process.env;
const { MONGO_USER, MONGO_PASSWORD, MONGO_INDEX_USER, MONGO_INDEX_PASSWORD } = process.env;

function isUp() {
  let state;
  try {
    state = admin.runCommand({ replSetGetStatus: 1 });
  } catch (error) {
    state = { ok: 0, code: error.code, errmsg: error.message };
  }
  if (!state.ok && state.code === NOT_YET_INITIALIZED) {
    state = admin.runCommand({
      replSetInitiate: { _id: "rs0", members: [{ _id: 0, host: "mongo:27017" }] },
    });
  }
  const hello = admin.runCommand({ hello: 1 });
  return hello.isWritablePrimary && state.ok ? "" : `not yet: ${state.errmsg || "no primary"}`;
}

function putUser(name, pwd, roles) {
  const exists = admin.runCommand({ usersInfo: name }).users.length > 0;
  admin.runCommand({ [exists ? "updateUser" : "createUser"]: name, pwd, roles });
}

function putRole(name, privileges) {
  const exists = admin.runCommand({ rolesInfo: name }).roles.length > 0;
  admin.runCommand({ [exists ? "updateRole" : "createRole"]: name, privileges, roles: [] });
}

// The index reads products and notes. Among the products it writes markers, which prove that it has read every change
// (docs/adr/0007-…), and in the notes the identity of a new catalogue and the model of an old one.
function indexPrivileges() {
  const names = (CATALOGUES || "").split(",").map((name) => name.trim()).filter((name) => name);
  return ["", ...names.map((name) => "_" + name.replaceAll("-", "_"))].flatMap((end) => [
    { resource: { db: MONGO_DATABASE, collection: "products" + end }, actions: ["find", "changeStream", "insert", "remove"] },
    { resource: { db: MONGO_DATABASE, collection: "notes" + end }, actions: ["find", "insert", "update"] },
  ]);
}

const problem = isUp();
if (!problem) {
  putUser(ADMINISTRATOR, ADMINISTRATOR_PASSWORD, ["root"]);
  putRole("lookalikeIndex", indexPrivileges());
  putUser(MONGO_INDEX_USER, MONGO_INDEX_PASSWORD, ["lookalikeIndex"]);
  // The last one: in a volume of an earlier version, this user was root. `limits` is for GATEWAY_LIMITS_URL.
  putUser(MONGO_USER, MONGO_PASSWORD, [MONGO_DATABASE, "limits"].map((name) => ({ role: "readWrite", db: name })));
}
print(problem || "replica set is up");
