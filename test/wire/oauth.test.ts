/** An account's token: asked for once however many want it, renewed in time, never lost when it rotates, and refused in words without secrets. */
import { createSign, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Failure, Refused } from "../../src/model/outcome.ts";
import type { Grant, TokenStore } from "../../src/model/tokens.ts";
import { WireBroken } from "../../src/model/wire.ts";
import { wireTo } from "../../src/sandbox/wire.ts";
import { type KeepTokenOptions, keepToken } from "../../src/wire/oauth.ts";
import { type ManualClock, manualClock, recordingLog } from "../destinations/fixtures.ts";
import { createIssuer, type Issuer, type IssuerOptions, type Misfortune } from "../support/issuer.ts";
import { memoryTokens } from "../support/tokens.ts";

const tokenUrl = "https://issuer.example/token";
const minute = 60_000;

interface Rig {
  readonly issuer: Issuer;
  readonly clock: ManualClock;
  readonly tokens: ReturnType<typeof memoryTokens>;
  readonly lines: string[];
  keeper(more?: Partial<KeepTokenOptions>): ReturnType<typeof keepToken>;
}

function rig(options: Partial<IssuerOptions> = {}, grant?: (issuer: Issuer) => Grant): Rig {
  const clock = manualClock();
  const issuer = createIssuer(clock, options);
  const tokens = memoryTokens();
  const { log, lines } = recordingLog();
  const signedIn = issuer.signIn();
  const given: Grant = grant?.(issuer) ?? {
    kind: "refresh_token",
    tokenUrl,
    clientId: "client",
    clientSecret: "client-secret-value",
    refreshToken: signedIn,
  };
  const wire = wireTo({ sandbox: issuer, clock, headers: {} });
  return {
    issuer,
    clock,
    tokens,
    lines,
    keeper: (more = {}) => keepToken({ account: "acme/crm", grant: given, wire, tokens, clock, log, ...more }),
  };
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Refused)) throw new Error(`no refusal: ${String(error)}`);
  return error.failure;
}

const planned = async (misfortune: Misfortune): Promise<{ failure: Failure; said: string }> => {
  const { issuer, keeper, lines } = rig();
  issuer.plan(misfortune);
  const failure = await failureOf(keeper().token());
  return { failure, said: `${failure.reason} ${lines.join(" ")}` };
};

