// openid-client and oauth4webapi as applications use them, with a person's cookie in place of a browser. Prints one JSON object of what they saw.
import * as oidc from "openid-client";
import * as oauth from "oauth4webapi";

const { issuer, cookie, confidential, publicClient, machine } = JSON.parse(process.argv[2]);
const redirectUri = "https://app.example.com/callback";
const scope = "openid email profile account:read";
const seen = {};

const decode = (text) =>
  text.replace(/&#x([0-9A-Fa-f]+);/g, (_, hex) => String.fromCodePoint(parseInt(hex, 16))).replace(/&quot;/g, '"').replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

// What a browser does: the request, the question for consent, the redirect.
async function visit(url, answer = "allow") {
  const page = await fetch(url, { headers: { cookie }, redirect: "manual" });
  if (page.status === 303) return new URL(page.headers.get("location"), issuer);
  const html = await page.text();
  const form = new URLSearchParams({ answer });
  for (const [, name, value] of html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)) form.append(name, decode(value));
  const answered = await fetch(new URL("/oauth/consent", issuer), { method: "POST", body: form, headers: { cookie }, redirect: "manual" });
  return new URL(answered.headers.get("location"), issuer);
}

const failure = async (action) => {
  try {
    await action();
    return "no error";
  } catch (error) {
    return error.error ?? error.cause?.error ?? error.code ?? error.message;
  }
};

const insecure = { execute: [oidc.allowInsecureRequests] };
const config = await oidc.discovery(new URL(issuer), confidential.id, undefined, oidc.ClientSecretBasic(confidential.secret), insecure);

async function begin(extra = {}) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const checks = { pkceCodeVerifier, expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce(), idTokenExpected: true };
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...extra,
  });
  return { url, checks };
}

{
  const { url, checks } = await begin({ max_age: "3600" });
  const callback = await visit(url);
  const tokens = await oidc.authorizationCodeGrant(config, callback, { ...checks, maxAge: 3600 });
  const claims = tokens.claims();
  seen.subject = claims.sub;
  seen.userinfo = (await oidc.fetchUserInfo(config, tokens.access_token, claims.sub)).email;
  seen.introspected = (await oidc.tokenIntrospection(config, tokens.access_token)).active;
  const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
  seen.refreshed = refreshed.access_token !== tokens.access_token && refreshed.refresh_token !== tokens.refresh_token;
  seen.refreshReused = await failure(() => oidc.refreshTokenGrant(config, tokens.refresh_token));
  seen.familyEnded = await failure(() => oidc.refreshTokenGrant(config, refreshed.refresh_token));
}
{
  const { url, checks } = await begin();
  const callback = await visit(url);
  const tokens = await oidc.authorizationCodeGrant(config, callback, checks);
  seen.codeReused = await failure(() => oidc.authorizationCodeGrant(config, callback, checks));
  seen.reuseRevoked = !(await oidc.tokenIntrospection(config, tokens.access_token)).active;
}
{
  const { url, checks } = await begin();
  const callback = await visit(url);
  seen.wrongVerifier = await failure(() => oidc.authorizationCodeGrant(config, callback, { ...checks, pkceCodeVerifier: oidc.randomPKCECodeVerifier() }));
}
{
  const { url, checks } = await begin({ prompt: "consent" });
  const callback = await visit(url, "deny");
  seen.denied = await failure(() => oidc.authorizationCodeGrant(config, callback, checks));
}
{
  const { url, checks } = await begin({ prompt: "none" });
  const page = await fetch(url, { redirect: "manual" });
  seen.loginRequired = await failure(() => oidc.authorizationCodeGrant(config, new URL(page.headers.get("location")), checks));
}
{
  const { url, checks } = await begin();
  const tokens = await oidc.authorizationCodeGrant(config, await visit(url), checks);
  await oidc.tokenRevocation(config, tokens.refresh_token);
  seen.revoked = !(await oidc.tokenIntrospection(config, tokens.access_token)).active;
}
{
  const wrong = await oidc.discovery(new URL(issuer), confidential.id, undefined, oidc.ClientSecretBasic("vcs_wrong"), insecure);
  const { url, checks } = await begin();
  seen.wrongSecret = await failure(async () => oidc.authorizationCodeGrant(wrong, await visit(url), checks));
}
{
  const own = await oidc.discovery(new URL(issuer), machine.id, undefined, oidc.ClientSecretPost(machine.secret), insecure);
  const tokens = await oidc.clientCredentialsGrant(own, { scope: "models:read" });
  seen.machine = tokens.scope;
  seen.machineBeyond = await failure(() => oidc.clientCredentialsGrant(own, { scope: "users:write" }));
}

