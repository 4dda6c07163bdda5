import { expect, test } from "vitest";
import { ConformanceError } from "./errors.ts";
import { until } from "./until.ts";

const wait = {
  what: "Pods Ready",
  timeoutMs: 60,
  intervalMs: 10,
  describe: (seen: number) => `${seen} of 9`,
  error: (sentence: string) => new ConformanceError(sentence),
};

test("what is there already is returned at once", async () => {
  const began = performance.now();
  expect(
    await until(
      { ...wait, timeoutMs: 60_000, intervalMs: 10_000 },
      async () => 1,
      () => true,
    ),
  ).toBe(1);
  expect(performance.now() - began).toBeLessThan(1_000);
});

test("looks again until it is so", async () => {
  let looks = 0;
  expect(
    await until(
      { ...wait, timeoutMs: 5_000 },
      async () => (looks += 1),
      (seen) => seen === 3,
    ),
  ).toBe(3);
  expect(looks).toBe(3);
});

test("a wait in vain tells what was waited for, how long, and what was seen last, as the caller's error", async () => {
  const waiting = until(
    wait,
    async () => 2,
    () => false,
  );
  await expect(waiting).rejects.toMatchObject({ name: "ConformanceError", message: "Pods Ready: not within 0.06 s; last seen: 2 of 9" });
});

test("a look that does not return is not waited for, and is told by its signal", async () => {
  let told = false;
  const hanging = until(
    wait,
    (signal) => new Promise<number>(() => signal.addEventListener("abort", () => (told = true))),
    () => true,
  );
  await expect(hanging).rejects.toThrow("Pods Ready: not within 0.06 s; last seen: nothing, the first look is still under way");
  expect(told).toBe(true);
});

test("a look that fails ends the wait with its own error", async () => {
  const failing = until(
    wait,
    () => Promise.reject(new Error("API server gone")),
    () => true,
  );
  await expect(failing).rejects.toThrow("API server gone");
});

test("a wait that is called off ends at once with the signal's reason", async () => {
  const stop = new AbortController();
  const waiting = until(
    { ...wait, timeoutMs: 60_000, intervalMs: 60_000, signal: stop.signal },
    async () => 1,
    () => false,
  );
  setTimeout(() => stop.abort(new Error("the run ended")), 20);
  await expect(waiting).rejects.toThrow("the run ended");
  await expect(
    until(
      { ...wait, signal: stop.signal },
      async () => 1,
      () => true,
    ),
  ).rejects.toThrow("the run ended");
});
