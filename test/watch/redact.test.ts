import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openRedactor } from "../../src/watch/redact.ts";

const { text } = openRedactor();

describe("addresses", () => {
  test.each([
    ["jane.doe@example.com", "***@example.com", "the domain helps the operator"],
    [
      "to <jane@example.com>, (bob@sales.example.org);",
      "to <***@example.com>, (***@sales.example.org);",
      "in brackets",
    ],
    ["jane+deals=q3@example.com", "***@example.com", "plus tags"],
    [
      "bounce+jane=example.com@list.example",
      "***@list.example",
      "a VERP address carries another one in its local part",
    ],
    ['"jane doe"@example.com', "***@example.com", "a quoted local part"],
    ["o'brien@example.com", "***@example.com", "an apostrophe is a letter here"],
    ["jürgen@bücher.example", "***@bücher.example", "RFC 6531"],
    ["postmaster@[192.0.2.7]", "***@[192.0.2.7]", "an address literal"],
    ["root@localhost", "***@localhost", "no dot in the domain"],
    ["jane%evil@in.example.com", "***@in.example.com", "percent form"],
    ["GET /contacts?email=jane.doe%40example.com&x=1", "GET /contacts?email=***%40example.com&x=1", "within a URL"],
    ["/contacts/jane%2540example.com", "/contacts/***%40example.com", "encoded twice"],
    ["jane\\@example.com", "***@example.com", "an escaped at sign"],
    ["jane\uff20example.com", "***@example.com", "an at sign of double width"],
    ["jane&#64;example.com", "***@example.com", "an at sign as markup"],
    ["jane@\u200bexample.com", "***@\\u200bexample.com", "a blank that nobody sees"],
    ["jane@example.com jane@example.com", "***@example.com ***@example.com", "every time"],
    ["cut off: jane@", "cut off: ***@", "without its domain"],
  ])("%s becomes %s: %s", (given, shown) => {
    expect(text(given)).toBe(shown);
  });

  test("never show their local part, whatever stands around them", () => {
    const letters = fc.string({
      unit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz0123456789.+_-'"),
      minLength: 1,
      maxLength: 30,
    });
    const around = fc.string({ maxLength: 60 }).filter((word) => !word.includes("needle"));
    fc.assert(
      fc.property(letters, around, around, fc.constantFrom(" ", "<", ",", "("), (part, before, after, edge) => {
        const shown = text(`${before}${edge}needle${part}@example.com ${after}`);
        expect(shown).not.toContain("needle");
      }),
      { numRuns: 300 },
    );
  });

  test("are told from package names in paths and from bare at signs", () => {
    for (const line of ["at f (/app/node_modules/@fastify/x/index.js:1:2)", "meet @ noon", "a @ b"])
      expect(text(line)).toBe(line);
  });
});

