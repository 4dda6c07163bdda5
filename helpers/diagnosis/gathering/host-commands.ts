/**
 * What is asked of a host, as command lines for `sh` by the name of the section that holds the answer. They read, and change nothing.
 * Each is ended when its time is over, and has not answered then: what was cut off would pass for all there is.
 */
import { shellQuote } from "../../remote-command.ts";
import { cutShort } from "../reading.ts";
import { allStandIns } from "../stand-ins.ts";

const units = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "containerd", "kubelet", "kube-proxy"];
const list = units.join(" ");

/** What the commands share, beside what the prelude exports. */
export const functions = `
pid_of() { printf '%s' "$processes" | sed -n "s/^$1 //p" | head -1; }
flag() { printf '%s\\n' "$flags" | sed -n "s/^$1 --$2=//p" | tail -1; }
setting() { sed -n "s/^ *\\"\\{0,1\\}$2\\"\\{0,1\\}: *\\"\\{0,1\\}\\([^\\",]*\\).*/\\1/p" "$1" 2>/dev/null | head -1; }
`;

/**
 * Finds the processes of the units and their flags, once, with as few commands as it takes: a host may be busy. The kernel keeps 15
 * characters of a process's name. A flag and its value may be two words; they are told as one. What begins with a dash is no
 * value.
 */
export const prelude = `
processes=
for file in /proc/[0-9]*/comm; do
  read -r name 2>/dev/null <"$file" || continue
  case $name in
    kube-controller) name=kube-controller-manager ;;
    ${units.filter((unit) => unit !== "kube-controller-manager").join("|")}) ;;
    *) continue ;;
  esac
  case $processes in *"$name "*) continue ;; esac
  pid=\${file#/proc/}
  processes="$processes$name \${pid%/comm}
"
done
flags_of() {
  tr '\\0' '\\n' | awk -v name="$1" '
    function tell() { if (flag != "") print name, flag; flag = "" }
    /^--/ { tell(); flag = $0; next }
    flag !~ /=/ && flag != "" && !/^-/ { flag = flag "=" $0 }
    { tell() }
    END { tell() }'
}
flags=$(printf '%s' "$processes" | while read -r name pid; do flags_of "$name" 2>/dev/null <"/proc/$pid/cmdline"; done)
${functions}
kubelet_config=$(flag kubelet config)
encryption_config=$(flag kube-apiserver encryption-provider-config)
export processes flags kubelet_config encryption_config
`;

/** Says at the end that there is more: what stands there may decide. */
const atMost = (count: number): string => `awk 'NR <= ${count} { print } NR == ${count + 1} { print "${cutShort}" }'`;

/** The chains that others than Kubernetes may have put rules into, in front of its own. */
const chains = "PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING|DOCKER-USER|ufw-[a-z-]+";

/**
 * Of an EncryptionConfiguration, in block style, in braces or as JSON, only this leaves the host: its punctuation, the words below, and
 * what stands behind `resources`, `name`, `kind` and `apiVersion`. Every other word becomes an x, whatever it is and however it is written.
 */
const shapeOfEncryptionConfiguration = String.raw`
  BEGIN {
    split("kind apiVersion resources providers keys name secret aescbc aesgcm secretbox identity kms endpoint cachesize timeout", words)
    for (number in words) known[words[number]] = 1
    punctuation = "^[][ \t{},\"\047]+"; word = "^[^][ \t{},\"\047]+"
  }
  function shown(text) {
    if (text ~ /^(-|---|:|[|>][-+0-9]*|[&!].*)$/) return text ~ /^[-:]/ ? text : ""
    if (field == "resources") return text ~ /^[a-z0-9*][a-z0-9.*\/-]*$/ && length(text) < 64 ? text : "x"
    if (field != "name" && field != "kind" && field != "apiVersion") return "x"
    field = ""
    return text
  }
  {
    sub(/\r$/, ""); sub(/^#.*/, ""); sub(/[ \t]#.*/, "")
    line = ""
    for (rest = $0; rest != ""; rest = substr(rest, RLENGTH + 1)) {
      if (match(rest, punctuation)) { line = line substr(rest, 1, RLENGTH); continue }
      match(rest, word)
      text = substr(rest, 1, RLENGTH); behind = substr(rest, RLENGTH + 1)
      isKey = text != ":" && (text ~ /:$/ || behind ~ /^["\047]?[ \t]*:/)
      if (!isKey) { line = line shown(text); continue }
      colon = text ~ /:$/ ? ":" : ""
      sub(/:$/, "", text)
      field = text
      line = line (text in known ? text : "x") colon
    }
    print line
  }`;

