import { stringify } from "yaml";
import { clusterCIDR } from "../topology.ts";
import { unit, unitPath, type WorkerComponent } from "./component.ts";

const folder = "/var/lib/kube-proxy";

const configuration = {
  apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
  kind: "KubeProxyConfiguration",
  clientConnection: { kubeconfig: `${folder}/kubeconfig` },
  mode: "iptables",
  clusterCIDR,
  // Deviation: the size of the connection table belongs to the machine, and cannot be written in a network namespace.
  conntrack: { maxPerCore: 0 },
};

/** kube-proxy: the guide's chapter 9. */
export const kubeProxy: WorkerComponent = () => ({
  files: {
    "/usr/local/bin/kube-proxy": { binary: "kube-proxy" },
    [`${folder}/kube-proxy-config.yaml`]: { text: stringify(configuration) },
    [`${folder}/kubeconfig`]: { pki: "kube-proxy.kubeconfig" },
    [unitPath("kube-proxy.service")]: unit({
      description: "Kubernetes Kube Proxy",
      command: ["/usr/local/bin/kube-proxy", `--config=${folder}/kube-proxy-config.yaml`],
    }),
  },
  units: ["kube-proxy.service"],
});
