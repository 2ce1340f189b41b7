import { defineConfig } from "vitest/config";

/**
 * unit: pure and in-process, milliseconds each. process: starts the real daemon and kills it.
 * real: needs peers from Debian's packages (Postfix, swaks...) or root; `npm run test:real` only.
 */
export default defineConfig({
  test: {
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
          fileParallelism: false,
        },
      },
    ],
  },
});
