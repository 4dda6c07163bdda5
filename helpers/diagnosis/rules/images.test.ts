import { expect, test } from "vitest";
import { causeOf, event, lookalikes, pods, type Case } from "../recorded.ts";

const pull =
  'failed to pull and unpack image "docker.io/library/nginx:latest": failed to resolve reference "docker.io/library/nginx:latest":';
const unheard = `${pull} failed to do request: Head "http://10.91.7.10:5000/v2/library/nginx/manifests/latest": dial tcp 10.91.7.10:5000: connect: connection refused`;

const cases: readonly Case[] = [
  {
    rule: "pause-image-absent",
    check: "replicas-ready",
    change: event(
      "node-1",
      "FailedCreatePodSandBox",
      'Failed to create pod sandbox: rpc error: code = Unavailable desc = failed to get sandbox image "registry.k8s.io/pause:3.10": failed to pull image "registry.k8s.io/pause:3.10": dial tcp 127.0.0.1:9: connect: connection refused',
    ),
    cause: /^the image of the Pods' sandbox, registry\.k8s\.io\/pause:3\.10, is not there on node-1, and cannot be pulled$/,
    butNot: [{ change: event("node-1", "Failed", unheard) }],
  },
  {
    rule: "pause-image-absent",
    check: "replicas-ready",
    change: event(
      "node-1",
      "FailedCreatePodSandBox",
      'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to pull image "registry.k8s.io/pause:3.10": failed to pull and unpack image "registry.k8s.io/pause:3.10": failed to resolve image: failed to do request: Head "http://127.0.0.1:9/v2/pause/manifests/3.10?ns=registry.k8s.io": dial tcp 127.0.0.1:9: connect: connection refused',
    ),
    cause: /^the image of the Pods' sandbox, registry\.k8s\.io\/pause:3\.10, is not there on node-1, and cannot be pulled$/,
    butNot: [{ change: event("node-1", "Failed", unheard) }],
  },
  {
    rule: "image-pull-limited",
    check: "replicas-ready",
    change: event("node-0", "Failed", `${pull} 429 Too Many Requests - toomanyrequests`),
    cause: /its limit is reached/,
    butNot: [{ change: event("node-0", "Failed", unheard) }],
  },
  {
    rule: "registry-unreachable",
    check: "replicas-ready",
    change: pods({ waiting: `ErrImagePull: ${unheard}` }),
    cause: /^the image registry is not reached on node-\d: dial tcp 10\.91\.7\.10:5000: connect: connection refused$/,
    butNot: [{ check: "nodes-ready", change: pods({ waiting: `ErrImagePull: ${unheard}` }) }],
  },
  {
    rule: "image-refused",
    check: "replicas-ready",
    change: event("node-0", "Failed", `${pull} pull access denied`),
    cause: /does not let nginx:latest be pulled on node-0/,
    butNot: [
      { change: event("node-0", "Failed", unheard) },
      { change: event("node-0", "FailedMount", 'secret "x" is forbidden: unauthorized') },
    ],
  },
  {
    rule: "image-absent",
    check: "replicas-ready",
    change: pods({ waiting: `ErrImagePull: ${pull} docker.io/library/nginx:latest: not found` }),
    cause: /^the image nginx:latest does not exist in its registry/,
    butNot: [{ change: pods({ waiting: `ErrImagePull: ${unheard}` }) }],
  },
  {
    rule: "image-of-another-platform",
    check: "replicas-ready",
    change: event("node-0", "Failed", "no match for platform in manifest"),
    cause: /for another platform/,
    butNot: [{ change: event("node-0", "Failed", `${pull} docker.io/library/nginx:latest: not found`) }],
  },
  {
    rule: "image-needs-root",
    check: "replicas-ready",
    change: pods({ waiting: "CreateContainerConfigError: container has runAsNonRoot and image will run as root" }),
    cause: /runs as root/,
    butNot: [{ change: pods({ waiting: 'CreateContainerConfigError: secret "x" not found' }) }],
  },
  {
    rule: "container-out-of-memory",
    check: "no-restarts",
    change: pods({ ended: "OOMKilled, exit code 137" }),
    cause: /needs more memory/,
    butNot: [{ change: pods({ ended: "Error, exit code 137" }) }],
  },
  {
    rule: "container-crashes",
    check: "replicas-ready",
    change: pods({ waiting: "CrashLoopBackOff: back-off 10s restarting failed container" }),
    cause: /^the container of the Pod on node-\d ends soon after it has started: CrashLoopBackOff$/,
    butNot: [
      { check: "port-forward", change: pods({ waiting: "CrashLoopBackOff: back-off" }) },
      { change: pods({ waiting: "CrashLoopBackOff: back-off", isTerminating: true }) },
    ],
  },
  {
    rule: "container-crashes",
    check: "no-restarts",
    change: pods({ ended: "Error, exit code 1" }),
    cause: /Error, exit code 1/,
    // It was deleted, and ends as it should.
    butNot: [{ change: pods({ ended: "Completed, exit code 0", isTerminating: true }) }],
  },
  {
    rule: "container-not-created",
    check: "replicas-ready",
    change: pods({ waiting: "RunContainerError: failed to create shim" }),
    cause: /cannot start the container: RunContainerError/,
    butNot: [
      { change: pods({ waiting: "CrashLoopBackOff: back-off 10s restarting failed container" }) },
      { change: pods({ waiting: "ContainerCreating: " }) },
    ],
  },
];

test.for(cases)("$rule is named when $check fails", (given) => {
  expect(causeOf(given)).toEqual({ rule: given.rule, cause: expect.stringMatching(given.cause) });
  expect(lookalikes(given)).not.toContain(given.rule);
});
