/**
 * How kube-apiserver stores Secrets.
 */
import { parse } from "yaml";
import { localProviders } from "../../stored-value.ts";
import { guide, inEtcd, writtenByAPIServer } from "../checks.ts";
import type { Evidence, Finding, LeaseEvidence, Rule } from "../model.ts";
import { firstLine, firstOf, flagOf, hostsOf, isOn, linesOf, runsOn, secondsBehindOthers, section } from "../reading.ts";
import { toldOfServer } from "./etcdctl.ts";

type Entry = { resources?: string[]; providers?: Record<string, { keys?: { name?: string }[]; name?: string } | null>[] };

const kinds: ReadonlySet<string> = new Set([...localProviders, "identity", "kms"]);
type Writer = { provider: string; keyName: string };

/** Who writes Secrets by the EncryptionConfiguration of a host, whose keys have been taken out: a provider and its first key. */
function writerOn(evidence: Evidence, host: string): Writer | "nobody" | undefined {
  try {
    const { resources = [] } = (parse(section(evidence, host, "encryption")) ?? {}) as { resources?: Entry[] };
    if (resources.length === 0) return undefined;
    const entry = [["secrets", "secrets."], ["*."], ["*.*"]]
      .map((names) => resources.find((candidate) => (candidate.resources ?? []).some((name) => names.includes(name))))
      .find((found) => found !== undefined);
    if (entry === undefined) return "nobody";
    const [provider = "", value] = Object.entries(entry.providers?.[0] ?? {})[0] ?? [];
    // What stands elsewhere in the file, behind an alias, has become an x.
    if (!kinds.has(provider)) return undefined;
    return { provider, keyName: value?.keys?.[0]?.name ?? value?.name ?? "" };
  } catch {
    return undefined;
  }
}

const file = (evidence: Evidence, host: string): string => flagOf(evidence, host, "kube-apiserver", "encryption-provider-config") ?? "";

const runAPIServer = (evidence: Evidence): string[] => hostsOf(evidence).filter((host) => runsOn(evidence, host, "kube-apiserver"));

/** A cause in the configuration of a kube-apiserver. */
const configured = (id: string, look: (evidence: Evidence, host: string) => Finding | undefined): Rule => ({
  id,
  explains: writtenByAPIServer,
  guide: guide.encryption,
  find: (evidence) => firstOf(runAPIServer(evidence), (host) => look(evidence, host)),
});

const mended = (evidence: Evidence, host: string): string =>
  `put the intended EncryptionConfiguration to ${file(evidence, host)} on ${host}, and restart kube-apiserver`;

const withoutFlag = configured("encryption-flag-missing", (evidence, host) =>
  flagOf(evidence, host, "kube-apiserver", "encryption-provider-config") !== undefined
    ? undefined
    : {
        what: `kube-apiserver on ${host} runs without --encryption-provider-config, so that it stores Secrets in plaintext`,
        seen: `${host}: no such flag in /proc/PID/cmdline of kube-apiserver`,
        mend: `add --encryption-provider-config to kube-apiserver.service on ${host}, and restart it`,
      },
);

const notLoaded = configured("encryption-configuration-not-loaded", (evidence, host) => {
  const [line = ""] = linesOf(evidence, host, "encryption-age");
  const [, changed, started] = /changed (\d+) s ago.* started (\d+) s ago/.exec(line) ?? [];
  if (changed === undefined || Number(changed) >= Number(started)) return undefined;
  if (isOn(evidence, host, "kube-apiserver", "encryption-provider-config-automatic-reload")) return undefined;
  return {
    what: `kube-apiserver on ${host} has not read its EncryptionConfiguration since that was changed`,
    seen: `${host}: ${line}`,
    mend: `ssh ${host} systemctl restart kube-apiserver`,
  };
});

const notAmongResources = configured("secrets-not-among-resources", (evidence, host) =>
  writerOn(evidence, host) !== "nobody"
    ? undefined
    : {
        what: `secrets are not among the resources of the EncryptionConfiguration on ${host}, so that they are stored in plaintext`,
        seen: `${host}: ${file(evidence, host)}: ${linesOf(evidence, host, "encryption").join(" ").slice(0, 160)}`,
        mend: mended(evidence, host),
      },
);

const otherWriter = (id: string, differs: (writer: Writer, expected: Evidence["given"]["encryption"]) => string | undefined): Rule =>
  configured(id, (evidence, host) => {
    const writer = writerOn(evidence, host);
    const what = writer === undefined || writer === "nobody" ? undefined : differs(writer, evidence.given.encryption);
    if (what === undefined || typeof writer !== "object") return undefined;
    const seen = `${host}: ${file(evidence, host)}: the first provider for secrets is ${writer.provider} ${writer.keyName}`;
    return { what: `kube-apiserver on ${host} ${what}`, seen: seen.trim(), mend: mended(evidence, host) };
  });

/** A kube-apiserver renews its Lease every 10 s, and leaves it behind when it ends. */
const ofLivingAPIServer = (evidence: Evidence, lease: LeaseEvidence): boolean =>
  lease.name.startsWith("apiserver-") && secondsBehindOthers(evidence, lease) < 60;

/** Whether each kube-apiserver that is at work has been seen, and encrypts Secrets as expected. */
function everyoneEncrypts(evidence: Evidence): boolean {
  const { provider, keyName } = evidence.given.encryption;
  const hosts = runAPIServer(evidence);
  const atWork = evidence.api.leases.filter((lease) => ofLivingAPIServer(evidence, lease)).length;
  const isAsExpected = (host: string): boolean => {
    const writer = writerOn(evidence, host);
    return typeof writer === "object" && writer.provider === provider && (provider === "kms" || writer.keyName === keyName);
  };
  return hosts.length >= Math.max(1, atWork) && hosts.every(isAsExpected);
}

