// Run by mongosh (initiate.sh). Says "replica set is up" once this server is the primary of a replica set of one.
const NOT_YET_INITIALIZED = 94;
const admin = db.getSiblingDB("admin");
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
print(hello.isWritablePrimary && state.ok ? "replica set is up" : `not yet: ${state.errmsg || "no primary"}`);
