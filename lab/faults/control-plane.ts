/**
 * The control plane stops doing its part.
 */
import { needingPods, unitStopped, type Fault } from "./fault.ts";

export const controlPlane: readonly Fault[] = [
  unitStopped("server", "kube-scheduler", {
    fails: ["replicas-ready"],
    inconclusive: needingPods,
    because: /kube-scheduler: StaleLease|no scheduler has looked at it/,
  }),
  unitStopped("server", "kube-controller-manager", {
    fails: ["replicas-ready"],
    inconclusive: needingPods,
    because: /no controller manager has looked at it|kube-controller-manager: StaleLease/,
  }),
  unitStopped("server", "registry", {
    fails: ["replicas-ready"],
    inconclusive: needingPods,
    because: /ErrImagePull|ImagePullBackOff/,
  }),
];
