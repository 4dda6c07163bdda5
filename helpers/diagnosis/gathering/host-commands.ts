/**
 * What is asked of a host, as command lines for `sh` by the name of the section that holds the answer. They read, and change nothing.
 * Each is ended when its time is over, and has not answered then: what was cut off would pass for all there is.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { eachCNIFile } from "../../cni-configuration.ts";
import { shellQuote } from "../../remote-command.ts";
import { cutShort } from "../reading.ts";
import { allStandIns } from "../stand-ins.ts";

/** What takes more than a few words stands in a file of its own, and is sent as it stands there. */
const textOf = (file: string): string => readFileSync(join(import.meta.dirname, "host-commands", file), "utf8").trimEnd();
const awk = (file: string): string => `awk ${shellQuote(textOf(file))}`;

/** What the commands share, beside what the prelude exports. */
export const functions = textOf("functions.sh");

/** Finds the processes of the units and their flags, once for all commands. */
export const prelude = `${functions}\n${textOf("prelude.sh")}`;

/** Says at the end that there is more: what stands there may decide. */
const atMost = (count: number): string => `awk 'NR <= ${count} { print } NR == ${count + 1} { print "${cutShort}" }'`;

/** What a host is asked first: it tells of most causes, and takes no time. */
export const standingCommands = {
  units: `systemctl show --property=Id,LoadState,ActiveState,SubState,MainPID,NRestarts,NeedDaemonReload $units |
    awk 'BEGIN { RS = ""; FS = "\\n" } { $1 = $1; print }' | grep -v LoadState=not-found`,
  processes: `printf '%s' "$processes" | while read -r name pid; do
    printf '%s %s %s\\n' "$name" "$pid" "$(sed -n 's/^State:[[:space:]]*//p' "/proc/$pid/status")"; done`,
  "stand-ins": `cat /proc/[0-9]*/comm 2>/dev/null | grep -xE '${allStandIns.join("|")}' | sort -u`,
  flags: `printf '%s\\n' "$flags"`,
  routes: "ip route; ip -6 route 2>/dev/null | grep -v fe80",
  addresses: "ip -o addr | awk '{ print $2, $4 }'",
  links: "ip -o link",
  forwarding: "grep . /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/*/forwarding /proc/sys/net/bridge/bridge-nf-call-iptables",
  filters: `iptables-save 2>/dev/null | ${awk("iptables.awk")} | ${atMost(400)}`,
  "cni-files": eachCNIFile(`tr -d '\\n' <"$file"`),
  kubelet: `[ -n "$kubelet_config" ] && grep -E '^ *"?(enableDebuggingHandlers|enableServer|maxPods|registerNode|port|cgroupDriver|clientCAFile|tlsCertFile|podCIDR)"?:' "$kubelet_config"`,
  encryption: `[ -f "$encryption_config" ] && ${awk("encryption-configuration.awk")} "$encryption_config"`,
  "encryption-age": `[ -f "$encryption_config" ] && printf 'the file was changed %s s ago, kube-apiserver was started %s s ago\\n' \\
    "$(($(date +%s) - $(stat -c %Y "$encryption_config")))" "$(ps -o etimes= -p "$(pid_of kube-apiserver)" | tr -d ' ')"`,
} as const satisfies Record<string, string>;

/** What takes a little longer. */
export const furtherCommands = {
  queueing: "tc qdisc show 2>/dev/null | grep -Ev 'noqueue|pfifo_fast|fq_codel|mq |noop'",
  nft: `nft --handle list ruleset 2>/dev/null | ${awk("nftables.awk")} | ${atMost(300)}`,
  "kube-proxy-table": "nft list tables 2>/dev/null | grep -w kube-proxy",
  "kube-proxy-health":
    "curl --silent --max-time 1 http://127.0.0.1:10256/healthz; echo; curl --silent --max-time 1 http://127.0.0.1:10249/proxyMode",
  listening: "ss -Hltnp 'sport = :10250 or sport = :10256 or sport = :2379 or sport = :6443'",
  "cni-plugins": "ls -1 /opt/cni/bin",
  // What is a script stands where a program of Kubernetes is meant to be.
  programs: `for program in "$(command -v etcdctl)" "$(command -v runc)" /opt/cni/bin/*; do
    [ -f "$program" ] && printf '%s %s\\n' "$program" "$([ "$(head -c 2 "$program")" = '#!' ] && echo script || echo binary)"; done; true`,
  certificates: textOf("certificates.sh"),
  hosts: "grep -Ev '^ *(#|$)' /etc/hosts",
} as const satisfies Record<string, string>;

