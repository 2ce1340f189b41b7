/** Signing in to a mailbox: each way comes to the grant that its provider documents, and a person's code is waited for. */
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Refused } from "../../../src/model/outcome.ts";
import { deviceOf, grantOf, mailboxOauth } from "../../../src/sources/imap/oauth.ts";
import { openSignIn, type SignInOptions, signInByDevice } from "../../../src/sources/imap/sign-in.ts";
import { type ManualClock, manualClock, noMetrics, recordingLog } from "../../destinations/fixtures.ts";
import { createIssuer, type Issuer, type IssuerOptions } from "../../support/issuer.ts";
import { serveIssuer } from "../../support/issuer-server.ts";
import { memoryTokens } from "../../support/tokens.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const pem = (key: typeof privateKey | typeof publicKey, type: "pkcs8" | "spki") =>
  key.export({ type: type as "spki", format: "pem" }).toString();
const keyFile = (more: object = {}) =>
  JSON.stringify({
    type: "service_account",
    client_email: "robot@acme.example",
    private_key: pem(privateKey, "pkcs8"),
    private_key_id: "k1",
    ...more,
  });

describe("the grant of a mailbox", () => {
  it("is Microsoft's client credentials for an application", () => {
    const oauth = mailboxOauth.parse({
      type: "microsoft_app",
      directory: "acme.onmicrosoft.com",
      client_id: "id",
      client_secret: "s",
    });
    expect(grantOf(oauth, "sales@acme.example")).toEqual({
      kind: "client_credentials",
      tokenUrl: "https://login.microsoftonline.com/acme.onmicrosoft.com/oauth2/v2.0/token",
      clientId: "id",
      clientSecret: "s",
      scope: "https://outlook.office365.com/.default",
    });
    expect(deviceOf(oauth)).toBeUndefined();
  });

  it("is what was signed in for, for a person at Microsoft", () => {
    const oauth = mailboxOauth.parse({ type: "microsoft_person", directory: "acme.example", client_id: "id" });
    expect(grantOf(oauth, "ada@acme.example")).toMatchObject({ kind: "refresh_token", clientId: "id" });
    expect(deviceOf(oauth)).toEqual({
      deviceUrl: "https://login.microsoftonline.com/acme.example/oauth2/v2.0/devicecode",
      clientId: "id",
      scope: "https://outlook.office.com/IMAP.AccessAsUser.All offline_access",
    });
  });

  it("is an assertion of Google's service account, for the user of the mailbox", () => {
    const grant = grantOf(mailboxOauth.parse({ type: "google_service_account", key: keyFile() }), "ada@acme.example");
    if (grant.kind !== "jwt_bearer") throw new Error(grant.kind);
    const [head = "", body = ""] = grant.assertion(1_800_000_000_000).split(".");
    const read = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString("utf8")) as unknown;
    expect(read(head)).toEqual({ alg: "RS256", typ: "JWT", kid: "k1" });
    expect(read(body)).toEqual({
      iss: "robot@acme.example",
      sub: "ada@acme.example",
      aud: "https://oauth2.googleapis.com/token",
      scope: "https://www.googleapis.com/auth/gmail.imap_admin",
      iat: 1_800_000_000,
      exp: 1_800_003_600,
    });
  });

  it.each([
    { type: "google_service_account", key: "not json" },
    { type: "google_service_account", key: "{}" },
    { type: "microsoft_app", directory: "../evil", client_id: "id", client_secret: "s" },
    { type: "client_credentials", endpoint: "file:///etc/passwd", client_id: "id", client_secret: "s" },
  ])("is not made of %j", (given) => {
    const { error } = mailboxOauth.safeParse(given);
    expect(error).toBeDefined();
    expect(String(error)).not.toContain("PRIVATE");
  });
});

