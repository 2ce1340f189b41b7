/** The house: its rooms, whom each may know, and where each package lives. The tests and Biome's settings are both held to it. */

/** Which rooms a room may import from, besides itself. `main` knows everyone. */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  model: [],
  mail: ["model"],
  mapping: ["model"],
  store: ["model"],
  blobs: ["model"],
  watch: ["model"],
  http: ["model"],
  wire: ["model"],
  sandbox: ["model"],
  destinations: ["model", "wire"],
  sources: ["model", "mail", "wire"],
  pipeline: ["model", "mail", "mapping"],
  // What a domain or an address is has one answer, in the configuration too.
  settings: ["model", "sources/index.ts", "destinations/index.ts", "mail/people.ts"],
  cli: ["main", "settings", "pipeline", "sandbox", "model"],
  bin: ["cli", "main"],
};

/** Where each package is imported. Replacing one then means changing one place. */
export const packageHomes: Readonly<Record<string, readonly string[]>> = {
  "@aws-sdk/client-s3": ["src/blobs/s3/"],
  "@aws-sdk/s3-request-presigner": ["src/blobs/s3.ts"],
  "@google-cloud/storage": ["src/blobs/gcs.ts", "src/blobs/gcs/"],
  "@hubspot/api-client": [],
  "@jsforce/jsforce-node": [],
  "better-sqlite3": ["src/store/"],
  chardet: ["src/mail/"],
  commander: ["bin/", "src/cli/"],
  fastify: ["src/http/"],
  "file-type": ["src/mail/"],
  "free-email-domains-list": ["src/mail/"],
  "html-to-text": ["src/mail/"],
  "ical.js": ["src/mail/"],
  "iconv-lite": ["src/mail/"],
  imapflow: ["src/sources/imap.ts", "src/sources/imap/"],
  mailauth: ["src/mail/trust.ts"],
  mailparser: ["src/mail/parse.ts"],
  "postal-mime": [],
  "p-queue": ["src/pipeline/drain.ts"],
  pino: ["src/watch/log.ts"],
  pipedrive: [],
  "prom-client": ["src/watch/metrics.ts"],
  sharp: ["src/pipeline/preview-child.ts"],
  "smtp-server": ["src/sources/smtp.ts", "src/sources/smtp/"],
  tldts: ["src/mail/"],
  undici: ["src/wire/"],
  yaml: ["src/settings/"],
  zod: ["src/"],
};

/** What Biome has to say in a room at edit time; `architecture.test.ts` holds `biome.json` to it. */
export function restrictedImports(room: string): {
  readonly patterns: readonly { readonly group: readonly string[]; readonly message: string }[];
} {
  const allowed = mayImport[room] ?? [];
  const foreign = [...Object.keys(mayImport), "main"]
    .filter((other) => other !== room && other !== "bin" && !allowed.includes(other))
    .sort();
  const indexes = allowed.filter((other) => other.includes("/")).map((index) => `!**/${index}`);
  const folder = room === "bin" ? "bin/" : `src/${room}/`;
  const elsewhere = Object.keys(packageHomes).filter(
    (name) => !packageHomes[name]?.some((home) => home.startsWith(folder) || folder.startsWith(home)),
  );
  const packages = `{${elsewhere.join(",")}}`;
  return {
    patterns: [
      {
        group: [`**/{${foreign.join(",")}}/**`, ...(foreign.includes("main") ? ["**/main.ts"] : []), ...indexes],
        message: "The room that a room may not know: test/house.ts.",
      },
      { group: [packages, `${packages}/**`], message: "Each package has one home: test/house.ts." },
    ],
  };
}