describe("a token", () => {
  it("is asked for once by a hundred at the same time, and not again while it lives", async () => {
    const { issuer, clock, keeper } = rig();
    const mine = keeper();
    const got = await Promise.all(Array.from({ length: 100 }, () => mine.token()));
    expect(new Set(got.map(({ accessToken }) => accessToken)).size).toBe(1);
    await clock.advance(30 * minute);
    await mine.token();
    expect(issuer.counts.token).toBe(1);
  });

  it("is renewed before its last minute and its last tenth, not before its half", async () => {
    for (const lifeSeconds of [10, 90, 120, 300, 3_600, 86_400]) {
      const { issuer, clock, keeper } = rig({ lifeSeconds });
      const mine = keeper();
      await mine.token();
      await clock.advance(lifeSeconds * 500 - 1);
      await mine.token();
      expect(issuer.counts.token, `${lifeSeconds} s: not before its half`).toBe(1);
      const margin = Math.min(Math.max(minute, lifeSeconds * 100), lifeSeconds * 500);
      await clock.advance(lifeSeconds * 500 - margin + 1);
      const { accessToken, expiresAt } = await mine.token();
      expect(issuer.counts.token, `${lifeSeconds} s: renewed`).toBe(2);
      expect(expiresAt - clock.now()).toBe(lifeSeconds * 1_000);
      expect(issuer.isActive(accessToken)).toBe(true);
    }
  });

  it("that began together with others is not renewed together with them", async () => {
    const renewed = new Set<number>();
    for (const account of ["acme/crm", "globex/crm", "initech/crm"]) {
      const { issuer, clock, keeper } = rig();
      const mine = keeper({ account });
      await mine.token();
      let minutes = 0;
      for (; issuer.counts.token < 2; minutes += 0.25) {
        await clock.advance(15_000);
        await mine.token();
      }
      renewed.add(minutes);
    }
    expect(renewed.size).toBeGreaterThan(1);
  });

  it("is shared with other processes and lives through a restart", async () => {
    const { issuer, keeper } = rig();
    const { accessToken } = await keeper().token();
    expect((await keeper().token()).accessToken).toBe(accessToken);
    expect(issuer.counts.token).toBe(1);
  });

  it("of another grant is not taken for this one's", async () => {
    const { issuer, tokens, clock, keeper } = rig();
    await keeper().token();
    const again = createIssuer(clock);
    again.signIn();
    const wire = wireTo({ sandbox: again, clock, headers: {} });
    const grant: Grant = {
      kind: "client_credentials",
      tokenUrl,
      clientId: "client",
      clientSecret: "client-secret-value",
    };
    const { accessToken } = await keeper({ grant, wire }).token();
    expect([again.isActive(accessToken), issuer.isActive(accessToken)]).toEqual([true, false]);
    expect((await tokens.load("acme/crm")).obtained?.token.refreshToken).toBeUndefined();
  });

  it.each(["text", "unsaid"] as const)("whose life is told as %s is renewed all the same", async (expiresIn) => {
    const { clock, keeper } = rig({ expiresIn });
    const { expiresAt } = await keeper({ lifeMs: 7_200_000 }).token();
    expect(expiresAt - clock.now()).toBe(expiresIn === "text" ? 3_600_000 : 7_200_000);
  });

  it("brings along what else calls need, and nothing else", async () => {
    const more = {
      instance_url: "https://acme.example",
      id_token: "secret",
      api_domain: 7,
      evil: "a\nb",
      __proto__: "x",
    };
    const { keeper } = rig({ more });
    const { extra } = await keeper({ keep: ["instance_url", "api_domain", "evil", "absent"] }).token();
    expect(extra).toEqual({ instance_url: "https://acme.example" });
  });

  it("goes by HTTP's Basic where the vendor wants that, strange characters and all", async () => {
    const clientSecret = "s€cret: +/&%";
    const { issuer, keeper } = rig({ clientSecret }, (it) => ({
      kind: "refresh_token",
      tokenUrl,
      clientId: "client",
      clientSecret,
      clientAuth: "basic",
      refreshToken: it.newest(),
    }));
    expect(issuer.isActive((await keeper().token()).accessToken)).toBe(true);
  });

  it("that a clock set back would make live longer is renewed", async () => {
    const clock = manualClock();
    let back = 0;
    const { issuer, keeper } = rig();
    const mine = keeper({ clock: { now: () => clock.now() - back, sleep: clock.sleep } });
    await mine.token();
    back = 3_600_000;
    await mine.token();
    expect(issuer.counts.token).toBe(2);
  });
});

describe("a refresh token that rotates", () => {
  it("is kept before its access token is handed out", async () => {
    const { issuer, tokens, clock, keeper } = rig({ rotate: true });
    const mine = keeper();
    for (let round = 0; round < 5; round++) {
      await mine.token();
      expect((await tokens.load("acme/crm")).obtained?.token.refreshToken).toBe(issuer.newest());
      await clock.advance(59 * minute);
    }
    expect(issuer.counts).toMatchObject({ token: 5, reused: 0 });
  });

  it("is not lost when it cannot be saved: it is saved before anything else is asked", async () => {
    const { issuer, tokens, keeper } = rig({ rotate: true });
    let full = true;
    const failing: TokenStore = {
      ...tokens,
      save: (...args) => (full ? Promise.reject(new Error("disk full")) : tokens.save(...args)),
    };
    const mine = keeper({ tokens: failing });
    for (let n = 0; n < 3; n++)
      expect(await failureOf(mine.token())).toMatchObject({
        kind: "retryable",
        reason: expect.stringMatching(/could not be/),
      });
    full = false;
    expect(issuer.isActive((await mine.token()).accessToken)).toBe(true);
    expect(issuer.counts).toMatchObject({ token: 1, reused: 0 });
    expect((await tokens.load("acme/crm")).obtained?.token.refreshToken).toBe(issuer.newest());
  });

  it("is used by one of two processes that both want it", async () => {
    const { issuer, clock, keeper } = rig({ rotate: true });
    const [one, other] = [keeper(), keeper()];
    await one.token();
    await other.token();
    for (let round = 0; round < 5; round++) {
      await clock.advance(61 * minute);
      const both = Promise.all([one.token(), other.token()]);
      await clock.advance(1_000);
      const [a, b] = await both;
      expect(a.accessToken).toBe(b.accessToken);
    }
    expect(issuer.counts).toMatchObject({ token: 6, reused: 0, atOnce: 1 });
  });

  it("is taken over from a process that died while it asked", async () => {
    const { tokens, clock, keeper, issuer } = rig({ rotate: true });
    await tokens.turn("acme/crm", -1, clock.now(), clock.now() + 40_000);
    const token = keeper().token();
    await clock.advance(39_000);
    expect(issuer.counts.token).toBe(0);
    await clock.advance(2_000);
    expect(issuer.isActive((await token).accessToken)).toBe(true);
  });

  it("kept by another while ours was on its way is the one that is used", async () => {
    const { tokens, keeper, issuer, clock } = rig();
    const theirs = await keeper().token();
    await clock.advance(59 * minute);
    const racing: TokenStore = {
      ...tokens,
      async save(account, obtained, over) {
        const late = { ...obtained, token: { ...obtained.token, accessToken: "theirs" } };
        await tokens.save(account, late, over);
        return await tokens.save(account, obtained, over);
      },
    };
    expect((await keeper({ tokens: racing }).token()).accessToken).toBe("theirs");
    expect(theirs.accessToken).not.toBe("theirs");
    expect(issuer.counts.token).toBe(2);
  });
});

