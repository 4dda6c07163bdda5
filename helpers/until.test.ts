import { expect, test } from "vitest";
import { ConformanceError } from "./errors.ts";
import { until } from "./until.ts";

const wait = {
  what: "Pods Ready",
  timeoutMs: 150,
  describe: (seen: number) => `${seen} of 9`,
  error: (sentence: string) => new ConformanceError(sentence),
};

test("what is there already is returned at once", async () => {
  const began = performance.now();
  expect(
    await until(
      { ...wait, timeoutMs: 60_000 },
      async () => 1,
      () => true,
    ),
  ).toBe(1);
  expect(performance.now() - began).toBeLessThan(90);
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
  await expect(waiting).rejects.toMatchObject({ name: "ConformanceError", message: "Pods Ready: not within 0.15 s; last seen: 2 of 9" });
});

test("a look that does not return is not waited for", async () => {
  const hanging = until(
    wait,
    () => new Promise<number>(() => undefined),
    () => true,
  );
  await expect(hanging).rejects.toThrow("Pods Ready: not within 0.15 s; last seen: nothing, the first look is still under way");
});

test("a look that fails ends the wait with its own error", async () => {
  const failing = until(
    wait,
    () => Promise.reject(new Error("API server gone")),
    () => true,
  );
  await expect(failing).rejects.toThrow("API server gone");
});
