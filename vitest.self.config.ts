/**
 * The project's own tests: `unit` needs nothing, `lab` a machine that can boot one. `npm run check` and `npm test` run them.
 */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    watch: false,
    allowOnly: false,
    passWithNoTests: false,
    expect: { requireAssertions: true },
    // The default of 40 cuts off the very values that one wants to see.
    chaiConfig: { truncateThreshold: 200 },
    // A project that does not extend this configuration would, in silence, not have the strictness above.
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          // The modules under test keep nothing to themselves, so that they need loading but once: half of the time went into that.
          isolate: false,
          include: ["{helpers,fixtures,lab,bench,self,tidy}/**/*.test.ts", "tidy.test.ts"],
          exclude: ["lab/self/**"],
          testTimeout: 20_000,
          // Most of them wait for something most of the time: on two cores four workers take three quarters of the time of two.
          maxWorkers: 4,
        },
      },
      {
        extends: true,
        test: {
          name: "lab",
          include: ["lab/self/*.lab.test.ts"],
          // The tests share one lab and are told in order; to boot it from an empty cache takes minutes.
          fileParallelism: false,
          testTimeout: 15 * 60_000,
          hookTimeout: 30 * 60_000,
        },
      },
    ],
  },
});
