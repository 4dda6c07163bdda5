/**
 * etcd, and the etcdctl through which it is asked.
 */
import { inEtcd } from "../../helpers/diagnosis/checks.ts";
import { everyCheck, isSo, needingRun, programIs, unitStopped, untilSo, type Fault, type Lab } from "./fault.ts";
import { reconnect } from "./reconnect.ts";

const etcdctl = "/usr/local/bin/etcdctl";
const quota = "/etc/systemd/system/etcd.service.d/quota.conf";

/** etcdctl is a script, which may call the real one, at `/usr/local/bin/etcdctl.real`. */
export const etcdctlIs = (script: string): Pick<Fault, "inject" | "heal"> => programIs(["server"], etcdctl, script);

const otherOrigin = "http://127.0.0.1:23790";
const otherPeer = "http://127.0.0.1:23800";
const otherEtcd = [
  `--data-dir=/run/other-etcd --listen-client-urls=${otherOrigin} --advertise-client-urls=${otherOrigin}`,
  `--listen-peer-urls=${otherPeer} --initial-advertise-peer-urls=${otherPeer} --initial-cluster=default=${otherPeer}`,
].join(" ");
const askingTheOther = etcdctlIs(`exec ${etcdctl}.real --endpoints=${otherOrigin} "$@"`);
const countOfKeys = (program: string): string => `${program} get "" --from-key --keys-only | grep -c /registry/ || true`;

/** While nothing can be written no Lease is renewed; until they show that, what a run sees of the workers would be luck. */
async function leasesAreOld(lab: Lab): Promise<boolean> {
  const times = await lab.kubectl("-n", "kube-node-lease", "get", "leases", "-o", "jsonpath={.items[*].spec.renewTime}");
  return times.split(" ").every((time) => Date.now() - Date.parse(time) > 15_000);
}

export const etcd: readonly Fault[] = [
  {
    name: "etcdctl-missing",
    state: "server has no etcdctl",
    inject: (lab) => lab.on("server", `mv ${etcdctl} ${etcdctl}.away`),
    heal: (lab) => lab.on("server", `mv ${etcdctl}.away ${etcdctl}`),
    holds: (lab) => isSo(lab, "server", `! command -v etcdctl >/dev/null`),
    fails: [],
    inconclusive: inEtcd,
    because: /etcdctl.* exited 127/,
    cause: /^Cause: etcdctl is not on server/,
  },
  {
    name: "another-etcd-answers",
    state: "etcdctl on server asks another etcd, which is empty",
    inject: async (lab) => {
      await lab.on("server", `systemd-run --quiet --collect --unit=other-etcd etcd ${otherEtcd}`);
      await askingTheOther.inject(lab);
      await untilSo("the other etcd to answer", () => isSo(lab, "server", "etcdctl get any >/dev/null 2>&1"));
    },
    heal: async (lab) => {
      await askingTheOther.heal(lab);
      await lab.on("server", "systemctl stop other-etcd && rm -r /run/other-etcd");
    },
    holds: (lab) => isSo(lab, "server", `[ "$(${countOfKeys("etcdctl")})" = 0 ] && [ "$(${countOfKeys(`${etcdctl}.real`)})" -gt 0 ]`),
    fails: [],
    inconclusive: inEtcd,
    because: /must show the ConfigMap/,
    cause: /^Cause: etcdctl on server does not ask the etcd of this cluster/,
  },
  unitStopped("server", "etcd", {
    // For half a minute an API server whose etcd was away may ask its own caches in vain, and take no object into a new namespace.
    heal: async (lab) => {
      await lab.on("server", "systemctl start etcd && systemctl restart kube-apiserver");
      await reconnect(lab);
    },
    fails: [],
    inconclusive: everyCheck,
    because: /no answer within 10 s/,
    cause: /^Cause: etcd is not running on server \((?:inactive|failed)\)/,
  }),
  {
    name: "etcd-out-of-space",
    state: "etcd has reached its quota: it can be read, and takes no write",
    inject: async (lab) => {
      const limited = `mkdir -p ${quota.replace(/\/[^/]*$/, "")} && printf '[Service]\\nEnvironment=ETCD_QUOTA_BACKEND_BYTES=1\\n' > ${quota}`;
      await lab.on("server", `${limited} && systemctl daemon-reload && systemctl restart etcd`);
      await untilSo("etcd has raised its alarm", () => outOfSpace(lab));
      await untilSo("no worker renews its Lease any more", () => leasesAreOld(lab));
    },
    heal: async (lab) => {
      await lab.on("server", `rm ${quota} && systemctl daemon-reload && systemctl restart etcd && etcdctl alarm disarm`);
      await reconnect(lab);
    },
    holds: outOfSpace,
    fails: ["nodes-ready"],
    inconclusive: needingRun,
    because: /node-1: Ready, but its Lease was last renewed at .* its kubelet is silent/,
    cause: /^Cause: etcd on server is out of space \(NOSPACE\)/,
  },
];

async function outOfSpace(lab: Lab): Promise<boolean> {
  return isSo(lab, "server", "etcdctl alarm list | grep -q NOSPACE");
}
