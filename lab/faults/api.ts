/**
 * The API server does not answer.
 */
import { everyCheck, isSo, unitStopped, type Fault, type Lab } from "./fault.ts";
import { reconnect } from "./reconnect.ts";

const isStopped = (lab: Lab): Promise<boolean> => isSo(lab, "server", "grep -q '^State:.*stopped' /proc/$(pgrep -x kube-apiserver)/status");

export const api: readonly Fault[] = [
  unitStopped("server", "kube-apiserver", {
    heal: async (lab) => {
      await lab.on("server", "systemctl start kube-apiserver");
      await reconnect(lab);
    },
    fails: [],
    inconclusive: everyCheck,
    because: /connection refused\. Is kube-apiserver running there/,
    cause: /^Cause: kube-apiserver is not running on server \((?:inactive|failed)\)/,
  }),
  {
    name: "kube-apiserver-hangs",
    state: "kube-apiserver is there, takes connections, and answers nobody",
    inject: (lab) => lab.on("server", "systemctl kill --signal=SIGSTOP kube-apiserver"),
    heal: async (lab) => {
      await lab.on("server", "systemctl kill --signal=SIGCONT kube-apiserver");
      await reconnect(lab);
    },
    holds: isStopped,
    fails: [],
    inconclusive: everyCheck,
    because: /Does kube-apiserver hang/,
    cause: /^Cause: kube-apiserver on server is suspended: /,
  },
];