describe("credentials", () => {
  const hex = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
  test.each([
    ["a HubSpot token", "pat-na1-1b2c3d4e-aaaa-bbbb-cccc-0123456789ab", "1b2c3d4e"],
    ["a bearer token", "Bearer abc.def-ghi_123", "def-ghi"],
    ["basic authentication", "Authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcj"],
    ["a Zoho token", "Zoho-oauthtoken 1000.8cb99dxxxx9be93.9b8xxxxf", "8cb99d"],
    ["a URL with a password", "https://user:hunter2@host.example/path", "hunter2"],
    ["a query with a token", "https://host.example/?access_token=abcdef123&x=1", "abcdef123"],
    ["JSON with a secret", '{"client_secret":"abcdef123","id":1}', "abcdef123"],
    ["a password", "password: swordfish", "swordfish"],
    ["an API key", "api-key = swordfish", "swordfish"],
    ["a Stripe key", "sk_live_4eC39HqLyjWDarjtT1zdp7dc", "4eC39HqL"],
    ["a Slack token", "xoxb-123456789012-abcdefGHIJ", "abcdefGHIJ"],
    ["a GitHub token", "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "mnopq"],
    ["an AWS key id", "AKIAIOSFODNN7EXAMPLE", "FODNN7"],
    ["a SendGrid key", "SG.ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf-09kqeF8tAmbihYzrnopKc", "TwL2iGAB"],
    ["a JWT", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "dozjgNry"],
    ["a digest", hex, "9f86d081"],
    ["a key in base64", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=", "REVGR0hJ"],
    ["a key of mixed letters", "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6kL9n", "jK2mN5"],
    ["a private key", "-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\nFaA2Hw\n-----END EC PRIVATE KEY-----", "FaA2Hw"],
    ["a private key that is cut off", "-----BEGIN PRIVATE KEY-----\nMHcCAQEE", "MHcCAQEE"],
  ])("%s is masked", (_, given, secret) => {
    const shown = text(`before ${given} after`);
    expect(shown).not.toContain(secret);
    expect(shown).toMatch(/^before .*\*\*\*/);
  });

  test.each([
    "+49 170 1234567",
    "+1 (555) 123-4567",
    "0049-30-1234567",
    "+442079460958",
    "(555) 123-4567",
    "555-123-4567",
    "030 / 1234567",
    "0171-2345678",
    "4111 1111 1111 1111",
    "4111111111111111",
  ])("the number %s is masked", (number) => {
    expect(text(`call ${number} now`)).toBe("call *** now");
  });
});

describe("what an operator needs is left alone", () => {
  test.each([
    "01932f4e-7b1c-7def-8abc-0123456789ab",
    "12345678-1234-7123-8123-123456789012",
    "192.168.100.200",
    "2001:db8::1",
    "2026-11-24T16:47:00.123Z",
    "listening on 127.0.0.1:8025 after 1732467000123 ms",
    "452 4.3.1",
    "acme/crm",
    "hubspot answered 429: You have reached your ten_secondly_rolling limit",
    "/var/lib/mailwright/Data2/spool/01932f4e-7b1c-7def-8abc-0123456789ab.sealed",
    "at Object.openRaw (file:///srv/App2/node_modules/some-long-package-name/dist/Index3.js:10:20)",
    "TLS_AES_256_GCM_SHA384 TLSv1.3",
    "1234567890123456 is no card number",
    "ENOSPC: no space left on device, write",
  ])("%s", (line) => {
    expect(text(line)).toBe(line);
  });
});

describe("bounds and controls", () => {
  test("a value takes at most 1 KB, cut between characters and marked", () => {
    for (const long of ["x y ".repeat(2_000), "ü ".repeat(2_000), "😀 ".repeat(2_000), "€ ".repeat(400)]) {
      const shown = text(long);
      expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(1_024);
      expect(shown.endsWith("...")).toBe(true);
      expect(shown).not.toContain("\ufffd");
    }
  });

  test("a value of exactly 1 KB is whole", () => {
    const whole = `${"ab ".repeat(341)}a`;
    expect(text(whole)).toBe(whole);
  });

  test("cutting shows no half of an address or number", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), fc.constantFrom(1, 5, 400), (before, repeats) => {
        const addresses = "needle@example.com ".repeat(repeats);
        expect(text(`${"x ".repeat(before)}${addresses}`)).not.toContain("needle");
        expect(text(`${addresses}${"jane@x.example ".repeat(before / 10)}needle@example.com`)).not.toContain("needl");
      }),
      { numRuns: 200 },
    );
  });

  test("controls, line separators and direction marks are shown as codes", () => {
    expect(text("a\r\nb\u001b[31mc\u0000d\u0085e\u2028f\u202eg\u2066h\ufeffi")).toBe(
      "a\\u000d\\u000ab\\u001b[31mc\\u0000d\\u0085e\\u2028f\\u202eg\\u2066h\\ufeffi",
    );
  });

  test("whatever comes in, a bounded, well-formed line without controls comes out", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 2_000 }), (given) => {
        const shown = text(given);
        expect(shown.isWellFormed()).toBe(true);
        expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(1_024);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
        expect(shown).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/);
      }),
    );
  });

  test("a hostile megabyte costs about as much as its first kilobytes", () => {
    const hostile = [
      "a",
      "a@",
      "0",
      "0-",
      "-----BEGIN PRIVATE KEY-----",
      "://",
      "token",
      "token=",
      '"',
      '\\"',
      "%",
      "%40",
      "eyJ",
      "A1a",
      " ",
    ];
    // Counted in work, not in time: the patterns see a window of fixed length, so that eight times the text gives the same answer.
    for (const seed of hostile) {
      const long = seed.repeat(Math.ceil(1_000_000 / seed.length));
      expect(text(long)).toBe(text(long.slice(0, 500_000)));
    }
  });
});

