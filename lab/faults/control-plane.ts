/**
 * The control plane stops doing its part.
 */
import { isSo, needingPods, unitStopped, untilSo, type Fault, type Lab } from "./fault.ts";

const unit = "kube-controller-manager";
const unitFile = `/etc/systemd/system/${unit}.service`;
const isLeading = `kubectl --kubeconfig=/root/admin.kubeconfig -n kube-system get lease ${unit}`;

/** Starts the controller manager anew; the one before does not give up its Lease, which would be waited out. */
async function restart(lab: Lab, change: string): Promise<void> {
  await lab.on("server", `systemctl stop ${unit} && ${change} && systemctl daemon-reload`);
  await lab.kubectl("-n", "kube-system", "delete", "lease", unit, "--ignore-not-found");
  await lab.on("server", `systemctl start ${unit}`);
  await untilSo(`${unit} to lead`, () => isSo(lab, "server", `${isLeading} >/dev/null 2>&1`));
}

/** One of the controllers in kube-controller-manager is switched off. */
export function controllerNotRunning(controller: string, judged: Pick<Fault, "fails" | "inconclusive" | "because">): Fault {
  return {
    name: `${controller}-not-running`,
    state: `kube-controller-manager runs without its ${controller}`,
    inject: (lab) => restart(lab, `sed -i 's#^ExecStart=[^ ]*#& --controllers=*,-${controller}#' ${unitFile}`),
    heal: (lab) => restart(lab, `sed -i 's# --controllers=[^ ]*##' ${unitFile}`),
    holds: (lab) => isSo(lab, "server", `tr '\\0' '\\n' < /proc/$(pgrep -xo kube-controller)/cmdline | grep -q -- ',-${controller}$'`),
    cause: new RegExp(`^Cause: kube-controller-manager on server runs without its ${controller}`),
    ...judged,
  };
}

export const controlPlane: readonly Fault[] = [
  unitStopped("server", "kube-scheduler", {
    fails: ["replicas-ready"],
    inconclusive: needingPods,
    because: /kube-scheduler: StaleLease|no scheduler has looked at it/,
    cause: /^Cause: kube-scheduler is not running on server \(inactive\)/,
  }),
  unitStopped("server", "kube-controller-manager", {
    fails: ["replicas-ready"],
    inconclusive: needingPods,
    because: /no controller manager has looked at it|kube-controller-manager: StaleLease/,
    cause: /^Cause: kube-controller-manager is not running on server \(inactive\)/,
  }),
  controllerNotRunning("replicaset-controller", {
    fails: ["replicas-ready"],
    inconclusive: needingPods,
    because: /its ReplicaSet has created 0 of 2 Pods/,
  }),
  controllerNotRunning("serviceaccount-controller", {
    fails: ["replicas-ready"],
    inconclusive: needingPods,
    because: /serviceaccount "default" not found/,
  }),
];
