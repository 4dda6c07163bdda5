/**
 * Which of the Events in a namespace are the run's.
 */
import type { CoreV1Event } from "@kubernetes/client-node";
import type { Run } from "../../run.ts";

type Named = { metadata?: { name?: string; uid?: string } };
type Objects = { objects: readonly (Named | undefined)[]; replicaSets: readonly Named[] };

/**
 * Whether an Event is about an object of the run. In a namespace that it shares there are Events about others' objects, and for an hour
 * about those of earlier runs, which have had the same names: a UID tells them apart. Of a Pod that is gone there is only the name, which
 * begins with its ReplicaSet's.
 */
export function isAbout(run: Run, { objects, replicaSets }: Objects): (event: CoreV1Event) => boolean {
  if (run.ownsNamespace) return () => true;
  const uids = new Set([...objects, ...replicaSets].flatMap((object) => object?.metadata?.uid ?? []));
  const owners = new Set(replicaSets.map(({ metadata }) => metadata?.name));
  return ({ involvedObject: { kind, name = "", uid = "" } }) =>
    uids.has(uid) || (kind === "Pod" && owners.has(/^(.+)-[a-z0-9]{5}$/.exec(name)?.[1]));
}
