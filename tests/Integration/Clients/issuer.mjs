// npm's oidc-provider as somebody else's issuer. POST /control chooses who logs in, how the next ID token is spoilt, and new keys.
import http from "node:http";
import { Buffer } from "node:buffer";
import Provider from "oidc-provider";
import { SignJWT, exportJWK, generateKeyPair, importJWK } from "jose";

const [clientId, clientSecret, redirectUri] = process.argv.slice(2);
let account = { sub: "nobody" };
let mode = "";
let handle;
let key;
let issuer;
let fetches = 0;

async function start(algorithm) {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  key = { ...(await exportJWK(pair.privateKey)), kid: `${algorithm}-${Date.now()}`, alg: algorithm, use: "sig" };
  const provider = new Provider(issuer, {
    jwks: { keys: [key] },
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [redirectUri],
        id_token_signed_response_alg: algorithm,
      },
    ],
    cookies: { keys: ["a test's key"] },
    claims: { openid: ["sub"], email: ["email", "email_verified", "groups"] },
    features: { devInteractions: { enabled: false } },
    enabledJWA: { idTokenSigningAlgValues: ["RS256", "ES256"] },
    findAccount: () => ({ accountId: account.sub, claims: () => account }),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({ clientId, accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope("openid email");
      grant.addOIDCClaims(["sub", "email", "email_verified", "groups"]);
      await grant.save();
      return grant;
    },
  });
  // Each login is somebody's anew.
  const callback = provider.callback();
  handle = async (request, response) => {
    if (request.url.startsWith("/interaction/")) return provider.interactionFinished(request, response, { login: { accountId: account.sub, remember: false } });
    if (request.url === "/jwks") fetches++;
    if (request.url === "/token" && mode) spoil(response);
    return callback(request, response);
  };
}

// Replaces the ID token of an answer by one that a client must not take.
function spoil(response) {
  const end = response.end.bind(response);
  response.end = (body) => {
    spoilt(JSON.parse(Buffer.from(body).toString())).then((answer) => {
      const bytes = Buffer.from(JSON.stringify(answer));
      response.setHeader("content-length", bytes.length);
      end(bytes);
    });
  };
}

async function spoilt(answer) {
  if (!answer.id_token) return answer;
  const claims = JSON.parse(Buffer.from(answer.id_token.split(".")[1], "base64url").toString());
  const header = { alg: key.alg, kid: key.kid, typ: "JWT" };
  let signer = await importJWK(key, key.alg);
  const now = Math.floor(Date.now() / 1000);
  switch (mode) {
    case "wrong-nonce":
      claims.nonce = "another";
      break;
    case "wrong-aud":
      claims.aud = "somebody-else";
      break;
    case "wrong-iss":
      claims.iss = "https://evil.example";
      break;
    case "expired":
      Object.assign(claims, { iat: now - 500, exp: now - 100 });
      break;
    case "no-subject":
      delete claims.sub;
      break;
    case "other-party":
      Object.assign(claims, { aud: [clientId, "somebody-else"], azp: "somebody-else" });
      break;
    case "other-key":
      signer = (await generateKeyPair(key.alg)).privateKey;
      break;
    case "unknown-kid":
      header.kid = "never-published";
      signer = (await generateKeyPair(key.alg)).privateKey;
      break;
    case "unsigned": {
      const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
      return { ...answer, id_token: `${part({ alg: "none", typ: "JWT" })}.${part(claims)}.` };
    }
  }
  return { ...answer, id_token: await new SignJWT(claims).setProtectedHeader(header).sign(signer) };
}

const server = http.createServer(async (request, response) => {
  if (request.url !== "/control") return handle(request, response);
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const wish = JSON.parse(Buffer.concat(chunks).toString());
  account = wish.account ?? account;
  mode = wish.mode ?? "";
  if (wish.rotate) await start(wish.rotate);
  const minted = wish.mint && (await new SignJWT({ iss: issuer, ...wish.mint }).setProtectedHeader({ alg: key.alg, kid: key.kid, typ: "at+jwt" }).sign(await importJWK(key, key.alg)));
  response.end(JSON.stringify({ fetches, minted }));
});
server.listen(0, "127.0.0.1", async () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  await start("RS256");
  console.log(issuer);
});
// The test that started this is over.
process.stdin.on("end", () => process.exit(0)).resume();
