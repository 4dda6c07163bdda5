/**
 * The lab by hand: npm run lab -- COMMAND. Each command imports what it needs and no more, because every smoke test of the lab begins by
 * asking for `env`.
 */
import { parseArgs } from "node:util";
import { reasonOf, SettingsError } from "../helpers/errors.ts";
import { chosenInstance, recordedInstance, type Instance } from "./instance.ts";
import { say } from "./progress.ts";

const usage = `npm run lab -- COMMAND
  up [--workers N]     boot the lab, or see that it is up and healthy
  down                 remove it
  status               say whether it is up
  env                  print the variables that point the suite at it: eval "$(npm run --silent lab -- env)"
  shell HOST [COMMAND] a shell on server, node-0, ..., or one command
  faults               list the faults that it can be given
  fault NAME           bring one about, to see what the suite makes of it
  heal NAME            end it
Environment: LAB_NAME (default lab), LAB_SUBNET, LAB_BINARIES, LAB_INSTALL=never`;

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
  const { isRunning, stoppedHosts } = await import("./environment.ts");
  const running = isRunning(instance);
  const stopped = stoppedHosts(instance);
  const why = stopped.length > 0 ? `: ${stopped.join(", ")} does not run. Repair it: npm run lab -- up` : "";
  process.stdout.write(`"${instance.name}" ${running ? `is up at ${instance.topology.server.address}` : `is not up${why}`}\n`);
  process.exitCode = running ? 0 : 1;
}

async function env(instance: Instance): Promise<void> {
  const { isOfThisCheckout, refuseUnlessRunning, variablesOf } = await import("./environment.ts");
  refuseUnlessRunning(instance);
  if (!isOfThisCheckout(instance, process.env))
    say(`"${instance.name}" was booted by another checkout, which defines it otherwise. Build this one's: npm run lab -- up`);
  for (const [name, value] of Object.entries(variablesOf(instance))) process.stdout.write(`export ${name}=${value}\n`);
}

async function shell(instance: Instance, [host = "server", ...command]: readonly string[]): Promise<void> {
  const { openShell } = await import("./environment.ts");
  process.exitCode = await openShell(instance, host, command);
}

async function faults(): Promise<void> {
  const { listOfFaults } = await import("./faults/by-hand.ts");
  // At once, because a reader such as `head` leaves when it has seen enough.
  process.stdout.write(`${listOfFaults().join("\n")}\n`);
}

async function fault(instance: Instance, [name]: readonly string[]): Promise<void> {
  const [{ injectByHand }, { refuseUnlessRunning }] = await Promise.all([import("./faults/by-hand.ts"), import("./environment.ts")]);
  refuseUnlessRunning(instance);
  for (const line of await injectByHand(instance, name)) process.stdout.write(`${line}\n`);
}

async function heal(instance: Instance, [name]: readonly string[]): Promise<void> {
  const [{ healByHand }, { refuseUnlessRunning }] = await Promise.all([import("./faults/by-hand.ts"), import("./environment.ts")]);
  refuseUnlessRunning(instance);
  await healByHand(instance, name);
  say(`"${instance.name}" is healthy again`);
}

const commands: Record<string, (instance: Instance, rest: readonly string[]) => Promise<void>> = {
  ...{ up, down, status, env, shell },
  ...{ faults, fault, heal },
};
/** Their parameters are read by themselves; the others have none, but for the options of `up`. */
const withParameters = new Set(["up", "shell", "fault", "heal"]);

/** A new instance gets the shape that is asked for; every other command is for the one that is there, in the shape that it has. */
function instanceFor(command: string, parameters: readonly string[]): Instance {
  const workers = command === "up" ? workersIn(parameters) : undefined;
  const chosen = chosenInstance(process.env, workers);
  return command === "up" ? chosen : (recordedInstance(process.env) ?? chosen);
}

function workersIn(parameters: readonly string[]): number | undefined {
  const { workers } = parse(parameters, { workers: { type: "string" } });
  return workers === undefined ? undefined : Number(workers);
}

/** @throws SettingsError for what is not an option of the command */
function parse(parameters: readonly string[], options: { workers?: { type: "string" } }): { workers?: string } {
  try {
    return parseArgs({ args: [...parameters], options }).values as { workers?: string };
  } catch (error) {
    throw new SettingsError([`${reasonOf(error)}\n${usage}`]);
  }
}

async function main([name = "", ...parameters]: readonly string[]): Promise<void> {
  const command = commands[name];
  if (command === undefined) throw new SettingsError([`"${name}" is not a command of the lab.\n${usage}`]);
  const instance = instanceFor(name, parameters);
  if (!withParameters.has(name)) parse(parameters, {});
  // `up` says it itself, along with what else is missing; to read the catalogue anybody may.
  if (name !== "up" && name !== "faults" && process.getuid?.() !== 0)
    throw new SettingsError([`"lab ${name}" needs root: sudo npm run lab -- ${name}`]);
  await command(instance, parameters);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  // Now, and not when all that runs beside what failed is done: it ends with us.
  process.exit(error instanceof SettingsError ? 2 : 1);
}
