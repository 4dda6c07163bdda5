import { spawn, spawnSync } from "node:child_process";
import { globSync, readFileSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { CommandError, lines, run, succeeds } from "./run.ts";

afterEach(() => void vi.unstubAllEnvs());

const shell = (script: string): [string, ...string[]] => ["sh", "-c", script];

test("what a command writes to stdout is returned, and stderr is not in it", async () => {
  expect(await run(shell("echo seen; echo unseen >&2"))).toBe("seen\n");
});

test("input, environment and folder reach the command, above what this process has", async () => {
  vi.stubEnv("LAB_TEST_INHERITED", "inherited");
  const folder = realpathSync(tmpdir());
  const script = 'cat; echo "$LAB_TEST $LAB_TEST_INHERITED"; pwd';
  expect(await run(shell(script), { input: lines("one", "two"), environment: { LAB_TEST: "set" }, folder })).toBe(
    `one\ntwo\nset inherited\n${folder}\n`,
  );
});

test.for([
  ["exits with anything but 0", "echo 'first'; printf '1\\n2\\n3\\n4\\n5\\n6\\n' >&2; exit 3", "exited 3, expected 0: 2\n3\n4\n5\n6"],
  ["is ended by a signal", "kill -KILL $$", "exited SIGKILL, expected 0: it said nothing"],
] as const)("a command that %s is quoted with the last that it said", async ([_what, script, outcome]) => {
  const error = await run(shell(script)).catch((failure: Error) => failure);
  expect(error).toBeInstanceOf(CommandError);
  expect((error as CommandError).message).toBe(`"sh -c ${script}" ${outcome}`);
});

test("all that a command said on stderr is kept", async () => {
  await expect(run(shell("seq 1 9 >&2; exit 1"))).rejects.toMatchObject({ stderr: "1\n2\n3\n4\n5\n6\n7\n8\n9\n" });
});

test("a command that is not there, and a folder that is not, cannot be started", async () => {
  await expect(run(["no-such-command", "now"])).rejects.toThrow(
    '"no-such-command now" could not be started (spawn no-such-command ENOENT): it said nothing',
  );
  await expect(run(["true"], { folder: "/nowhere" })).rejects.toThrow("could not be started");
});

test("a command that does not read its input is judged by its exit code", async () => {
  expect(await run(["true"], { input: "x".repeat(1_000_000) })).toBe("");
});

test("whether a command succeeds is told without an exception", async () => {
  expect(await succeeds(["true"])).toBe(true);
  expect(await succeeds(["false"])).toBe(false);
  expect(await succeeds(["no-such-command"])).toBe(false);
});

/** Root in a container may not, and runs no lab there. */
const mayUnshare = spawnSync("unshare", ["--pid", "--fork", "true"]).status === 0;

/** The processes that have a word on their command line. */
const processesWith = (word: string): string[] =>
  globSync("/proc/[0-9]*/cmdline").filter((path) => {
    try {
      return readFileSync(path, "utf8").split("\0").includes(word);
    } catch {
      // It has ended since.
      return false;
    }
  });

test.runIf(mayUnshare)("a command that ends with us leaves nothing running when we are killed", async () => {
  const seconds = `300.${process.pid}`;
  const script = `
    const { run } = await import(${JSON.stringify(join(import.meta.dirname, "run.ts"))});
    await run(["sh", "-c", "sleep ${seconds} & sleep ${seconds}"], { endsWithUs: true });`;
  const maker = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: "inherit" });
  await expect.poll(() => processesWith(seconds).length, { timeout: 10_000 }).toBe(2);

  maker.kill("SIGKILL");

  await expect.poll(() => processesWith(seconds), { timeout: 10_000 }).toEqual([]);
});

test.runIf(mayUnshare)("what a command that ends with us has to say, and how it has ended, comes through", async () => {
  expect(await run(["cat"], { input: "seen", endsWithUs: true })).toBe("seen");
  await expect(run(shell("echo why >&2; exit 3"), { endsWithUs: true })).rejects.toThrow(
    '"sh -c echo why >&2; exit 3" exited 3, expected 0: why',
  );
});
