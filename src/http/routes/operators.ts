/** Signing in and out for the few who run Mailwright: no more than it takes to know who asks for a fresh link. */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import type { Files as FileRows } from "../../model/files.ts";
import type { Clock, Log } from "../../model/ports.ts";
import { addressOf, clientOf, networkOf } from "../client.ts";
import { openLimiter } from "../operators/limiter.ts";
import type { Operator, Sessions } from "../operators/sessions.ts";
import { html, type Markup, sendPage } from "../page.ts";
import { isPassword, mostPasswordBytes } from "../password.ts";

export interface OperatorOptions {
  readonly sessions: Sessions;
  readonly operators: readonly Operator[];
  readonly files: Pick<FileRows, "audit">;
  readonly base: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Default: scrypt (password.ts). */
  readonly isPassword?: typeof isPassword;
}

const windowMs = 15 * 60_000;
/** For one address, for one network (whose owner has addresses without end), and for one name whoever tries it. */
const mostFailures = { address: 10, network: 40, name: 20 } as const;
/** Guesses that are computed at once, and that wait for it: each costs 32 MiB and a core (password.ts). */
const [mostAtOnce, mostWaiting] = [2, 16] as const;

/** Back to a link of ours and nowhere else: whatever `to` is, it leads to no other site. */
const returnForm = /^\/a\/[0-9a-f]{32}\?[\w=&%-]{1,300}$/;

export function operators(options: OperatorOptions): FastifyPluginAsync {
  const { sessions, operators, files, base, clock, log } = options;
  const isRightFor = options.isPassword ?? isPassword;
  const [byAddress, byNetwork, byName] = [
    openLimiter(mostFailures.address, windowMs, clock),
    openLimiter(mostFailures.network, windowMs, clock),
    openLimiter(mostFailures.name, windowMs, clock),
  ];
  const turn = inTurn(mostAtOnce, mostWaiting);
  const hashes = new Map(operators.map(({ name, passwordHash }) => [name, passwordHash]));

  /** A name that nobody has may be a password in the wrong field: it is not written down. */
  const audit = (
    request: FastifyRequest,
    what: "operator.sign_in" | "operator.sign_out",
    name: string,
    outcome: string,
  ) =>
    files.audit({
      at: clock.now(),
      what,
      about: "operator",
      who: hashes.has(name) ? name : "(unknown name)",
      outcome,
      from: addressOf(request.ip),
    });

  async function form(
    request: FastifyRequest,
    reply: FastifyReply,
    status: number,
    words: readonly Markup[],
    to: string,
  ) {
    const { token, cookie } = sessions.visitor(request.headers.cookie);
    if (cookie !== undefined) reply.header("set-cookie", cookie);
    return await sendPage(reply, status, "Sign in", [
      ...words,
      html`<form method="post" action="${base}/sign-in"><input type="hidden" name="form" value="${token}"><input type="hidden" name="to" value="${to}"><label>Name <input name="name" autocomplete="username" maxlength="64" required></label><label>Password <input name="password" type="password" autocomplete="current-password" maxlength="1024" required></label><button>Sign in</button></form>`,
    ]);
  }

  async function signIn(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { name = "", password = "", to = "", form: token = "" } = fieldsOf(request.body);
    if (!isSameSite(request) || !sessions.isOurs(token, request.headers.cookie))
      return await form(
        request,
        reply,
        403,
        [html`<p>This form was too old, or cookies are off. Try again.</p>`],
        returnTo(to),
      );
    const [client, network] = [clientOf(request.ip), networkOf(request.ip)];
    const waitMs = Math.max(byAddress.waitMs(client), byNetwork.waitMs(network), byName.waitMs(name));
    if (waitMs > 0) {
      reply.header("retry-after", String(Math.ceil(waitMs / 1000)));
      return await form(
        request,
        reply,
        429,
        [html`<p>Too many attempts. Try again in ${minutes(waitMs)}.</p>`],
        returnTo(to),
      );
    }
    // Before the guess is computed: those that are under way at once count too.
    byAddress.failed(client);
    byNetwork.failed(network);
    byName.failed(name);
    const guess = turn(() => isRightFor(password, hashes.get(name)));
    if (guess === undefined) {
      reply.header("retry-after", "5");
      return await form(
        request,
        reply,
        503,
        [html`<p>Too many people are signing in. Try again in a moment.</p>`],
        returnTo(to),
      );
    }
    const isRight = Buffer.byteLength(password) <= mostPasswordBytes && (await guess);
    await audit(request, "operator.sign_in", name, isRight ? "signed_in" : "refused");
    if (!isRight) {
      log.warn({}, "http: somebody was refused at the sign-in; the audit trail says from where");
      return await form(request, reply, 401, [html`<p>Name or password is wrong.</p>`], returnTo(to));
    }
    byAddress.forget(client);
    byNetwork.takeBack(network);
    byName.forget(name);
    return await reply.header("set-cookie", sessions.open(name)).redirect(`${base}${returnTo(to) || "/sign-in"}`, 303);
  }

  async function home(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const to = returnTo(fieldsOf(request.query).to ?? "");
    const session = sessions.read(request.headers.cookie);
    if (session === undefined) return await form(request, reply, 200, [], to);
    if (to !== "") return await reply.redirect(`${base}${to}`, 303);
    return await sendPage(reply, 200, "Signed in", [
      html`<p>You are signed in as ${session.name}. Open an expired link to get a fresh one.</p>`,
      html`<form method="post" action="${base}/sign-out"><input type="hidden" name="form" value="${sessions.tokenOf(session)}"><button>Sign out</button></form>`,
    ]);
  }

  async function signOut(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const session = sessions.read(request.headers.cookie);
    const isOurs = isSameSite(request) && sessions.isOurs(fieldsOf(request.body).form ?? "", request.headers.cookie);
    if (session === undefined || !isOurs) return await reply.redirect(`${base}/sign-in`, 303);
    await audit(request, "operator.sign_out", session.name, "signed_out");
    return await reply.header("set-cookie", sessions.end).redirect(`${base}/sign-in`, 303);
  }

  return async (app) => {
    app.addContentTypeParser(
      "application/x-www-form-urlencoded",
      { parseAs: "string", bodyLimit: 8 * 1024 },
      (_request, body, done) => done(null, new URLSearchParams(String(body))),
    );
    app.get("/sign-in", home);
    app.post("/sign-in", signIn);
    app.post("/sign-out", signOut);
  };
}

