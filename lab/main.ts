/**
 * The lab by hand: npm run lab -- up | down | status | env | shell HOST. Each command imports what it needs and no more, because every
 * smoke test of the lab begins by asking for `env`.
 */
import { parseArgs } from "node:util";
import { SettingsError } from "../helpers/errors.ts";
import { chosenInstance, recordedInstance, type Instance } from "./instance.ts";

const usage = `npm run lab -- COMMAND
  up [--workers N]     boot the lab, or see that it is up and healthy
  down                 remove it
  status               say whether it is up
  env                  print the variables that point the suite at it: eval "$(npm run --silent lab -- env)"
  shell HOST [COMMAND] a shell on server, node-0, ..., or one command
Environment: LAB_NAME (default lab), LAB_SUBNET, LAB_BINARIES, LAB_INSTALL=never`;

const say = (line: string): void => void process.stderr.write(`lab: ${line}\n`);
const waiting = () => say("another lab command is at work on this machine; waiting for it");

async function up(instance: Instance): Promise<void> {
  const [{ bringUp }, { withLock }] = await Promise.all([import("./up.ts"), import("./lock.ts")]);
  await withLock(() => bringUp(instance, process.env), waiting);
}

async function down(instance: Instance): Promise<void> {
  const [{ takeDown }, { withLock }] = await Promise.all([import("./down.ts"), import("./lock.ts")]);
  await withLock(() => takeDown(instance, say), waiting);
  say(`"${instance.name}" is down`);
}

async function status(instance: Instance): Promise<void> {
  const { isRunning } = await import("./environment.ts");
  process.stdout.write(
    isRunning(instance) ? `"${instance.name}" is up at ${instance.topology.server.address}\n` : `"${instance.name}" is not up\n`,
  );
  process.exitCode = isRunning(instance) ? 0 : 1;
}

async function env(instance: Instance): Promise<void> {
  const { isRunning, variablesOf } = await import("./environment.ts");
  if (!isRunning(instance)) throw new SettingsError([`The lab "${instance.name}" is not up. Boot it: npm run lab -- up`]);
  for (const [name, value] of Object.entries(variablesOf(instance))) process.stdout.write(`export ${name}=${value}\n`);
}

async function shell(instance: Instance, [host = "server", ...command]: readonly string[]): Promise<void> {
  const { openShell } = await import("./environment.ts");
  process.exitCode = await openShell(instance, host, command);
}

const commands: Record<string, (instance: Instance, rest: readonly string[]) => Promise<void>> = { up, down, status, env, shell };

/** What is up keeps the shape that it was given; a new one gets the shape that is asked for. */
function instanceFor(command: string, workers: string | undefined): Instance {
  const chosen = chosenInstance(process.env, workers === undefined ? undefined : Number(workers));
  return command === "up" ? chosen : (recordedInstance(process.env) ?? chosen);
}

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({ allowPositionals: true, strict: false, options: { workers: { type: "string" } } });
  const [name = "", ...rest] = positionals;
  const command = commands[name];
  if (command === undefined) throw new SettingsError([`"${name}" is not a command of the lab.\n${usage}`]);
  await command(instanceFor(name, typeof values["workers"] === "string" ? values["workers"] : undefined), rest);
}

try {
  await main();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof SettingsError ? 2 : 1;
}
