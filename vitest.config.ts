import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** They take minutes of one core each, and are small files, which vitest leaves for the end: the other core would wait for them. */
const longest = [
  "test/simulation/",
  "test/process/kill.test.ts",
  "test/process/cli.test.ts",
  "test/real/faults.test.ts",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean => longest.some((part) => moduleId.includes(part));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/**
 * unit: pure and in-process, milliseconds each. process: starts the real daemon and kills it.
 * real: needs peers from Debian's packages (Postfix, swaks...) or root; `npm run test:real` only.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/process/**", "test/real/**"],
          setupFiles: ["test/code-cache.ts"],
          // Vitest would leave one core of two to itself, which needs none while they run.
          maxWorkers: 2,
          testTimeout: 20_000,
          // A thread that loads its code on a busy machine may take longer than the 10 s that are the default.
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "process",
          include: ["test/process/**/*.test.ts"],
          testTimeout: 900_000,
          hookTimeout: 60_000,
          // Two files at a time: each waits for its daemon more than it works.
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: "real",
          include: ["test/real/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 120_000,
          // Each file has its peers to itself, on ports and in folders of their own; two wait beside each other.
          maxWorkers: 2,
        },
      },
    ],
  },
});
