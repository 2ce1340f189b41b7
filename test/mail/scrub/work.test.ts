import { beforeEach, describe, expect, test, vi } from "vitest";
import { openStandIns, scrubMessage } from "../../../src/mail/scrub.ts";

/** All that is hashed, in bytes: what a stand-in costs. */
const work = vi.hoisted(() => ({ bytes: 0 }));
vi.mock("node:crypto", async (original) => {
  const crypto = await original<typeof import("node:crypto")>();
  const hash = new Proxy(crypto.hash, {
    apply(target, self, given: Parameters<typeof crypto.hash>) {
      work.bytes += String(given[1]).length;
      return Reflect.apply(target, self, given);
    },
  });
  return { ...crypto, hash };
});

const kib = 1024;

function scrubbed(charset: string, text: string): Buffer {
  const message = scrubMessage(openStandIns(Buffer.alloc(32, 7)));
  const raw = Buffer.from(`Subject: x\nContent-Type: text/plain; charset=${charset}\n\n${text}`);
  const out = Buffer.concat([message.push(raw), message.end()]);
  expect(out).toHaveLength(raw.length);
  return out;
}

describe("a word costs no more than its length", () => {
  beforeEach(() => {
    work.bytes = 0;
  });

  test.each([
    ["letters", "utf-8", "A"],
    ["letters beyond ASCII", "utf-8", "щ"],
    ["figures", "utf-8", "7"],
    ["escapes of addresses", "utf-8", "%41"],
    ["escapes of style sheets", "utf-8", "\\41 "],
    ["escapes, read as letters of two bytes", "utf-16", "=41="],
  ])("%s", (_, charset, letter) => {
    const worked = [16 * kib, 64 * kib].map((size) => {
      work.bytes = 0;
      scrubbed(charset, letter.repeat(size / letter.length));
      return work.bytes;
    });
    const [small = 0, large = 0] = worked;
    expect(small).toBeGreaterThan(kib);
    expect(large / small).toBeLessThan(5);
  });

  test.each([
    ["escape sequences", "\x1b(B"],
    ["empty runs of pairs", "\x1b$B\x1b(B"],
  ])("nor do %s: the square of this would outlast the runner's patience", (_, marks) => {
    const text = marks.repeat((256 * kib) / marks.length);
    expect(scrubbed("iso-2022-jp", text).toString("latin1").endsWith(text)).toBe(true);
  });

  test("and is the same at every place, and another one for another word, be it only at its end", () => {
    const long = "marigold".repeat(kib);
    const out = scrubbed("utf-8", `${long} ${long} ${long}x\n`).toString();
    const [first, second, third = ""] = out
      .slice(out.indexOf("\n\n") + 2)
      .trimEnd()
      .split(" ");
    expect(second).toBe(first);
    expect(third.slice(0, 8)).not.toBe(first?.slice(0, 8));
    expect(out).not.toContain("marigold");
  });
});