/** What a host is asked first: it tells of most causes, and takes no time. */
export const standingCommands = {
  units: `systemctl show --property=Id,LoadState,ActiveState,SubState,MainPID,NRestarts,NeedDaemonReload ${list} |
    awk 'BEGIN { RS = ""; FS = "\\n" } { $1 = $1; print }' | grep -v LoadState=not-found`,
  processes: `printf '%s' "$processes" | while read -r name pid; do
    printf '%s %s %s\\n' "$name" "$pid" "$(sed -n 's/^State:[[:space:]]*//p' "/proc/$pid/status")"; done`,
  "stand-ins": `cat /proc/[0-9]*/comm 2>/dev/null | grep -xE '${allStandIns.join("|")}' | sort -u`,
  flags: `printf '%s\\n' "$flags"`,
  routes: "ip route; ip -6 route 2>/dev/null | grep -v fe80",
  addresses: "ip -o addr | awk '{ print $2, $4 }'",
  links: "ip -o link",
  forwarding: "grep . /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/*/forwarding /proc/sys/net/bridge/bridge-nf-call-iptables",
  // A line a rule, with its table, of the chains that packets come into first; those of Kubernetes lie behind them.
  filters: `iptables-save 2>/dev/null | awk '/^\\*/ { table = substr($1, 2) } /^(:|-A )(${chains}) / { print table, $0 }' | ${atMost(400)}`,
  "cni-files": `for file in /etc/cni/net.d/*.conf /etc/cni/net.d/*.conflist /etc/cni/net.d/*.json; do
    [ -f "$file" ] && printf '%s %s\\n' "$file" "$(tr -d '\\n' <"$file")"; done; true`,
  kubelet: `[ -n "$kubelet_config" ] && grep -E '^ *"?(enableDebuggingHandlers|enableServer|maxPods|registerNode|port|cgroupDriver|clientCAFile|tlsCertFile|podCIDR)"?:' "$kubelet_config"`,
  encryption: `[ -f "$encryption_config" ] && awk '${shapeOfEncryptionConfiguration}' "$encryption_config"`,
  "encryption-age": `[ -f "$encryption_config" ] && printf 'the file was changed %s s ago, kube-apiserver was started %s s ago\\n' \\
    "$(($(date +%s) - $(stat -c %Y "$encryption_config")))" "$(ps -o etimes= -p "$(pid_of kube-apiserver)" | tr -d ' ')"`,
} as const satisfies Record<string, string>;

/** What takes a little longer. */
export const furtherCommands = {
  queueing: "tc qdisc show 2>/dev/null | grep -Ev 'noqueue|pfifo_fast|fq_codel|mq |noop'",
  // The same of nftables itself: table, chain and hook in front of each rule, and its handle behind. A chain is told of without a hook, and
  // then with one by what its hook is. What iptables has put there is told above, and tables that are asleep do nothing.
  nft: `nft --handle list ruleset 2>/dev/null | awk '/^table/ { table = $2 " " $3; asleep = 0 } /^\tflags .*dormant/ { asleep = 1 } /^\tchain/ { chain = $2; hook = "-" } /^\t\ttype [a-z]+ hook / { hook = $4 }
    !asleep && (/^\tchain/ || /^\t\ttype [a-z]+ hook / || /(accept|drop|reject|redirect|dnat|jump|goto|return|queue|vmap|tproxy|synproxy)/) &&
    table !~ /^ip6? (raw|mangle|nat|filter|security|kube-proxy)$/ { $1 = $1; print table, chain, hook, $0 }' | ${atMost(300)}`,
  "kube-proxy-table": "nft list tables 2>/dev/null | grep -w kube-proxy",
  "kube-proxy-health":
    "curl --silent --max-time 1 http://127.0.0.1:10256/healthz; echo; curl --silent --max-time 1 http://127.0.0.1:10249/proxyMode",
  listening: "ss -Hltnp 'sport = :10250 or sport = :10256 or sport = :2379 or sport = :6443'",
  "cni-plugins": "ls -1 /opt/cni/bin",
  // What is a script stands where a program of Kubernetes is meant to be.
  programs: `for program in "$(command -v etcdctl)" "$(command -v runc)" /opt/cni/bin/*; do
    [ -f "$program" ] && printf '%s %s\\n' "$program" "$([ "$(head -c 2 "$program")" = '#!' ] && echo script || echo binary)"; done; true`,
  certificates: `certificate() { [ -f "$2" ] && openssl x509 -in "$2" -noout -subject -issuer -dates -ext subjectAltName -fingerprint -sha256 2>/dev/null |
      tr -s ' \\n' ' ' | sed "s|^|$1 $2 |"; echo; }
    certificate kubelet-serving "$(setting "$kubelet_config" tlsCertFile)"; certificate kubelet-client-ca "$(setting "$kubelet_config" clientCAFile)"
    certificate apiserver-client-ca "$(flag kube-apiserver client-ca-file)"; certificate apiserver-serving "$(flag kube-apiserver tls-cert-file)"
    certificate apiserver-kubelet-client "$(flag kube-apiserver kubelet-client-certificate)"`,
  hosts: "grep -Ev '^ *(#|$)' /etc/hosts",
} as const satisfies Record<string, string>;