describe("a refusal", () => {
  it.each([
    ["invalid_grant", 400],
    ["invalid_client", 401],
    ["unauthorized_client", 400],
    ["invalid_scope", 400],
    ["something_new", 400],
    // Zoho, under 200.
    ["invalid_code", 200],
  ])("%s blocks, in the vendor's words and with what to do", async (error, status) => {
    const { failure } = await planned({ kind: "status", status, body: { error, error_description: "Come again?" } });
    expect(failure).toMatchObject({
      kind: "blocked",
      reason: expect.stringContaining(`${status} ${error}: Come again?; `),
    });
  });

  it.each<[string, Misfortune]>([
    ["a connection that breaks", { kind: "drop" }],
    ["503 with a page", { kind: "page" }],
    ["a page under 200", { kind: "page_200" }],
    ["500", { kind: "status", status: 500, body: { error: "invalid_grant" } }],
    ["temporarily_unavailable", { kind: "status", status: 400, body: { error: "temporarily_unavailable" } }],
    ["a token too long", { kind: "huge" }],
    ["a token that would break a header", { kind: "control" }],
    ["a token of a kind we do not know", { kind: "mac" }],
    ["an array", { kind: "status", status: 200, body: [] }],
    ["nothing", { kind: "status", status: 200 }],
    ["403 with a page", { kind: "status", status: 403, body: "<html>", headers: { "content-type": "text/html" } }],
  ])("of %s is tried again later", async (_name, misfortune) => {
    expect((await planned(misfortune)).failure.kind).toBe("retryable");
  });

  it.each<[Misfortune, number]>([
    [{ kind: "status", status: 429, headers: { "retry-after": "7" } }, 7_000],
    [{ kind: "status", status: 429, headers: { "retry-after": "Tue, 24 Nov 2026 12:02:00 GMT" } }, 120_000],
    [{ kind: "status", status: 429, headers: { "retry-after": "99999999" } }, 86_400_000],
    [{ kind: "status", status: 429, headers: { "retry-after": "nonsense" } }, 60_000],
    [{ kind: "status", status: 503, headers: { "retry-after": "30" } }, 30_000],
    [{ kind: "status", status: 200, body: { error: "Access Denied", status: "failure" } }, 600_000],
    [
      {
        kind: "status",
        status: 400,
        body: { error: "Access Denied", error_description: "You have made too many requests continuously." },
      },
      600_000,
    ],
  ])("for being too busy waits as long as it says (%#)", async (misfortune, ms) => {
    const until = manualClock().now() + ms;
    expect((await planned(misfortune)).failure).toMatchObject({ kind: "rate_limited", until });
  });

  it("is not asked for again at once, and asked again in time", async () => {
    const { issuer, clock, keeper } = rig();
    issuer.plan({ kind: "page" }, { kind: "page" });
    const mine = keeper();
    for (let n = 0; n < 50; n++) await failureOf(mine.token());
    expect(issuer.counts.token).toBe(1);
    await clock.advance(1_000);
    await failureOf(mine.token());
    expect(issuer.counts.token).toBe(2);
    await clock.advance(2_000);
    expect(issuer.isActive((await mine.token()).accessToken)).toBe(true);
  });

  it("does not stop calls while the token at hand lives", async () => {
    const { issuer, clock, keeper, lines } = rig();
    const mine = keeper();
    const { accessToken } = await mine.token();
    await clock.advance(55 * minute);
    issuer.plan(...Array.from({ length: 9 }, () => ({ kind: "page" }) as const));
    expect((await mine.token()).accessToken).toBe(accessToken);
    expect(lines.join()).toMatch(/still lives/);
    await clock.advance(5 * minute);
    expect((await failureOf(mine.token())).kind).toBe("retryable");
  });

  it("after a revocation blocks, also with a token at hand that seems to live", async () => {
    const { issuer, keeper } = rig();
    const mine = keeper();
    const { accessToken } = await mine.token();
    issuer.revokeAll();
    mine.reject(accessToken);
    expect((await failureOf(mine.token())).kind).toBe("blocked");
  });

  it("of each token that the vendor has just given ends in blocked, not in a storm", async () => {
    const { issuer, clock, keeper } = rig();
    const mine = keeper();
    for (let n = 0; n < 50; n++) {
      const token = await mine.token().catch(() => undefined);
      if (token !== undefined) mine.reject(token.accessToken);
      await clock.advance(100);
    }
    expect(issuer.counts.token).toBe(2);
    expect(await failureOf(mine.token())).toMatchObject({
      kind: "blocked",
      reason: expect.stringMatching(/refuses the tokens/),
    });
  });

  it("of tokens whose time was over when they came there, or of two an hour apart, blocks nothing", async () => {
    const { clock, keeper } = rig({ lifeSeconds: 4 });
    const slow = keeper();
    for (let n = 0; n < 5; n++) {
      const { accessToken } = await slow.token();
      await clock.advance(5_000);
      slow.reject(accessToken);
    }
    await slow.token();
    const other = rig();
    const mine = other.keeper();
    for (let n = 0; n < 3; n++) {
      mine.reject((await mine.token()).accessToken);
      await other.clock.advance(3_600_000);
    }
    await mine.token();
  });

  it("of an old token by a call that comes late costs nothing", async () => {
    const { issuer, keeper } = rig();
    const mine = keeper();
    const { accessToken } = await mine.token();
    mine.reject(accessToken);
    await mine.token();
    for (let n = 0; n < 10; n++) mine.reject(accessToken);
    await mine.token();
    expect(issuer.counts.token).toBe(2);
  });

  it("without any sign-in says what to run", async () => {
    const { keeper } = rig({}, () => ({ kind: "refresh_token", tokenUrl, clientId: "client" }));
    expect(await failureOf(keeper().token())).toMatchObject({
      kind: "blocked",
      reason: expect.stringMatching(/mailwright init/),
    });
  });

  it("shows no secret, even where the endpoint repeats all it was told", async () => {
    for (const clientAuth of ["body", "basic"] as const) {
      const { issuer, keeper, lines } = rig({}, (it) => ({
        kind: "refresh_token",
        tokenUrl,
        clientId: "client",
        clientSecret: "client-secret-value",
        clientAuth,
        refreshToken: it.newest(),
      }));
      issuer.plan({ kind: "echo" });
      const { reason } = await failureOf(keeper().token());
      const said = `${reason} ${lines.join(" ")}`;
      expect(said).toContain("***");
      for (const secret of [
        "client-secret-value",
        issuer.newest(),
        Buffer.from("client:client-secret-value").toString("base64"),
      ])
        expect(said).not.toContain(secret);
    }
  });

  it("by a ledger that fails is not the vendor's, and nothing happened", async () => {
    const { tokens, keeper, issuer } = rig();
    const broken = { ...tokens, load: () => Promise.reject(new WireBroken("x", true)) };
    expect((await failureOf(keeper({ tokens: broken }).token())).kind).toBe("retryable");
    expect(issuer.counts.token).toBe(0);
  });
});

