/** A token issuer as nasty as real ones: rotation with reuse detection, assertions that it verifies, device codes, introspection, planned misfortune. */
import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import type { Clock } from "../../src/model/ports.ts";

export interface IssuerOptions {
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly lifeSeconds: number;
  /** A refresh token works once; using an old one revokes all that came of it. */
  readonly rotate: boolean;
  /** How the life of a token is told. */
  readonly expiresIn: "number" | "text" | "unsaid";
  /** Whose assertions are taken, by PEM of the public key, and as what `aud`. */
  readonly assertions: { readonly key: string; readonly aud: string } | undefined;
  /** Whose mailbox the tokens open (introspection). */
  readonly username: string;
  /** How far its clock is ahead. */
  readonly aheadMs: number;
  /** Fields that stand in every token answer too. */
  readonly more: Readonly<Record<string, unknown>>;
}

export interface IssuerCall {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}
export type IssuerReply =
  | { readonly status: number; readonly headers: Record<string, string>; readonly body: string }
  | { readonly drop: true };

/** What the next token call meets. `lost`: it was done, and the answer does not come. */
export type Misfortune =
  | { readonly kind: "drop" | "lost" | "page" | "page_200" | "echo" | "huge" | "control" | "mac" }
  | {
      readonly kind: "status";
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: unknown;
    };

interface Family {
  refresh: string;
  readonly access: Map<string, number>;
  revoked: boolean;
}

export interface Issuer {
  handle(call: IssuerCall): Promise<IssuerReply>;
  plan(...next: readonly Misfortune[]): void;
  /** A refresh token that a person got by signing in. */
  signIn(): string;
  /** The newest refresh token of the last that signed in. */
  newest(): string;
  isActive(accessToken: string): boolean;
  /** All that came of a sign-in, and its access tokens. */
  revokeAll(): void;
  expireAll(): void;
  /** A person enters the code that a device shows. */
  answerDevice(userCode: string, answer: "approve" | "deny"): void;
  readonly counts: { token: number; refused: number; reused: number; introspected: number; atOnce: number };
}

const json = (status: number, body: unknown, headers: Record<string, string> = {}): IssuerReply => ({
  status,
  headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
  body: JSON.stringify(body),
});
const page = (status: number): IssuerReply => ({
  status,
  headers: { "content-type": "text/html" },
  body: "<!doctype html><title>Sign in</title><h1>We will be right back</h1>",
});
const no = (error: string, error_description = "no", status = 400): IssuerReply =>
  json(status, { error, error_description });

const defaults: IssuerOptions = {
  clientId: "client",
  clientSecret: "client-secret-value",
  lifeSeconds: 3_600,
  rotate: false,
  expiresIn: "number",
  assertions: undefined,
  username: "ada@example.test",
  aheadMs: 0,
  more: {},
};

