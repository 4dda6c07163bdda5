/**
 * Settings of this machine's kernel that no namespace has a copy of, and that a kubelet insists on or several of them exhaust. What they
 * were is recorded, and restored when the last instance goes.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { stateFolder } from "./instance.ts";

/** A kubelet wants the first three exactly so; of inotify, three hosts need more instances than the default of 128. */
const wanted: Readonly<Record<string, { value: number; atLeast: boolean }>> = {
  "vm/overcommit_memory": { value: 1, atLeast: false },
  "kernel/panic": { value: 10, atLeast: false },
  "kernel/panic_on_oops": { value: 1, atLeast: false },
  "fs/inotify/max_user_instances": { value: 1024, atLeast: true },
  "fs/inotify/max_user_watches": { value: 524_288, atLeast: true },
};

/** Their names, as paths below /proc/sys. */
export const wantedSysctls: readonly string[] = Object.keys(wanted);

const recordPath = join(stateFolder, "sysctls.json");
const pathOf = (name: string): string => join("/proc/sys", name);
const read = (name: string): number => Number(readFileSync(pathOf(name), "utf8"));

/** Changes what has to change; returns a line for each change. */
export async function applySysctls(): Promise<string[]> {
  await mkdir(stateFolder, { recursive: true });
  const record = existsSync(recordPath) ? (JSON.parse(readFileSync(recordPath, "utf8")) as Record<string, number>) : {};
  const changes = Object.entries(wanted).filter(([name, { value, atLeast }]) => (atLeast ? read(name) < value : read(name) !== value));
  for (const [name] of changes) record[name] ??= read(name);
  // The record is written first: a crash in between leaves a record of what was not changed, never a change without a record.
  writeFileSync(recordPath, JSON.stringify(record));
  return changes.map(([name, { value }]) => {
    const before = read(name);
    writeFileSync(pathOf(name), String(value));
    return `sysctl ${name.replaceAll("/", ".")}: ${before} -> ${value} (restored by \`down\`)`;
  });
}

export async function restoreSysctls(): Promise<string[]> {
  if (!existsSync(recordPath)) return [];
  const record = JSON.parse(readFileSync(recordPath, "utf8")) as Record<string, number>;
  const restored = Object.entries(record).map(([name, value]) => {
    writeFileSync(pathOf(name), String(value));
    return `sysctl ${name.replaceAll("/", ".")}: restored to ${value}`;
  });
  await rm(recordPath);
  return restored;
}
