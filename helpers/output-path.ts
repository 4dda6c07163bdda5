/**
 * Whether something can be written to a path, found out before there is anything to write.
 */
import { existsSync, mkdtempSync, rmdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { getSystemErrorMessage } from "node:util";

/** What keeps a file from being written, with the folders that it needs; undefined where nothing does. */
export function fileProblem(path: string): string | undefined {
  if (existsSync(path) && statSync(path).isDirectory()) return "it is a folder, expected the path of a file";
  return folderProblem(dirname(path));
}

/**
 * The same of files in a folder, which need not be there. It is tried out, in what is there of its path: no mode, owner or kind of file
 * system tells it all. In /proc, for one, root may write, and nothing can be made; Node's recursive mkdir tries there for ever.
 */
export function folderProblem(path: string): string | undefined {
  let present = resolve(path);
  while (!existsSync(present)) present = dirname(present);
  try {
    rmdirSync(mkdtempSync(join(present, ".smoke-")));
    return undefined;
  } catch (error) {
    const { errno = 0 } = error as NodeJS.ErrnoException;
    return `nothing can be written in ${present} (${getSystemErrorMessage(errno)})`;
  }
}