describe("signing in", () => {
  let clock: ManualClock;
  let issuer: Issuer;
  let url: string;
  let close: () => Promise<void>;
  const start = async (options: Partial<IssuerOptions> = {}) => {
    clock = manualClock();
    issuer = createIssuer(clock, { clientSecret: undefined, rotate: true, ...options });
    ({ url, close } = await serveIssuer(issuer));
  };
  beforeEach(() => start());
  afterEach(() => close());

  const options = (oauth: object, tokens = memoryTokens()): SignInOptions => ({
    account: "imap/acme/ada",
    user: "ada@example.test",
    oauth: mailboxOauth.parse(oauth),
    tokens,
    clock,
    metrics: noMetrics,
    log: recordingLog().log,
  });
  const person = () => ({
    type: "microsoft_person",
    directory: "acme.example",
    client_id: "client",
    endpoint: `${url}/token`,
    device_endpoint: `${url}/device`,
  });
  /** Time passes while real sockets answer. */
  async function through<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const ended = work.finally(() => {
      done = true;
    });
    ended.catch(() => undefined);
    for (let n = 0; n < 400 && !done; n++) {
      await clock.advance(500);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return await ended;
  }

  it("by a code waits for the person, goes slower when told so, and is there for the reader of the mailbox", async () => {
    const given = options(person());
    const shown: string[] = [];
    await through(
      signInByDevice({
        ...given,
        async show({ userCode, page, intervalMs }) {
          shown.push(`${page} ${userCode} ${intervalMs}`);
          void clock.sleep(20_000).then(() => issuer.answerDevice(userCode, "approve"));
        },
      }),
    );
    expect(shown).toEqual([expect.stringMatching(/^https:\/\/issuer.example\/device CODE-\d+ 5000$/)]);
    const asked = issuer.counts.token;
    expect(asked).toBeGreaterThan(2);
    const signIn = openSignIn(given);
    expect(issuer.isActive((await signIn.token()).accessToken)).toBe(true);
    expect(issuer.counts.token).toBe(asked);
    await clock.advance(3_600_000);
    expect(issuer.isActive((await signIn.token()).accessToken)).toBe(true);
    expect(issuer.counts.reused).toBe(0);
    await signIn.close();
  });

  it("by a code that the person declines keeps nothing", async () => {
    const tokens = memoryTokens();
    const work = signInByDevice({
      ...options(person(), tokens),
      show: async ({ userCode }) => issuer.answerDevice(userCode, "deny"),
    });
    await expect(through(work)).rejects.toThrow(/nobody signed in for imap\/acme\/ada: access_denied/);
    expect(tokens.rows.get("imap/acme/ada")?.obtained).toBeUndefined();
  });

  it("by a code that nobody enters ends", async () => {
    const work = signInByDevice({ ...options(person()), show: async () => void clock.advance(900_000) });
    await expect(through(work)).rejects.toThrow(/expired_token|not entered in time/);
  });

  it("as a service account opens the mailbox with nobody there, where the assertion is for the endpoint that it names", async () => {
    await close();
    const assertions = { key: pem(publicKey, "spki"), aud: "https://elsewhere.example/token" };
    await start({ assertions });
    const oauth = { type: "google_service_account", key: keyFile({ token_uri: `${url}/token` }) };
    const refused = openSignIn(options(oauth));
    await expect(refused.token()).rejects.toThrow(/invalid audience/);
    await refused.close();
    assertions.aud = `${url}/token`;
    const signIn = openSignIn(options(oauth));
    expect(issuer.isActive((await signIn.token()).accessToken)).toBe(true);
    await signIn.close();
  });

  it("is refused with words for who runs it when the sign-in is taken back", async () => {
    const signIn = openSignIn(
      options({
        type: "refresh_token",
        endpoint: `${url}/token`,
        client_id: "client",
        refresh_token: issuer.signIn(),
      }),
    );
    const token = await signIn.token();
    issuer.revokeAll();
    signIn.reject(token.accessToken);
    const error = await signIn.token().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Refused);
    expect(String(error)).toMatch(/blocked: .*invalid_grant.*sign in again/);
    await signIn.close();
  });
});

describe("a device endpoint", () => {
  it.each([
    ["a page", "text/html", "<html>"],
    [
      "an address that is none of the web's",
      "application/json",
      JSON.stringify({ device_code: "d", user_code: "u", verification_uri: "javascript:alert(1)", expires_in: 9 }),
    ],
    [
      "a code with line ends",
      "application/json",
      JSON.stringify({
        device_code: "d",
        user_code: "a\n\u001b[2J",
        verification_uri: "https://x.example",
        expires_in: 9,
      }),
    ],
  ])("that answers %s shows nothing", async (_name, type, body) => {
    const server = createServer((_request, response) => response.writeHead(200, { "content-type": type }).end(body));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const shown: unknown[] = [];
    const work = signInByDevice({
      account: "imap/acme/ada",
      user: "ada",
      oauth: mailboxOauth.parse({
        type: "microsoft_person",
        directory: "x",
        client_id: "c",
        endpoint: `${url}/token`,
        device_endpoint: `${url}/device`,
      }),
      tokens: memoryTokens(),
      clock: manualClock(),
      metrics: noMetrics,
      log: recordingLog().log,
      show: async (code) => void shown.push(code),
    });
    await expect(work).rejects.toBeInstanceOf(Refused);
    expect(shown).toEqual([]);
    await new Promise((resolve) => server.close(resolve));
  });
});
