/**
 * A kubelet that can watch no further file. The kernel counts inotify instances by user, on all hosts of the lab together; so the kubelet
 * gets a user of its own, and nobody else goes without.
 */
import { healthy } from "../healthy.ts";
import { isSo, untilSo, type Fault, type Lab } from "./fault.ts";

/** Not "kubelet": a kubelet looks for subordinate ids of a user of that name. */
const user = "watcher";
/** Which neither Debian nor systemd gives to anybody. https://systemd.io/UIDS-GIDS */
const uid = 61_000;

const dropIns = "/run/systemd/system/kubelet.service.d";
const holder = "inotify-holder";

/** inotify_init1 on amd64. */
const newInstance = "syscall(294, 0)";

const runsKubelet = `[ "$(ps -o uid= -C kubelet | tr -d ' ')" = ${uid} ]`;
const hasNoneLeft = `[ "$(setpriv --reuid=${uid} --clear-groups perl -e '${newInstance} < 0 and print $!')" = 'Too many open files' ]`;

const isExhausted = (lab: Lab): Promise<boolean> => isSo(lab, "node-1", `${runsKubelet} && ${hasNoneLeft}`);

export const inotify: readonly Fault[] = [
  {
    name: "inotify-exhausted-on-node-1",
    state: "the user of node-1's kubelet has no inotify instance left",
    inject: async (lab) => {
      // "~" alone means all capabilities: the kubelet goes on doing root's work, as a user whose inotify instances are counted apart.
      await lab.on(
        "node-1",
        `useradd --uid ${uid} --gid root --no-create-home ${user} &&
        mkdir ${dropIns} && printf '[Service]\\nUser=${user}\\nAmbientCapabilities=~\\n' > ${dropIns}/user.conf &&
        systemctl daemon-reload && systemctl restart kubelet`,
      );
      // A kubelet that starts needs some itself.
      await healthy(lab.instance);
      await lab.on(
        "node-1",
        `systemd-run --quiet --collect --unit=${holder} --uid=${user} --property=LimitNOFILE=infinity perl -e '1 while ${newInstance} >= 0; sleep'`,
      );
      await untilSo("node-1's kubelet to have no inotify instance left", () => isExhausted(lab));
    },
    heal: (lab) =>
      lab.on(
        "node-1",
        `systemctl stop ${holder}; rm -r ${dropIns} && systemctl daemon-reload && systemctl restart kubelet && userdel ${user}`,
      ),
    holds: isExhausted,
    fails: ["logs-followed"],
    inconclusive: [],
    because: /following the log did not show the request .* the last: failed to create fsnotify watcher: .*too many open files/,
    cause: /^Cause: the kubelet of node-1 cannot follow logs: its user has no inotify instance left/,
  },
];
