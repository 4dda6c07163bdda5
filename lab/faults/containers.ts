/**
 * Containers that do not run as they should.
 */
import { podsMutated } from "./api-objects.ts";
import { isSo, needingPods, type Fault } from "./fault.ts";

const shim = "/usr/local/bin/containerd-shim-runc-v2";
const otherShim = "/usr/local/bin/other-shim";

/** The Pod's own /dev/shm outlives its containers. */
const failOnce = "if mkdir /dev/shm/begun; then exit 1; fi; touch /dev/shm/begun/again; exec nginx -g 'daemon off;'";
/** Until it has failed it must not pass for Ready, as it would until its kubelet looks again. */
const readyWhenBegunAgain = { exec: { command: ["test", "-e", "/dev/shm/begun/again"] } };

export const containers: readonly Fault[] = [
  {
    name: "containers-crash",
    state: "every container ends as soon as it is started, again and again",
    // Nothing slower: a container that still runs when its kubelet looks, which it does each second, passes for Ready.
    ...podsMutated("containers-crash", { "/spec/containers/0/command": ["sh", "-c", "exit 1"] }),
    fails: ["replicas-ready"],
    inconclusive: needingPods,
    // By where in the cycle of starts the wait ends.
    because: /CrashLoopBackOff, back-off|container (\w+ )?has ended( since)?: Error, exit code 1/,
    cause: /^Cause: the container of the Pod on node-\d ends soon after it has started: /,
  },
  {
    name: "containers-restarted",
    state: "every container fails once before it runs",
    ...podsMutated("containers-restarted", {
      "/spec/containers/0/command": ["sh", "-c", failOnce],
      "/spec/containers/0/readinessProbe": readyWhenBegunAgain,
    }),
    fails: ["no-restarts"],
    inconclusive: [],
    because: /nginx-[\w-]+['"]?: 1/,
    cause: /^Cause: the container of the Pod on node-\d ends soon after it has started/,
  },
  {
    name: "containers-without-shim-on-node-1",
    state: "what containers run under on node-1 is no containerd-shim",
    inject: (lab) =>
      lab.on("node-1", `mv ${shim} ${otherShim} && printf '#!/bin/sh\\nexec ${otherShim} "$@"\\n' > ${shim} && chmod +x ${shim}`),
    heal: (lab) => lab.on("node-1", `mv ${otherShim} ${shim}`),
    holds: (lab) => isSo(lab, "node-1", `grep -q ${otherShim} ${shim}`),
    fails: ["containers-on-host"],
    inconclusive: [],
    because: /node-1: .*other-shim/,
    cause: /^Cause: on node-1 containers run under other-shim, and not under containerd-shim/,
  },
];
