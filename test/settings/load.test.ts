/** Loading a configuration: defaults, references, overrides, and refusals that say where and what. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { destinations } from "../../src/destinations/index.ts";
import { BadConfiguration, loadSettings } from "../../src/settings/index.ts";
import { folder, load, refusal, tenantLines, written } from "./sample.ts";

const key = "ab".repeat(32);

describe("a configuration that is accepted", () => {
  test("one tenant with one recipient is enough; the rest has defaults, and the CRM is the built-in one", () => {
    const inFolder = folder();
    const settings = loadSettings(written(tenantLines, inFolder), {});
    expect(settings).toMatchObject({
      data_dir: join(inFolder, "data"),
      smtp: { host: "0.0.0.0", port: 2525 },
      http: { host: "127.0.0.1", port: 8025 },
      limits: {
        max_message_bytes: 35 * 1024 * 1024,
        inline_bytes: 65_536,
        backlog: 1_000_000,
        disk_reserve_bytes: 2 ** 30,
      },
      retention: { raw: 90 * 86_400_000, event: 90 * 86_400_000 },
      retry: { window_hours: 72 },
      tenants: [{ id: "acme", trust: { create_contact: "unverified" }, destinations: [{ id: "crm", type: "local" }] }],
    });
  });

  test.each([
    ["15s", 15_000],
    ["500ms", 500],
    ["10m", 600_000],
    ["72h", 259_200_000],
    ["90d", 7_776_000_000],
  ])("the duration %s is %d milliseconds", (text, ms) => {
    expect(load(`retention: { raw: ${text} }\n${tenantLines}`).retention.raw).toBe(ms);
  });

  test.each([
    ["4096", 4_096],
    ['"4096"', 4_096],
    ["64KiB", 65_536],
    ["35 MiB", 36_700_160],
    ["2GiB", 2_147_483_648],
  ])("the size %s is %d bytes", (text, bytes) => {
    expect(load(`limits: { inline_bytes: ${text} }\n${tenantLines}`).limits.inline_bytes).toBe(bytes);
  });

  test("relative paths are taken from the folder of the file that names them, absolute ones stay", () => {
    const inFolder = folder();
    mkdirSync(join(inFolder, "rules"));
    writeFileSync(join(inFolder, "rules/acme.yaml"), "rules: []\n");
    const text = `data_dir: ../elsewhere\n${tenantLines}    mapping: rules/acme.yaml\n`;
    const settings = loadSettings(written(text, inFolder), {});
    expect(settings.data_dir).toBe(resolve(inFolder, "../elsewhere"));
    expect(settings.tenants[0]?.mapping?.path).toBe(join(inFolder, "rules/acme.yaml"));
    expect(load(`data_dir: /srv/mail\n${tenantLines}`).data_dir).toBe("/srv/mail");
  });
});

describe("references", () => {
  test("a variable, a default and a file stand in for text, also in the middle of it", () => {
    const inFolder = folder();
    mkdirSync(join(inFolder, "secrets"));
    writeFileSync(join(inFolder, "secrets/key"), `${key}\n`);
    const text = `data_dir: "/srv/\${env:SITE}/\${env:KIND:-mail}"\nseal: { key: "\${file:secrets/key}" }\n${tenantLines}`;
    const settings = loadSettings(written(text, inFolder), { SITE: "berlin" });
    expect(settings.data_dir).toBe("/srv/berlin/mail");
    expect(settings.seal.key).toBe(key);
  });

  test("a number may come from a variable, and so may a whole list", () => {
    const text = 'http: { port: "${env:PORT}" }\ntenants: ${env:TENANTS}\n';
    const settings = load(text, { PORT: "9000", TENANTS: '[{"id": "a", "recipients": ["a@in.example.com"]}]' });
    expect(settings.http.port).toBe(9000);
    expect(settings.tenants[0]?.id).toBe("a");
  });

  test("text that only looks like a number stays text where text is wanted", () => {
    expect(
      load(`log: { level: "\${env:LEVEL}" }\ndata_dir: "\${env:DIR}"\n${tenantLines}`, { LEVEL: "warn", DIR: "/007" })
        .data_dir,
    ).toBe("/007");
  });

  test("two dollar signs keep the characters themselves", () => {
    expect(load(`data_dir: "/srv/$\${env:NOT}"\n${tenantLines}`).data_dir).toBe("/srv/${env:NOT}");
  });

  test("a missing variable is told with its line and its name", () => {
    expect(refusal(`# a comment\ndata_dir: "\${env:NOWHERE}"\n${tenantLines}`).message).toBe(
      "mailwright.yaml:2:11: data_dir: found ${env:NOWHERE}, but the environment variable NOWHERE is not set; " +
        "expected NOWHERE in the environment, or a default: ${env:NOWHERE:-...}",
    );
  });

  test("a variable that is set but empty is as good as missing, and a default stands in for it", () => {
    expect(refusal(`data_dir: "\${env:EMPTY}"\n${tenantLines}`, { EMPTY: "" }).message).toContain(
      "EMPTY is set but empty",
    );
    expect(load(`data_dir: "\${env:EMPTY:-/srv}"\n${tenantLines}`, { EMPTY: "" }).data_dir).toBe("/srv");
  });

  test.each([
    ["${file:absent}", "cannot be read (ENOENT)"],
    ["${aws-sm:name}", "found the reference ${aws-sm:name}"],
    ["${env:A B}", "expected the name of an environment variable"],
    ["${env:OPEN", "`${` without its `}`"],
    ["${file:}", "expected the path of a file"],
  ])("%s is refused with the reason", (reference, reason) => {
    const { problems, message } = refusal(`data_dir: '${reference}'\n${tenantLines}`);
    expect(message).toContain(reason);
    expect(problems[0]?.place).toMatchObject({ kind: "file", line: 1, column: 11 });
  });
});

describe("overrides from the environment", () => {
  test("any key can be set, list entries by their number, a new one at the end", () => {
    const settings = load(tenantLines, {
      MAILWRIGHT__DATA_DIR: "/srv/mail",
      MAILWRIGHT__HTTP__PORT: "0",
      MAILWRIGHT__TENANTS__0__ID: "beta",
      MAILWRIGHT__TENANTS__0__RECIPIENTS__1: "deals@sales.example.com",
      MAILWRIGHT__TENANTS__1__ID: "second",
      MAILWRIGHT__TENANTS__1__RECIPIENTS: '["*@second.example.com"]',
      PATH: "/bin",
    });
    expect(settings.data_dir).toBe("/srv/mail");
    expect(settings.http.port).toBe(0);
    expect(settings.tenants.map(({ id, recipients }) => [id, recipients])).toEqual([
      ["beta", ["*@inbound.example.com", "deals@sales.example.com"]],
      ["second", ["*@second.example.com"]],
    ]);
  });

  test("a reference in a variable's value is resolved as in the file", () => {
    expect(load(tenantLines, { MAILWRIGHT__SEAL__KEY: "${env:K}", K: key }).seal.key).toBe(key);
  });

  test("a wrong one is told by the variable's name", () => {
    expect(refusal(tenantLines, { MAILWRIGHT__SMPT__PORT: "25" }).message).toMatch(
      /^environment variable MAILWRIGHT__SMPT__PORT: found the unknown key "smpt"; .*did you mean `smtp`\?$/,
    );
    expect(refusal(tenantLines, { MAILWRIGHT__HTTP__PORT: "70000" }).message).toBe(
      "environment variable MAILWRIGHT__HTTP__PORT: http.port: found the number 70000; expected at most 65535",
    );
    expect(refusal(tenantLines, { MAILWRIGHT__TENANTS__7__ID: "x" }).message).toContain(
      'the position "7" in a list of 1',
    );
    expect(refusal(tenantLines, { MAILWRIGHT____PORT: "x" }).message).toContain(
      "MAILWRIGHT____PORT: found an empty part in the name",
    );
  });
});

describe("a configuration that is refused", () => {
  test("everything wrong is told at once, in the order of the file", () => {
    const text = [
      "htp: { port: 1 }",
      "http: { prot: 80, port: eighty }",
      "limits: { max_message_bytes: lots, parse_children: 1 }",
      "log: { level: inf }",
      "tenants:",
      "  - id: Acme",
      '    recipient: ["*@inbound.example.com"]',
      "    destinations: [{ id: crm, type: locl }, { type: local }, { id: b, type: local, colour: red }]",
    ].join("\n");
    const { problems, message } = refusal(text);
    expect(problems.map(({ place }) => (place.kind === "file" ? `${place.line}:${place.column}` : place.name))).toEqual(
      ["1:1", "2:9", "2:25", "3:30", "3:52", "4:15", "6:9", "7:5", "8:37", "8:45", "8:84"],
    );
    expect(message).toContain(
      '2:9: http: found the unknown key "prot"; expected one of host, operators, port, public_url, trusted_proxies; did you mean `port`?',
    );
    expect(message).toContain('2:25: http.port: found the text "eighty"; expected a number');
    expect(message).toContain("3:52: limits.parse_children: found the number 1; expected at least 2");
    expect(message).toContain(
      '4:15: log.level: found the text "inf"; expected one of debug, info, warn, error; did you mean `info`?',
    );
    expect(message).toContain("did you mean `recipients`?");
    expect(message).toContain('8:37: tenants[0].destinations[0].type: found the text "locl"');
    expect(message).toContain("did you mean `local`?");
    expect(message).toContain("8:45: tenants[0].destinations[1].id: found nothing");
    expect(message).toContain('8:84: tenants[0].destinations[2]: found the unknown key "colour"');
  });

  test.each([
    [
      "a pattern that begins with * without quotes",
      "tenants:\n  - recipients: [*@in.example.com]",
      '2:18: tenants[0].recipients[0]: found the alias *@in.example.com without its anchor; expected text that begins with * in quotes: "*@in.example.com"',
    ],
    ["a key given twice", "http: { port: 1 }\nhttp: { port: 2 }", "2:1: found the same key a second time"],
    ["a tab as indentation", "http:\n\tport: 1", "2:1: found a tab used for indentation; expected spaces"],
    ["an open bracket", "tenants: [", "found invalid YAML"],
    ["a second document", "a: 1\n---\nb: 2", "found a second document"],
    ["a list at the top", "- 1", "1:1: found a list of 1; expected a mapping of keys to values"],
    ["an empty file", "", "1:1: tenants: found nothing; expected a list"],
    ["an alias of itself", "a: &a [*a]", "too many or too deeply nested values"],
    ["a mapping as a key", "? { a: 1 }\n: 2", "found a list or mapping as a key"],
    ["a key of Object.prototype", `__proto__: { port: 1 }\n${tenantLines}`, '1:1: found the unknown key "__proto__"'],
    ["constructor as a key", `http: { constructor: 1 }\n${tenantLines}`, 'found the unknown key "constructor"'],
    ["an entry that is missing", `${tenantLines}  -\n`, "4:4: tenants[1]: found nothing (null); expected a mapping"],
    [
      "no recipients",
      "tenants: [{ id: a, recipients: [] }]",
      "tenants[0]: found no address that mail could come to; expected at least one recipient, or a mailbox under imap",
    ],
    [
      "two mailboxes of one name",
      "tenants: [{ id: a, imap: [{ id: x, host: h, user: u, password: p }, { id: x, host: h, user: v, password: p }] }]",
      'tenants[0].imap[1].id: found the mailbox id "x" a second time',
    ],
    [
      "a mailbox whose messages are to be moved to nowhere",
      "tenants: [{ id: a, imap: [{ id: x, host: h, user: u, password: p, after: move }] }]",
      "after is move, and there is no move_to: name the folder",
    ],
    [
      "a recipient without a full domain",
      'tenants: [{ id: a, recipients: ["a@localhost"] }]',
      "expected an address (deals@inbound.example.com)",
    ],
    [
      "two tenants of one name",
      "tenants: [{ id: a, recipients: [a@b.example] }, { id: a, recipients: [b@b.example] }]",
      '1:55: tenants[1].id: found the tenant id "a" a second time',
    ],
    [
      "two destinations of one name",
      `${tenantLines}    destinations: [{ id: x, type: local }, { id: x, type: local }]`,
      'tenants[0].destinations[1].id: found the destination id "x" a second time',
    ],
    [
      "one recipient of two tenants, spelled differently",
      'tenants: [{ id: a, recipients: ["*@B.example"] }, { id: b, recipients: ["*@b.example"] }]',
      '1:73: tenants[1].recipients[0]: found "*@b.example", which tenant "a" already claims',
    ],
  ])("%s", (_, text, told) => {
    expect(refusal(text).message).toContain(told);
  });

  test("a file that is not there is told by its name, and how to name another", () => {
    const file = join(folder(), "absent.yaml");
    expect(() => loadSettings(file, {})).toThrow(
      `${file}:1:1: found a file that cannot be read (ENOENT); expected a readable configuration file; --config FILE names another`,
    );
  });

  test("a secret never stands in the message, wherever it came from", () => {
    const secret = "hunter2-hunter2";
    expect(refusal(`seal: { key: ${secret} }\n${tenantLines}`).message).not.toContain(secret);
    expect(refusal(`seal: { key: "\${env:K:-${secret}}" }\n${tenantLines}`).message).not.toContain(secret);
    expect(refusal(`log: { level: "\${env:K}" }\n${tenantLines}`, { K: secret }).message).not.toContain(secret);
    expect(refusal(tenantLines, { MAILWRIGHT__SEAL__KEY: secret }).message).not.toContain(secret);
    expect(refusal(tenantLines, { MAILWRIGHT__SEAL: `{key: ${secret}` }).message).not.toContain(secret);
  });

  test("whatever the text, loading gives settings or a refusal with places, and nothing else", () => {
    const piece = fc.constantFrom(
      "tenants:",
      "  - ",
      "id: a",
      "\n",
      "[",
      "]",
      "{",
      "}",
      ": ",
      "*a",
      "&a ",
      "${env:X}",
      "${",
      "'",
      '"',
      "|\n",
      "- ",
      "http",
      "#",
      "!!set ",
      "1e999",
      "0x",
      "~",
      "\t",
    );
    const file = written("");
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 60 }),
          fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join("")),
        ),
        (text) => {
          writeFileSync(file, text);
          try {
            expect(loadSettings(file, { X: "1" }).tenants.length).toBeGreaterThan(0);
          } catch (error) {
            expect(error).toBeInstanceOf(BadConfiguration);
            const { problems } = error as BadConfiguration;
            expect(problems.length).toBeGreaterThan(0);
            for (const { place } of problems)
              expect(place).toMatchObject({ kind: "file", line: expect.any(Number), column: expect.any(Number) });
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("settings of sources and destinations", () => {
  const hubspot = (rest: string): string => `${tenantLines}    destinations: [{ id: crm, type: hubspot${rest} }]\n`;

  test("are checked by their own schema, and handed on without the keys that all entries have", () => {
    const settings = load(hubspot(', token: "${env:HUBSPOT_TOKEN}"'), { HUBSPOT_TOKEN: "pat-eu1-secret" });
    const [entry] = settings.tenants[0]?.destinations ?? [];
    expect(entry).toMatchObject({
      id: "crm",
      type: "hubspot",
      settings: { token: "pat-eu1-secret", base_url: "https://api.hubapi.com" },
    });
    expect(entry?.settings).not.toHaveProperty("id");
  });

  test("a type nobody knows is told with the ones that are known", () => {
    expect(refusal(`${tenantLines}    destinations: [{ id: crm, type: hubsopt }]\n`).message).toBe(
      `mailwright.yaml:4:37: tenants[0].destinations[0].type: found the text "hubsopt"; expected one of ${destinations.map(({ name }) => name).join(", ")}; did you mean \`hubspot\`?`,
    );
  });

  test("an unknown key is told with the keys of that very type", () => {
    expect(refusal(hubspot(", token: x, tokn: y")).message).toMatch(
      /found the unknown key "tokn"; expected one of .*\bbase_url, .*\btoken, type; did you mean `token`\?/,
    );
    expect(refusal(`${tenantLines}    destinations: [{ id: crm, type: local, token: x }]\n`).message).toContain(
      'found the unknown key "token"; expected one of id, type',
    );
  });

  test("a token that is refused is not shown", () => {
    const { message } = refusal(hubspot(', token: "pat eu1 secret"'));
    expect(message).toMatch(/tenants\[0\]\.destinations\[0\]\.token: found a text \(not shown\); expected/);
  });

  test("certificate files are relative to the configuration too", () => {
    const inFolder = folder();
    const settings = loadSettings(
      written(`smtp: { tls: { cert: tls/cert.pem, key: /etc/tls/key.pem } }\n${tenantLines}`, inFolder),
      {},
    );
    expect(settings.smtp.tls).toEqual({ cert: join(inFolder, "tls/cert.pem"), key: "/etc/tls/key.pem" });
  });
});
