/**
 * Several labs work off one list: each takes the next thing that nobody has taken yet.
 */
import { reasonOf } from "../../helpers/errors.ts";
import type { Lab } from "../faults/fault.ts";
import type { Provable } from "./prove.ts";

export type Proved = { name: string; state: string; problems: readonly string[]; seconds: number; lab: Lab };

type Work = {
  wanted: readonly Provable[];
  /** One for each lab; they are booted one after the other, and each begins as soon as it is up. */
  labs: readonly (() => Promise<Lab>)[];
  onProved: (proved: Proved) => Promise<void> | void;
};

/**
 * @returns everything that was proved or not
 * @throws Error of the first lab that turned out to have a defect; no lab takes anything more then, and all have ended what they were at
 */
export async function workOff({ wanted, labs, onProved }: Work): Promise<Proved[]> {
  const waiting = [...wanted];
  const done: Proved[] = [];
  const defects: Error[] = [];
  await Promise.all(
    labs.map(async (boot) => {
      try {
        const lab = await boot();
        for (let next = waiting.shift(); next !== undefined && defects.length === 0; next = waiting.shift()) {
          const proved = await timed(next, lab);
          done.push(proved);
          await onProved(proved);
        }
      } catch (error) {
        defects.push(error as Error);
      }
    }),
  );
  if (defects.length > 0) throw new Error(defects.map((defect) => defect.message).join("\n"), { cause: defects[0] });
  return done;
}

async function timed({ name, state, prove }: Provable, lab: Lab): Promise<Proved> {
  const began = Date.now();
  try {
    const problems = await prove(lab);
    return { name, state, problems, lab, seconds: Math.round((Date.now() - began) / 1000) };
  } catch (error) {
    throw new Error(`${name}, on the lab "${lab.instance.name}": ${reasonOf(error)}`, { cause: error });
  }
}
