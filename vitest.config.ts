import { defineConfig } from "vitest/config";
import { smokeTest } from "./fixtures/plugin.ts";
import { CheckReporter } from "./fixtures/reporter.ts";
import { ChapterSequencer } from "./fixtures/suites.ts";

const longestTimeoutMs = 6 * 60 * 60_000;

export default defineConfig({
  plugins: [smokeTest()],
  test: {
    include: ["suites/*.spec.ts"],
    watch: false,
    reporters: [new CheckReporter()],
    sequence: { sequencer: ChapterSequencer, concurrent: true },
    // One worker for the whole run, so that the connections to the API and to the hosts are opened once.
    pool: "threads",
    isolate: false,
    fileParallelism: false,
    maxConcurrency: 16,
    // Every wait has a deadline of its own, which says what was seen last. This one is only for the case that we have forgotten one: it is
    // longer than the longest waits that the settings allow, one after the other.
    testTimeout: longestTimeoutMs,
    hookTimeout: longestTimeoutMs,
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
    expect: { requireAssertions: true },
    chaiConfig: { truncateThreshold: 0 },
  },
});