// The same with a public client, by hand, and with the checks of RFC 9207.
{
  const allow = { [oauth.allowInsecureRequests]: true };
  const url = new URL(issuer);
  const as = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { algorithm: "oauth2", ...allow }));
  const client = { client_id: publicClient.id };
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const request = new URL(as.authorization_endpoint);
  const loopback = "http://127.0.0.1:51234/callback";
  for (const [name, value] of Object.entries({
    client_id: client.client_id,
    redirect_uri: loopback,
    response_type: "code",
    scope,
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  }))
    request.searchParams.set(name, value);
  const callback = await visit(request);
  const other = new URL(callback);
  other.searchParams.set("iss", "https://evil.example");
  seen.mixUp = await failure(async () => oauth.validateAuthResponse(as, client, other, state));
  const parameters = oauth.validateAuthResponse(as, client, callback, state);
  const response = await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), parameters, loopback, verifier, allow);
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true });
  await oauth.validateApplicationLevelSignature(as, response, allow);
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  const info = await oauth.processUserInfoResponse(as, client, claims.sub, await oauth.userInfoRequest(as, client, tokens.access_token, allow));
  seen.publicClient = info.email;
  const next = await oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, oauth.None(), tokens.refresh_token, allow));
  const bearer = await oauth.protectedResourceRequest(next.access_token, "GET", new URL("/api/me", issuer), undefined, undefined, allow);
  seen.resource = bearer.status;
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, oauth.None(), next.refresh_token, allow));
  seen.afterRevocation = await oauth
    .protectedResourceRequest(next.access_token, "GET", new URL("/api/me", issuer), undefined, undefined, allow)
    .then((r) => r.status, (e) => e.cause?.[0]?.parameters?.error ?? e.message);
}

// RP-initiated logout comes last: it ends the person's login here too. oauth4webapi has no function for it.
{
  const { url, checks } = await begin();
  const tokens = await oidc.authorizationCodeGrant(config, await visit(url), checks);
  const endSession = (extra) => oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, state: "the end&=", ...extra });
  const leave = async (target, headers) => {
    const page = await fetch(target, { headers, redirect: "manual" });
    return { status: page.status, location: page.headers.get("location"), cleared: page.headers.get("set-cookie") };
  };
  const elsewhere = await leave(endSession({ post_logout_redirect_uri: "https://evil.example/bye" }), { cookie });
  seen.logoutElsewhere = [elsewhere.status, elsewhere.location, (await oidc.tokenIntrospection(config, tokens.access_token)).active];
  const left = await leave(endSession({ post_logout_redirect_uri: "https://app.example.com/bye" }), { cookie });
  seen.logout = [left.status, left.location, /expires=Thu, 01 Jan 1970/i.test(left.cleared ?? "")];
  seen.afterLogout = (await oidc.tokenIntrospection(config, tokens.access_token)).active;
  seen.refreshAfterLogout = await failure(() => oidc.refreshTokenGrant(config, tokens.refresh_token));
  const again = await begin({ prompt: "none" });
  const page = await fetch(again.url, { headers: { cookie }, redirect: "manual" });
  seen.loginAfterLogout = await failure(() => oidc.authorizationCodeGrant(config, new URL(page.headers.get("location")), again.checks));
}

console.log(JSON.stringify(seen));
