import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { limiter } from "./limiter.ts";

test("no more tasks than allowed run at once, in the order in which they came, and a failure frees its place", async () => {
  const limit = limiter(2);
  const started: number[] = [];
  let running = 0;
  let most = 0;
  const task = (index: number) => async () => {
    started.push(index);
    most = Math.max(most, (running += 1));
    await sleep(5);
    running -= 1;
    if (index === 1) throw new Error("one failed");
    return index;
  };
  const results = await Promise.allSettled([0, 1, 2, 3, 4].map(async (index) => limit(task(index))));
  expect(started).toEqual([0, 1, 2, 3, 4]);
  expect(most).toBe(2);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled", "fulfilled"]);
});