const aroundAPI = toldOfServer(
  { id: "stored-around-the-api", explains: writtenByAPIServer, saying: /.*(begins: expected|traces of the Secret|it is plaintext).*/ },
  (host) => ({
    what: `the Secret lies in etcd as kube-apiserver on ${host} would not store it: it was written there around the API`,
    mend: `who else writes to etcd on ${host}? Rewrite the Secret: kubectl get secret NAME -o json | kubectl replace -f -`,
  }),
);

/** Read back or decrypted, it has the canary that the run has written, and something else has changed. */
const sameCanary = /.*(canary-[0-9a-f]{32})[^]*\1.*/;

const defaultSecurePort = "6443";

/** The run comes by another port than any kube-apiserver has. What etcd holds is not seen through that. */
const alteredInBetween: Rule = {
  id: "answers-altered-in-between",
  explains: ["secret-read-back"],
  saying: sameCanary,
  guide: guide.kubectl,
  find: (evidence, { message }) => {
    const { server } = evidence.api;
    const ports = runAPIServer(evidence).map((host) => flagOf(evidence, host, "kube-apiserver", "secure-port") ?? defaultSecurePort);
    const port = URL.parse(server)?.port || "443";
    if (ports.length === 0 || ports.includes(port)) return undefined;
    return {
      what: "what stands between this machine and kube-apiserver alters what it answers, unless an admission policy or webhook changes Secrets",
      seen: `the kubeconfig's ${server} is not at kube-apiserver's port ${ports.join(", ")}; ${firstLine(sameCanary.exec(message)?.[0] ?? "")}`,
      mend: `give the kubeconfig kube-apiserver's own address in place of ${server}; kubectl get mutatingadmissionpolicies,mutatingwebhookconfigurations`,
    };
  },
};

export const encryptionRules: readonly Rule[] = [
  withoutFlag,
  notLoaded,
  notAmongResources,
  otherWriter("identity-first", ({ provider }, expected) =>
    provider === "identity" && expected.provider !== "identity"
      ? "stores Secrets in plaintext: identity is the first provider of its EncryptionConfiguration"
      : undefined,
  ),
  otherWriter("other-encryption-provider", ({ provider }, expected) =>
    provider === expected.provider ? undefined : `encrypts Secrets with the provider ${provider}, where ${expected.provider} is expected`,
  ),
  otherWriter("other-encryption-key", ({ provider, keyName }, expected) =>
    provider === "kms" || keyName === expected.keyName
      ? undefined
      : `encrypts Secrets with the key ${keyName}, where ${expected.keyName} is expected`,
  ),
  toldOfServer({ id: "other-key-bytes", explains: ["secret-decrypts"], saying: /.*does not open it.*/ }, (host, { given }) => ({
    what: `the key ${given.encryption.keyName} in ${given.encryption.configurationPath} has other bytes than the one of kube-apiserver on ${host}`,
    mend: `copy the EncryptionConfiguration of ${host} anew, and see SMOKE_ENCRYPTION_CONFIG`,
  })),
  toldOfServer({ id: "key-not-given", explains: ["secret-decrypts"], saying: /.*has no key for it.*/ }, (host, { given }) => ({
    what: `${given.encryption.configurationPath} has no key for what kube-apiserver on ${host} stores`,
    mend: `copy the EncryptionConfiguration of ${host} anew, and see SMOKE_ENCRYPTION_CONFIG`,
  })),
  alteredInBetween,
  toldOfServer(
    {
      id: "secret-altered",
      explains: ["secret-read-back", "secret-decrypts"],
      saying: sameCanary,
      guide: guide.controlPlane,
    },
    () => ({
      what: "the Secret was altered on its way into the cluster: an admission policy or webhook changes Secrets",
      mend: "kubectl get mutatingadmissionpolicies,mutatingwebhookconfigurations",
    }),
  ),
  {
    id: "secret-kept-by-finalizer",
    explains: ["secret-deleted"],
    guide: guide.controlPlane,
    find: ({ api: { secretFinalizers }, given }) =>
      secretFinalizers.length === 0
        ? undefined
        : {
            what: `something gives the Secret the finalizer ${secretFinalizers.join(", ")}, so that it stays when it is deleted`,
            seen: `Secret ${given.namespace}/kubernetes-the-hard-way: metadata.finalizers is ${secretFinalizers.join(", ")}`,
            mend: "who changes Secrets, and should remove the finalizer? kubectl get mutatingadmissionpolicies,mutatingwebhookconfigurations",
          },
  },
  toldOfServer(
    {
      id: "etcd-shows-other-data",
      explains: ["secret-decrypts", "secret-deleted"],
      saying: /.*(it is the value of Secret |, decrypted with |what is left of it after the deletion).*/,
    },
    (host) => ({
      what: `etcdctl on ${host} shows the data of another Secret than the one that was asked for`,
      mend: `ssh ${host} 'file $(command -v etcdctl)'  # is it etcd's own program?`,
    }),
  ),
  // Only of who has been seen to store it otherwise can it be said that it was somebody else.
  { ...aroundAPI, find: (evidence, failure) => (everyoneEncrypts(evidence) ? aroundAPI.find(evidence, failure) : undefined) },
  toldOfServer(
    { id: "etcdctl-not-answered", explains: inEtcd, saying: /.*etcdctl.* exited \d+, expected 0: .*/, guide: guide.etcd },
    (host) => ({
      what: `etcdctl on ${host} gets no answer from etcd`,
      mend: "SMOKE_ETCDCTL_FLAGS with the endpoints and certificates of etcd",
    }),
  ),
];
