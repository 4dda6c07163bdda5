import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { timedRun } from "./timed-run.ts";

const shell = (script: string) => ({
  program: "sh",
  parameters: ["-c", script],
  folder: tmpdir(),
  environment: { PATH: "/usr/bin:/bin", ONE: "1" },
  isVerdict: (line: string) => line === "passed",
});

test("the last verdict and the exit of a run are told apart", async () => {
  const { verdicts, verdictMs, exitMs } = await timedRun(shell("echo passed; sleep 0.2; echo passed; echo more; sleep 0.4"));

  expect(verdicts).toBe(2);
  expect(verdictMs).toBeGreaterThanOrEqual(200);
  expect(exitMs - verdictMs).toBeGreaterThan(100);
});

test("the memory of a run is the highest that was seen, where it is watched", async () => {
  const watched = await timedRun(shell("sleep 0.3; echo passed"), { watchesMemory: true });
  const unwatched = await timedRun(shell("sleep 0.3; echo passed"));

  expect(watched.peakBytes).toBeGreaterThan(50_000);
  expect(unwatched.peakBytes).toBe(0);
});

test("a run gets the environment it is given, and nothing of ours", async () => {
  const run = timedRun(shell('test "$ONE" = 1 && test -z "$VITEST" && echo passed'));

  await expect(run).resolves.toMatchObject({ verdicts: 1 });
});

test.for([
  ["a run that fails", "echo passed; echo it broke >&2; exit 3", /"sh -c .*" exited 3 after \d+ ms, expected 0.*it broke/s],
  ["a run without a verdict", "echo nothing to say", /exited 0, but printed no verdict.*nothing to say/s],
] as const)("%s has no time", async ([, script, message]) => {
  await expect(timedRun(shell(script))).rejects.toThrow(message);
});

test("a run that hangs is ended, with what it has started", async () => {
  await expect(timedRun(shell("sleep 60; true"), { timeoutMs: 100 })).rejects.toThrow(/exited SIGTERM after \d+ ms/);
});

test("a program that is not there is named", async () => {
  await expect(timedRun({ ...shell(""), program: "no-such-program" })).rejects.toThrow(/"no-such-program.*could not be started/);
});
