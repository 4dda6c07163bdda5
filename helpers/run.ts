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

/** The labels of everything that a run creates. */
export const labelsOf = (run: Pick<Run, "id">): Record<string, string> => ({ [managedByLabel]: managedBy, [runLabel]: run.id });
/** The labelSelector that finds what a run has created. */
export const selectorOf = (run: Pick<Run, "id">): string => `${runLabel}=${run.id}`;

/** A run that has not begun: its id is new, its namespace its own unless the settings name one. */
export function newRun(settings: Settings): Run {
  const id = randomBytes(4).toString("hex");
  return { id, namespace: settings.namespace ?? `smoke-${id}`, ownsNamespace: settings.namespace === undefined, settings };
}