describe("a signed assertion", () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const aud = "https://issuer.example";
  const signed = (now: number): string => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const seconds = Math.floor(now / 1_000);
    const text = `${part({ alg: "RS256" })}.${part({ iss: "client", sub: "ada@example.test", aud, iat: seconds, exp: seconds + 180 })}`;
    return `${text}.${createSign("RSA-SHA256").update(text).sign(privateKey, "base64url")}`;
  };
  const key = publicKey.export({ type: "spki", format: "pem" }).toString();
  const grant = (): Grant => ({ kind: "jwt_bearer", tokenUrl, assertion: signed });

  it("stands for a person, and a restart goes on with the token that was got", async () => {
    const { issuer, clock, keeper } = rig({ assertions: { key, aud } }, grant);
    const { accessToken } = await keeper().token();
    await clock.advance(10 * minute);
    expect((await keeper().token()).accessToken).toBe(accessToken);
    expect(issuer.counts.token).toBe(1);
  });

  it.each([-3_600_000, 3_600_000])("is made by the endpoint's clock where ours is off by %d ms", async (aheadMs) => {
    const { issuer, keeper, lines } = rig({ assertions: { key, aud }, aheadMs }, grant);
    expect(issuer.isActive((await keeper().token()).accessToken)).toBe(true);
    expect(lines.join()).toMatch(/clock is off/);
  });

  it("that cannot be signed blocks without a word of the key", async () => {
    const { keeper } = rig({}, () => ({
      kind: "jwt_bearer",
      tokenUrl,
      assertion: () => {
        throw new Error("-----BEGIN PRIVATE KEY----- MIIE");
      },
    }));
    expect(await failureOf(keeper().token())).toEqual({
      kind: "blocked",
      reason: "the assertion for acme/crm could not be signed: look at the private key",
    });
  });
});

