/**
 * Checks that fail together, because they go the same way, and the chapters of the guide that build it.
 */

/** Commands in a container. */
export const byExec: readonly string[] = ["exec-version", "exec-streams", "exec-reads", "exec-stdin", "exec-tty"];
/** From the API server through a kubelet into a container. */
export const throughKubelet: readonly string[] = ["port-forward", "logs-recorded", "logs-followed", ...byExec];
/** What is stored in etcd, read with etcdctl. */
export const inEtcd: readonly string[] = ["secret-encrypted", "secret-no-plaintext", "secret-decrypts", "secret-deleted"];
/** How the Secret is written. */
export const writtenByAPIServer: readonly string[] = ["secret-encrypted", "secret-no-plaintext", "secret-decrypts"];
/** From Deployment to Pods that are Ready. */
export const gettingPods: readonly string[] = ["replicas-ready", "pod-replaced"];
/** Into the cluster by a NodePort. */
export const byNodePort: readonly string[] = ["node-port-answers", "node-port-every-pod"];
/** Packets from a host to a Pod. */
export const overPodNetwork: readonly string[] = ["pod-ip-from-server", ...byNodePort];
/** What the containerd of a Node says. */
export const fromRuntime: readonly string[] = ["containers-on-host", "pods-on-bridge", "pod-cidr"];

/** https://github.com/kelseyhightower/kubernetes-the-hard-way/tree/master/docs */
export const guide = {
  machines: "03 Provisioning Compute Resources",
  certificates: "04 Provisioning a CA and Generating TLS Certificates",
  kubeconfigs: "05 Generating Kubernetes Configuration Files for Authentication",
  encryption: "06 Generating the Data Encryption Config and Key",
  etcd: "07 Bootstrapping the etcd Cluster",
  controlPlane: "08 Bootstrapping the Kubernetes Control Plane",
  workers: "09 Bootstrapping the Kubernetes Worker Nodes",
  kubectl: "10 Configuring kubectl for Remote Access",
  routes: "11 Provisioning Pod Network Routes",
  smokeTest: "12 Smoke Test",
} as const;
