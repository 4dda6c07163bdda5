/**
 * The versions of what the lab is built from.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const path = join(import.meta.dirname, "binaries/go.mod");

/** The version of a module that go.mod requires, such as `1.37.2`. */
export function pinned(module: string): string {
  const [, version] = new RegExp(`^\\t${module} v(\\S+)$`, "m").exec(readFileSync(path, "utf8")) ?? [];
  if (version === undefined) throw new Error(`${path} requires no version of ${module}`);
  return version;
}
