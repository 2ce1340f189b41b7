import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { command, shapedBy } from "./stage.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mailwright-scrub-"));
  mkdirSync(join(folder, "mail", "below"), { recursive: true });
  writeFileSync(
    join(folder, "mail", "b-marigold.eml"),
    "From: Ana <ana@whitfield.example>\r\nMessage-ID: <1@whitfield.example>\r\n\r\nMarigold\r\n",
  );
  writeFileSync(
    join(folder, "mail", "below", "a.eml"),
    "From: Ana <ana@whitfield.example>\r\nReferences: <1@whitfield.example>\r\n\r\nMarigold\r\n",
  );
  writeFileSync(join(folder, "mail", "b-marigold.json"), "{}");
  writeFileSync(join(folder, "secret"), "Whitfield");
  symlinkSync(join(folder, "secret"), join(folder, "mail", "c.eml"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]) => command(["scrub", ...args], { cwd: folder });
const shaped = (...args: string[]) => shapedBy((...all) => command(all, { cwd: folder }), "scrub", args);
const copies = () => readdirSync(join(folder, "out")).sort();
const copy = (name: string) => readFileSync(join(folder, "out", name), "utf8");

describe("mailwright scrub", () => {
  test("writes a copy of each mail of a folder, under numbers, the same words the same in all of them", async () => {
    const { files, shown, ...counts } = await shaped("mail", "--out", "out", "--show", "whitfield.example");
    expect(counts).toEqual({ scrubbed: 2, failed: 0 });
    expect(files.map(({ file, copy: name }) => [file.slice(folder.length), name])).toEqual([
      ["/mail/b-marigold.eml", "00001.eml"],
      ["/mail/below/a.eml", "00002.eml"],
    ]);
    expect(copies()).toEqual(["00001.eml", "00002.eml"]);
    const [one, other] = copies().map(copy);
    expect(`${one}${other}`).not.toMatch(/marigold|whitfield/i);
    expect(/<1?[^@>]*@[a-z]+\.example>/.exec(other?.split("References: ")[1] ?? "")?.[0]).toBe(
      /Message-ID: (.*)\r/.exec(one ?? "")?.[1],
    );
    expect(one).toContain(`@${shown[0]?.stands_for_it}>`);
  });

  test("shows what stands for an address beyond ASCII, as it stands in the copies", async () => {
    const address = "jörg@müller-straße.example";
    writeFileSync(join(folder, "mail", "b-marigold.eml"), `From: Ana <${address}>\r\nTo: x@y.example\r\n\r\nx\r\n`);
    const [shown] = (await shaped("mail", "--out", "out", "--show", address)).shown;
    expect(shown?.stands_for_it).not.toMatch(/ö.*ü.*ß/);
    expect(copy("00001.eml")).toContain(`<${shown?.stands_for_it}>`);
  });

  test("another run is another key: what one says stands for a name says nothing of the next", async () => {
    const [first] = (await shaped("mail", "--out", "out", "--show", "whitfield.example")).shown;
    const [second] = (await shaped("mail", "--out", "out", "--force", "--show", "whitfield.example")).shown;
    expect(second).not.toEqual(first);
    expect(copy("00001.eml")).toContain(second?.stands_for_it);
  });

  test("never writes over a file without --force, and leaves nothing half-written", async () => {
    mkdirSync(join(folder, "out"));
    writeFileSync(join(folder, "out", "00001.eml"), "mine");
    const { code, out, err } = await run("mail", "--out", "out");
    expect({ code, out }).toEqual({ code: 4, out: "1 of 2 mails scrubbed into out\n" });
    expect(err).toMatch(/00001\.eml is there already; --force writes over it/);
    expect(copy("00001.eml")).toBe("mine");
    expect(copies()).toEqual(["00001.eml", "00002.eml"]);
    expect((await run("mail/b-marigold.eml", "--out", "out")).code).toBe(1);
  });

  test("refuses a folder of copies within the mail", async () => {
    for (const out of ["mail", "mail/out", "mail/../mail/x"]) {
      expect(await run("mail", "--out", out)).toMatchObject({ code: 2, out: "" });
    }
    expect((await run("mail", "--out", "mail-out")).code).toBe(0);
  });

  test("says what cannot be read", async () => {
    expect(await run("nowhere", "--out", "out")).toMatchObject({
      code: 1,
      err: "mailwright: nowhere cannot be read (ENOENT)\n",
    });
  });
});
