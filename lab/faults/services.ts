/**
 * Services that lead nowhere.
 */
import { unitStopped, type Fault } from "./fault.ts";

export const services: readonly Fault[] = [
  unitStopped("node-1", "kube-proxy", {
    fails: ["node-port-answers", "node-port-every-pod"],
    inconclusive: [],
    because: /node-1/,
  }),
];
