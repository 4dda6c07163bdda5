import { expect, test } from "vitest";
import { all, api, causeOf, line, lookalikes, said, type Case, type Change } from "../recorded.ts";

const begins = "server: how the value of /registry/secrets/smoke-1/x begins: expected 'k8s\\0' to be 'k8s:enc:aescbc:v1:key1:'";
const canary = "canary-0123456789abcdef0123456789abcdef";
const readBackOtherwise = `decoded: expected { mykey: 'others', canary: '${canary}' } to deeply equal { mykey: 'mydata', canary: '${canary}' }`;
const first = (provider: string) => said("server", "encryption", (text) => text.replace(/providers:\n/, `providers:\n${provider}`));
const keys = (provider: string, name: string) =>
  `      - ${provider}:\n          keys:\n            - name: ${name}\n              secret: [redacted]\n`;
const withoutAPIServer = said("server", "flags", (text) => text.replace(/^kube-apiserver .*\n?/gm, ""));
const otherAPIServer = (secondsSinceRenewal: number) =>
  api(({ leases }) => ({ leases: [...leases, { name: "apiserver-x", holder: "apiserver-x_1", secondsSinceRenewal }] }));
const changedSince = said("server", "encryption-age", () => "the file was changed 20 s ago, kube-apiserver was started 300 s ago");
const reloads = (value: string) => line("server", "flags", `kube-apiserver --encryption-provider-config-automatic-reload${value}`);
const forConfigMaps = "  - resources:\n      - configmaps\n    providers:\n      - identity: {}\n";
const expecting =
  (encryption: { provider: string; keyName: string }): Change =>
  (evidence) => ({ ...evidence, given: { ...evidence.given, encryption: { ...evidence.given.encryption, ...encryption } } });