describe("whatever happens", () => {
  type Act =
    | { readonly kind: "advance"; readonly ms: number }
    | { readonly kind: "ask"; readonly who: readonly number[] }
    | { readonly kind: "reject"; readonly who: number }
    | { readonly kind: "restart"; readonly who: number }
    | { readonly kind: "misfortune"; readonly which: Misfortune };
  const act: fc.Arbitrary<Act> = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("advance"), ms: fc.integer({ min: 1, max: 4_000_000 }) }) },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant("ask"),
        who: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 5 }),
      }),
    },
    fc.record({ kind: fc.constant("reject"), who: fc.integer({ min: 0, max: 2 }) }),
    fc.record({ kind: fc.constant("restart"), who: fc.integer({ min: 0, max: 2 }) }),
    fc.record({
      kind: fc.constant("misfortune"),
      which: fc.constantFrom<Misfortune>(
        { kind: "drop" },
        { kind: "page" },
        { kind: "page_200" },
        { kind: "status", status: 429 },
      ),
    }),
  ) as fc.Arbitrary<Act>;

  it("three processes never use a refresh token twice, and hand out only tokens that work", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
        const { issuer, clock, tokens, keeper } = rig({ rotate: true, lifeSeconds: 600 });
        const keepers = [keeper(), keeper(), keeper()];
        const last: (string | undefined)[] = [];
        for (const it of acts) {
          if (it.kind === "advance") await clock.advance(it.ms);
          else if (it.kind === "misfortune") issuer.plan(it.which);
          else if (it.kind === "restart") keepers[it.who] = keeper();
          else if (it.kind === "reject") keepers[it.who]?.reject(last[it.who] ?? "");
          else {
            const asked = Promise.allSettled(it.who.map((who) => keepers[who]?.token()));
            await clock.advance(1_000);
            for (const [n, answer] of (await asked).entries()) {
              if (answer.status === "rejected") {
                expect(answer.reason).toBeInstanceOf(Refused);
                continue;
              }
              const { accessToken = "" } = answer.value ?? {};
              expect(issuer.isActive(accessToken)).toBe(true);
              last[it.who[n] ?? 0] = accessToken;
            }
            const kept = (await tokens.load("acme/crm")).obtained?.token.refreshToken;
            if (kept !== undefined) expect(kept).toBe(issuer.newest());
          }
        }
        expect(issuer.counts.reused).toBe(0);
        expect(issuer.counts.atOnce).toBeLessThanOrEqual(1);
      }),
      { numRuns: 60 },
    );
  }, 20_000);
});
