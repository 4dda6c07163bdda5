/**
 * The memory of a process and all below it, as PSS: each page that several processes share is divided among them, so that the sum counts
 * it once. https://docs.kernel.org/filesystems/proc.html
 */
import { readdirSync, readFileSync } from "node:fs";

/** Every process at and below one, itself first. A child belongs to the thread that started it, so every thread is asked. */
export function processTree(pid: number): number[] {
  const threads = quietly(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  const children = threads.flatMap(
    (thread) => quietly(() => readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8"))?.match(/\d+/g) ?? [],
  );
  return [pid, ...children.flatMap((child) => processTree(Number(child)))];
}

/** The `Pss:` line of smaps_rollup, in bytes. */
export function pssIn(rollup: string): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0) * 1024;
}

/** The sum of a process tree; a process that has gone meanwhile has no memory. */
export function pssOfTree(pid: number): number {
  const rollups = processTree(pid).map((each) => quietly(() => readFileSync(`/proc/${each}/smaps_rollup`, "utf8")) ?? "");
  return rollups.reduce((sum, rollup) => sum + pssIn(rollup), 0);
}

/** Watches a process tree until told to stop, which returns the highest sum seen. */
export function watchPeak(pid: number, intervalMs: number): () => number {
  let peak = pssOfTree(pid);
  const timer = setInterval(() => (peak = Math.max(peak, pssOfTree(pid))), intervalMs);
  return () => {
    clearInterval(timer);
    return peak;
  };
}

/** Processes end while they are looked at. */
function quietly<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
