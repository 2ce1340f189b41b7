/** The small picture of a file at the door: by a link of its own, on record, and only while the file itself is served. */
import { describe, expect, test } from "vitest";
import type { Preview } from "../../src/model/preview.ts";
import { dayMs, fileId, openDoor, operator, rowWith } from "./rig.ts";

const row = rowWith({ filename: "photo.png", detectedType: "image/png" });
const picture: Preview = { kind: "made", bytes: Buffer.from("RIFF....WEBP") };
const show = async (): Promise<Preview | undefined> => picture;

describe("a preview", () => {
  test("comes as an image that can do nothing, and is on record", async () => {
    const door = await openDoor({ rows: [row], previewOf: show });
    const answer = await door.get(door.local(door.links.previewOf(fileId, row.receivedAt)));
    expect([answer.status, await answer.text()]).toEqual([200, "RIFF....WEBP"]);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-type": "image/webp",
      "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
      "cross-origin-resource-policy": "same-origin",
      "cache-control": "private, no-store",
    });
    expect(door.audited).toMatchObject([{ what: "link.open", about: fileId, who: "link", outcome: "preview" }]);
  });

  test("has a link of its own: neither opens with the other's, and an expired one opens nothing", async () => {
    const door = await openDoor({ rows: [row], previewOf: show });
    const ofFile = door.local(door.links.of(fileId, row.receivedAt));
    const ofPreview = door.local(door.links.previewOf(fileId, row.receivedAt));
    expect((await door.get(ofFile.replace("?", "/preview?"))).status).toBe(403);
    expect((await door.get(ofPreview.replace("/preview?", "?"))).status).toBe(403);
    expect((await door.get(ofPreview.replace(/.$/, "A").replace("s=", "s=x"))).status).toBe(403);
    const old = door.local(door.links.previewUntil(fileId, door.clock.now() - 1_000));
    expect((await door.get(old)).status).toBe(410);
  });

  test.each([
    ["is held back", { rows: [rowWith({ ...row, status: "quarantined" as const, reason: "Macros." })] }],
    [
      "was dropped since its row was read",
      { rows: [row], rowsLater: [rowWith({ ...row, status: "dropped" as const })] },
    ],
  ])("of a file that %s is not shown", async (_what, rows) => {
    const door = await openDoor({ ...rows, previewOf: show });
    const answer = await door.get(door.local(door.links.previewOf(fileId, row.receivedAt)));
    expect(answer.status).toBeGreaterThanOrEqual(403);
    expect([answer.headers.get("content-type"), await answer.text()]).toEqual([
      "text/html; charset=utf-8",
      expect.not.stringContaining("RIFF"),
    ]);
  });

  test("that cannot be made is a page that says why; where none are made, or it fails, nobody learns more", async () => {
    const at = async (previewOf?: () => Promise<Preview | undefined>) => {
      const door = await openDoor({ rows: [row], ...(previewOf === undefined ? {} : { previewOf }) });
      const answer = await door.get(door.local(door.links.previewOf(fileId, row.receivedAt)));
      return [answer.status, await answer.text(), door.audited.map(({ outcome }) => outcome).join()];
    };
    expect(await at(async () => ({ kind: "none", reason: "too_many_pixels" }))).toEqual([
      404,
      expect.stringContaining("The picture has more pixels than are looked at."),
      "no_preview",
    ]);
    expect((await at())[0]).toBe(403);
    const [status, , onRecord] = await at(() => Promise.reject(new Error("the store is away")));
    expect([status, onRecord]).toEqual([503, "unreadable"]);
  });

  test("is on the page on which an operator gets a fresh link, and on nobody else's", async () => {
    const given = { rows: [row], previewOf: show, refreshDays: 400 };
    const expired = (door: Awaited<ReturnType<typeof openDoor>>) =>
      door.local(door.links.until(fileId, door.clock.now() - dayMs));
    const stranger = await openDoor(given);
    expect(await (await stranger.get(expired(stranger))).text()).not.toContain("<img");
    const door = await openDoor({ ...given, operators: [operator] });
    const form = /name="form" value="([\w-]+)"/.exec(await (await door.get("/sign-in")).text())?.[1] ?? "";
    const fields = { form, name: operator.name, password: operator.password, to: "" };
    await door.get("/sign-in", { method: "POST", body: new URLSearchParams(fields) });
    const page = await door.get(expired(door));
    const text = await page.text();
    const source = /<img src="([^"]+)"/.exec(text)?.[1]?.replaceAll("&amp;", "&") ?? "";
    expect(page.headers.get("content-security-policy")).toContain("img-src 'self'");
    expect((await door.get(door.local(source))).headers.get("content-type")).toBe("image/webp");
  });
});
