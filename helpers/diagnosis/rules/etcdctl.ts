/**
 * etcdctl on `server`, by which etcd is looked at.
 */
import { guide, inEtcd } from "../checks.ts";
import type { Evidence, Finding, Rule } from "../model.ts";
import { toldByMessage } from "../saying.ts";

/** A cause that the message tells by itself, about the host that runs etcd. */
export const toldOfServer = (
  rule: Omit<Rule, "find" | "guide"> & { saying: RegExp; guide?: string },
  tell: (host: string, evidence: Evidence) => Omit<Finding, "seen">,
): Rule => toldByMessage({ guide: guide.encryption, ...rule }, (_found, evidence) => tell(evidence.given.server, evidence));

/** These come before all others: an instrument that does not look shows nothing, and an API server says itself what it cannot read. */
export const etcdctlRules: readonly Rule[] = [
  toldOfServer({ id: "etcdctl-missing", explains: inEtcd, saying: /.*etcdctl.* exited 127.*/, guide: guide.etcd }, (host) => ({
    what: `etcdctl is not on ${host}, or not where commands over SSH find it`,
    mend: `ssh ${host} 'command -v etcdctl || ls -l /usr/local/bin'  # copy etcdctl to /usr/local/bin`,
  })),
  toldByMessage(
    {
      id: "etcdctl-file-unreadable",
      explains: inEtcd,
      saying: /^(\S+): "[^"\n]*etcdctl.* exited \d+, expected 0: .*open (\S+): (no such file or directory|permission denied).*/m,
      guide: guide.etcd,
    },
    ([host = "", path = "", why]) => ({
      what: `etcdctl on ${host} cannot read ${path}: ${why}`,
      mend: `ssh ${host} ls -l ${path}  # then set SMOKE_ETCDCTL_FLAGS right, or what ETCDCTL_ variables say there`,
    }),
  ),
  toldByMessage(
    {
      id: "etcdctl-told-twice",
      explains: inEtcd,
      saying: /^(\S+): "[^"\n]*etcdctl.* exited \d+, expected 0: .*conflicting environment variable.*(ETCDCTL_\w+).*/m,
      guide: guide.etcd,
    },
    ([host = "", variable = ""]) => ({
      what: `etcdctl on ${host} does not run, because ${variable} is set there, and SMOKE_ETCDCTL_FLAGS has the flag for the same`,
      mend: `take the flag out of SMOKE_ETCDCTL_FLAGS, or ${variable} out of what logins on ${host} are given`,
    }),
  ),
  toldOfServer({ id: "another-etcd", explains: inEtcd, saying: /.*etcdctl must show the ConfigMap.*/, guide: guide.etcd }, (host) => ({
    what: `etcdctl on ${host} does not ask the etcd of this cluster`,
    mend: `SMOKE_ETCDCTL_FLAGS with the --endpoints of kube-apiserver's --etcd-servers; ssh ${host} 'type etcdctl; env | grep ETCDCTL'`,
  })),
  toldOfServer(
    {
      id: "etcdctl-contradicts-itself",
      explains: inEtcd,
      saying: /.*tells one thing in JSON and another through hexdump.*/,
      guide: guide.etcd,
    },
    (host) => ({
      what: `etcdctl on ${host} shows other bytes in JSON than through hexdump: it is not etcd's own program`,
      mend: `ssh ${host} 'file $(command -v etcdctl)'`,
    }),
  ),
  toldOfServer(
    {
      id: "stored-secret-unreadable",
      saying: /.*(unable to transform key|no matching prefix found|no matching key was found|identity transformer tried).*/,
    },
    (host) => ({
      what: `kube-apiserver on ${host} has no key any more for a Secret that is stored`,
      mend: `give its EncryptionConfiguration the old provider and key back, behind those that write`,
    }),
  ),
  toldOfServer(
    {
      id: "stored-secret-of-other-key-bytes",
      saying: /.*answered 500: .*(invalid padding on input|message authentication failed|output array was not large enough).*/,
    },
    (host) => ({
      what: "a Secret that is stored does not open with the bytes that a kube-apiserver has for the key of its name: others have written it",
      mend: `ssh ${host} sha256sum /var/lib/kubernetes/encryption-config.yaml  # compare where kube-apiserver runs, and restart what was started before`,
    }),
  ),
];
