/**
 * Files that change while they are looked at: half written when their writer is killed, gone when the process or cgroup that they tell of
 * has gone.
 */
import { readdirSync, readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";

/** Writes a file so that it is there whole or as it was before, wherever the process that writes it is killed. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.part`, text);
  await rename(`${path}.part`, path);
}

/** What a file says; nothing when it is not there, or not any more. */
export const readIfThere = (path: string): string => unlessGone(() => readFileSync(path, "utf8"), "");

/** The folders in a folder, by their names; none when it is not there, or not any more. */
export const foldersIn = (path: string): string[] =>
  unlessGone(() => readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])), []);

/** The kernel says ENODEV of a cgroup, and ESRCH of a process, that goes while its file is being read. */
function unlessGone<Result>(read: () => Result, otherwise: Result): Result {
  try {
    return read();
  } catch (error) {
    if (["ENOENT", "ENODEV", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return otherwise;
    throw error;
  }
}
