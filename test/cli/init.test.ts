/** `mailwright init`: a configuration that is accepted, from options alone or from a person's answers, over nothing that is there. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { askAll, type InitOptions } from "../../src/cli/init/answers.ts";
import { terminalAsker } from "../../src/cli/init/asking.ts";
import type { Initialised } from "../../src/cli/mailbox-shapes.ts";
import { shapes } from "../../src/cli/shapes.ts";
import { command, type StageOptions } from "./stage.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "mailwright-init-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const init = (args: readonly string[], options: StageOptions = {}) =>
  command(["init", ...args], { cwd: dir, ...options });
const mailbox = [
  "--mail",
  "mailbox",
  "--provider",
  "other",
  "--host",
  "imap.acme.example",
  "--user",
  "sales@acme.example",
];
const read = (name: string) => readFileSync(join(dir, name), "utf8");
const accepted = async (env: Record<string, string> = {}) => {
  const checked = await command(["config", "check", "--config", join(dir, "mailwright.yaml")], { env });
  expect(checked.err).toBe("");
  return checked.code;
};

describe("from options alone", () => {
  it("a mailbox with a password that the environment has becomes a configuration that is accepted", async () => {
    const ended = await init([...mailbox, "--password", "env:SALES_PASSWORD", "--json"]);
    expect(ended.code).toBe(0);
    const report = shapes.init.parse(ended.json()) as Initialised;
    expect(report).toMatchObject({
      mapping: null,
      secrets: [],
      unset: ["SALES_PASSWORD"],
      login: { checked: false, ok: null },
    });
    expect(report.next.at(-1)).toMatch(/backfill --account sales --since \d{4}-\d\d-\d\d --config mailwright\.yaml$/);
    expect(await accepted({ SALES_PASSWORD: "x" })).toBe(0);
    expect(statSync(join(dir, "mailwright.yaml")).mode & 0o777).toBe(0o600);
  });

  it("SMTP with a preset becomes a configuration and a mapping that fits the CRM", async () => {
    const args = [
      "--mail",
      "smtp",
      "--recipient",
      "deals@in.acme.example",
      "--own-domain",
      "acme.example",
      "--preset",
      "sales-inbox",
    ];
    expect((await init(args)).code).toBe(0);
    expect(await accepted()).toBe(0);
    expect(read("mapping.yaml")).toMatch(/recipient: \[deals@\*, sales@\*\]/);
    // HubSpot's field, and the built-in CRM gets the mail.
    expect(read("mapping.yaml")).not.toMatch(/hs_lead_status/);
    expect((await command(["mapping", "check", "--config", join(dir, "mailwright.yaml")])).code).toBe(0);
  });

  it("every preset fits a mailbox, with and without HubSpot", async () => {
    for (const preset of ["sales-inbox", "support-inbox", "team-mailboxes"]) {
      for (const crm of ["local", "hubspot"]) {
        const ended = await init([...mailbox, "--password", "env:P", "--preset", preset, "--crm", crm, "--force"]);
        expect(ended.err).not.toMatch(/problem|expected/);
        expect(ended.code).toBe(0);
        expect(await accepted({ P: "x", HUBSPOT_TOKEN: "pat-x" })).toBe(0);
        expect(read("mapping.yaml")).not.toMatch(/recipient:/);
      }
    }
  });

  it("each way of signing in by OAuth is taken, and wants what it needs", async () => {
    const oauth = (type: string, ...set: string[]) => [
      ...mailbox,
      "--oauth",
      type,
      ...set.flatMap((one) => ["--oauth-set", one]),
      "--force",
    ];
    expect(
      (await init(oauth("microsoft_app", "directory=acme.example", "client_id=abc", "client_secret=env:S"))).code,
    ).toBe(0);
    expect(await accepted({ S: "x" })).toBe(0);
    const person = await init([...oauth("microsoft_person", "directory=acme.example", "client_id=abc"), "--json"]);
    expect((person.json() as Initialised).next[0]).toMatch(/init --sign-in sales --config mailwright\.yaml$/);
    expect(await accepted()).toBe(0);
    const missing = await init(oauth("microsoft_app", "directory=acme.example"));
    expect([missing.code, missing.err]).toEqual([2, expect.stringMatching(/--oauth-set client_id= is missing/)]);
  });

  it("knows where Microsoft's and Google's mailboxes are, and how one signs in there", async () => {
    const at = (provider: string, oauth: string, ...set: string[]) => [
      ...["--mail", "mailbox", "--provider", provider, "--user", "sales@acme.example", "--oauth", oauth, "--force"],
      ...set.flatMap((one) => ["--oauth-set", one]),
    ];
    const secret = "client_secret=env:S";
    for (const [host, args] of [
      ["outlook.office365.com", at("microsoft", "microsoft_person", "directory=acme.example", "client_id=a")],
      ["outlook.office365.com", at("microsoft", "microsoft_app", "directory=acme.example", "client_id=a", secret)],
      ["imap.gmail.com", at("google", "google_service_account", "key=env:KEY")],
      ["imap.gmail.com", at("google", "refresh_token", "client_id=a", "refresh_token=env:S", secret)],
    ] as const) {
      expect((await init(args)).code).toBe(0);
      expect(read("mailwright.yaml")).toContain(`host: ${host}`);
      const key = JSON.stringify({ client_email: "robot@acme.example", private_key: "x" });
      expect(await accepted({ S: "x", KEY: key })).toBe(0);
    }
  });

  it("no secret is taken from the command line itself, and an unknown key is named", async () => {
    const secret = await init([...mailbox, "--password", "hunter2"]);
    expect([secret.code, secret.err]).toEqual([2, expect.stringMatching(/--password takes env:NAME or file:PATH/)]);
    expect(secret.err).not.toContain("hunter2");
    const refresh = ["--oauth", "refresh_token", "--oauth-set", "client_id=abc", "--oauth-set", "refresh_token=env:R"];
    const optional = await init([...mailbox, ...refresh, "--oauth-set", "client_secret=hunter2"]);
    expect([optional.code, optional.err]).toEqual([
      2,
      expect.stringMatching(/--oauth-set client_secret takes env:NAME or file:PATH/),
    ]);
    expect(optional.err).not.toContain("hunter2");
    const unknown = await init([...mailbox, "--password", "env:P", "--crm", "hubspot", "--crm-set", "tokn=env:T"]);
    expect([unknown.code, unknown.err]).toEqual([
      2,
      expect.stringMatching(/--crm-set tokn: hubspot has the keys .*token/),
    ]);
    expect(existsSync(join(dir, "mailwright.yaml"))).toBe(false);
  });

  it("what is missing is named by its option", async () => {
    expect(await init(["--mail", "mailbox"])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/--user is missing/),
    });
    expect(await init(["--mail", "smtp"])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/--recipient is missing/),
    });
  });

  it("text of the user's is never taken for a reference or for YAML", async () => {
    const strange = `a"b: \${env:HOME} #{x}`;
    const args = [
      "--mail",
      "mailbox",
      "--provider",
      "other",
      "--host",
      "imap.acme.example",
      "--user",
      strange,
      "--account",
      "sales",
    ];
    expect((await init([...args, "--password", "env:P", "--own-domain", "acme.example"])).code).toBe(0);
    const checked = await command(["config", "check", "--config", join(dir, "mailwright.yaml"), "--json"], {
      env: { P: "x" },
    });
    expect(JSON.stringify(checked.json())).toContain(JSON.stringify(strange).slice(1, -1));
  });
});

describe("what is there already", () => {
  it("is left alone without --force, and named", async () => {
    writeFileSync(join(dir, "mapping.yaml"), "rules: []\n");
    const ended = await init([...mailbox, "--password", "env:P", "--preset", "sales-inbox"]);
    expect([ended.code, ended.err]).toEqual([
      1,
      expect.stringMatching(/mapping\.yaml is there already; --force writes over it/),
    ]);
    expect(read("mapping.yaml")).toBe("rules: []\n");
    expect(existsSync(join(dir, "mailwright.yaml"))).toBe(false);
  });

  it("is as before when an answer cannot stand in a configuration", async () => {
    mkdirSync(join(dir, "conf"));
    const ended = await init([
      "conf/m.yaml",
      "--mail",
      "smtp",
      "--recipient",
      "no address",
      "--own-domain",
      "acme.example",
      "--preset",
      "sales-inbox",
    ]);
    expect(ended.code).toBe(3);
    expect(ended.err).toMatch(/no address/);
    expect(existsSync(join(dir, "conf", "m.yaml"))).toBe(false);
    expect(existsSync(join(dir, "conf", "mapping.yaml"))).toBe(false);
  });
});

describe("with --force", () => {
  const forced = (...more: string[]) => init([...mailbox, "--password", "env:P", "--force", ...more]);
  const all = () =>
    (readdirSync(dir, { recursive: true }) as string[]).sort().filter((name) => statSync(join(dir, name)).isFile());

  it("what was there stays to the byte where an answer cannot stand, and no draft is left", async () => {
    writeFileSync(join(dir, "mailwright.yaml"), "# mine\n");
    writeFileSync(join(dir, "mapping.yaml"), "rules: []\n");
    const ended = await forced("--preset", "sales-inbox", "--own-domain", "no domain");
    expect(ended.code).toBe(3);
    expect([read("mailwright.yaml"), read("mapping.yaml")]).toEqual(["# mine\n", "rules: []\n"]);
    expect(all()).toEqual(["mailwright.yaml", "mapping.yaml"]);
  });

  it("what was replaced comes back where a later file cannot take its place", async () => {
    mkdirSync(join(dir, "mailwright.yaml"));
    writeFileSync(join(dir, "mapping.yaml"), "rules: []\n");
    const ended = await forced("--preset", "sales-inbox");
    expect([ended.code, ended.err]).toEqual([1, expect.stringMatching(/nothing was written/)]);
    expect(read("mapping.yaml")).toBe("rules: []\n");
    expect(all()).toEqual(["mapping.yaml"]);
  });

  it("all is new where all can be", async () => {
    writeFileSync(join(dir, "mailwright.yaml"), "# mine\n", { mode: 0o644 });
    expect((await forced("--preset", "sales-inbox")).code).toBe(0);
    expect(await accepted({ P: "x" })).toBe(0);
    expect(statSync(join(dir, "mailwright.yaml")).mode & 0o777).toBe(0o600);
    expect(all()).toEqual(["mailwright.yaml", "mapping.yaml"]);
  });
});

describe("a person at the terminal", () => {
  function terminal(typed: readonly string[]) {
    const shown: string[] = [];
    const raw: boolean[] = [];
    /** All that happened at the terminal, in order. */
    const order: unknown[] = [];
    const stdin = {
      isTerminal: true,
      setRaw: (on: boolean) => void order.push(raw.push(on) > 0 && on),
      async *[Symbol.asyncIterator]() {
        for (const piece of typed) yield Buffer.from(piece);
      },
    };
    const stderr = {
      write: async (text: string) => void order.push(shown.push(text) > 0 && text),
      isTerminal: true,
      columns: 80,
    };
    return { asker: terminalAsker({ stdin, stderr }), shown, raw, order };
  }

  it("answers by word or number, has defaults, and is asked again when it makes no sense", async () => {
    const { asker, shown } = terminal(["9\n", "2\n\n", "b\n", "maybe\ny\n"]);
    const choices = [
      { value: "a", about: "the first" },
      { value: "b", about: "the second" },
    ];
    expect(await asker.choose({ option: "--x", words: "Which?" }, choices)).toBe("b");
    expect(await asker.text({ option: "--y", words: "What", initial: "this" })).toBe("this");
    expect(await asker.choose({ option: "--x", words: "Which?" }, choices)).toBe("b");
    expect(await asker.yes({ option: "--z", words: "Really?", initial: "no" })).toBe(true);
    expect(shown.join("")).toMatch(/a number from 1 to 2/);
  });

  it("is asked how a server of his own is reached, and for nothing of that at a large provider", async () => {
    const about = { password: "env:P", account: "sales", user: "sales@acme.example" };
    const mailboxOf = async (options: InitOptions, ...typed: readonly string[]) => {
      const { asker, shown } = terminal([...typed, "\n\n\n\n\n"]);
      const { mailbox } = await askAll({ mail: "mailbox", ...about, ...options }, asker);
      return { ...mailbox, asked: shown.join("") };
    };
    const own = { provider: "other", host: "imap.acme.example" };
    expect(await mailboxOf(own, "\n\n")).toMatchObject({ tls: "implicit", port: undefined });
    expect(await mailboxOf(own, "starttls\n\n")).toMatchObject({ tls: "starttls", port: undefined });
    expect(await mailboxOf(own, "3\n0\nx\n10143\n")).toMatchObject({ tls: "none", port: 10_143 });
    expect(await mailboxOf({ ...own, tls: "none", port: 143 })).toMatchObject({ tls: "none", port: 143 });
    const { asked, ...google } = await mailboxOf({ provider: "google" });
    expect(google).toMatchObject({ host: "imap.gmail.com", tls: "implicit", port: undefined });
    expect(asked).not.toMatch(/encrypted|Its port/);
  });

  it("types a password unseen, with its backspaces, and can break off", async () => {
    const { asker, raw, order } = terminal(["secrex", "\u007ft", "\r"]);
    expect(await asker.hidden({ option: "--password", words: "Password" })).toBe("secret");
    expect(raw).toEqual([true, false]);
    expect(order).toEqual([true, "Password: ", false, "\n"]);
    const broken = terminal(["abc\u0003"]);
    await expect(broken.asker.hidden({ option: "--password", words: "Password" })).rejects.toThrow(/broken off/);
    expect(broken.raw).toEqual([true, false]);
  });

  it("who goes away leaves nothing", async () => {
    const { asker } = terminal([]);
    await expect(asker.text({ option: "--x", words: "Which" })).rejects.toThrow(/the answers end/);
  });
});
