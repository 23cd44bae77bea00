// A mail server on loopback for one test. argv: 'none', 'starttls' or 'implicit'; 'auth' or 'open'; the folder of cert.pem and key.pem.
// Prints its port, then a JSON object for each mail that it takes. Ends with its standard input.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import PostalMime from "postal-mime";
import { SMTPServer } from "smtp-server";

const [tls, auth, folder] = process.argv.slice(2);
const print = (value) => process.stdout.write(JSON.stringify(value) + "\n");

const server = new SMTPServer({
  secure: tls === "implicit",
  ...(tls === "none" ? {} : { cert: readFileSync(join(folder, "cert.pem")), key: readFileSync(join(folder, "key.pem")) }),
  disabledCommands: tls === "starttls" ? [] : ["STARTTLS"],
  authOptional: auth !== "auth",
  allowInsecureAuth: tls === "none",
  authMethods: process.env.AUTH_METHODS?.split(",") ?? ["PLAIN", "LOGIN"],
  onAuth: (login, session, done) =>
    login.username === "mailer" && login.password === "the mailer's password"
      ? done(null, { user: "mailer" })
      : done(new Error(`no such login: ${login.username}`)),
  onRcptTo: (address, session, done) =>
    address.address.startsWith("nobody@")
      ? done(Object.assign(new Error(`${address.address} is unknown here`), { responseCode: 550 }))
      : done(),
  onData: (stream, session, done) => {
    const chunks = [];
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("end", async () => {
      const raw = Buffer.concat(chunks);
      const mail = await PostalMime.parse(raw);
      print({
        envelope: { from: session.envelope.mailFrom.address, to: session.envelope.rcptTo.map((r) => r.address) },
        user: session.user || null,
        secure: session.secure,
        from: mail.from,
        to: mail.to,
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        headers: mail.headers.map((h) => h.key),
        longestLine: Math.max(...raw.toString("latin1").split("\r\n").map((l) => l.length)),
      });
      done();
    });
  },
});
server.on("error", () => {});
server.listen(0, "127.0.0.1", () => print({ port: server.server.address().port }));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
