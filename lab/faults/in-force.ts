/**
 * Which fault a person has brought about on a lab: a second one on top of it would keep what the first has changed as if it were the
 * original, and neither could be healed.
 */
import { link, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { reasonOf, SettingsError } from "../../helpers/errors.ts";
import { readIfThere } from "../files.ts";
import type { Instance } from "../instance.ts";

type Place = Pick<Instance, "name" | "folder">;

/** In the lab's own folder, with which it goes. */
const noteOf = ({ folder }: Place): string => join(folder, "fault-in-force");

/**
 * Brings a fault about. It is noted before that, so that it can be healed also when only half of it came about.
 * @throws SettingsError while one is in force
 */
export async function injectNoted(place: Place, fault: string, inject: () => Promise<unknown>): Promise<void> {
  if (!(await note(place, fault))) {
    const inForce = readIfThere(noteOf(place));
    throw new SettingsError([
      `"${fault}" cannot be brought about on the lab "${place.name}", where ${inForce} is in force. End that first: ${healing(inForce)}`,
    ]);
  }
  try {
    await inject();
  } catch (error) {
    throw new Error(`${fault} was not brought about, or not whole: ${reasonOf(error)}\nEnd it: ${healing(fault)}`, { cause: error });
  }
}

/**
 * Ends the fault that is in force.
 * @throws SettingsError when it is not that one
 */
export async function healNoted(place: Place, fault: string, heal: () => Promise<unknown>): Promise<void> {
  const inForce = readIfThere(noteOf(place));
  if (inForce === "") {
    throw new SettingsError([
      `"${fault}" cannot be healed on the lab "${place.name}", where "npm run lab -- fault" has brought none about. ${buildAnew}`,
    ]);
  }
  if (inForce !== fault) {
    throw new SettingsError([
      `"${fault}" cannot be healed on the lab "${place.name}", where ${inForce} is in force. End that one: ${healing(inForce)}`,
    ]);
  }
  try {
    await heal();
  } catch (error) {
    throw new Error(`${fault} is still in force: ${reasonOf(error)}\nTry again: ${healing(fault)}. ${buildAnew}`, { cause: error });
  }
  // Another who healed it at the same time may have been faster.
  await rm(noteOf(place), { force: true });
}

const healing = (fault: string): string => `npm run lab -- heal ${fault}`;
const buildAnew = "If the lab misbehaves, build it anew: npm run lab -- down && npm run lab -- up";

/** Whether the note is now ours. Unlike a file that is opened and then written, a link is there whole or not, and made by one of two. */
async function note(place: Place, fault: string): Promise<boolean> {
  const draft = `${noteOf(place)}.${process.pid}`;
  await writeFile(draft, fault);
  try {
    await link(draft, noteOf(place));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft);
  }
}