const cases: readonly Case[] = [
  {
    rule: "etcdctl-not-answered",
    check: "secret-encrypted",
    message: 'server: "etcdctl get /registry/x" exited 1, expected 0: context deadline exceeded.',
    cause: /gets no answer from etcd/,
    butNot: [{ message: 'server: "etcdctl get /registry/x" exited 127, expected 0: etcdctl: not found.' }, { check: "replicas-ready" }],
  },
  {
    rule: "encryption-flag-missing",
    check: "secret-encrypted",
    message: begins,
    change: said("server", "flags", (text) => text.replace(/^kube-apiserver --encryption-provider-config=.*\n/m, "")),
    cause: /^kube-apiserver on server runs without --encryption-provider-config/,
    butNot: [
      // There is nothing wrong with a cluster whose kube-apiserver is on no host that we know.
      { message: begins, change: withoutAPIServer },
      // A flag and its value may be two words.
      {
        message: begins,
        change: said("server", "flags", (text) => text.replace("encryption-provider-config=", "encryption-provider-config ")),
      },
      {
        message: begins,
        change: said("server", "flags", (text) => text.replace(/encryption-provider-config=.*/, "encryption-provider-config")),
      },
    ],
  },
  {
    rule: "encryption-configuration-not-loaded",
    check: "secret-no-plaintext",
    change: changedSince,
    cause: /has not read its EncryptionConfiguration since that was changed/,
    butNot: [
      { change: said("server", "encryption-age", () => "the file was changed 301 s ago, kube-apiserver was started 300 s ago") },
      // It reads the file whenever that changes; a flag of yes or no need not say yes.
      ...["", "=true", "=1", "=t", "=True"].map((value) => ({ change: all(changedSince, reloads(value)) })),
    ],
  },
  {
    rule: "encryption-configuration-not-loaded",
    check: "secret-no-plaintext",
    change: all(changedSince, reloads("=false")),
    cause: /has not read its EncryptionConfiguration since that was changed/,
  },
  {
    rule: "secrets-not-among-resources",
    check: "secret-encrypted",
    change: said("server", "encryption", (text) => text.replace("- secrets", "- secret")),
    cause: /^secrets are not among the resources of the EncryptionConfiguration on server/,
    butNot: [{ change: said("server", "encryption", (text) => text.replace("- secrets", '- "*.*"')) }],
  },
  {
    rule: "identity-first",
    check: "secret-decrypts",
    change: first("      - identity: {}\n"),
    cause: /stores Secrets in plaintext: identity is the first/,
    butNot: [
      // What is first for others, and last for Secrets.
      { change: said("server", "encryption", (text) => text.replace("resources:\n", `resources:\n${forConfigMaps}`)) },
      { change: all(first("      - identity: {}\n"), expecting({ provider: "identity", keyName: "" })) },
    ],
  },
  {
    rule: "other-encryption-provider",
    check: "secret-encrypted",
    change: first(keys("secretbox", "key1")),
    cause: /^kube-apiserver on server encrypts Secrets with the provider secretbox, where aescbc is expected$/,
    butNot: [
      { check: "secret-read-back", change: first(keys("secretbox", "key1")) },
      // Behind an alias, of which an x is left on the host.
      { change: said("server", "encryption", (text) => text.replace(/providers:\n[^]*/, "providers: x\n")) },
    ],
  },
  {
    rule: "other-encryption-key",
    check: "secret-decrypts",
    change: first(keys("aescbc", "key2")),
    cause: /encrypts Secrets with the key key2, where key1/,
    butNot: [
      // A key that only reads, as when keys are rotated.
      {
        change: said("server", "encryption", (text) => text.replace(/( +)- name: key1\n.*\n/, "$&$1- name: key2\n$1  secret: REDACTED\n")),
      },
      { change: all(first(keys("aescbc", "key2")), expecting({ provider: "aescbc", keyName: "key2" })) },
    ],
  },
  {
    rule: "other-key-bytes",
    check: "secret-decrypts",
    message:
      'the value of /registry/x in etcd does not decrypt with /root/encryption-config.yaml: aescbc key "key1" does not open it: bad decrypt.',
    cause: /^the key key1 in \/root\/encryption-config.yaml has other bytes than the one of kube-apiserver on server$/,
    butNot: [
      { message: "does not decrypt with /root/x: the EncryptionConfiguration has no key for it: the value is aesgcm" },
      { check: "secret-encrypted", message: "does not open it" },
    ],
  },
  {
    rule: "key-not-given",
    check: "secret-decrypts",
    message: "does not decrypt with /root/x: the EncryptionConfiguration has no key for it: the value is aesgcm",
    cause: /has no key for what kube-apiserver on server stores/,
    butNot: [{ message: 'does not decrypt with /root/x: aescbc key "key1" does not open it: bad decrypt.' }],
  },
  {
    rule: "secret-altered",
    check: "secret-decrypts",
    message: `server: etcd's value, decrypted with /root/x: expected { mykey: 'others', canary: '${canary}' } to deeply equal { mykey: 'mydata', canary: '${canary}' }`,
    cause: /^the Secret was altered on its way into the cluster/,
    butNot: [
      {
        message: `etcd's value, decrypted with /root/x: expected { mykey: 'of-another' } to deeply equal { mykey: 'mydata', canary: '${canary}' }`,
      },
    ],
  },
  {
    rule: "answers-altered-in-between",
    check: "secret-read-back",
    message: readBackOtherwise,
    change: api(() => ({ server: "https://192.0.2.1:8443" })),
    cause: /^what stands between this machine and kube-apiserver alters what it answers/,
    butNot: [
      { message: readBackOtherwise },
      { check: "secret-decrypts", message: readBackOtherwise, change: api(() => ({ server: "https://192.0.2.1:8443" })) },
      {
        message: readBackOtherwise,
        change: all(
          api(() => ({ server: "https://192.0.2.1:8443" })),
          line("server", "flags", "kube-apiserver --secure-port=8443"),
        ),
      },
      // Of what is not seen to run nothing is known.
      {
        message: readBackOtherwise,
        change: all(
          api(() => ({ server: "https://192.0.2.1:8443" })),
          withoutAPIServer,
        ),
      },
    ],
  },
  {
    rule: "secret-kept-by-finalizer",
    check: "secret-deleted",
    change: api(() => ({ secretFinalizers: ["example.com/kept"] })),
    cause: /^something gives the Secret the finalizer example\.com\/kept/,
    butNot: [{ check: "secret-encrypted", change: api(() => ({ secretFinalizers: ["example.com/kept"] })) }],
  },
  {
    rule: "etcd-shows-other-data",
    check: "secret-decrypts",
    message: "the value of /registry/secrets/smoke-1/x in etcd does not decrypt with /root/x: it is the value of Secret default/another",
    cause: /^etcdctl on server shows the data of another Secret/,
    butNot: [
      { message: 'does not decrypt with /root/x: aescbc key "key1" does not open it: bad decrypt.' },
      {
        check: "secret-deleted",
        message: "server: /registry/x: what is left of it after the deletion: expected [ '/registry/x' ] to deeply equal []",
        change: api(() => ({ secretFinalizers: ["example.com/kept"] })),
      },
    ],
  },
  {
    rule: "stored-around-the-api",
    check: "secret-encrypted",
    message: begins,
    cause: /^the Secret lies in etcd as kube-apiserver on server would not store it/,
    // Only of who has been seen to store it otherwise can it be said that it was somebody else: k3s has no such process, and an etcd of its
    // own host has none either.
    butNot: [
      { message: begins, change: withoutAPIServer },
      { message: begins, change: said("server", "encryption", () => "") },
      { message: begins, change: said("server", "encryption", () => "resources: {") },
      // Of two that are at work, the other may have written it.
      { message: begins, change: otherAPIServer(4) },
    ],
  },
  {
    rule: "stored-around-the-api",
    check: "secret-no-plaintext",
    message: begins,
    // One that was there before is no more.
    change: otherAPIServer(1800),
    cause: /^the Secret lies in etcd as kube-apiserver on server would not store it/,
  },
];

test.for(cases)("$rule is named when $check fails", (given) => {
  expect(causeOf(given)).toEqual({ rule: given.rule, cause: expect.stringMatching(given.cause) });
  expect(lookalikes(given)).not.toContain(given.rule);
});