/** What takes the longest. */
export const journalCommands = { journal: textOf("journal.sh") };

/** An address of IPv6 stands in brackets. */
const inURL = (address: string): string => (address.includes(":") ? `[${address}]` : address);

type Place = { name: string; address: string };
/** What can only be asked once the API has told of Nodes, Pods and Service. */
export type Known = {
  nodes: readonly Place[];
  pods: readonly (Place & { nodeName: string })[];
  podPort: number;
  nodePort: number | undefined;
};

/**
 * Asks all at the same time, each by `asked` of functions.sh. The lines are in the order of the names, whoever answers first, so that of
 * two that show the same cause always the same one is told.
 */
const each = (questions: readonly (readonly [name: string, parameters: string])[]): string =>
  ["{", ...questions.map(([name, parameters]) => `asked ${shellQuote(name)} ${parameters} &`), "wait", "} | sort"].join("\n");

/** What a host sees of etcd and of the API, for which nothing needs to be known of Nodes and Pods. */
function nearCommands(etcdctlFlags: readonly string[]): Record<string, string> {
  const flags = etcdctlFlags.map(shellQuote).join(" ");
  return {
    etcd: `[ -n "$(pid_of etcd)" ] && etcdctl --dial-timeout=1s --command-timeout=2s ${flags} alarm list`,
    "api-here": `[ -n "$(pid_of kube-apiserver)" ] && curl --silent --insecure --max-time 2 "https://127.0.0.1:6443/readyz?verbose"`,
    // How the API is named over there is of no interest.
    "api-from-here": `server=$(setting /var/lib/kubelet/kubeconfig server)
      if [ -n "$server" ]; then ${each([["kube-apiserver", `--insecure "$server/readyz"`]])}
      fi`,
  };
}

/** What a host sees when it tries to reach others. */
export function reachingCommands({ nodes, pods, podPort, nodePort }: Known, host: string): Record<string, string> {
  const own = pods.filter(({ nodeName }) => nodeName === host);
  const kubelets = each(
    nodes.map((node) => [
      node.name,
      `"$@" "https://$(kubelet_at ${shellQuote(node.name)} ${shellQuote(inURL(node.address))}):10250/healthz"`,
    ]),
  );
  return {
    kubelets: `${textOf("kubelets.sh")}\n${kubelets}`,
    pods: each(own.map(({ name, address }) => [name, shellQuote(`http://${address}:${podPort}/`)])),
    "node-port-rules":
      nodePort === undefined
        ? "true"
        : `{ { iptables-save -t nat; ip6tables-save -t nat; } | grep -E -- '--dport ${nodePort}( |$)'
          { nft list table ip kube-proxy; nft list table ip6 kube-proxy; } | grep -w ${nodePort}; true; } 2>/dev/null`,
  };
}

type Questionnaire = {
  /** How long each of its commands may take. */
  secondsEach: number;
  commands: Commands | ((known: Known, host: string) => Commands);
};
type Commands = Readonly<Record<string, string>>;

/**
 * Each is asked in an SSH session of its own, all at once: six is as many as a connection has. What takes its whole time keeps none but
 * those of its own questionnaire waiting.
 */
export const questionnaires = (etcdctlFlags: readonly string[]): readonly Questionnaire[] => [
  { secondsEach: 3, commands: standingCommands },
  { secondsEach: 3, commands: furtherCommands },
  { secondsEach: 9, commands: journalCommands },
  { secondsEach: 3, commands: nearCommands(etcdctlFlags) },
  // What gets no answer takes two of them.
  { secondsEach: 5, commands: reachingCommands },
];