/** What takes the longest. */
const journalCommands = {
  // Lines of errors, and after them the last lines as they stand, but for those told already: a secret of several lines has to stay in one
  // piece, or the filter does not know it.
  journal: `for unit in $(systemctl list-unit-files --no-legend ${units.map((unit) => `${unit}.service`).join(" ")} | cut -d. -f1); do
    { journalctl -u "$unit" --since=-5min -n 300 --no-pager -o cat | grep -E '^[EF][0-9]{4} |[Ee]rror|level=(error|fatal)' | tail -5
      echo "$unit, the last lines"; journalctl -u "$unit" -n 6 --no-pager -o cat; } |
      awk -v title="$unit, the last lines" '$0 == title { last = 1; next } last ? !($0 in told) : !told[$0]++' |
      cut -c 1-400 | sed "s/^/$unit: /"; done`,
} as const satisfies Record<string, string>;

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

const ask =
  "curl --silent --show-error --output /dev/null --noproxy '*' --globoff --max-time 2 --write-out 'code=%{http_code} ip=%{remote_ip} server=%header{server} '";

/**
 * Asks all at the same time. Each answers with a line: its name, curl's exit code, HTTP's code, the address, and curl's words. The lines
 * are in the order of the names, whoever answers first, so that of two that show the same cause always the same one is told.
 */
const each = (questions: readonly (readonly [name: string, parameters: string])[]): string =>
  ["{", ...questions.map(([name, parameters]) => `asked ${shellQuote(name)} ${parameters} &`), "wait", "} | sort"].join("\n");

const asked = `asked() { name=$1; shift; said=$(${ask} "$@" 2>&1); printf '%s exit=%s %s\\n' "$name" "$?" "$(printf '%s' "$said" | tr '\\n' ' ')"; }`;

/** What a host sees of etcd and of the API, for which nothing needs to be known of Nodes and Pods. */
function nearCommands(etcdctlFlags: readonly string[]): Record<string, string> {
  const flags = etcdctlFlags.map(shellQuote).join(" ");
  return {
    etcd: `[ -n "$(pid_of etcd)" ] && etcdctl --dial-timeout=1s --command-timeout=2s ${flags} alarm list`,
    "api-here": `[ -n "$(pid_of kube-apiserver)" ] && curl --silent --insecure --max-time 2 "https://127.0.0.1:6443/readyz?verbose"`,
    // How the API is named over there is of no interest.
    "api-from-here": `${asked}
      server=$(setting /var/lib/kubelet/kubeconfig server); if [ -n "$server" ]; then ${each([["kube-apiserver", `--insecure "$server/readyz"`]])}
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
    // As kube-apiserver does it: by the Node's name, unless it prefers the address, and with the authority of the kubelets' certificates. A
    // kubelet says 401 to that.
    kubelets: `${asked}
      case $(flag kube-apiserver kubelet-preferred-address-types) in
        InternalIP*|ExternalIP,InternalIP*) kubelet_at() { printf %s "$2"; } ;;
        *) kubelet_at() { printf %s "$1"; } ;;
      esac
      ca=$(flag kube-apiserver kubelet-certificate-authority); if [ -n "$ca" ]; then set -- --cacert "$ca"; else set -- --insecure; fi
      if [ -n "$(pid_of kube-apiserver)" ]; then ${kubelets}
      fi`,
    pods: `${asked}\n${each(own.map(({ name, address }) => [name, shellQuote(`http://${address}:${podPort}/`)]))}`,
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
  { secondsEach: 3, commands: reachingCommands },
];
