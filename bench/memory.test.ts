import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { processTree, pssIn, pssOfTree, watchPeak } from "./memory.ts";

const mebibyte = 1024 ** 2;

/** The negative number means the process's whole group, which may have ended by itself. */
function endGroupOf({ pid }: ChildProcess): void {
  try {
    process.kill(-(pid as number), "SIGKILL");
  } catch (error) {
    expect(error).toMatchObject({ code: "ESRCH" });
  }
}

/** A shell, and below it a Node that fills as many mebibytes and says when it has. */
async function fillingBelowShell(mebibytes: number): Promise<ChildProcess> {
  const fill = `globalThis.kept = Buffer.alloc(${mebibytes} * ${mebibyte}, 1); console.log("full"); setInterval(() => {}, 60_000)`;
  const shell = spawn("sh", ["-c", '"$@" & wait', "sh", process.execPath, "-e", fill], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => endGroupOf(shell));
  await once(shell.stdout, "data");
  return shell;
}

test("PSS is read from the line that bears its name alone", () => {
  const rollup =
    "55d4-7ffc ---p 00000000 00:00 0    [rollup]\nSwapPss:  7 kB\nPss_Dirty:  80 kB\nPss:                 123 kB\nRss:  900 kB\n";

  expect(pssIn(rollup)).toBe(123 * 1024);
});

test("the memory of a tree is the sum of all of its processes", async () => {
  const shell = await fillingBelowShell(96);

  const tree = processTree(shell.pid as number);
  const sum = pssOfTree(shell.pid as number);

  expect(tree, "the shell and the Node below it").toEqual([shell.pid, expect.any(Number)]);
  expect(sum).toBeGreaterThan(96 * mebibyte);
  expect(sum).toBeLessThan(250 * mebibyte);
});

test("a child is found whichever thread has started it", async () => {
  const inThread = `new (require("node:worker_threads").Worker)('require("node:child_process").spawn("sleep", ["60"]); console.log("started"); setInterval(() => {}, 60_000)', { eval: true })`;
  const parent = spawn(process.execPath, ["-e", inThread], { detached: true, stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => endGroupOf(parent));
  await once(parent.stdout, "data");

  expect(processTree(parent.pid as number)).toHaveLength(2);
});

test("a peak is remembered when the memory has been given back", async () => {
  const shell = await fillingBelowShell(64);
  const peak = watchPeak(shell.pid as number, 20);
  const exited = once(shell, "exit");
  process.kill(-(shell.pid as number), "SIGTERM");
  await exited;
  // Several looks at what is no more.
  await sleep(100);

  expect(pssOfTree(shell.pid as number), "the memory of processes that are gone").toBe(0);
  expect(peak()).toBeGreaterThan(64 * mebibyte);
});
