// The container's health check: healthy is a primary that the administrator of .env can sign in to.
// It makes the replica set and that first user itself: MongoDB lets whoever asks from inside do so, once.
// The same as deploy/local/servers/mongo.py; cut short anywhere, the next check goes on.
const admin = db.getSiblingDB("admin");
const password = process.env.MONGO_PASSWORD_ROOT;
const hello = db.hello();

if (!hello.setName) {
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: "mongo:27017" }] });
  quit(1);
}
if (!hello.isWritablePrimary) {
  quit(1);
}
try {
  admin.auth("root", password);
} catch (unknown) {
  try {
    admin.createUser({ user: "root", pwd: password, roles: [{ role: "root", db: "admin" }] });
  } catch (refused) {
    print("the data belongs to other secrets than those of .env");
    quit(1);
  }
}
