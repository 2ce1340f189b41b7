/** Logins: a session for the right password; whoever is wrong too often is not listened to for five minutes. */
import type { Clock, Random } from "../../model/ports.ts";
import type { Reply } from "../sandbox.ts";
import type { TrytonSandboxOptions } from "./options.ts";
import { ok, Page } from "./reply.ts";

export interface Sessions {
  login(id: unknown, params: readonly unknown[]): Reply;
  /** By the Authorization header. */
  knows(authorization: string | undefined): boolean;
  logout(authorization: string | undefined): void;
  /** All sessions end; the password stays. */
  expire(): void;
  /** The password is another one from now on. */
  changePassword(): void;
  count(): number;
}

const attemptsMs = 300_000;
const mostAttempts = 5;
const userId = 2;

export function openSessions(
  options: TrytonSandboxOptions,
  clock: Pick<Clock, "now">,
  random: Pick<Random, "unit">,
): Sessions {
  const sessions = new Map<string, number>();
  let attempts: number[] = [];
  let password = options.password;
  const hex = (): string => Array.from({ length: 64 }, () => Math.floor(random.unit() * 16).toString(16)).join("");

  return {
    login(id, [user, given]) {
      attempts = attempts.filter((at) => clock.now() - at < attemptsMs);
      if (attempts.length > mostAttempts) throw new Page(429);
      const parameters = given as { readonly password?: unknown } | null | undefined;
      if (user !== options.user || parameters?.password !== password) {
        attempts.push(clock.now());
        throw new Page(401);
      }
      attempts = [];
      const key = hex();
      sessions.set(key, clock.now());
      return ok(id, [userId, key]);
    },
    logout: (authorization) => void sessions.delete(sessionOf(authorization).key),
    knows(authorization) {
      const { user, key } = sessionOf(authorization);
      const made = sessions.get(key);
      return user === String(userId) && made !== undefined && clock.now() - made < options.sessionMs;
    },
    expire: () => sessions.clear(),
    changePassword() {
      password = `${password}, changed`;
      sessions.clear();
    },
    count: () => sessions.size,
  };
}

function sessionOf(authorization: string | undefined): { readonly user: string | undefined; readonly key: string } {
  const encoded = /^Session ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? "")?.[1];
  const [, user, key = ""] = Buffer.from(encoded ?? "", "base64")
    .toString("utf8")
    .split(":");
  return { user, key };
}
