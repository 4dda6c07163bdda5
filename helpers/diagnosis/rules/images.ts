/**
 * Images that do not come, and containers that do not stay.
 */
import { gettingPods, guide } from "../checks.ts";
import type { Evidence, Rule } from "../model.ts";
import { onItsNode, told, type Said } from "../saying.ts";

const explains = gettingPods;
const logs = ({ line }: Said, { given }: Evidence): string =>
  `kubectl -n ${given.namespace} logs --previous ${/nginx-[\w-]+/.exec(line)?.[0] ?? "deployment/nginx"}`;

export const imageRules: readonly Rule[] = [
  told({
    id: "pause-image-absent",
    explains,
    guide: guide.workers,
    // containerd says the first until 2.3, and the second since 2.4.
    pattern: /(?:failed to get sandbox image|create pod sandbox: .*?failed to pull image) "([^"]+)":? ?(.*)/,
    what: ({ found: [image], where }) => `the image of the Pods' sandbox, ${image}, is not there${where}, and cannot be pulled`,
    mend: (said) => `${onItsNode(said, "grep -n sandbox /etc/containerd/config.toml")}  # name an image that its registry has`,
  }),
  told({
    id: "image-pull-limited",
    explains,
    guide: guide.smokeTest,
    pattern: /toomanyrequests|429 Too Many Requests/,
    what: ({ where }, { given }) => `the registry of ${given.image} lets no more be pulled${where}: its limit is reached`,
    mend: () => "SMOKE_PULL_SECRET with the credentials of an account, or SMOKE_IMAGE from another registry",
  }),
  told({
    id: "registry-unreachable",
    explains,
    guide: guide.workers,
    pattern:
      /(?:failed to (?:pull|resolve|do request)|ErrImagePull|ImagePullBackOff).*?(dial tcp[^"]*|lookup \S+[^"]*|i\/o timeout|connection refused|no route to host|TLS handshake[^"]*|\bEOF\b)/,
    what: ({ where, found: [reason = ""] }) => `the image registry is not reached${where}: ${reason.trim().replace(/[:.]+$/, "")}`,
    mend: (said) => onItsNode(said, "curl --head https://registry-1.docker.io/v2/  # is the registry up, and does the Node reach it?"),
  }),
  told({
    id: "image-refused",
    explains,
    guide: guide.smokeTest,
    pattern: /(?:pull|resolve).*(authorization failed|unauthorized|insufficient_scope|pull access denied|401 Unauthorized|403 Forbidden)/,
    what: ({ where, found: [reason] }, { given }) => `the registry does not let ${given.image} be pulled${where}: ${reason}`,
    mend: () => "SMOKE_PULL_SECRET with the registry's credentials",
  }),
  told({
    id: "image-absent",
    explains,
    guide: guide.smokeTest,
    pattern: /(?:pull|resolve|manifest).*(?:: not found|manifest unknown|manifest for .* not found)|ErrImageNeverPull|InvalidImageName/,
    what: ({ where }, { given }) => `the image ${given.image} does not exist in its registry, so that no container starts${where}`,
    mend: () => "SMOKE_IMAGE with an image that exists",
  }),
  told({
    id: "image-of-another-platform",
    explains,
    guide: guide.smokeTest,
    pattern: /no match for platform|exec format error/i,
    what: ({ where }, { given }) => `the image ${given.image} is for another platform than the Node's${where}`,
    mend: () => "SMOKE_IMAGE with an image for this platform",
  }),
  told({
    id: "image-needs-root",
    explains,
    guide: guide.smokeTest,
    pattern: /container has runAsNonRoot and image will run as root/,
    what: (_said, { given }) => `the image ${given.image} runs as root, which Pod Security does not let it`,
    mend: () => "SMOKE_IMAGE with an image that runs without root, such as nginxinc/nginx-unprivileged, and SMOKE_IMAGE_PORT=8080",
  }),
  told({
    id: "container-out-of-memory",
    explains: [...gettingPods, "no-restarts"],
    guide: guide.smokeTest,
    pattern: /OOMKilled/,
    what: ({ where }) => `the container of the Pod${where} is killed, because it needs more memory than it may have`,
    mend: () => "look for a LimitRange in the namespace: kubectl describe limitrange",
  }),
  told({
    id: "container-crashes",
    explains: [...gettingPods, "no-restarts"],
    guide: guide.smokeTest,
    pattern: /Pod \S+: (CrashLoopBackOff|(?:Error|Completed|StartError|ContainerCannotRun), exit code \d+)/,
    what: ({ where, found: [state] }) => `the container of the Pod${where} ends soon after it has started: ${state}`,
    mend: logs,
  }),
  told({
    id: "container-not-created",
    explains: gettingPods,
    guide: guide.workers,
    pattern: /(CreateContainerError|CreateContainerConfigError|RunContainerError): (.*)/,
    what: ({ where, found: [reason] }) => `containerd${where} cannot start the container: ${reason}`,
    mend: (said) => onItsNode(said, "journalctl -u containerd -n 50"),
  }),
];
