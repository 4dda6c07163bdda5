/**
 * Settings of this machine's kernel that no namespace has a copy of, and that a kubelet insists on or several of them exhaust. What they
 * were is recorded, and restored when the last instance goes.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readIfThere, writeWhole } from "./files.ts";
import { stateFolder } from "./instance.ts";

/** A kubelet wants the first six exactly so, and sets them itself where they are not; of inotify, hosts need more than the default. */
const wanted: Readonly<Record<string, { value: number; atLeast: boolean }>> = {
  "vm/overcommit_memory": { value: 1, atLeast: false },
  "vm/panic_on_oom": { value: 0, atLeast: false },
  "kernel/panic": { value: 10, atLeast: false },
  "kernel/panic_on_oops": { value: 1, atLeast: false },
  "kernel/keys/root_maxkeys": { value: 1_000_000, atLeast: false },
  "kernel/keys/root_maxbytes": { value: 25_000_000, atLeast: false },
  "fs/inotify/max_user_instances": { value: 1024, atLeast: true },
  "fs/inotify/max_user_watches": { value: 524_288, atLeast: true },
};

/** Their names, as paths below /proc/sys. */
export const wantedSysctls: readonly string[] = Object.keys(wanted);

/** Where the record is, and the settings; tests have others. */
const places = { record: join(stateFolder, "sysctls.json"), settings: "/proc/sys" };

/** Changes what has to change; returns a line for each change. */
export async function applySysctls({ record: path, settings } = places): Promise<string[]> {
  await mkdir(dirname(path), { recursive: true });
  const changes = Object.entries(wanted)
    .map(([name, goal]) => ({ name, ...goal, before: Number(readFileSync(join(settings, name), "utf8")) }))
    .filter(({ value, before, atLeast }) => (atLeast ? before < value : before !== value));
  const record = { ...Object.fromEntries(changes.map(({ name, before }) => [name, before])), ...recorded(path) };
  // The record is written first: a crash in between leaves a record of what was not changed, never a change without a record.
  await writeWhole(path, JSON.stringify(record));
  return changes.map(({ name, value, before }) => {
    writeFileSync(join(settings, name), String(value));
    return `sysctl ${name.replaceAll("/", ".")}: ${before} -> ${value} (restored by \`down\`)`;
  });
}

/** Puts back what the record says, and removes it; returns a line for each setting. */
export async function restoreSysctls({ record: path, settings } = places): Promise<string[]> {
  const restored = Object.entries(recorded(path)).map(([name, value]) => {
    writeFileSync(join(settings, name), String(value));
    return `sysctl ${name.replaceAll("/", ".")}: restored to ${value}`;
  });
  await rm(path, { force: true });
  return restored;
}

const recorded = (path: string): Record<string, number> => JSON.parse(readIfThere(path) || "{}") as Record<string, number>;
