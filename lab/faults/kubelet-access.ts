/**
 * The API server and the kubelets do not get along.
 */
import { throughKubelet, type Fault } from "./fault.ts";

const binding = "system:kube-apiserver";

export const kubeletAccess: readonly Fault[] = [
  {
    name: "kubelet-access-unbound",
    state: "the API server's user has no rights on the kubelets' API",
    inject: (lab) => lab.kubectl("delete", "clusterrolebinding", binding),
    heal: (lab) =>
      lab.kubectl("create", "clusterrolebinding", binding, "--clusterrole=system:kube-apiserver-to-kubelet", "--user=kubernetes"),
    holds: async (lab) => !(await lab.kubectl("get", "clusterrolebindings", "-o", "name")).includes(`/${binding}\n`),
    fails: throughKubelet,
    // The logs tell which Pod has answered.
    inconclusive: ["node-port-every-pod"],
    because: /Forbidden|forbidden/,
  },
];
