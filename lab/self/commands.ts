/**
 * The lab's own commands, as a person types them.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { runOnHost } from "../host.ts";
import { readDefinition, type Instance } from "../instance.ts";

/** `npm run lab -- ...` for the instance of this name, and what it says. */
export async function runLab(name: string, ...parameters: readonly string[]): Promise<{ exitCode: number | null; output: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "../main.ts"), ...parameters], {
    env: { ...process.env, LAB_NAME: name },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
  const exitCode = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  return { exitCode, output };
}

/** Runs a command line on a host, from the outside, so that it works whatever is broken there. */
export async function onHost(instance: Instance, host: string, command: string): Promise<string> {
  const leader = readDefinition(instance.name)?.leaders[host];
  if (leader === undefined) throw new Error(`the lab "${instance.name}" has no ${host} that runs`);
  return runOnHost(leader, ["sh", "-c", `PATH=$PATH:/usr/local/bin; ${command}`]);
}
