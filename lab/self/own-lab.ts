/**
 * A lab of their own for the tests of a file: they run once at a time on a machine, and the lab is gone before and after them.
 */
import { runLab } from "../commands.ts";
import type { Instance } from "../instance.ts";
import { acquireLock } from "../lock.ts";
import { tracesOn } from "./machine.ts";

type OwnLab = {
  begin: () => Promise<void>;
  end: () => Promise<void>;
  /** What there was of any lab on the machine at the beginning. */
  tracesBefore: () => Record<string, unknown>;
};

export function ownLab(instance: Instance): OwnLab {
  let release = (): void => undefined;
  let before: Record<string, unknown> = {};
  return {
    begin: async () => {
      release = await acquireLock(instance.name, () =>
        process.stderr.write("Another run of these tests is at work on this machine; waiting for it.\n"),
      );
      // What a killed run of these tests has left is not what is looked for here.
      await runLab(instance.name, "down");
      before = await tracesOn(instance);
    },
    end: async () => {
      await runLab(instance.name, "down");
      release();
    },
    tracesBefore: () => before,
  };
}
