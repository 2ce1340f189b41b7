/** Passwords of operators: hashed so that trying them all costs too much, compared without telling how far they agree. */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";

/** 32 MiB and some 100 ms of one core: as much as a daemon may spend on a stranger's guess. N = 2^15, r = 8, p = 3 is among OWASP's choices. */
const cost = { log: 15, blocks: 8, lanes: 3 } as const;
const hashBytes = 32;
export const mostPasswordBytes = 1_024;

const form = /^scrypt\$(1[4-8])\$(8)\$([1-8])\$([\w-]{22})\$([\w-]{43})$/;

/** `scrypt$15$8$3$<salt>$<hash>`: for `http.operators`. */
export async function hashPassword(password: string, salt: Uint8Array = randomBytes(16)): Promise<string> {
  const hash = await derived(password, salt, cost);
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
  return `scrypt$${cost.log}$${cost.blocks}$${cost.lanes}$${text(salt)}$${text(hash)}`;
}

/** Undefined hash: nobody has this name. It costs what a wrong password costs, so that time does not tell names. */
export async function isPassword(password: string, hash: string | undefined): Promise<boolean> {
  const [, log, blocks, lanes, salt = "", wanted = ""] = form.exec(hash ?? "") ?? [];
  const own = log === undefined ? cost : { log: Number(log), blocks: Number(blocks), lanes: Number(lanes) };
  const found = await derived(password, Buffer.from(salt, "base64url"), own);
  const right = log === undefined ? randomBytes(hashBytes) : Buffer.from(wanted, "base64url");
  return timingSafeEqual(found, right);
}

/** NFC: the same password typed on another system. */
function derived(
  password: string,
  salt: Uint8Array,
  { log, blocks, lanes }: { readonly log: number; readonly blocks: number; readonly lanes: number },
): Promise<Buffer> {
  const options: ScryptOptions = { N: 2 ** log, r: blocks, p: lanes, maxmem: 2 ** log * blocks * 256 };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFC"), salt, hashBytes, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