describe("registered secrets", () => {
  function knowing(...secrets: string[]) {
    const redactor = openRedactor();
    for (const secret of secrets) redactor.registerSecret(secret);
    return redactor;
  }

  test("are masked wherever they stand, glued to other text too", () => {
    const { text } = knowing("correct-horse");
    expect(text("xcorrect-horsey and correct-horse")).toBe("x***y and ***");
  });

  test("are masked as they look in a URL and in JSON", () => {
    const { text } = knowing('pass/w"rd one');
    expect(text(`GET /?k=${encodeURIComponent('pass/w"rd one')}`)).toBe("GET /?k=***");
    expect(text(JSON.stringify({ note: 'pass/w"rd one' }))).toBe('{"note":"***"}');
  });

  test("are masked line by line when they have several", () => {
    const { text } = knowing("first line of the secret\nsecond line of the secret\nend");
    expect(text("found: second line of the secret!")).toBe("found: ***!");
  });

  test("that contain each other are masked whole, in either order", () => {
    expect(knowing("swordfish", "swordfish-and-more").text("swordfish-and-more")).toBe("***");
    expect(knowing("swordfish-and-more", "swordfish").text("swordfish-and-more")).toBe("***");
  });

  test("that are short are masked where they stand alone", () => {
    const { text } = knowing("dev");
    expect(text("key dev, but developer and devops")).toBe("key ***, but developer and devops");
  });

  test("that are empty or blank mask nothing", () => {
    expect(knowing("", "  \n").text("a b")).toBe("a b");
  });

  test("are masked beyond the part of a value that patterns look at, and across its end", () => {
    const { text } = knowing("s3cr.t(value)*");
    for (let before = 8_150; before < 8_200; before += 1) {
      expect(text(`${"x ".repeat(before / 2)}s3cr.t(value)* `.repeat(2))).not.toContain("s3c");
    }
  });

  test("are masked in a Message-ID too", () => {
    expect(knowing("swordfish").messageId("<swordfish@example.com>")).toBe("<***@example.com>");
  });

  test("never show, whatever they are made of and stand in", () => {
    const secret = fc.string({ minLength: 6, maxLength: 40 }).filter((value) => value.trim().length >= 6);
    fc.assert(
      fc.property(secret, fc.string({ maxLength: 50 }), fc.string({ maxLength: 50 }), (value, before, after) => {
        const { text } = knowing(value);
        const left = `${before}${after}`.includes(value.trim()) ? "" : text(before) + text(after);
        fc.pre(!left.includes(value.trim()) && !"***\\u00".includes(value.trim()));
        expect(text(`${before} ${value} ${after}`)).not.toContain(value.trim());
      }),
    );
  });
});

describe("a Message-ID", () => {
  const { messageId } = openRedactor();
  test("is shown whole although it looks like an address", () => {
    expect(messageId("<CAF+x=9f86d081884c7d659a2feaa0c55ad015@mail.example.com>")).toBe(
      "<CAF+x=9f86d081884c7d659a2feaa0c55ad015@mail.example.com>",
    );
  });
  test("is cleaned and bounded", () => {
    expect(messageId("<a\r\nlevel: error\u001b@b>")).toBe("<a\\u000d\\u000alevel: error\\u001b@b>");
    expect(Buffer.byteLength(messageId(`<${"ü".repeat(5_000_000)}@b>`))).toBeLessThanOrEqual(250);
  });
});
