import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { acquireLock } from "./lock.ts";

const unnoticed = (): void => undefined;
/** A name that no other run of these tests has. */
const nameOf = (what: string): string => `-test-${what}-${process.pid}`;

/** A process of its own that takes the lock, says when it waits and when it holds, and gives it back when told to. */
async function startHolder(name: string) {
  const lock = JSON.stringify(join(import.meta.dirname, "lock.ts"));
  const script = `
    const { acquireLock } = await import(${lock});
    const release = await acquireLock(${JSON.stringify(name)}, () => console.log("waits"));
    console.log("holds");
    process.stdin.once("data", () => { release(); process.stdin.unref(); });`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  return { child, exited, said: said.toString("utf8").trim() };
}

test("a second holder waits, says so once, and gets the lock when the first gives it back", async () => {
  const name = nameOf("second");
  const told: string[] = [];
  const release = await acquireLock(name, () => told.push("first waits"));
  const second = acquireLock(name, () => told.push("second waits"));
  await expect.poll(() => told).toEqual(["second waits"]);

  release();
  (await second)();

  expect(told).toEqual(["second waits"]);
});

test("of three, one at a time holds the lock", async () => {
  const name = nameOf("three");
  let holders = 0;
  const most = await Promise.all(
    [1, 2, 3].map(async () => {
      const release = await acquireLock(name, unnoticed);
      const now = ++holders;
      await new Promise((resolve) => setImmediate(resolve));
      holders--;
      release();
      return now;
    }),
  );
  expect(most).toEqual([1, 1, 1]);
});

test("a process that has given the lock back ends, though others have waited for it", async () => {
  const name = nameOf("ends");
  const first = await startHolder(name);
  const second = await startHolder(name);
  expect([first.said, second.said]).toEqual(["holds", "waits"]);

  first.child.stdin.write("\n");
  const [code] = (await first.exited) as [number];
  second.child.stdin.write("\n");
  await second.exited;

  expect(code).toBe(0);
});

test("the lock of a process that was killed is free", async () => {
  const name = nameOf("killed");
  const { child, exited, said } = await startHolder(name);
  let waited = false;
  const next = acquireLock(name, () => (waited = true));
  await expect.poll(() => waited).toBe(true);

  child.kill("SIGKILL");
  (await next)();
  await exited;

  expect(said).toBe("holds");
});

test("locks of different names do not meet", async () => {
  let waited = false;
  const releases = await Promise.all(["one", "other"].map((what) => acquireLock(nameOf(what), () => (waited = true))));
  for (const release of releases) release();
  expect(waited).toBe(false);
});
