/**
 * The labs that a command has to itself. Their names are the command's, whatever lab the caller has chosen: it breaks them, and takes them
 * down.
 */
import { reasonOf } from "../../helpers/errors.ts";
import { endLabCommands, runLab } from "../commands.ts";
import { acquireLock } from "../lock.ts";
import { endRuns } from "../operator.ts";

type Work<Result> = {
  /** What the labs are called, and the lock that one of its kind at a time holds on a machine: `proof`. */
  command: string;
  labs: number;
  say: (line: string) => void;
  /** @param names those of the labs, of which none is up */
  action: (names: readonly string[]) => Promise<Result>;
  takeDown?: (name: string) => Promise<unknown>;
};

/** Waits until no other process is at the same, and does something with labs that are gone before and after it. */
export async function withOwnLabs<Result>(work: Work<Result>): Promise<Result> {
  const { command, labs, say, action, takeDown = down } = work;
  const names = Array.from({ length: labs }, (_, index) => (index === 0 ? command : `${command}${index + 1}`));
  const release = await acquireLock(command, () =>
    say(`Another "npm run ${command}" is at work on this machine; waiting for it, because its labs have the same names.`),
  );
  const takeAllDown = () => Promise.all(names.map(takeDown));
  // Not before the lock is ours: until then the labs are the other one's.
  const ignoreSignals = takeDownOnSignals(takeAllDown, say);
  try {
    // What was killed has left its labs as they were, some with a fault.
    await takeAllDown();
    return await action(names);
  } finally {
    await takeAllDown();
    ignoreSignals();
    release();
  }
}

/** @throws Error with what the command says, where a lab cannot be removed */
async function down(name: string): Promise<void> {
  const { exitCode, output } = await runLab(name, "down");
  if (exitCode !== 0) throw new Error(`the lab "${name}" could not be taken down:\n${output}`);
}

/** @returns what ends it */
function takeDownOnSignals(takeDown: () => Promise<unknown>, say: (line: string) => void): () => void {
  const endings = Object.entries({ SIGINT: 130, SIGTERM: 143 }).map(([signal, code]) => {
    const end = (): void => {
      say("Interrupted: the labs are taken down.");
      // One that still waits for its turn to boot would boot after its lab was taken down.
      void endLabCommands()
        .then(takeDown)
        .catch((error: unknown) => say(reasonOf(error)))
        .then(() => {
          endRuns();
          process.exit(code);
        });
    };
    process.once(signal, end);
    return () => process.off(signal, end);
  });
  return () => {
    for (const ending of endings) ending();
  };
}
