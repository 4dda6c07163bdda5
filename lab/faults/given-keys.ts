/**
 * The EncryptionConfiguration that the run is given is not the API server's.
 */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { changed, configuration, provider, type Rule } from "./encryption.ts";
import { givenFile, type Armed, type Fault, type Lab } from "./fault.ts";

const path = (lab: Lab): string => givenFile(lab, "encryption-config.yaml");

/** The run is given the intended configuration with its one rule changed. */
function givenChanged(change: (rule: Rule) => Rule): Armed & Pick<Fault, "environment"> {
  const textOf = (file: string): Promise<string> => readFile(file, "utf8");
  return {
    inject: async (lab) => {
      const intended = await textOf(join(lab.instance.folder, "pki/encryption-config.yaml"));
      await writeFile(path(lab), changed(intended, change), { mode: 0o600 });
    },
    heal: (lab) => rm(path(lab)),
    holds: async (lab) => (await textOf(path(lab))) !== (await textOf(join(lab.instance.rootOf("server"), configuration))),
    environment: (lab) => ({ SMOKE_ENCRYPTION_CONFIG: path(lab) }),
  };
}

export const givenKeys: readonly Fault[] = [
  {
    name: "other-key-bytes-given",
    state: "the EncryptionConfiguration that the run is given has other bytes under key1 than the API server's",
    ...givenChanged((rule) => ({ ...rule, providers: [provider("aescbc", "key1")] })),
    fails: ["secret-decrypts"],
    inconclusive: [],
    because: /key "key1" does not open it/,
    cause: /^Cause: the key key1 in \S+ has other bytes than the one of kube-apiserver on server/,
  },
  {
    name: "key-not-rotated",
    state: "by the EncryptionConfiguration that the run is given key2 encrypts, and the API server still has key1 for it",
    ...givenChanged((rule) => ({ ...rule, providers: [provider("aescbc", "key2"), ...rule.providers] })),
    fails: ["secret-encrypted"],
    inconclusive: [],
    because: /begins: expected 'k8s:enc:aescbc:v1:key1:' to be 'k8s:enc:aescbc:v1:key2:'/,
    cause: /^Cause: kube-apiserver on server encrypts Secrets with the key key1, where key2 is expected/,
  },
];