const returnTo = (to: string): string => (returnForm.test(to) ? to : "");

/** The first of each name, whether it came as a form or as a query. */
function fieldsOf(given: unknown): Partial<Record<"name" | "password" | "to" | "form", string>> {
  const of = (name: string): string | undefined => {
    if (given instanceof URLSearchParams) return given.get(name) ?? undefined;
    if (typeof given !== "object" || given === null || !Object.hasOwn(given, name)) return undefined;
    const value: unknown = (given as Readonly<Record<string, unknown>>)[name];
    return typeof value === "string" ? value : undefined;
  };
  const found = { name: of("name"), password: of("password"), to: of("to"), form: of("form") };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

/** What browsers say by themselves, and scripts of other pages cannot change; old browsers say nothing. */
function isSameSite({ headers }: FastifyRequest): boolean {
  const site = headers["sec-fetch-site"];
  return site === undefined || site === "same-origin" || site === "none";
}

const minutes = (ms: number): string => {
  const n = Math.ceil(ms / 60_000);
  return n === 1 ? "1 minute" : `${n} minutes`;
};

/** Answers undefined where too many wait already. */
function inTurn(width: number, mostWaiting: number): <T>(work: () => Promise<T>) => Promise<T> | undefined {
  const waiting: (() => void)[] = [];
  let working = 0;
  return (work) => {
    if (working >= width && waiting.length >= mostWaiting) return undefined;
    const start = working < width ? Promise.resolve() : new Promise<void>((resolve) => waiting.push(resolve));
    if (working < width) working++;
    return start.then(work).finally(() => {
      const next = waiting.shift();
      if (next === undefined) working--;
      else next();
    });
  };
}
