import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { withOwnLabs } from "./own-labs.ts";

/** A name that no other run of these tests has. */
const command = `test${process.pid}`;
const events: string[] = [];
const say = (line: string): void => void events.push(line);
const takeDown = async (name: string): Promise<void> => void events.push(`${name} down`);

afterEach(() => {
  events.length = 0;
  vi.unstubAllEnvs();
});

test("the labs are the command's, whatever lab the caller has chosen, and are gone before and after", async () => {
  vi.stubEnv("LAB_NAME", "callers");
  const names = await withOwnLabs({ command, labs: 2, say, takeDown, action: async (own) => events.push("action") && own });

  const down = [`${command} down`, `${command}2 down`];
  expect(names).toEqual([command, `${command}2`]);
  expect(events).toEqual([...down, "action", ...down]);
});

test("the labs are gone as well when something went wrong with them", async () => {
  const action = () => Promise.reject(new Error("it has a defect"));

  await expect(withOwnLabs({ command, labs: 1, say, takeDown, action })).rejects.toThrow("it has a defect");
  expect(events).toEqual([`${command} down`, `${command} down`]);
});

test("a second one waits, says so, and touches no lab until the first has ended", async () => {
  const { promise: until, resolve: end } = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const first = withOwnLabs({ command, labs: 1, say, takeDown, action: () => (begun.resolve(), until) });
  await begun.promise;
  const second = withOwnLabs({ command, labs: 1, say, takeDown, action: async () => say("second") });
  await expect.poll(() => events, { timeout: 10_000 }).toHaveLength(2);
  const meanwhile = [...events];
  end();
  await Promise.all([first, second]);

  const down = `${command} down`;
  expect(meanwhile).toEqual([down, expect.stringContaining(`Another "npm run ${command}" is at work on this machine; waiting for it`)]);
  expect(events.slice(2)).toEqual([down, down, "second", down]);
});

test.for([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("on %s the labs are taken down, and it exits %i", async ([signal, code]) => {
  const script = `
    const { withOwnLabs } = await import(${JSON.stringify(join(import.meta.dirname, "own-labs.ts"))});
    const say = (line) => console.log(line);
    const takeDown = async (name) => say("down");
    const action = () => new Promise(() => say("action"));
    await withOwnLabs({ command: "${command}${signal}", labs: 1, say, takeDown, action });`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString("utf8");
    if (output.endsWith("action\n")) child.kill(signal);
  });
  const [exitCode] = (await once(child, "close")) as [number | null];

  expect(exitCode, output).toBe(code);
  expect(output).toBe("down\naction\nInterrupted: the labs are taken down.\ndown\n");
});
