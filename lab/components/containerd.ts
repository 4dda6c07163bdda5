import { registryPort } from "./registry.ts";
import { unit, unitPath, type WorkerComponent } from "./component.ts";

/** The image of the container that holds a Pod's namespaces. */
export const pauseImage = "registry.k8s.io/pause:3.10";

const configuration = `version = 3
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "${pauseImage}"
  [plugins.'io.containerd.cri.v1.images'.registry]
    config_path = "/etc/containerd/certs.d"
[plugins.'io.containerd.cri.v1.runtime']
  # Deviation: without CAP_SYS_RESOURCE a score cannot be lowered, and no Pod would start.
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["/opt/cni/bin"]
    conf_dir = "/etc/cni/net.d"
  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = "runc"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
        # Deviation: a host that shares its kernel's cgroup v1 hierarchies has no systemd slices to hand out. The kubelet says the same.
        SystemdCgroup = false
`;

/** containerd and runc: the guide's chapter 9. */
export const containerd: WorkerComponent = ({ topology }, worker) => {
  const mirror = `http://${topology.server.address}:${registryPort}`;
  // Deviation: the guide installs crictl on every worker. The others are asked by ctr, so that each run goes both ways.
  const crictl = worker.name === topology.workers[0]?.name ? { "/usr/local/bin/crictl": { binary: "crictl" } } : {};
  return {
    files: {
      "/usr/local/bin/containerd": { binary: "containerd" },
      "/usr/local/bin/containerd-shim-runc-v2": { binary: "containerd-shim-runc-v2" },
      "/usr/local/bin/ctr": { binary: "ctr" },
      "/usr/local/bin/runc": { binary: "runc" },
      ...crictl,
      "/etc/containerd/config.toml": { text: configuration },
      // Every pull goes to the lab's registry, under its own name; without `server` a miss would be asked of the Internet.
      "/etc/containerd/certs.d/_default/hosts.toml": {
        text: `server = "${mirror}"\n[host."${mirror}"]\n  capabilities = ["pull", "resolve"]\n`,
      },
      [unitPath("containerd.service")]: unit({
        description: "containerd container runtime",
        after: ["network.target", "writable-cgroups.service"],
        // Deviation: no modprobe, because a host in a namespace loads no modules, and no OOMScoreAdjust, because it may not.
        service: ["Restart=always", "Delegate=yes", "KillMode=process", "LimitNOFILE=1048576", "LimitNPROC=infinity", "LimitCORE=infinity"],
        command: ["/usr/local/bin/containerd"],
      }),
    },
    units: ["containerd.service"],
  };
};
