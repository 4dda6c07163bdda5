import { expect, test, vi } from "vitest";
import { onceListening } from "./once-listening.ts";

const isTooSoon = (answer: string): boolean => answer === "refused";
const within = (ms: number) => ({ deadline: Date.now() + ms, isTooSoon });

test("a refused connection is tried again, until something answers", async () => {
  const ask = vi.fn<() => Promise<string>>().mockResolvedValueOnce("refused").mockResolvedValueOnce("refused").mockResolvedValue("200");

  await expect(onceListening(within(5_000), ask)).resolves.toBe("200");
  expect(ask).toHaveBeenCalledTimes(3);
});

test("what is not refused is an answer, and is not asked for again", async () => {
  const ask = vi.fn<() => Promise<string>>().mockResolvedValueOnce("timed out").mockResolvedValue("200");

  await expect(onceListening(within(5_000), ask)).resolves.toBe("timed out");
});

test("past the deadline the refusal is the answer", async () => {
  const ask = vi.fn<() => Promise<string>>().mockResolvedValue("refused");

  await expect(onceListening(within(150), ask)).resolves.toBe("refused");
  expect(ask.mock.calls.length).toBeGreaterThan(1);
});
