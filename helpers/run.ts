/**
 * A run: one execution against one cluster. Everything that a run creates carries its label, and only what carries it is ever deleted.
 */
import { randomBytes } from "node:crypto";
import type { Settings } from "./config.ts";

export type Run = {
  /** Eight hexadecimal digits. */
  id: string;
  namespace: string;
  /** False when SMOKE_NAMESPACE named a namespace that was there before. */
  ownsNamespace: boolean;
  settings: Settings;
};

export const managedByLabel = "app.kubernetes.io/managed-by";
export const managedBy = "hard-way-smoke-test";
export const runLabel = "hard-way-smoke-test/run";

/** The Lease by which a run says that it is alive. */
export const leaseName = (run: Pick<Run, "id">): string => `smoke-${run.id}`;

export const labelsOf = (run: Pick<Run, "id">): Record<string, string> => ({ [managedByLabel]: managedBy, [runLabel]: run.id });
export const selectorOf = (run: Pick<Run, "id">): string => `${runLabel}=${run.id}`;

export function newRun(settings: Settings): Run {
  const id = randomBytes(4).toString("hex");
  return { id, namespace: settings.namespace ?? `smoke-${id}`, ownsNamespace: settings.namespace === undefined, settings };
}
