/**
 * Clusters that are not as the guide has them, and right all the same: on each the suite has to pass, or the part of it that is named.
 */
import { bindingOf, mutatingPolicy, objectsThere, podsMutated, tryPod } from "../faults/api-objects.ts";
import { isSo, untilSo, type Armed, type Lab } from "../faults/fault.ts";
import { reconnect } from "../faults/reconnect.ts";
import { takeClusterIPsFrom, takesClusterIP } from "../faults/service-range.ts";
import { serviceCIDR } from "../topology.ts";
import type { LegalCluster } from "./cluster.ts";
import { unprivilegedImage } from "./image.ts";

type Arranged = Pick<LegalCluster, "arrange" | "undo" | "holds">;

/** What a fault is made of serves here as well. */
const arranged = ({ inject, heal, holds }: Armed): Arranged => ({ arrange: inject, undo: heal, holds });

const namespace = (name: string) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });

const limitRange = {
  apiVersion: "v1",
  kind: "LimitRange",
  metadata: { name: "defaults", namespace: "limit-range" },
  spec: { limits: [{ type: "Container", default: { cpu: "200m", memory: "64Mi" }, defaultRequest: { cpu: "20m", memory: "32Mi" } }] },
};

const secret = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "kubernetes-the-hard-way", namespace: "elsewhere" },
  stringData: { mykey: "mydata" },
};

/** Before the container that was asked for, so that whoever takes the first one takes the wrong one. */
const sidecar =
  `[JSONPatch{op: "add", path: "/spec/containers/0", ` +
  `value: Object.spec.containers{name: "sidecar", image: "nginx:latest", command: ["sleep", "infinity"]}}]`;

const listeningLate = (name: string, pause: string): Arranged =>
  arranged(podsMutated(name, { "/spec/containers/0/command": ["sh", "-c", `${pause}; exec nginx -g "daemon off;"`] }));

const kubeProxyIn = async (lab: Lab, mode: string): Promise<void> => {
  const change = `sed -i 's/^mode: .*/mode: ${mode}/' /var/lib/kube-proxy/kube-proxy-config.yaml && systemctl restart kube-proxy`;
  for (const { name } of lab.instance.topology.workers) await lab.on(name, change);
  await untilSo(`kube-proxy to be in mode ${mode}`, () => isInMode(lab, mode));
};

const isInMode = async (lab: Lab, mode: string): Promise<boolean> => {
  const ask = "curl --silent http://127.0.0.1:10249/proxyMode || true";
  const modes = await Promise.all(lab.instance.topology.workers.map(({ name }) => lab.on(name, ask)));
  return modes.every((said) => said === mode);
};

const unit = "/etc/systemd/system/kube-apiserver.service";
const nodePortsFrom = async (lab: Lab, range: string): Promise<void> => {
  const change = `sed -i 's/--service-node-port-range=[0-9-]*/--service-node-port-range=${range}/' ${unit}`;
  await lab.on("server", `${change} && systemctl daemon-reload && systemctl restart kube-apiserver`);
  await reconnect(lab);
};

export const legalClusters: readonly LegalCluster[] = [
  {
    name: "kube-proxy-in-nftables-mode",
    state: "kube-proxy writes its rules with nftables",
    arrange: (lab) => kubeProxyIn(lab, "nftables"),
    undo: (lab) => kubeProxyIn(lab, "iptables"),
    holds: (lab) => isInMode(lab, "nftables"),
  },
  {
    name: "limit-range-with-defaults",
    state: "the run's namespace has a LimitRange with defaults",
    ...arranged(objectsThere([namespace("limit-range"), limitRange], async (lab) => (await tryPod(lab, "limit-range")).includes(`"200m"`))),
    environment: { SMOKE_NAMESPACE: "limit-range" },
  },
  {
    name: "sidecar-added",
    state: "every Pod is given a second container, before its own, as a service mesh does it",
    ...arranged(
      objectsThere(
        [
          mutatingPolicy("sidecar-added", {}, { mutations: [{ patchType: "JSONPatch", jsonPatch: { expression: sidecar } }] }),
          bindingOf("sidecar-added"),
        ],
        async (lab) => (await tryPod(lab)).includes(`"name": "sidecar"`),
      ),
    ),
  },
  {
    name: "nginx-listens-late",
    state: "nginx listens two seconds after its container has started, while its Pod is Ready, as the chapter's have no readinessProbe",
    ...listeningLate("nginx-listens-late", "sleep 2"),
  },
  {
    name: "nginx-listens-late-on-node-1",
    state: "of two Pods, the one on node-1 listens late, while the NodePort is asked already",
    ...listeningLate("nginx-listens-late-on-node-1", "case $(hostname -i) in 10.200.1.*) sleep 3;; esac"),
    // The others take their time before.
    suites: ["services"],
  },
  {
    name: "another-node-port-range",
    state: "NodePorts are taken from another range",
    arrange: (lab) => nodePortsFrom(lab, "20000-22767"),
    undo: (lab) => nodePortsFrom(lab, "30000-32767"),
    holds: (lab) => isSo(lab, "server", "tr '\\0' '\\n' < /proc/$(pgrep -xo kube-apiserver)/cmdline | grep -q port-range=20000-22767"),
  },
  {
    name: "another-service-range",
    state: "ClusterIPs are taken from another range, which only the cluster tells",
    arrange: (lab) => takeClusterIPsFrom(lab, "10.96.0.0/24"),
    undo: (lab) => takeClusterIPsFrom(lab, serviceCIDR),
    holds: (lab) => takesClusterIP(lab, "10.96.0.1"),
    environment: { SMOKE_SERVICE_CIDR: "" },
  },
  {
    name: "third-worker-without-pod",
    state: "there are three workers, and so one without a Pod of the run",
    arrange: async () => undefined,
    undo: async () => undefined,
    holds: async (lab) => (await lab.kubectl("get", "nodes", "-o", "name")).trim().split("\n").length === 3,
    workers: 3,
  },
  {
    name: "secret-of-this-name-elsewhere",
    state: "another namespace has a Secret of the name that the run's Secret has",
    ...arranged(
      objectsThere([namespace("elsewhere"), secret], (lab) =>
        isSo(lab, "server", "etcdctl get --keys-only /registry/secrets/elsewhere/kubernetes-the-hard-way | grep -q ."),
      ),
    ),
  },
  { name: "image-without-root", state: "the image runs without root, and nginx listens on port 8080", ...unprivilegedImage },
];