export function createIssuer(clock: Pick<Clock, "now">, given: Partial<IssuerOptions> = {}): Issuer {
  const options = { ...defaults, ...given };
  const key: KeyObject | undefined = options.assertions && createPublicKey(options.assertions.key);
  const families: Family[] = [];
  /** Every refresh token that ever was, with its family. */
  const refreshes = new Map<string, Family>();
  const devices = new Map<
    string,
    { userCode: string; answer: "approve" | "deny" | undefined; until: number; askedAt: number }
  >();
  const plans: Misfortune[] = [];
  const counts = { token: 0, refused: 0, reused: 0, introspected: 0, atOnce: 0 };
  let serial = 0;
  let inside = 0;

  const now = () => clock.now() + options.aheadMs;
  const secretOf = (what: string) =>
    `${what}-${++serial}-${createHash("sha256").update(`${what}${serial}`).digest("hex").slice(0, 24)}`;

  function begin(): Family {
    const family: Family = { refresh: secretOf("refresh"), access: new Map(), revoked: false };
    families.push(family);
    refreshes.set(family.refresh, family);
    return family;
  }

  function issue(family: Family, withRefresh: boolean): IssuerReply {
    const access = secretOf("access");
    family.access.set(access, now() + options.lifeSeconds * 1_000);
    const life = { number: options.lifeSeconds, text: String(options.lifeSeconds), unsaid: undefined }[
      options.expiresIn
    ];
    return json(
      200,
      {
        access_token: access,
        token_type: "Bearer",
        ...(life === undefined ? {} : { expires_in: life }),
        ...(withRefresh ? { refresh_token: family.refresh } : {}),
        ...options.more,
      },
      { date: new Date(now()).toUTCString() },
    );
  }

  function clientIs(form: URLSearchParams, authorization: string | undefined): boolean {
    const [, pair] = /^Basic (\S+)$/.exec(authorization ?? "") ?? [];
    const [id = "", secret = ""] =
      pair === undefined
        ? [form.get("client_id") ?? "", form.get("client_secret") ?? ""]
        : Buffer.from(pair, "base64")
            .toString("utf8")
            .split(":")
            .map((part) => decodeURIComponent(part.replaceAll("+", " ")));
    return id === options.clientId && (options.clientSecret === undefined || secret === options.clientSecret);
  }

  function refresh(form: URLSearchParams): IssuerReply {
    const token = form.get("refresh_token") ?? "";
    const family = refreshes.get(token);
    if (family === undefined || family.revoked) return no("invalid_grant", "the refresh token is not valid");
    if (family.refresh !== token) {
      counts.reused++;
      family.revoked = true;
      family.access.clear();
      return no("invalid_grant", "the refresh token was used before");
    }
    if (options.rotate) {
      family.refresh = secretOf("refresh");
      refreshes.set(family.refresh, family);
    }
    return issue(family, options.rotate);
  }

  function assertion(form: URLSearchParams): IssuerReply {
    const date = { date: new Date(now()).toUTCString() };
    const refused = (words: string) => json(400, { error: "invalid_grant", error_description: words }, date);
    const [head = "", body = "", signature = ""] = (form.get("assertion") ?? "").split(".");
    if (key === undefined) return no("unsupported_grant_type");
    if (!verify("RSA-SHA256", Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url")))
      return refused("Invalid JWT Signature.");
    const claims = JSON.parse(Buffer.from(body, "base64url").toString("utf8")) as {
      aud: string;
      iat: number;
      exp: number;
    };
    if (claims.aud !== options.assertions?.aud) return refused("invalid audience");
    const seconds = now() / 1_000;
    if (claims.iat > seconds + 5 || claims.exp < seconds || claims.exp - claims.iat > 3_600)
      return refused("Token must be a short-lived token and in a reasonable timeframe.");
    return issue(begin(), false);
  }

  function device(form: URLSearchParams): IssuerReply {
    const asked = devices.get(form.get("device_code") ?? "");
    if (asked === undefined) return no("invalid_grant");
    if (now() > asked.until) return no("expired_token");
    if (asked.answer === "deny") return no("access_denied");
    const early = now() - asked.askedAt < 5_000;
    asked.askedAt = now();
    if (asked.answer === undefined) return no(early ? "slow_down" : "authorization_pending");
    devices.delete(form.get("device_code") ?? "");
    return issue(begin(), true);
  }

  function grant(call: IssuerCall): IssuerReply {
    const form = new URLSearchParams(call.body);
    const type = form.get("grant_type") ?? "";
    if (type === "urn:ietf:params:oauth:grant-type:jwt-bearer") return assertion(form);
    if (!clientIs(form, call.headers.authorization)) return no("invalid_client", "client authentication failed", 401);
    switch (type) {
      case "refresh_token":
        return refresh(form);
      case "client_credentials":
        return issue(begin(), false);
      case "urn:ietf:params:oauth:grant-type:device_code":
        return device(form);
      default:
        return no("unsupported_grant_type");
    }
  }

  function token(call: IssuerCall): IssuerReply {
    counts.token++;
    const planned = plans.shift();
    switch (planned?.kind) {
      case undefined:
        return grant(call);
      case "drop":
        return { drop: true };
      case "lost":
        grant(call);
        return { drop: true };
      case "page":
        return page(503);
      case "page_200":
        return page(200);
      case "echo":
        return no(
          "invalid_request",
          `could not read ${call.body} ${call.headers.authorization ?? ""} ${decodeURIComponent(call.body)}`,
        );
      case "huge":
        return json(200, { access_token: "x".repeat(100_000), token_type: "Bearer", expires_in: 3_600 });
      case "control":
        return json(200, { access_token: "good\r\nx-evil: 1", token_type: "Bearer", expires_in: 3_600 });
      case "mac":
        return json(200, { access_token: "something", token_type: "mac", expires_in: 3_600 });
      case "status":
        return typeof planned.body === "string" || planned.body === undefined
          ? { status: planned.status, headers: planned.headers ?? {}, body: planned.body ?? "" }
          : json(planned.status, planned.body, planned.headers);
      default:
        return planned satisfies never;
    }
  }

  const isActive = (access: string) =>
    families.some((family) => !family.revoked && (family.access.get(access) ?? 0) > now());

  function introspect(call: IssuerCall): IssuerReply {
    counts.introspected++;
    const [, bearer] = /^Bearer (\S+)$/i.exec(call.headers.authorization ?? "") ?? [];
    const url = new URL(call.path, "http://issuer.invalid");
    const access = bearer ?? url.searchParams.get("token") ?? new URLSearchParams(call.body).get("token") ?? "";
    return json(
      200,
      isActive(access) ? { active: true, username: options.username, email: options.username } : { active: false },
    );
  }

  return {
    async handle(call) {
      inside++;
      counts.atOnce = Math.max(counts.atOnce, inside);
      try {
        // A call takes time, as any does.
        await new Promise((resolve) => setImmediate(resolve));
        switch (new URL(call.path, "http://issuer.invalid").pathname) {
          case "/token": {
            const reply = token(call);
            if ("drop" in reply || reply.status !== 200) counts.refused++;
            return reply;
          }
          case "/device": {
            const code = secretOf("device");
            const userCode = `CODE-${serial}`;
            devices.set(code, { userCode, answer: undefined, until: now() + 900_000, askedAt: 0 });
            return json(200, {
              device_code: code,
              user_code: userCode,
              verification_uri: "https://issuer.example/device",
              expires_in: 900,
              interval: 5,
            });
          }
          case "/introspect":
            return introspect(call);
          default:
            return page(404);
        }
      } finally {
        inside--;
      }
    },
    plan: (...next) => void plans.push(...next),
    signIn: () => begin().refresh,
    newest: () => families.at(-1)?.refresh ?? "",
    isActive,
    revokeAll() {
      for (const family of families) family.revoked = true;
    },
    expireAll() {
      for (const family of families) for (const access of family.access.keys()) family.access.set(access, 0);
    },
    answerDevice(userCode, answer) {
      for (const asked of devices.values()) if (asked.userCode === userCode) asked.answer = answer;
    },
    counts,
  };
}
