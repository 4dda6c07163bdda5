/**
 * The API server stores Secrets otherwise than it should.
 */
import { copyFile, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { writtenByAPIServer } from "../../helpers/diagnosis/checks.ts";
import { removeRuns, type Armed, type Fault, type Lab } from "./fault.ts";
import { reconnect } from "./reconnect.ts";

export const configuration = "/var/lib/kubernetes/encryption-config.yaml";
const unit = "/etc/systemd/system/kube-apiserver.service";

type Provider = Readonly<Record<string, { keys?: readonly { name: string; secret: string }[] }>>;
export type Rule = { resources: readonly string[]; providers: readonly Provider[] };

/** A provider with a key of its own. Nothing that it has encrypted is left when the fault is healed. */
export const provider = (kind: string, name: string): Provider => ({
  [kind]: { keys: [{ name, secret: Buffer.alloc(32, "the lab's own").toString("base64") }] },
});

/** The text of an EncryptionConfiguration with its one rule changed. */
export function changed(text: string, change: (rule: Rule) => Rule): string {
  const { resources, ...rest } = parse(text) as { resources: readonly Rule[] };
  return stringify({ ...rest, resources: resources.map(change) });
}

/**
 * The API server runs with another file for a while, and what it stores begins in another way. Every provider stays among the readers, as
 * the kubelets and controllers go on reading.
 */
function storedAs(beginning: string, file: string, change: (text: string) => string): Armed {
  const onServer = (lab: Lab) => join(lab.instance.rootOf("server"), file);
  return {
    inject: async (lab) => {
      await copyFile(onServer(lab), `${onServer(lab)}.intended`);
      await writeFile(onServer(lab), change(await readFile(onServer(lab), "utf8")));
      await restart(lab);
    },
    heal: async (lab) => {
      await demandNoSecret(lab);
      await rename(`${onServer(lab)}.intended`, onServer(lab));
      await restart(lab);
    },
    holds: async (lab) => (await beginningOfStored(lab)).startsWith(beginning),
  };
}

const ruledBy = (beginning: string, change: (rule: Rule) => Rule) => storedAs(beginning, configuration, (text) => changed(text, change));

async function restart(lab: Lab): Promise<void> {
  await lab.on("server", "systemctl daemon-reload && systemctl restart kube-apiserver");
  await reconnect(lab);
}

/** A Secret that the intended configuration has no reader for can be neither listed nor deleted, and keeps its namespace for ever. */
async function demandNoSecret(lab: Lab): Promise<void> {
  const stored = async () => (await lab.on("server", "etcdctl get /registry/secrets/ --prefix --keys-only")).trim();
  if ((await stored()) !== "") await removeRuns(lab);
  const left = await stored();
  if (left !== "") throw new Error(`etcd still holds ${left}, which the intended EncryptionConfiguration may not be able to read`);
}

/** How a Secret that is written now is stored. */
export async function beginningOfStored(lab: Lab, name = "lab-scratch"): Promise<string> {
  await lab.kubectl("create", "secret", "generic", name, "--from-literal=some=thing");
  try {
    return await lab.on("server", `etcdctl get /registry/secrets/default/${name} --print-value-only | head -c 40`);
  } finally {
    await lab.kubectl("delete", "secret", name);
  }
}

const plaintext = "k8s\0";
/** What shows the data begins otherwise than it should, and is nothing to decrypt: no state fails `secret-no-plaintext` alone. */
const notEncrypted = {
  fails: writtenByAPIServer,
  inconclusive: [],
  because: {
    "secret-encrypted": /begins: expected 'k8s\\u0000.*' to be 'k8s:enc:aescbc:v1:key1:'/,
    "secret-no-plaintext": /traces of the Secret, .* needle: 'canary', form: 'raw'/,
    "secret-decrypts": /does not decrypt with \S+: it is plaintext protobuf/,
  },
};
/** What is written is encrypted, by a provider and key that stand before the intended ones. */
const writtenBy = (kind: string, name: string) => ({
  ...ruledBy(`k8s:enc:${kind}:v1:${name}:`, (rule) => ({ ...rule, providers: [provider(kind, name), ...rule.providers] })),
  fails: ["secret-encrypted", "secret-decrypts"],
  inconclusive: [],
  because: {
    "secret-encrypted": new RegExp(`begins: expected 'k8s:enc:${kind}:v1:${name}:' to be 'k8s:enc:aescbc:v1:key1:'`),
    "secret-decrypts": new RegExp(`has no key for it: the value is encrypted by ${kind} with the key "${name}"`),
  },
});

export const encryption: readonly Fault[] = [
  {
    name: "encryption-flag-absent",
    state: "the API server writes Secrets in plaintext, because it runs without --encryption-provider-config",
    ...storedAs(plaintext, unit, (text) => text.replace(/^ *--encryption-provider-config=.*\n/m, "")),
    ...notEncrypted,
    cause: /^Cause: kube-apiserver on server runs without --encryption-provider-config/,
  },
  {
    name: "identity-first",
    state: "the API server writes Secrets in plaintext, because identity is its first provider",
    ...ruledBy(plaintext, (rule) => ({ ...rule, providers: rule.providers.toReversed() })),
    ...notEncrypted,
    cause: /^Cause: kube-apiserver on server stores Secrets in plaintext: identity is the first provider/,
  },
  {
    name: "secrets-not-among-resources",
    state: "the API server writes Secrets in plaintext, because its EncryptionConfiguration is for `secret`, which is no resource",
    ...ruledBy(plaintext, (rule) => ({ ...rule, resources: ["secret"] })),
    ...notEncrypted,
    cause: /^Cause: secrets are not among the resources of the EncryptionConfiguration on server/,
  },
  {
    name: "secretbox-first",
    state: "the API server encrypts Secrets with secretbox, and not with aescbc",
    ...writtenBy("secretbox", "key1"),
    cause: /^Cause: kube-apiserver on server encrypts Secrets with the provider secretbox, where aescbc is expected/,
  },
  {
    name: "aesgcm-first",
    state: "the API server encrypts Secrets with aesgcm, and not with aescbc",
    ...writtenBy("aesgcm", "key1"),
    cause: /^Cause: kube-apiserver on server encrypts Secrets with the provider aesgcm, where aescbc is expected/,
  },
  {
    name: "key2-first",
    state: "the API server encrypts Secrets with key2, and not with key1",
    ...writtenBy("aescbc", "key2"),
    cause: /^Cause: kube-apiserver on server encrypts Secrets with the key key2, where key1 is expected/,
  },
];
