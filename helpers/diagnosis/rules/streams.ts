/**
 * Logs, exec and port-forward that reach a kubelet and fail there, or that something on the way does not let through. Whoever stops them
 * says why.
 */
import { guide, throughKubelet } from "../checks.ts";
import { lineWith } from "../kubelet-seen.ts";
import type { PodEvidence, Rule } from "../model.ts";
import { shortened } from "../reading.ts";
import { nodeOf, onItsNode, told, toldByMessage } from "../saying.ts";

/** As the API server, kubelets and runtimes have it. */
const saysNotRunning =
  /container not found \("|container is not running|CONTAINER_EXITED|is waiting to start: |does not have a host assigned|pod is not running|pod not found \("/;
/** The network of a Pod is there before its container, and refuses connections until then. */
const isRefusedInside = /inside namespace .*connection refused/;
const mayNotRun = new RegExp(`${saysNotRunning.source}|${isRefusedInside.source}`);

/** Why a Pod does not run, where it does not. */
function whyNotNow({ phase, waiting, ended, unscheduled }: PodEvidence): string | undefined {
  if (unscheduled !== "") return `it has no Node (${unscheduled})`;
  if (waiting !== "") return `its container waits (${waiting})`;
  return phase === "Running" ? undefined : `its phase is ${phase}${ended === "" ? "" : ` (${ended})`}`;
}

/** The same of one that may have come back since. */
const whyNotThen = (pod: PodEvidence): string | undefined =>
  whyNotNow(pod) ?? (pod.ended === "" ? undefined : `its container has ended (${pod.ended})`);

const notRunning: Rule = {
  id: "pod-not-running",
  explains: throughKubelet,
  saying: mayNotRun,
  guide: guide.smokeTest,
  find: ({ api, given }, { message }) => {
    // A running nginx refuses connections, too, where it listens elsewhere; so only what does not run now counts.
    const whyNot = saysNotRunning.test(message) ? whyNotThen : whyNotNow;
    const pod = api.pods.find((one) => message.includes(one.name) && whyNot(one) !== undefined);
    return (
      pod && {
        what: `Pod ${pod.name} on ${pod.nodeName || "no Node"} does not run: ${shortened(whyNot(pod) ?? "")}`,
        seen: lineWith(message, mayNotRun),
        mend: `kubectl -n ${given.namespace} describe pod ${pod.name}`,
      }
    );
  },
};

const upgradeTaken = toldByMessage(
  {
    id: "upgrade-header-taken-away",
    explains: throughKubelet,
    saying: /.*refused with 400: .*Upgrade request required.*/,
    guide: guide.kubectl,
  },
  (_found, { api }) => ({
    what: "what stands between this machine and kube-apiserver takes the Upgrade header from requests, without which there is no exec and no port-forward",
    mend: `let the proxy or load balancer at ${api.server} pass on the headers Upgrade and Connection, or give the kubeconfig kube-apiserver's own address`,
  }),
);

/** What a kubelet runs out of when it wants to be told of a log that grows, by what it says then. */
const limits = [
  {
    setting: "max_user_instances",
    says: /failed to create fsnotify watcher: .*too many open files/,
    lacks: "inotify instance",
    or: ", or the LimitNOFILE of the kubelet",
  },
  { setting: "max_user_watches", says: /failed to watch (?:directory|file) .*: no space left on device/, lacks: "inotify watch", or: "" },
] as const;

const nothingToWatchWith = limits.map(({ setting, says, lacks, or }) =>
  told({
    id: `inotify-${setting.replaceAll("_", "-")}`,
    explains: ["logs-followed"],
    saying: says,
    guide: guide.workers,
    pattern: says,
    what: (said) => `the kubelet of ${nodeOf(said)} cannot follow logs: its user has no ${lacks} left`,
    mend: (said) =>
      onItsNode(
        said,
        `sysctl fs.inotify.${setting}  # raise it${or}, or end who holds them: find /proc/[0-9]*/fd -lname anon_inode:inotify`,
      ),
  }),
);

export const streamRules: readonly Rule[] = [
  notRunning,
  upgradeTaken,
  told({
    id: "kubelet-cannot-ask-for-rights",
    explains: throughKubelet,
    saying: /Authorization error \(user=/,
    guide: guide.workers,
    pattern: /Authorization error \(user=([^,]+), verb=/,
    what: (said) => `the kubelet of ${nodeOf(said)} cannot ask the API server what user ${said.found[0]}, who asks it, has a right to`,
    mend: (said) => onItsNode(said, "journalctl -u kubelet -n 50  # does its kubeconfig lead to the API server?"),
  }),
  told({
    id: "socat-missing",
    explains: ["port-forward"],
    saying: /socat/,
    guide: guide.workers,
    pattern: /socat not found|\\?"socat\\?": executable file not found/,
    what: (said) => `the runtime on ${nodeOf(said)} forwards ports by means of socat, which is not installed there`,
    mend: (said) => onItsNode(said, "command -v socat  # install it"),
  }),
  ...nothingToWatchWith,
  told({
    id: "log-not-where-kubelet-looks",
    explains: ["logs-recorded", "logs-followed"],
    saying: /failed to try resolving symlinks in path/,
    guide: guide.workers,
    pattern: /failed to try resolving symlinks in path \\?"([^"\\]+)/,
    what: (said) => `the kubelet of ${nodeOf(said)} does not find the log that the runtime writes there, ${said.found[0]}`,
    mend: (said) => onItsNode(said, "ls -l /var/log/pods  # what removes logs there, or do kubelet and containerd see two folders?"),
  }),
];
