/**
 * A legal cluster: a named state of the lab that is not the guide's, and right all the same. The suite has to pass on it, or what `suites`
 * names of it.
 */
import type { Lab } from "../faults/fault.ts";

export type LegalCluster = {
  /** The state, as a fault has one. */
  name: string;
  /** The same as a sentence. */
  state: string;
  arrange(lab: Lab): Promise<unknown>;
  undo(lab: Lab): Promise<unknown>;
  /** The lab's own look at whether the cluster is so, by another way than the suite's. */
  holds(lab: Lab): Promise<boolean>;
  /** What the run is given, where that has to fit. */
  environment?: Readonly<Record<string, string>>;
  /** The spec files that are run, as Vitest takes them, where not all. */
  suites?: readonly string[];
  /** With how many workers the lab has to be booted, where not with two. */
  workers?: number;
};
