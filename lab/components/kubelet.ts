import { stringify } from "yaml";
import { unit, unitPath, type WorkerComponent } from "./component.ts";

/** Where the kubelet has all that is its own. */
export const kubeletFolder = "/var/lib/kubelet";
export const kubeletConfigurationFile = `${kubeletFolder}/kubelet-config.yaml`;

const configuration = {
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  address: "0.0.0.0",
  // Deviation: the API server's rights are remembered for no longer than a second, so that what is broken and mended shows at once.
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true, cacheTTL: "1s" },
    x509: { clientCAFile: `${kubeletFolder}/ca.crt` },
  },
  authorization: { mode: "Webhook", webhook: { cacheAuthorizedTTL: "1s", cacheUnauthorizedTTL: "1s" } },
  // Deviation: see SystemdCgroup in containerd's configuration.
  cgroupDriver: "cgroupfs",
  containerRuntimeEndpoint: "unix:///var/run/containerd/containerd.sock",
  enableServer: true,
  // Deviation: machines with cgroup v1 are still about, and since 1.35 a kubelet has to be told to run on them.
  failCgroupV1: false,
  failSwapOn: false,
  // Deviation: what fills this machine's disk is not the lab's affair, and must not evict its Pods.
  evictionHard: { "memory.available": "50Mi", "nodefs.available": "1%", "nodefs.inodesFree": "1%", "imagefs.available": "1%" },
  maxPods: 16,
  port: 10250,
  resolvConf: "/etc/resolv.conf",
  registerNode: true,
  runtimeRequestTimeout: "15m",
  tlsCertFile: `${kubeletFolder}/kubelet.crt`,
  tlsPrivateKeyFile: `${kubeletFolder}/kubelet.key`,
};

/** The kubelet: the guide's chapter 9. */
export const kubelet: WorkerComponent = (_instance, { name }) => ({
  files: {
    "/usr/local/bin/kubelet": { binary: "kubelet" },
    [kubeletConfigurationFile]: { text: stringify(configuration) },
    [`${kubeletFolder}/kubeconfig`]: { pki: `${name}.kubeconfig` },
    [`${kubeletFolder}/ca.crt`]: { pki: "ca.crt" },
    [`${kubeletFolder}/kubelet.crt`]: { pki: `${name}.crt` },
    [`${kubeletFolder}/kubelet.key`]: { pki: `${name}.key` },
    [unitPath("kubelet.service")]: unit({
      description: "Kubernetes Kubelet",
      after: ["containerd.service"],
      requires: ["containerd.service"],
      command: ["/usr/local/bin/kubelet", `--config=${kubeletConfigurationFile}`, `--kubeconfig=${kubeletFolder}/kubeconfig`, "--v=2"],
    }),
  },
  units: ["kubelet.service"],
});
