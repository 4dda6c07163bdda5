/**
 * All that the proof goes through: the faults, and the legal clusters.
 */
import type { Fault } from "../faults/fault.ts";
import { faults } from "../faults/index.ts";
import type { LegalCluster } from "../legal/cluster.ts";
import { legalClusters } from "../legal/index.ts";
import { provableCluster, provableFault, type Provable } from "./prove.ts";

export const records: readonly (Fault | LegalCluster)[] = [...faults, ...legalClusters];

export const provables: readonly Provable[] = [...faults.map(provableFault), ...legalClusters.map(provableCluster)];
