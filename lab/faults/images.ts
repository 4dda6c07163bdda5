/**
 * Images that the workers cannot get.
 */
import { registryPort } from "../components/registry.ts";
import { isSo, needingPods, unitStopped, type Fault, type Lab } from "./fault.ts";

/** The folder in which containerd looks for another way to the pause image's registry. */
const pauseRegistry = "/etc/containerd/certs.d/registry.k8s.io";
/** Nobody listens there. */
const unreachable = `server = "http://127.0.0.1:9"`;
const pauseImages = "ctr -n k8s.io images ls -q | grep registry.k8s.io/pause";

const manifest = "application/vnd.oci.image.manifest.v1+json";

/** Whether the registry has nginx by this tag. https://distribution.github.io/distribution/spec/api/ */
const isServed = (lab: Lab, tag: string): Promise<boolean> =>
  isSo(
    lab,
    "server",
    `curl --silent --fail --head --header "Accept: ${manifest}" http://127.0.0.1:${registryPort}/v2/library/nginx/manifests/${tag} >/dev/null`,
  );

export const images: readonly Fault[] = [
  {
    name: "image-absent",
    state: "the registry does not have the image",
    inject: async () => undefined,
    heal: async () => undefined,
    holds: async (lab) => (await isServed(lab, "latest")) && !(await isServed(lab, "no-such-tag")),
    environment: { SMOKE_IMAGE: "nginx:no-such-tag" },
    fails: ["replicas-ready"],
    inconclusive: needingPods,
    because: /ErrImagePull, .*nginx:no-such-tag: not found|ImagePullBackOff, .*nginx:no-such-tag/,
    cause: /^Cause: the image \S+no-such-tag does not exist in its registry/,
  },
  unitStopped("server", "registry", {
    fails: ["replicas-ready"],
    inconclusive: needingPods,
    because: /(?:ErrImagePull|ImagePullBackOff), .*failed to do request: .*connection refused/,
    cause: /^Cause: the image registry is not reached on node-\d: /,
  }),
  {
    name: "pause-image-absent-on-node-1",
    state: "node-1 has no pause image, and cannot pull it",
    inject: (lab) =>
      lab.on(
        "node-1",
        `mkdir ${pauseRegistry} && echo '${unreachable}' > ${pauseRegistry}/hosts.toml && ${pauseImages} | xargs -r ctr -n k8s.io images rm`,
      ),
    heal: (lab) => lab.on("node-1", `rm -r ${pauseRegistry}`),
    holds: (lab) => isSo(lab, "node-1", `! ${pauseImages} >/dev/null`),
    fails: ["replicas-ready"],
    inconclusive: needingPods,
    because: /on node-1: FailedCreatePodSandBox.*failed to pull image "registry\.k8s\.io\/pause/,
    cause: /^Cause: the image of the Pods' sandbox, \S+, is not there on node-1, and cannot be pulled/,
  },
];
