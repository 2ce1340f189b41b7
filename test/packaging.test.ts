/** What an install on a bare machine depends on: exact versions, majors that were tried, and a lock file that builds nothing. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

interface Manifest {
  readonly engines: Record<string, string>;
  readonly files: readonly string[];
  readonly bin: Record<string, string>;
  readonly scripts: Record<string, string>;
  readonly allowScripts: Record<string, boolean>;
  readonly overrides: Record<string, string>;
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
  readonly peerDependencies: Record<string, string>;
  readonly peerDependenciesMeta: Record<string, { readonly optional: boolean }>;
}
interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
  readonly gypfile?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

const read = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
const manifest = JSON.parse(read("package.json")) as Manifest;
const lockText = read("package-lock.json");
const lock = JSON.parse(lockText) as { lockfileVersion: number; packages: Record<string, Locked> };
const installed = Object.entries(lock.packages).filter(([path]) => path !== "");
const direct = { ...manifest.dependencies, ...manifest.devDependencies };

describe("versions", () => {
  test.each(Object.entries(direct))("%s is pinned to one version: %s", (name, version) => {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(lock.packages[`node_modules/${name}`]?.version).toBe(version);
  });

  // A new major is a decision: what was measured and worked around (docs/decisions, comments in the one file that imports it) may no longer hold.
  test("the majors are the ones this program was tried with", () => {
    const majors = Object.fromEntries(
      Object.entries(manifest.dependencies).map(([name, version]) => [name, Number.parseInt(version, 10)]),
    );
    expect(majors).toEqual({
      "better-sqlite3": 13,
      chardet: 2,
      commander: 15,
      fastify: 5,
      "file-type": 22,
      "free-email-domains-list": 1,
      "html-to-text": 10,
      "ical.js": 2,
      "iconv-lite": 0,
      imapflow: 2,
      mailauth: 7,
      mailparser: 3,
      "p-queue": 10,
      pino: 10,
      "prom-client": 15,
      "smtp-server": 3,
      tldts: 7,
      undici: 8,
      yaml: 2,
      zod: 4,
    });
  });

  test("what only some users need is installed by them: the tests bring it along, and an install for production has nothing of it", () => {
    const optional = Object.keys(manifest.peerDependencies);
    expect(optional).toEqual(["@aws-sdk/client-s3", "@aws-sdk/s3-request-presigner", "@google-cloud/storage", "sharp"]);
    for (const name of optional) {
      expect(manifest.peerDependenciesMeta[name]).toEqual({ optional: true });
      expect(manifest.peerDependencies[name]).toBe(`^${manifest.devDependencies[name]}`);
      expect(lock.packages[`node_modules/${name}`]?.dev).toBe(true);
    }
    const theirs = installed.filter(([path]) => /node_modules\/@(aws-sdk|smithy|google-cloud|img)\//.test(path));
    expect(theirs.filter(([, { dev }]) => dev !== true)).toEqual([]);
  });

  test("sharp has its binaries for every platform in the lock file, each of them optional: where there is none, nothing else fails to install", () => {
    const binaries = installed.filter(([path]) => /node_modules\/@img\/sharp-/.test(path));
    expect(binaries.map(([path]) => path.replace(/.*@img\//, ""))).toEqual(
      expect.arrayContaining(["sharp-linux-x64", "sharp-linuxmusl-arm64", "sharp-darwin-arm64", "sharp-win32-x64"]),
    );
    expect(binaries.filter(([, { optional }]) => optional !== true)).toEqual([]);
  });

  test("every copy of nodemailer is one whose address parser does not cut domains short", () => {
    const copies = installed
      .filter(([path]) => path.endsWith("node_modules/nodemailer"))
      .map(([, { version }]) => version);
    expect(copies).toEqual([manifest.overrides.nodemailer]);
  });

  test("npm scripts run on Node 24 whatever the system has", () => {
    expect(manifest.engines.node).toBe(">=24");
    expect(manifest.devDependencies.node).toMatch(/^24\./);
  });
});

describe("the lock file", () => {
  test("agrees with package.json about what is asked for", () => {
    expect(lock.packages[""]?.dependencies).toEqual(manifest.dependencies);
    expect(lock.packages[""]?.devDependencies).toEqual(manifest.devDependencies);
  });

  test("names no host: whichever registry npm is set to serves it, and the digests say what is right", () => {
    expect(lockText).not.toMatch(/registry|\.tgz/);
    expect(installed.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([]);
    expect(installed.filter(([, { integrity }]) => integrity === undefined).map(([path]) => path)).toEqual([]);
  });

  test("keeps npm 10 from compiling better-sqlite3, which brings its binaries along", () => {
    // npm 10 runs `node-gyp rebuild` for every package with a binding.gyp unless the lock says gypfile: false; npm drops the line
    // whenever it writes the lock, and without Python or a compiler the install then dies.
    expect(lock.packages["node_modules/better-sqlite3"]?.gypfile).toBe(false);
  });

  test("lets npm 11 and 12 run exactly the install scripts that are needed", () => {
    const withScripts = installed
      .filter(([, { hasInstallScript }]) => hasInstallScript === true)
      .map(([path]) => path.replace("node_modules/", ""));
    const refused = Object.entries(manifest.allowScripts).filter(([, isAllowed]) => !isAllowed);
    expect(withScripts.filter((name) => manifest.allowScripts[name] !== true)).toEqual([]);
    expect(refused).toEqual([["better-sqlite3", false]]);
  });
});

test("the package carries emitted JavaScript, the configuration and the demo's mails, and no sources that Node would refuse to run", () => {
  expect(manifest.files).toEqual(expect.arrayContaining(["dist", "config", "corpus", "README.md", "LICENSE"]));
  expect(manifest.bin.mailwright).toMatch(/^dist\/.*\.js$/);
  expect(manifest.scripts.prepack).toBe("npm run build");
});
